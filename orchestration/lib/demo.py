"""The stories that `tieout demo` tells, read from a published file: what was planned, what came.

Belongs here: the figures of a story, out of the published tables alone. Does not belong here: the
invented company (`sample`), running its books (`orchestration.cli.demo`), showing them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

STORIES = ("healthy", "mirage")


@dataclass(frozen=True)
class Alarm:
    """The day on which the data disproved a planned rate, and what had been spent by then.

    Rates are shares of one; money is in minor units of the reporting currency.
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

    @property
    def days_before_the_end(self) -> int:
        """Days between the alarm and the end of the period, when a report would have shown it."""
        return (self.period_end - self.disproved_on).days


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
        return Story(
            period=period,
            currency=currency,
            kpis=_kpis(connection, period),
            bridge=_bridge(connection, start, end),
            alarm=_alarm(connection, period),
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
            alarms.period_end_date
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
