"""The audit that opens itself: a sensor sees a new alarm, a job makes its pack and tells people.

Belongs here: when it starts, once per alarm. Does not belong here: what an alarm is, what a pack
says (`orchestration.lib.audit`). The job is no part of closing the books: it has no assets, so the
job that selects all of them does not run it, and it reads a published file that nothing changes.
"""

import json

# No `from __future__ import annotations` here: Dagster reads the type of `context` at run time.
import dagster as dg

from orchestration.lib.audit.pack import make_packs, standing_alarms
from orchestration.lib.notify.tell import tell
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import current_number
from orchestration.lib.sources.config import SourcesFile
from orchestration.settings import Home

JOB = "handoff_audit"
OP = "make_pack"
#: Alarms of one look; the rest follow with the next looks, so that an old home with its first
#: alarms does not keep the hourly run waiting.
_AT_MOST = 10


def audit_job(home: Home, sources: SourcesFile) -> dg.JobDefinition:
    """One alarm, one run: its pack, then word to whoever was not told of it yet."""

    @dg.op(
        name=OP,
        config_schema={"alarm": str, "publication": int},
        out=dg.Out(dg.Nothing),
        description="Makes the audit pack of one alarm, and tells people.",
    )
    def make_pack(context: dg.OpExecutionContext) -> None:
        key, number = context.op_config["alarm"], context.op_config["publication"]
        packs = make_packs(home, number, [key])
        if not packs:
            raise dg.Failure(
                f"publication {number} has no alarm {key}: `tieout audit handoff --list`",
                allow_retries=False,
            )
        (pack,) = packs
        alarm = pack.alarm
        context.add_output_metadata(
            {
                "page": dg.MetadataValue.path(pack.page),
                "alarm": alarm.key,
                "metric": alarm.metric,
                "period": alarm.period,
                "scope": alarm.scope,
                "alarmed_at": alarm.alarmed_at.isoformat() + "Z",
                "not_yet_burnt_minor": alarm.not_yet_burnt_minor,
                "variance item": alarm.item_id or "(none)",
            }
        )
        # Most often everybody heard of it when it was published; whoever did not hears of it now.
        report = tell(home, sources.notify.channels, ended=False)
        for line in report.failed:
            context.log.warning(f"channel {line.channel} was not reached: {line.reason}")

    @dg.job(
        name=JOB,
        executor_def=dg.in_process_executor,
        # Closing the books goes first: one run at a time is all that the instance allows.
        tags={"dagster/priority": "-1"},
        description="Makes the audit pack of an alarm: trails, reasons, owners, dollars by stage.",
    )
    def handoff_audit() -> None:
        make_pack()

    return handoff_audit


def on_alarm(home: Home) -> dg.SensorDefinition:
    """Asks for one audit per new alarm of the current publication.

    The cursor holds the publication that was looked at and the alarms asked for; the run key is the
    alarm's own, so that Dagster refuses a second run also where the cursor was lost.
    """

    @dg.sensor(
        name="handoff_alarms",
        job_name=JOB,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Opens an audit for each new alarm on velocity or on a handoff.",
    )
    def handoff_alarms(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = json.loads(context.cursor) if context.cursor else {"publication": None, "asked": []}
        number = current_number(home)
        if number is None:
            return dg.SkipReason("nothing is published yet")
        if number == seen["publication"]:
            return dg.SkipReason(f"publication {number} was looked at")
        try:
            alarms = standing_alarms(home, number)
        except ReleaseError as error:
            return dg.SkipReason(f"publication {number} cannot be read:\n{error}")
        standing = {alarm.key for alarm in alarms}
        new = [alarm for alarm in alarms if alarm.key not in seen["asked"]][:_AT_MOST]
        asked = standing.intersection(seen["asked"]).union(alarm.key for alarm in new)
        return dg.SensorResult(
            run_requests=[_request(alarm.key, number) for alarm in new],
            cursor=json.dumps(
                {"publication": number if asked == standing else None, "asked": sorted(asked)}
            ),
        )

    return handoff_alarms


def _request(key: str, number: int) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key,
        run_config={"ops": {OP: {"config": {"alarm": key, "publication": number}}}},
        tags={"alarm": key},
    )
