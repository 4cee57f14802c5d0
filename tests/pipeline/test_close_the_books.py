"""The whole job on a small company: published, unchanged, blocked, failed, refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from expectations.client import Judge
from orchestration.defs import loading
from orchestration.defs.automation import JOB
from orchestration.defs.instance import SERVED, open_instance
from orchestration.defs.release import CANDIDATE, LAW_ON, PUBLISHED
from orchestration.defs.resources import made_per_run
from orchestration.lib.lock import current_holder
from orchestration.lib.release.reader import open_published
from orchestration.lib.sources.config import load_sources
from orchestration.lib.transform import Project
from orchestration.settings import REPO
from tests.conventions.tree import under
from tests.pipeline.conftest import SECRET, Story, sha256
from tests.support.metrics import Ask, asking

SQL_BLOCK = re.compile(r"(?ms)^```sql\n(.*?)^```$")
SHOWS_SQL = [path for path in under(".", suffix=".md") if SQL_BLOCK.search(path.read_text("utf-8"))]


def test_first_run_publishes(story: Story) -> None:
    first = story.first
    assert first.exit_code == 0, first.told
    assert first.answer["outcome"] == "published"
    assert first.answer["published"]["number"] == 1
    # Chance opens items in a company as small as this; its plan only warns of them.
    assert {
        law["law"]
        for law in first.answer["verdict"]["results"]
        if law["status"] not in ("held", "not applicable")
    } <= {"G2", "G3"}
    assert all(table["new_rows"] == table["landed_rows"] for table in first.answer["ingested"])
    assert first.current == "releases/1"


def test_progress_tells_every_step(story: Story) -> None:
    steps = [step["name"] for step in story.first.answer["steps"]]
    assert steps[-7:] == [
        "link inputs", "transform", "freeze", "check", "scorecard", "seal", "publish",
    ]  # fmt: skip
    assert all(step in story.first.told for step in steps)


def test_second_run_lands_nothing_and_has_the_same_content(story: Story) -> None:
    second = story.second
    assert second.exit_code == 0, second.told
    assert all(table["new_rows"] == 0 for table in second.answer["ingested"])
    assert second.answer["published"]["number"] == 2
    assert second.answer["published"]["same_content_as_before"]
    for answer in (story.first.answer, second.answer):
        assert (
            answer["published"]["content_sha256"]
            == (story.first.answer["published"]["content_sha256"])
        )


def test_blocked_run_leaves_readers_the_very_bytes(story: Story) -> None:
    blocked = story.blocked
    assert blocked.exit_code == 3, blocked.told
    assert blocked.answer["outcome"] == "blocked"
    laws = {law["law"]: law for law in blocked.answer["verdict"]["results"]}
    assert laws["B1"]["status"] == "broken"
    assert laws["B1"]["offending_count"] == 1
    assert blocked.published_sha256 == story.second.published_sha256
    assert blocked.current == story.second.current
    assert "B1" in story.blocked_text and "broken" in story.blocked_text
    # The runs after it failed, so it is still the last that was judged.
    page = story.home.scorecard.read_text()
    banner = page.partition('<aside class="banner"')[2].partition("</aside>")[0]
    assert "last good publication, number 2" in banner
    assert "B1 " in banner and "Whose move: " in banner and "tieout explain B1" in banner
    assert (
        page.replace(f'<aside class="banner"{banner}</aside>', "<!-- banner -->")
        == (story.home.current / "scorecard.html").read_text()
    )


def test_failed_transformation_names_the_model_and_changes_nothing(story: Story) -> None:
    broken = story.broken
    assert broken.exit_code == 1
    assert "dbt_project/models/" in broken.answer["error"]
    assert "Traceback" not in broken.told
    assert broken.published_sha256 == story.second.published_sha256


def test_second_writer_is_refused(story: Story) -> None:
    assert story.while_another.exit_code == 1
    assert "another run" in story.while_another.told
    assert "a test" in story.while_another.told
    assert story.while_another.published_sha256 == story.second.published_sha256


def test_channel_heard_how_the_runs_ended_and_nothing_else(story: Story) -> None:
    """Published, unchanged, blocked, failed, refused: the second and the last say nothing."""
    said = {"first": story.first, "second": story.second, "blocked": story.blocked}
    told = {name: ran.answer["after"]["told"]["channels"][0] for name, ran in said.items()}
    assert all(line["reason"] is None for line in told.values())
    # What chance left standing in so small a company is one message, if anything.
    assert len(told["first"]["told"]) <= 1 and told["second"]["told"] == []
    (blocked_title, text), (failed_title, _) = story.heard[-2:]
    assert blocked_title == "Larkfield Software: blocked by B1"
    assert "run: tieout explain B1" in text and "Readers see publication 2" in text
    assert failed_title == "Larkfield Software: the run ended with an error"
    assert len(story.heard) == 2 + len(told["first"]["told"])


def test_address_of_the_channel_is_nowhere(story: Story) -> None:
    assert SECRET not in json.dumps([story.first.answer, story.broken.answer]) + story.broken.told
    for path in sorted(story.home.root.rglob("*")):
        if path.is_file() and not path.is_relative_to(story.home.landing):
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.fixture
def publish_alone(story: Story) -> dg.JobDefinition:
    """The job cut down to its last step, as somebody might materialise it in the UI."""
    project = Project(story.home)
    project.prepare()
    definitions = loading.definitions(
        load_sources(story.sources), project, made_per_run(story.home, story.sources)
    )
    return definitions.resolve_job_def(JOB).get_subset(asset_selection={PUBLISHED})


def why_refused(job: dg.JobDefinition) -> str:
    result = job.execute_in_process(
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None and error.cause is not None
    return error.cause.message


def test_publishing_alone_without_a_candidate_is_refused(
    story: Story, publish_alone: dg.JobDefinition
) -> None:
    shutil.rmtree(story.home.candidate, ignore_errors=True)
    assert "there is no candidate" in why_refused(publish_alone)
    assert sha256(story.home.current_database) == story.second.published_sha256


def test_publishing_alone_what_was_blocked_is_refused(
    story: Story, publish_alone: dg.JobDefinition
) -> None:
    shutil.rmtree(story.home.candidate, ignore_errors=True)
    shutil.copytree(story.home.work / "kept_for_test", story.home.candidate)
    assert "blocked by B1" in why_refused(publish_alone)
    assert sha256(story.home.current_database) == story.second.published_sha256


def test_publishing_alone_with_a_stale_receipt_is_refused(
    story: Story, publish_alone: dg.JobDefinition
) -> None:
    if story.home.candidate.is_dir():
        shutil.rmtree(story.home.candidate)
    shutil.copytree(story.home.releases / "1", story.home.candidate)
    story.home.candidate.chmod(0o755)
    assert "another was published since" in why_refused(publish_alone)
    assert sha256(story.home.current_database) == story.second.published_sha256
    shutil.rmtree(story.home.candidate)


def test_history_holds_every_run_with_checks_and_row_counts(story: Story) -> None:
    """Read back with Dagster's own class: the file format is Dagster's."""
    from dagster._core.storage.event_log import SqliteEventLogStorage

    with open_instance(story.home, SERVED) as instance:
        runs = instance.get_runs()
        assert [run.status.value for run in runs[-4:]] == [
            "FAILURE",
            "FAILURE",
            "SUCCESS",
            "SUCCESS",
        ]
        own = SqliteEventLogStorage(str(story.home.dagster / "storage" / "events"))
        own.register_instance(instance)
        events = [
            record.event_log_entry for record in own.get_records_for_run(runs[-3].run_id).records
        ]
        own.dispose()
    checks = {
        event.dagster_event.asset_check_evaluation_data.check_name: (
            event.dagster_event.asset_check_evaluation_data
        )
        for event in events
        if event.dagster_event and event.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
    }
    assert set(LAW_ON) <= set(checks)
    assert not checks["B1"].passed and checks["B1"].blocking
    assert "difference" in checks["B1"].metadata
    assert "|" in str(checks["B1"].metadata["rows"].value)
    materialized = {
        event.dagster_event.asset_key: event.dagster_event.materialization.metadata
        for event in events
        if event.dagster_event and event.dagster_event.is_step_materialization
    }
    assert materialized[dg.AssetKey("fct_spend__campaign_daily")]["dagster/row_count"].value > 0
    assert materialized[dg.AssetKey(["raw", "crm", "leads"])]["quarantined_rows"].value == 0
    assert CANDIDATE in materialized and PUBLISHED not in materialized


def test_published_file_opens_read_only_and_is_whole(story: Story) -> None:
    with duckdb.connect(str(story.home.current_database), read_only=True) as connection:
        spent, standing = connection.execute(
            "select (select sum(amount_minor) from fct_dollar_journal__entry"
            " where from_stage = 'funding'),"
            " (select sum(amount_minor) from rpt_stage_balance__campaign_cohort"
            " where stage <> 'funding')"
        ).fetchone() or (None, None)
    assert spent == standing is not None


@pytest.mark.parametrize("page", SHOWS_SQL, ids=lambda path: path.name)
def test_every_query_that_a_page_shows_runs(story: Story, page: Path) -> None:
    """On the published file, whose tables they name; what they find depends on the company."""
    queries = SQL_BLOCK.findall(page.read_text("utf-8"))
    assert queries
    with duckdb.connect(str(story.home.current_database), read_only=True) as books:
        for query in queries:
            books.execute(query)


def test_nothing_of_dbt_keeps_the_warehouse_open(story: Story) -> None:
    with duckdb.connect(str(story.home.warehouse)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_run_that_is_ended_leaves_everything_as_it_was(story: Story) -> None:
    code = "import orchestration.cli; orchestration.cli.main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", "--sources", str(story.sources)],
        cwd=REPO,
        env=os.environ | {"TIEOUT_HOME": str(story.home.root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "link inputs" in line:
                break
        run.send_signal(signal.SIGTERM)
        told = run.stderr.read()
        assert run.wait(timeout=60) == 130
    assert "interrupted" in told and "Readers keep #2" in told
    assert "Traceback" not in told
    assert current_holder(story.home) is None
    assert sha256(story.home.current_database) == story.second.published_sha256


def test_no_judge_outlives_its_run() -> None:
    with Judge.start() as judge:
        process = judge._process
    assert process.poll() is not None


# --- The metrics ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask(story: Story) -> Ask:
    return asking(story.home)


@pytest.mark.parametrize("period_kind", ["month", "quarter"])
def test_every_kpi_is_the_metric_of_its_name(story: Story, ask: Ask, period_kind: str) -> None:
    """To the last digit that the report has; a KPI without a metric fails."""
    with open_published(story.home) as books:
        kpis = [name for (name,) in books.execute("select metric from dim_kpi").fetchall()]
        reported = books.execute(
            f"""
            select metric, period_start_date, actual_value
            from rpt_plan_vs_actual__kpi_period
            where scope = 'company' and period_kind = '{period_kind}'
                and actual_value is not null
            """
        ).fetchall()
    answers = {kpi: ask([kpi], [f"metric_time__fiscal_{period_kind}"]) for kpi in kpis}
    assert len(reported) > len(kpis) - 3
    for kpi, start, value in reported:
        # Nothing counted is no row here and nothing there.
        (answer,) = answers[kpi].get((start,), (0,))
        assert answer == pytest.approx(float(value), abs=1e-8), (kpi, start)


def test_cost_per_stage_and_cac_are_those_of_the_report(story: Story, ask: Ask) -> None:
    """Where the report cuts off parts of a minor unit, so does the test."""
    steps = ("lead", "mql", "sal", "sql", "opportunity", "win")
    for view in ("period", "cohort"):
        metrics = [f"{view}_cac", *(f"{view}_cost_per_{step}" for step in steps)]
        answers = ask(metrics, ["metric_time__day"])
        listed = ", ".join(f"cost_per_{step}_minor" for step in steps)
        with open_published(story.home) as books:
            reported = books.execute(
                f"""
                select period_start_date::timestamp, cac_minor, {listed}
                from rpt_return__campaign_period
                where view_kind = '{view}' and model = 'first_touch'
                    and campaign_key = '(company)'
                """
            ).fetchall()
        assert any(value is not None for _, *values in reported for value in values)
        for start, *values in reported:
            found = [None if each is None else int(each) for each in answers[start,]]
            assert found == values, (view, start)


def test_a_quotient_of_metrics_is_one_of_sums_at_any_grain(story: Story, ask: Ask) -> None:
    by = ["campaign__channel"]
    parts = ask(["budget", "leads", "cost_per_lead"], by)
    assert len(parts) > 1
    for spend, leads, price in parts.values():
        assert (price is None) == (not leads)
        if leads:
            assert price == pytest.approx(float(spend or 0) / float(leads))


def test_the_metric_of_another_rule_differs(story: Story, ask: Ask) -> None:
    """The comparison above can fail: leads are not MQLs, and a month is no quarter."""
    leads, mqls = (ask([name], ["metric_time__fiscal_quarter"]) for name in ("leads", "mqls"))
    assert leads != mqls
    assert leads != ask(["leads"], ["metric_time__fiscal_month"])
