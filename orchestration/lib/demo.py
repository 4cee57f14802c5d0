"""The stories that `tieout demo` tells, read from a published file: what was planned, what came.

Belongs here: the figures of a story, out of the published tables alone. Does not belong here: the
invented company (`sample`), running its books (`orchestration.cli.demo`), showing them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

STORIES = ("healthy", "mirage", "quality-trap")


@dataclass(frozen=True)
class Alarm:
    """When the data disproved a planned rate, and what had been spent by the end of that day.

    Rates are shares of one; money is in minor units of the reporting currency. `disproved_on` is a
    day of the reporting time zone, `first_hour` the full hour (UTC) at which a look shows it first.
    """

    metric: str
    period: str
    planned_rate: float
    actual_rate: float
    disproved_on: date
    settled_leads: int
    spent_minor: int
    budget_minor: int
    period_end: date
    first_hour: datetime

    @property
    def days_before_the_end(self) -> int:
        """Days between the alarm and the end of the period, when a report would have shown it."""
        return (self.period_end - self.disproved_on).days


@dataclass(frozen=True)
class Day:
    """What anybody could know at the end of a day of the alarm's period; counts to date.

    `entered` are those who came to the transition's first stage in the period, `decided` those of
    them who went on or left, or whose window had passed, `converted` those who went on in time.
    """

    day: date
    leads: int
    entered: int
    decided: int
    converted: int
    spent_minor: int


@dataclass(frozen=True)
class Cost:
    """What a win cost: planned (budget ÷ wins of the plan) and come of it, in minor units."""

    planned_minor: int | None
    actual_minor: int | None


@dataclass(frozen=True)
class BridgeLine:
    """One line from Marketing's own number to Sales' own; they add up line by line."""

    text: str
    value: int
    is_total: bool


@dataclass(frozen=True)
class KpiLine:
    """One KPI of the company in the story's period; money in minor units, rates as shares."""

    metric: str
    unit: str
    plan: float
    actual: float | None
    activity_status: str
    value_status: str


@dataclass(frozen=True)
class Story:
    """What a demo ends with; `period` is the fiscal period it is about."""

    period: str
    currency: str
    kpis: tuple[KpiLine, ...]
    bridge: tuple[BridgeLine, ...]
    alarm: Alarm | None
    #: Every day of the alarm's period; none without an alarm.
    days: tuple[Day, ...]
    cost_per_win: Cost

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_story(database: Path) -> Story:
    """The story of the company's last complete quarter in a published file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(
            """
            select period, period_start_date, period_end_date, run.reporting_currency
            from fct_plan__kpi_period
            cross join audit.run
            where period_kind = 'quarter' and period_end_date <= run.as_of_date
            order by period_end_date desc
            limit 1
            """
        ).fetchone()
        if row is None:
            raise ValueError(f"{database}: no quarter of the plan is over")
        period, start, end, currency = row
        kpis = _kpis(connection, period)
        alarm = _alarm(connection, period)
        return Story(
            period=period,
            currency=currency,
            kpis=kpis,
            bridge=_bridge(connection, start, end),
            alarm=alarm,
            days=() if alarm is None else _days(connection, alarm.metric, start, end),
            cost_per_win=_cost_per_win(kpis),
        )


def _kpis(connection: duckdb.DuckDBPyConnection, period: str) -> tuple[KpiLine, ...]:
    rows = connection.execute(
        """
        select report.metric, report.unit, report.plan_value::double, report.actual_value::double,
            report.activity_status, report.value_status
        from rpt_plan_vs_actual__kpi_period as report
        inner join dim_kpi on report.metric = dim_kpi.metric
        where report.period = ? and report.scope = 'company'
        order by dim_kpi.ordinal
        """,
        [period],
    ).fetchall()
    return tuple(KpiLine(*row) for row in rows)


def _bridge(
    connection: duckdb.DuckDBPyConnection, start: date, end: date
) -> tuple[BridgeLine, ...]:
    """Marketing's claim → the books' MQLs → the books' accepted leads → Sales' claim.

    Lines of a department's bridge go from the claim down to the books, so those of Sales are turned
    round.
    """
    marketing = _claim_lines(connection, "marketing", "mqls", start, end)
    sales = _claim_lines(connection, "sales", "accepted_leads", start, end)
    between = connection.execute(
        """
        select line, reason, leads, line_kind
        from rpt_handoff_bridge__period
        where period_start_date = ? and period_end_date = ? and scope = 'company'
        order by line_number
        """,
        [start, end],
    ).fetchall()
    lines = [BridgeLine("Marketing reports MQLs", value, True) for value in marketing["claim"]]
    lines += [BridgeLine(text, -value, False) for text, value in marketing["reasons"]]
    for line, reason, leads, kind in between:
        if kind != "difference":
            lines.append(BridgeLine(_HANDOFF_TOTALS.get(line, line), leads, True))
        else:
            words = line.replace("_", " ")
            lines.append(BridgeLine(f"{words}: {reason}" if reason else words, -leads, False))
    lines += [BridgeLine(text, value, False) for text, value in sales["reasons"]]
    lines += [BridgeLine("Sales reports accepted leads", value, True) for value in sales["claim"]]
    return tuple(lines)


_HANDOFF_TOTALS = {
    "mqls": "MQLs in the books",
    "accepted": "of these accepted by Sales",
    "sals": "Accepted leads in the books",
}


def _claim_lines(
    connection: duckdb.DuckDBPyConnection, department: str, metric: str, start: date, end: date
) -> dict[str, Any]:
    rows = connection.execute(
        """
        select line, coalesce(note, reason), value::bigint
        from rpt_claims_bridge__period
        where department = ? and metric = ? and period_start_date = ? and period_end_date = ?
            and scope = 'company'
        order by line_number
        """,
        [department, metric, start, end],
    ).fetchall()
    return {
        "claim": [value for line, _, value in rows if line == "claim"],
        "reasons": [
            (f"{department}: {text or line}", value)
            for line, text, value in rows
            if line not in ("claim", "books") and value
        ],
    }


def _alarm(connection: duckdb.DuckDBPyConnection, period: str) -> Alarm | None:
    """The first alarm of the company in this period, if a planned rate was disproved at all."""
    row = connection.execute(
        """
        with alarms as (
            select
                drift.*,
                cast(timezone(run.time_zone, timezone('UTC', alarmed_at)) as date) as alarmed_on
            from rpt_drift__cohort_transition as drift
            cross join audit.run
            where drift.is_alarm and drift.scope = 'company' and drift.period = ?
            order by alarmed_at
            limit 1
        )

        select
            alarms.metric,
            alarms.period,
            alarms.expected_rate::double,
            alarms.actual_rate::double,
            alarms.alarmed_on,
            alarms.matured_at_alarm,
            coalesce(sum(spend.amount_minor) filter (
                where spend.spend_date <= alarms.alarmed_on
            ), 0)::bigint,
            coalesce(sum(spend.amount_minor), 0)::bigint,
            alarms.period_end_date,
            -- The first full hour at which a look finds it.
            date_trunc('hour', alarms.alarmed_at + interval 1 hour - interval 1 microsecond)
        from alarms
        left join fct_spend__campaign_daily as spend
            on
                spend.spend_date >= alarms.period_start_date
                and spend.spend_date < alarms.period_end_date
        group by all
        """,
        [period],
    ).fetchone()
    return None if row is None else Alarm(*row)


#: The column of fct_lead in which a lead's first entry at a stage stands.
_ENTRY = {"lead": "created_at", "mql": "first_mql_at", "sal": "first_sal_at", "sql": "first_sql_at"}
_CONVERSION = _ENTRY | {"opportunity": "first_opportunity_at"}


def _days(
    connection: duckdb.DuckDBPyConnection, metric: str, start: date, end: date
) -> tuple[Day, ...]:
    """The story day by day, for a transition of leads; none for one of deals."""
    row = connection.execute(
        "select from_stage, to_stage from dim_kpi where metric = ?", [metric]
    ).fetchone()
    if row is None or row[0] not in _ENTRY:
        return ()
    entered, converted = _ENTRY[row[0]], _CONVERSION[row[1]]
    rows = connection.execute(
        f"""
        with run as (
            select time_zone, as_of from audit.run
        ),

        lines as (
            -- A line for a scope of the plan comes before the one for all.
            select window_days
            from audit.plan_kpi
            where metric = $metric
            order by version desc, scope is null, sheet_row
            limit 1
        ),

        units as (
            select
                leads.{entered} as entered_at,
                leads.{converted} as converted_at,
                (
                    select min(intervals.entered_at)
                    from fct_lead_stage__interval as intervals
                    inner join dim_stage on intervals.stage = dim_stage.stage
                    where
                        intervals.lead_id = leads.lead_id
                        and dim_stage.kind = 'exit'
                        and intervals.entered_at >= leads.{entered}
                ) as left_at,
                leads.{entered} + to_days(lines.window_days::integer + 1) as window_ends_at
            from fct_lead as leads
            cross join lines
            where leads.{entered} is not null
        ),

        local_units as (
            select
                timezone(run.time_zone, timezone('UTC', entered_at))::date as entered_date,
                timezone(
                    run.time_zone,
                    timezone(
                        'UTC',
                        case
                            when converted_at < window_ends_at then converted_at
                            else least(left_at, window_ends_at)
                        end
                    )
                )::date as decided_date,
                coalesce(converted_at < window_ends_at, false) as is_converted
            from units
            cross join run
        ),

        days as (
            select unnest(generate_series($start, $end - 1, interval 1 day))::date as day
        )

        select
            days.day,
            (
                select count(*)
                from fct_lead
                cross join run
                where
                    timezone(run.time_zone, timezone('UTC', created_at))::date
                    between $start and days.day
            ),
            count(*) filter (where units.entered_date <= days.day),
            count(*) filter (where units.decided_date <= days.day),
            count(*) filter (where units.decided_date <= days.day and units.is_converted),
            (
                select coalesce(sum(amount_minor), 0)::bigint
                from fct_spend__campaign_daily
                where spend_date between $start and days.day
            )
        from days
        left join local_units as units on units.entered_date between $start and $end - 1
        group by days.day
        order by days.day
        """,
        {"metric": metric, "start": start, "end": end},
    ).fetchall()
    return tuple(Day(*row) for row in rows)


def _cost_per_win(kpis: tuple[KpiLine, ...]) -> Cost:
    """Budget ÷ wins, as planned and as it came; none where there is no win."""
    lines = {line.metric: line for line in kpis}
    budget, wins = lines.get("budget"), lines.get("wins")
    if budget is None or wins is None:
        return Cost(None, None)
    planned = round(budget.plan / wins.plan) if wins.plan else None
    actual = round(budget.actual / wins.actual) if budget.actual and wins.actual else None
    return Cost(planned, actual)
