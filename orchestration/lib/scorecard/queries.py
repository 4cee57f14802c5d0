"""The queries of the page: read from `sql/`, filled in with the period, run, kept to be printed.

Belongs here: which query needs which tables, and what a query gave. Does not belong here: the
questions themselves (`sql/`), how an answer is shown (`page`).

What is printed in the page is what was run: the period stands in it as a literal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.release.errors import ReleaseError

_SQL = Path(__file__).parent / "sql"
_PLAN_VS_ACTUAL = "main.rpt_plan_vs_actual__kpi_period"
_JOURNAL = "main.fct_dollar_journal__entry.lead_id"
_FLOW = (_JOURNAL, "main.fct_lead.first_sal_at", "main.dim_stage", "main.dim_campaign.channel")
_DRIFT = "main.rpt_drift__cohort_transition"
_WATERFALL = "main.rpt_pipeline_waterfall__period"
_COMMITMENT = "main.rpt_commitment__campaign_cohort"
_VELOCITY = "main.rpt_velocity__segment_week"
_HANDOFF = ("main.rpt_handoff__owner_month", "main.rpt_handoff_outcome__owner_month")
_SLA = "main.rpt_handoff_sla__metric_period"
_BRIDGE = ("main.rpt_handoff_bridge__period", "main.rpt_claims_bridge__period")

Row = dict[str, Any]


class ScorecardError(ReleaseError):
    """The page cannot be made, or would say something false."""


@dataclass(frozen=True)
class Query:
    """A question: its title for people, the section that answers it, what it needs.

    `needs` are tables or columns, `schema.table[.column]`; a file that lacks one is older than the
    question, and the section says so.
    """

    id: str
    title: str
    section: str
    needs: tuple[str, ...]
    #: The file in `sql/`; its own name where it is left out.
    file: str = ""
    #: Cohorts of all time instead of the period's.
    of_all_time: bool = False


QUERIES: tuple[Query, ...] = (
    Query("publication", "The publication", "verdict", ("meta.law_result.waived",)),
    Query("period", "The period", "verdict", (_PLAN_VS_ACTUAL,)),
    Query("standing", "The period's dollars in four parts", "verdict", _FLOW),
    Query("kpi", "Plan against actuals", "plan", (_PLAN_VS_ACTUAL, "main.dim_kpi.better")),
    Query("unit_cost", "What one of each costs", "plan", (_PLAN_VS_ACTUAL, "main.dim_kpi")),
    Query("flow", "Every dollar of the period's cohorts", "flow", _FLOW),
    Query("flow_channel", "By channel", "flow", _FLOW),
    Query("flow_reached", "By furthest stage", "flow", _FLOW),
    Query("flow_stage", "By where it stands", "flow", _FLOW),
    Query(
        "flow_stage_all",
        "All cohorts, by where the money stands",
        "flow",
        _FLOW,
        "flow_stage",
        True,
    ),
    Query("spend_total", "What was spent", "flow", _FLOW),
    Query("bridge", "From Marketing's count to Sales'", "bridge", _BRIDGE),
    Query("handoff", "The handoff by owner", "handoff", (*_HANDOFF, _SLA)),
    Query("handoff_sla", "The plan's hours", "handoff", (_SLA, "main.dim_kpi")),
    Query("handoff_reason", "Why MQLs were not accepted", "handoff", _HANDOFF),
    Query("waterfall_step", "The period's pipeline, step by step", "pipeline", (_WATERFALL,)),
    Query("waterfall", "The pipeline month by month", "pipeline", (_WATERFALL,)),
    Query("velocity", "Velocity week by week", "velocity", (_VELOCITY,)),
    Query("velocity_factor", "What moved the velocity", "velocity", (_VELOCITY,)),
    Query("drift", "Planned rates and what came", "drift", (_DRIFT, "main.dim_kpi")),
    Query("drift_scope", "Alarms below the company", "drift", (_DRIFT, "main.dim_kpi")),
    Query(
        "trajectory", "The way to the period's end", "drift", ("main.rpt_trajectory__kpi_period",)
    ),
    Query("variance_count", "Variance items by status", "items", ("main.rpt_variance_item",)),
    Query("variance", "Variance items that stand", "items", ("main.rpt_variance_item.kind",)),
    Query("commitment", "Commitments by status", "items", (_COMMITMENT,)),
    Query("commitment_owed", "Commitments to answer for", "items", (_COMMITMENT,)),
    Query("law", "The laws", "laws", ("meta.law_result.waived",)),
    Query("freshness", "The deliveries", "laws", ("meta.freshness",)),
    Query("change_cause", "Changes by cause", "changes", ("meta.change",)),
    Query("change", "The largest changes", "changes", ("meta.change",)),
    Query("person", "People of the plan", "items", ("audit.plan_person",)),
)
#: What every published file has, whatever its age.
_ALWAYS = ("publication",)


@dataclass(frozen=True)
class Answer:
    """A query, the SQL that the page prints for it, and the rows it gave."""

    query: Query
    sql: str
    rows: tuple[Row, ...]


def ask(database: Path) -> dict[str, Answer]:
    """All questions that this file can answer, by id; those it cannot are left out."""
    with duckdb.connect(
        str(database),
        read_only=True,
        config={"autoinstall_known_extensions": False, "enable_external_access": False},
    ) as connection:
        has = _names(connection)
        flows = _Flows(connection)
        answers: dict[str, Answer] = {}
        # Without a plan there is no period, and all cohorts are looked at.
        facts = _of_all_time(_drift_facts(has))
        for query in QUERIES:
            lacks = [name for name in query.needs if name not in has]
            text = _text(query.file or query.id)
            if query.id in _ALWAYS and lacks:
                raise ScorecardError(
                    f"{database} lacks {', '.join(lacks)}",
                    why="a scorecard says how the laws stand, and the file does not",
                    next_step="publish again: `tieout run`",
                )
            if lacks or ("$period" in text and "period" not in facts):
                continue
            known = _of_all_time(facts) if query.of_all_time else facts
            sql = filled(text, known)
            relation = connection.execute(
                filled(text, flows.instead_of(known)) if "$flow" in text else sql
            )
            columns = [column[0] for column in relation.description or ()]
            rows = tuple(dict(zip(columns, row, strict=True)) for row in relation.fetchall())
            answers[query.id] = Answer(query, sql, rows)
            if query.id == "period" and rows:
                facts |= _period_facts(rows[0])
    _demand_that_dollars_add_up(answers)
    return answers


class _Flows:
    """The flow of dollars, which several queries begin with, run once for each choice of cohorts.

    The page prints it in full in each of them; a test compares what the page shows with what the
    printed queries give.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._tables: dict[str, str] = {}

    def instead_of(self, facts: Mapping[str, str]) -> dict[str, str]:
        """The facts with the kept flow in the place of its query."""
        table = self._tables.get(facts["cohorts"])
        if table is None:
            table = f"kept_flow_{len(self._tables)}"
            self._connection.execute(f"create temp table {table} as {facts['flow']}")
            self._tables[facts["cohorts"]] = table
        return {**facts, "flow": f"select * from {table}"}


def filled(text: str, facts: Mapping[str, str]) -> str:
    """A query with what `$names` stand for; every name must be known."""
    return re.sub(r"\$([a-z_]+)", lambda match: facts[match[1]], text).strip()


def literal(value: str | date) -> str:
    """A value as SQL writes it."""
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return "'" + value.replace("'", "''") + "'"


def _text(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def _names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
    ).fetchall()
    return {f"{schema}.{table}" for schema, table, _ in rows} | {".".join(row) for row in rows}


def _period_facts(row: Row) -> dict[str, str]:
    start, end = literal(row["period_start_date"]), literal(row["period_end_date"])
    facts = {
        "period": literal(row["period"]),
        "period_kind": literal(row["period_kind"]),
        "period_start": start,
        "period_end": end,
        "cohorts": f"cohort_start_date >= {start} and cohort_start_date < {end}",
    }
    return facts | {"flow": _embedded_flow(facts)}


def _of_all_time(facts: Mapping[str, str]) -> dict[str, str]:
    everything = {**facts, "cohorts": "true"}
    return everything | {"flow": _embedded_flow(everything)}


def _embedded_flow(facts: Mapping[str, str]) -> str:
    """The flow as a subquery: without its header and its order."""
    text = re.sub(r"^--.*\n", "", _text("flow"), flags=re.MULTILINE)
    body = filled(text, facts).rpartition("order by")[0].rstrip()
    return "\n" + "\n".join(f"    {line}" if line else "" for line in body.splitlines()) + "\n"


def _drift_facts(has: set[str]) -> dict[str, str]:
    """Newer files have a verdict and its standing among many; older ones an alarm or none."""
    says = {name for name in ("verdict", "is_discovery") if f"{_DRIFT}.{name}" in has}
    return {
        "drift_verdict": "drift.verdict"
        if "verdict" in says
        else "case when drift.is_alarm then 'alarm' else 'no alarm' end",
        "drift_discovery": "drift.is_discovery" if "is_discovery" in says else "drift.is_alarm",
    }


def _demand_that_dollars_add_up(answers: Mapping[str, Answer]) -> None:
    """The picture's left side, right side and the journal's spend are one figure, or no page."""
    if "spend_total" not in answers:
        return
    (total,) = answers["spend_total"].rows
    sums = {
        name: sum(row["amount_minor"] for row in answers[name].rows)
        for name in ("flow", "flow_channel", "flow_stage", "flow_stage_all", "standing")
    }
    wrong = {
        name: found
        for name, found in sums.items()
        if found != total["all_minor" if name == "flow_stage_all" else "period_minor"]
    }
    if wrong:
        raise ScorecardError(
            f"the flow of dollars does not add up to the spend: {wrong} against {total}",
            why="the page would show a total that is not that of the books",
            next_step="look at laws B2 and B3 and at orchestration/lib/scorecard/sql/flow.sql",
        )
