"""The alarms that a published file holds: what fired, since when, and the money it is about.

Belongs here: finding them, one lasting key for each. Does not belong here: the statistics behind an
alarm (the models), what the audit of one says (`cohort`).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import duckdb

Kind = Literal["drift", "velocity"]
#: The metric of an alarm on velocity, which is no KPI of the plan.
VELOCITY = "velocity"
#: An alarm on velocity is about one week; what slowed the pipeline down entered in the quarter
#: before its end.
_VELOCITY_DAYS = 91


@dataclass(frozen=True)
class Alarm:
    """One alarm. Instants are UTC without a zone, money is in minor units of `currency`.

    `expected` and `actual` are rates (shares of one) for drift, minor units a day for velocity.
    `budget_minor` is the plan's for scope and period, `spent_minor` what was spent in the period so
    far, `spent_at_alarm_minor` by the day of the alarm. `item_id` is the variance item that stands
    open for it, whose answer `owner` owes.
    """

    kind: Kind
    metric: str
    period: str
    scope: str
    alarmed_at: datetime
    expected: Decimal | None
    actual: Decimal | None
    from_stage: str | None
    to_stage: str | None
    settled_at_alarm: int | None
    evidence: Decimal | None
    max_evidence: Decimal | None
    period_start_date: date
    period_end_date: date
    currency: str
    budget_minor: int | None
    spent_minor: int
    spent_at_alarm_minor: int
    owner: str | None
    owner_department: str | None
    item_id: str | None
    item_status: str | None
    item_due_date: date | None

    @property
    def key(self) -> str:
        """A- and ten digits: the same for the same alarm in every publication."""
        parts = [self.kind, self.metric, self.period, self.scope, self.alarmed_at.isoformat()]
        return f"A-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]}"

    @property
    def not_yet_burnt_minor(self) -> int:
        """What of the period's money had not been spent when the alarm rose."""
        total = self.spent_minor if self.budget_minor is None else self.budget_minor
        return max(0, total - self.spent_at_alarm_minor)

    @property
    def folder_name(self) -> str:
        """Says to people what it is; the key makes it unique."""
        words = "_".join((self.metric, self.period, self.scope))
        return f"{self.key}_{re.sub(r'[^A-Za-z0-9-]+', '_', words).strip('_')[:80]}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "key": self.key,
            **asdict(self),
            "not_yet_burnt_minor": self.not_yet_burnt_minor,
        }


def read_alarms(connection: duckdb.DuckDBPyConnection) -> list[Alarm]:
    """All standing alarms that open an audit, the largest money at stake first.

    Of the rates those of a lead's way to Sales: what happens to deals is velocity. A file made
    before a table was published has no alarms of its kind.
    """
    tables = published_tables(connection)
    queries = []
    if "main.rpt_drift__cohort_transition" in tables:
        queries.append(_DRIFT)
    if "main.rpt_velocity__segment_week" in tables:
        queries.append(_VELOCITY_ALARM)
    if not queries:
        return []
    connection.execute(f"create or replace temp table alarm as {' union all '.join(queries)}")
    if connection.execute("select count(*) from alarm").fetchone() == (0,):
        return []
    _create_scope_member(connection, tables)
    alarms = [Alarm(**row) for row in rows(connection, _FACTS, {"velocity_days": _VELOCITY_DAYS})]
    return sorted(
        alarms, key=lambda alarm: (-alarm.not_yet_burnt_minor, alarm.alarmed_at, alarm.key)
    )


def published_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """`schema.name` of every table of the file."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database()"
    ).fetchall()
    return {name for (name,) in rows}


_DRIFT = """
    select
        'drift' as kind,
        drift.metric,
        drift.period,
        drift.scope,
        drift.alarmed_at,
        drift.expected_rate as expected,
        drift.actual_rate as actual,
        dim_kpi.from_stage,
        dim_kpi.to_stage,
        drift.matured_at_alarm as settled_at_alarm,
        drift.evidence,
        drift.max_evidence,
        drift.budget_minor,
        drift.spent_at_alarm_minor,
        -- Whoever owns the handoff answers for the velocity too.
        drift.metric as owned_metric
    from rpt_drift__cohort_transition as drift
    inner join dim_kpi on drift.metric = dim_kpi.metric
    where
        drift.is_alarm
        and drift.alarmed_at is not null
        and dim_kpi.from_stage in ('lead', 'mql', 'sal', 'sql')
"""


#: An alarm on velocity stands for weeks on end: it is one, named by its first week, and its figures
#: are the newest. One that was lifted since is history.
_VELOCITY_ALARM = f"""
    select
        'velocity' as kind,
        '{VELOCITY}' as metric,
        strftime(min(week_start_date), '%Y-%m-%d') as period,
        scope,
        alarmed_at,
        max_by(planned_velocity_minor, week_start_date) as expected,
        max_by(velocity_minor, week_start_date) as actual,
        'mql' as from_stage,
        'sal' as to_stage,
        null as settled_at_alarm,
        null as evidence,
        null as max_evidence,
        null as budget_minor,
        null as spent_at_alarm_minor,
        'rate_mql_sal' as owned_metric
    from (
        select
            *,
            max(week_start_date) over (partition by scope) as newest_week_start_date
        from rpt_velocity__segment_week
    )
    where is_alarm and alarmed_at is not null
    group by scope, alarmed_at
    having max(week_start_date) = max(newest_week_start_date)
"""


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query by column names."""
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _create_scope_member(connection: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Which campaigns a scope counts: as the plan has it, or by the campaigns' own words."""
    planned = ""
    if "audit.plan_scope_member" in tables:
        planned = """
            union
            select scope, campaign_key from audit.plan_scope_member
            qualify version = max(version) over (partition by scope)
        """
    connection.execute(
        f"""
        create or replace temp table scope_member as
        select 'company' as scope, campaign_key from dim_campaign
        union
        select 'campaign:' || campaign_key, campaign_key from dim_campaign
        union
        select 'channel:' || channel, campaign_key from dim_campaign where channel is not null
        union
        select 'segment:' || segment, campaign_key from dim_campaign where segment is not null
        {planned}
        """
    )


_FACTS = """
    with

    run as (select * from audit.run),

    period as (

        select * from audit.plan_period
        qualify row_number() over (partition by period order by version desc) = 1

    ),

    dated as (

        select
            alarm.*,
            run.reporting_currency as currency,
            cast(timezone(run.time_zone, timezone('UTC', alarm.alarmed_at)) as date) as alarmed_on,
            coalesce(
                period.period_start_date, try_cast(alarm.period as date) + 7 - $velocity_days
            ) as period_start_date,
            coalesce(period.period_end_date, try_cast(alarm.period as date) + 7) as period_end_date
        from alarm
        cross join run
        left join period on alarm.period = period.period

    ),

    -- By the day of the alarm too, for what has no such figure of its own: velocity, and a campaign
    -- that is no scope of the plan and only committed to.
    spent as (

        select
            dated.kind,
            dated.metric,
            dated.period,
            dated.scope,
            sum(spend.amount_minor)::bigint as spent_minor,
            sum(spend.amount_minor) filter (where spend.spend_date <= dated.alarmed_on)::bigint
            as spent_at_alarm_minor
        from dated
        inner join scope_member on dated.scope = scope_member.scope
        inner join fct_spend__campaign_daily as spend
            on scope_member.campaign_key = spend.campaign_key
            and spend.spend_date >= dated.period_start_date
            and spend.spend_date < dated.period_end_date
        group by dated.kind, dated.metric, dated.period, dated.scope

    ),

    -- That of a velocity alarm is named by the quarter in which it rose, not by the week.
    item as (

        select
            *,
            row_number() over (partition by metric, scope order by opened_date desc) as recency
        from rpt_variance_item

    ),

    -- The scope's own owner, else the KPI's, by the newest version.
    accountable as (

        select
            alarm.owned_metric as metric,
            alarm.scope,
            kpi.owner,
            kpi.owner_department
        from (select distinct owned_metric, scope from alarm) as alarm
        inner join audit.plan_kpi as kpi
            on alarm.owned_metric = kpi.metric and coalesce(kpi.scope, alarm.scope) = alarm.scope
        qualify row_number() over (
            partition by alarm.owned_metric, alarm.scope
            order by kpi.version desc, kpi.scope is null
        ) = 1

    )

    select
        dated.kind,
        dated.metric,
        dated.period,
        dated.scope,
        dated.alarmed_at,
        dated.expected,
        dated.actual,
        dated.from_stage,
        dated.to_stage,
        dated.settled_at_alarm,
        dated.evidence,
        dated.max_evidence,
        dated.period_start_date,
        dated.period_end_date,
        dated.currency,
        dated.budget_minor,
        coalesce(spent.spent_minor, 0) as spent_minor,
        coalesce(dated.spent_at_alarm_minor, spent.spent_at_alarm_minor, 0)
            as spent_at_alarm_minor,
        coalesce(item.owner, accountable.owner) as owner,
        coalesce(item.owner_department, accountable.owner_department) as owner_department,
        item.item_id,
        item.status as item_status,
        item.due_date as item_due_date
    from dated
    left join spent
        on dated.kind = spent.kind and dated.metric = spent.metric
        and dated.period = spent.period and dated.scope = spent.scope
    left join accountable
        on dated.owned_metric = accountable.metric and dated.scope = accountable.scope
    left join item
        on dated.metric = item.metric and dated.scope = item.scope
        and (dated.period = item.period or (dated.kind = 'velocity' and item.recency = 1))
"""
