"""The plan as the tables a run reads: one row of a sheet, a register or a finding is one row here.

Belongs here: the tables' columns and how a plan fills them. Does not belong here: what follows from
them (dbt) and whether they are right (the laws).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from orchestration.lib.explain import CURRENCIES
from orchestration.lib.plan import calendar
from orchestration.lib.plan.folder import file_name
from orchestration.lib.plan.sheets import SHEETS, metrics

if TYPE_CHECKING:
    from orchestration.lib.plan.contract import Contract, LockedVersion
    from orchestration.lib.plan.model import Plan
    from orchestration.lib.plan.registers import Register

Type = Literal["varchar", "bigint", "decimal(38, 9)", "date", "timestamp", "boolean"]
_DECIMAL: Type = "decimal(38, 9)"


@dataclass(frozen=True)
class Column:
    """One column; `required`: never null."""

    name: str
    type: Type
    description: str
    required: bool = True


@dataclass(frozen=True)
class Table:
    """One table of the plan; `is_judged`: laws read it, so it is published in schema `audit`."""

    name: str
    grain: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    is_judged: bool = False


_VERSION = Column("version", "bigint", "Number of the plan's version.")
_SCOPE = Column("scope", "varchar", "company, segment:…, channel:…, campaign:… or stretch:….")
_ROW = Column("sheet_row", "bigint", "Row of the plan's sheet.")
_PERIOD = Column("period", "varchar", "Period of the fiscal calendar, e.g. FY2026-Q1.")
_METRIC = Column("metric", "varchar", "A KPI of dim_kpi.")
_NUMBER = Column("number", "bigint", "Number in its register, from 1 without a gap.")
_BY = "Who signed it: a person of the plan."

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "plan_version",
            "version",
            "The locked versions of the plan and when each is in force.",
            (
                _VERSION,
                Column("title", "varchar", "What people call it."),
                Column("currency", "varchar", "ISO 4217; all money of the plan is in it."),
                Column("reason", "varchar", "Why it was made.", required=False),
                Column("sha256", "varchar", "SHA-256 of its lock."),
                Column("signed_by", "varchar", "Who signed, by department.", required=False),
                Column("is_signed", "boolean", "Marketing, Sales and Finance have signed."),
                Column("effective_from", "date", "First day on which it counts."),
                Column("effective_to", "date", "First day of the next version.", required=False),
            ),
            ("version",),
            True,
        ),
        Table(
            "plan_policy",
            "version",
            "The rules that a version of the plan sets.",
            (
                _VERSION,
                Column("spend_rate", "varchar", "Rate of spend: spend_date or plan."),
                Column("pipeline_rate", "varchar", "Rate of open pipeline: plan or as_of."),
                Column("won_rate", "varchar", "Rate of what was won: close_date or plan."),
                Column("commitment_policy", "varchar", "G1: block or warn."),
                Column("variance_policy", "varchar", "G2: block or warn."),
                Column("handoff_policy", "varchar", "G3: block or warn."),
                Column(
                    "commitment_threshold_minor",
                    "bigint",
                    "G1: spend that asks for a rate, in the reporting currency.",
                ),
                Column("commitment_grace_days", "bigint", "G1: days until it is due."),
                Column("variance_after_pct", "bigint", "Paced share of a period that must pass."),
                Column("variance_sigma", _DECIMAL, "Standard errors a miss must exceed."),
                Column("handoff_share_pct", _DECIMAL, "G3: share in time.", required=False),
                Column("funnel_tolerance_pct", _DECIMAL, "P1: tolerance."),
                Column("promise_tolerance_pct", _DECIMAL, "P2: tolerance."),
                Column("rollup_tolerance_pct", _DECIMAL, "P3: tolerance."),
                Column(
                    "max_cac",
                    _DECIMAL,
                    "P7: most a customer may cost, in major units of the plan's currency.",
                    required=False,
                ),
                Column("max_payback_months", _DECIMAL, "P7: latest payback.", required=False),
                Column("gross_margin_pct", _DECIMAL, "P7: margin of a sale.", required=False),
                Column(
                    "business_hours",
                    "varchar",
                    "Hours of a working day; empty: hours run day and night.",
                    required=False,
                ),
            ),
            ("version",),
            True,
        ),
        Table(
            "plan_business_day",
            "version, day",
            "When each day is worked by each version that states business hours.",
            (
                _VERSION,
                Column("day", "date", "Day in the reporting time zone."),
                Column("opens_at", "timestamp", "When its hours begin (UTC)."),
                Column("closes_at", "timestamp", "When they end (UTC); a day off: opens_at."),
            ),
            ("version", "day"),
            True,
        ),
        Table(
            "plan_period",
            "version, period",
            "The fiscal calendar of each version.",
            (
                _VERSION,
                _PERIOD,
                Column("period_kind", "varchar", "year, quarter or month."),
                Column("parent_period", "varchar", "Period it is part of.", required=False),
                Column("fiscal_year", "bigint", "Fiscal year."),
                Column("period_start_date", "date", "First day."),
                Column("period_end_date", "date", "First day after it."),
            ),
            ("version", "period"),
            True,
        ),
        Table(
            "plan_day",
            "version, curve, day",
            "What each day weighs on each pacing curve.",
            (
                _VERSION,
                Column("curve", "varchar", "Pacing curve."),
                Column("day", "date", "Day in the reporting time zone."),
                Column("weight", "bigint", "Its weight; 0: nothing is expected."),
            ),
            ("version", "curve", "day"),
        ),
        Table(
            "plan_scope",
            "version, scope",
            "What targets are set for, and what each adds up to.",
            (
                _VERSION,
                _SCOPE,
                Column("level", "varchar", "company, segment, channel or campaign."),
                Column("parent_scope", "varchar", "What it adds up to.", required=False),
                Column("member", "varchar", "The name after the colon.", required=False),
                Column("is_stretch", "boolean", "An explicit difference of a total to its parts."),
                _ROW,
            ),
            ("version", "scope"),
            True,
        ),
        Table(
            "plan_scope_source",
            "version, scope, source",
            "Sources that a scope counts whole.",
            (_VERSION, _SCOPE, Column("source", "varchar", "Source, spelt as spend has it.")),
            ("version", "scope", "source"),
        ),
        Table(
            "plan_stage",
            "version, stage",
            "What each stage means by the plan, and which entry of a lead counts.",
            (
                _VERSION,
                Column("stage", "varchar", "Stage of dim_stage."),
                Column("counts", "varchar", "first, latest or every."),
                Column("definition", "varchar", "What must be true of a lead.", required=False),
            ),
            ("version", "stage"),
        ),
        Table(
            "plan_kpi",
            "version, sheet_row",
            "Owner, tolerance and cadence of each KPI and transition, as the plan has them.",
            (
                _VERSION,
                _ROW,
                _METRIC,
                Column("scope", "varchar", "Scope of the line; empty: all.", required=False),
                Column("owner", "varchar", "The accountable person.", required=False),
                Column("owner_department", "varchar", "The owner's department.", required=False),
                Column("tolerance_pct", _DECIMAL, "Percent it may miss by.", required=False),
                Column("cadence_days", "bigint", "Days to answer a miss in.", required=False),
                Column("window_days", "bigint", "Of a rate: days a lead has.", required=False),
                Column("curve", "varchar", "Pacing curve; standard where none is named."),
                Column("sla_hours", "bigint", "Of a handoff: hours to work it.", required=False),
                Column(
                    "trigger_pct",
                    _DECIMAL,
                    "Miss in percent of plan at which both sides agreed to pivot.",
                    required=False,
                ),
                Column("action", "varchar", "What both agreed to do then.", required=False),
            ),
            ("version", "sheet_row"),
            True,
        ),
        Table(
            "plan_target",
            "version, period, scope, metric",
            "The targets, one row a figure; money in major units of the plan's currency.",
            (
                _VERSION,
                _PERIOD,
                _SCOPE,
                _METRIC,
                Column("value", _DECIMAL, "Target: count, money in major units, rate or days."),
                _ROW,
            ),
            ("version", "period", "scope", "metric"),
            True,
        ),
        Table(
            "plan_promise",
            "version, department, period, scope, metric",
            "What each department commits to; money in major units.",
            (
                _VERSION,
                Column("department", "varchar", "Who promises."),
                _PERIOD,
                _SCOPE,
                _METRIC,
                Column("value", _DECIMAL, "How much: count, or money in major units."),
                Column("promised_by", "varchar", "Person who promises.", required=False),
                _ROW,
            ),
            ("version", "department", "period", "scope", "metric"),
            True,
        ),
        Table(
            "plan_capacity",
            "version, period, scope",
            "Accepted leads that Sales says it can work.",
            (
                _VERSION,
                _PERIOD,
                _SCOPE,
                Column("reps", _DECIMAL, "Representatives."),
                Column("leads_per_rep", _DECIMAL, "Accepted leads each in the period."),
                _ROW,
            ),
            ("version", "period", "scope"),
            True,
        ),
        Table(
            "plan_person",
            "version, person",
            "Who owns, promises and signs.",
            (
                _VERSION,
                Column("person", "varchar", "Short name."),
                Column("title", "varchar", "Position.", required=False),
                Column("department", "varchar", "Department."),
            ),
            ("version", "person"),
            True,
        ),
        Table(
            "plan_rate",
            "version, currency",
            "The plan's own exchange rates.",
            (
                _VERSION,
                Column("currency", "varchar", "ISO 4217."),
                Column("rate", _DECIMAL, "Plan currency per unit."),
            ),
            ("version", "currency"),
        ),
        Table(
            "plan_counting",
            "version, department, metric, reason",
            "How a department counts its claims where the books count otherwise.",
            (
                _VERSION,
                Column("department", "varchar", "Department."),
                Column("metric", "varchar", "What it claims."),
                Column("reason", "varchar", "Code of what it counts as well."),
            ),
            ("version", "department", "metric", "reason"),
        ),
        Table(
            "plan_problem",
            "problem_number",
            "What is wrong with the contract itself: locks, chain, signatures, registers.",
            (
                Column("problem_number", "bigint", "Number, from 1."),
                Column("version", "bigint", "Version it is about.", required=False),
                Column("file", "varchar", "File within the plan's folder."),
                Column("line", "bigint", "Line of the sheet or register.", required=False),
                Column("problem", "varchar", "What is wrong."),
                Column("expected", "varchar", "What was signed.", required=False),
                Column("found", "varchar", "What stands there.", required=False),
            ),
            ("problem_number",),
            True,
        ),
        Table(
            "plan_register",
            "register",
            "How far each register reached: a later run sees whether its end was cut off.",
            (
                Column("register", "varchar", "commitments, notes, waivers or explanations."),
                Column("rows", "bigint", "Number of its last row."),
                Column("sha256", "varchar", "SHA-256 of its last row."),
            ),
            ("register",),
            True,
        ),
        Table(
            "plan_commitment",
            "number",
            "The conversion rates that Sales committed to for a campaign's cohort.",
            (
                _NUMBER,
                Column("campaign_key", "varchar", "Campaign."),
                Column("cohort_start_date", "date", "First day of the cohort's period."),
                _METRIC,
                Column("rate", _DECIMAL, "Rate committed to (0.4 is 40 %)."),
                Column("window_days", "bigint", "Days a lead has."),
                Column("committed_by", "varchar", _BY),
                Column("committed_at", "timestamp", "When (UTC)."),
            ),
            ("number",),
        ),
        Table(
            "plan_note",
            "number",
            "What owners say of their variance items.",
            (
                _NUMBER,
                Column("item", "varchar", "Id of the variance item."),
                Column("why", "varchar", "Why the KPI missed."),
                Column("action", "varchar", "What is done about it."),
                Column("due_date", "date", "Until when."),
                Column("closes", "boolean", "The owner declares the item closed."),
                Column("noted_by", "varchar", _BY),
                Column("noted_at", "timestamp", "When (UTC)."),
            ),
            ("number",),
        ),
        Table(
            "plan_waiver",
            "number",
            "Laws that both departments waive, for what, why and until when.",
            (
                _NUMBER,
                Column("law", "varchar", "The law."),
                Column(
                    "scope",
                    "varchar",
                    "all, or column=value; …: the offending rows that are waived.",
                ),
                Column("reason", "varchar", "Why."),
                Column("expires_on", "date", "First day on which it no longer holds."),
                Column("waived_by", "varchar", "Who signed, by department."),
                Column("waived_at", "timestamp", "When (UTC)."),
            ),
            ("number",),
            True,
        ),
        Table(
            "plan_explanation",
            "number",
            "Differences between a claim and the books that only people can state.",
            (
                _NUMBER,
                Column("department", "varchar", "Department whose claim it explains."),
                Column("metric", "varchar", "What was claimed."),
                Column("period_start_date", "date", "First day of the claim's period."),
                Column("period_end_date", "date", "First day after it."),
                _SCOPE,
                Column("reason", "varchar", "Code of the difference."),
                Column("value", _DECIMAL, "Claim less books: count, or money in major units."),
                Column("note", "varchar", "In words."),
                Column("explained_by", "varchar", _BY),
                Column("explained_at", "timestamp", "When (UTC)."),
            ),
            ("number",),
        ),
    )
}

#: What holds where the sheet `plan` leaves a setting empty.
DEFAULTS: dict[str, Any] = {
    "spend_rate": "spend_date",
    "pipeline_rate": "plan",
    "won_rate": "close_date",
    "commitment_policy": "warn",
    "variance_policy": "warn",
    "handoff_policy": "warn",
    "commitment_threshold": Decimal(1000),
    "commitment_grace_days": 5,
    "variance_after_pct": 25,
    "variance_sigma": Decimal(2),
    "funnel_tolerance_pct": Decimal(1),
    "promise_tolerance_pct": Decimal(5),
    "rollup_tolerance_pct": Decimal("0.5"),
}
#: Which entry of a stage counts where the plan does not say.
COUNTS = "first"

Line = tuple[Any, ...]


def rows(
    contract: Contract,
    registers: Mapping[str, Register],
    *,
    as_of: datetime,
    reporting_currency: str,
    time_zone: str,
) -> dict[str, list[Line]]:
    """The rows of every table of `TABLES`, with their columns in order.

    A version whose sheets cannot be read has no rows: the findings say why. Rows of a register that
    were signed after `as_of` are left out: they were not known then.

    Args:
        contract: the versions, and what is wrong with them.
        registers: by name (`registers.REGISTERS`); one that is missing is empty.
        as_of: instant in UTC, without a zone.
        reporting_currency: what spend is compared in; the plan's rates lead to it.
        time_zone: the company's; business hours are hours of its clocks.
    """
    # Signatures need a library that nothing else here does.
    from orchestration.lib.plan.registers import REGISTERS

    found: dict[str, list[Line]] = {name: [] for name in TABLES}
    problems: list[Line] = [
        (each.version, each.file, each.line, each.problem, each.expected, each.found)
        for findings in (contract.findings, *(each.findings for each in registers.values()))
        for each in findings
    ]
    for version in contract.versions:
        if version.plan is None:
            continue
        made = _version(version, version.plan, reporting_currency, problems)
        made["plan_business_day"] = _business_days(version.plan, as_of, time_zone)
        for name, lines in made.items():
            found[name] += [(version.number, *line) for line in lines]
    for name, register in registers.items():
        kind = REGISTERS[name]
        columns = [column.name for column in TABLES[kind.table].columns]
        found[kind.table] = [
            tuple(row[column] for column in columns)
            for row in register.rows
            if row[kind.at] <= as_of
        ]
    found["plan_register"] = [
        (name, *register.head) for name, register in registers.items() if register.head is not None
    ]
    found["plan_problem"] = [(number, *line) for number, line in enumerate(problems, start=1)]
    return found


def policy(plan: Plan) -> dict[str, Any]:
    """The settings that have a default, each as the plan or the default has it."""
    return {
        name: default if plan.settings[name] is None else plan.settings[name]
        for name, default in DEFAULTS.items()
    }


def _version(
    version: LockedVersion, plan: Plan, reporting_currency: str, problems: list[Line]
) -> dict[str, list[Line]]:
    """The rows of one version, without the column `version`, which comes first in each table."""
    settings: dict[str, Any] = dict(plan.settings)
    given = policy(plan)
    rates = _rates(version, plan, problems)
    threshold = _reporting_minor(
        given["commitment_threshold"], version, rates, reporting_currency, problems
    )
    return {
        "plan_version": [
            (
                settings["title"],
                settings["currency"],
                version.reason,
                version.sha256,
                "; ".join(f"{name}: {who}" for name, who in sorted(version.signed_by.items()))
                or None,
                version.is_signed,
                version.effective_from,
                version.effective_to,
            )
        ],
        "plan_policy": [
            (
                given["spend_rate"],
                given["pipeline_rate"],
                given["won_rate"],
                given["commitment_policy"],
                given["variance_policy"],
                given["handoff_policy"],
                threshold,
                given["commitment_grace_days"],
                given["variance_after_pct"],
                given["variance_sigma"],
                settings["handoff_share_pct"],
                given["funnel_tolerance_pct"],
                given["promise_tolerance_pct"],
                given["rollup_tolerance_pct"],
                settings["max_cac"],
                settings["max_payback_months"],
                settings["gross_margin_pct"],
                settings["business_hours"],
            )
        ],
        "plan_period": [
            (each.period, each.kind, each.parent, each.fiscal_year, each.start, each.end)
            for each in plan.periods.values()
        ],
        "plan_day": list(_days(plan)),
        "plan_rate": sorted(rates.items()),
        **_scopes(plan),
        **_kpis(plan),
        **_figures(plan),
        **_people(plan),
    }


def _days(plan: Plan) -> Iterator[Line]:
    found = calendar.weights(
        [row.cells for row in plan.rows("curves")],
        [row.cells for row in plan.rows("special_days")],
        min(period.start for period in plan.periods.values()),
        max(period.end for period in plan.periods.values()),
    )
    for curve, days in found.items():
        yield from ((curve, day, weight) for day, weight in days.items())


def _business_days(plan: Plan, as_of: datetime, zone: str) -> list[Line]:
    """From the plan's first day to its last, or to that of `as_of`: a lead may wait beyond it."""
    periods = plan.periods.values()
    return [
        *calendar.business_days(
            plan.settings,
            [row.cells for row in plan.rows("curves")],
            [row.cells for row in plan.rows("special_days")],
            min(period.start for period in periods),
            # Wherever the company is, the day of `as_of` is at most one later than that of UTC.
            max(*(period.end for period in periods), as_of.date() + timedelta(days=2)),
            zone,
        )
    ]


def _scopes(plan: Plan) -> dict[str, list[Line]]:
    scopes: list[Line] = []
    sources: list[Line] = []
    for row in plan.rows("scopes"):
        scope = str(row["scope"])
        kind, _, member = scope.partition(":")
        scopes.append(
            (
                scope,
                row["level"],
                row["parent"],
                member or None,
                kind == "stretch",
                row.number,
            )
        )
        # The same source twice in one list is one source.
        named: Any = row["sources"] or ()
        sources += [(scope, source) for source in dict.fromkeys(named)]
    return {"plan_scope": scopes, "plan_scope_source": sources}


def _kpis(plan: Plan) -> dict[str, list[Line]]:
    departments = {row["person"]: row["department"] for row in plan.rows("people")}
    stages = {row["stage"]: row for row in plan.rows("stages")}
    return {
        "plan_stage": [
            (
                stage,
                (stages[stage]["counts"] if stage in stages else None) or COUNTS,
                stages[stage]["definition"] if stage in stages else None,
            )
            for stage in SHEETS["stages"].column("stage").choices
        ],
        "plan_kpi": [
            (
                row.number,
                row["metric"],
                row["scope"],
                row["owner"],
                departments.get(row["owner"]),
                row["tolerance_pct"],
                row["cadence_days"],
                row["window_days"],
                row["curve"] or calendar.STANDARD,
                row["sla_hours"],
                row["trigger_pct"],
                row["action"],
            )
            for row in plan.rows("kpis")
        ],
        "plan_counting": [
            (row["department"], row["metric"], row["reason"]) for row in plan.rows("counting")
        ],
    }


def _figures(plan: Plan) -> dict[str, list[Line]]:
    return {
        "plan_target": [
            (row["period"], row["scope"], metric, row[metric], row.number)
            for row in plan.rows("targets")
            for metric in metrics()
            if row[metric] is not None
        ],
        "plan_promise": [
            (
                row["department"],
                row["period"],
                row["scope"],
                row["metric"],
                row["value"],
                row["by"],
                row.number,
            )
            for row in plan.rows("promises")
        ],
        "plan_capacity": [
            (row["period"], row["scope"], row["reps"], row["leads_per_rep"], row.number)
            for row in plan.rows("capacity")
        ],
    }


def _people(plan: Plan) -> dict[str, list[Line]]:
    return {
        "plan_person": [
            (row["person"], row["title"], row["department"]) for row in plan.rows("people")
        ]
    }


def _rates(version: LockedVersion, plan: Plan, problems: list[Line]) -> dict[str, Decimal]:
    """Plan currency per unit of each currency, its own included; what cannot be is a problem."""
    own = str(plan.settings["currency"])
    found = {own: Decimal(1)}
    for row in plan.rows("rates"):
        currency, rate = str(row["currency"]), row["rate"]
        if not isinstance(rate, Decimal):
            continue
        if rate == 0 or (currency == own and rate != 1):
            expected = "1: it is the plan's own" if currency == own else "a rate above 0"
            problems.append(
                (
                    version.number,
                    _file(version, "rates"),
                    row.number,
                    f"the rate of {currency} cannot be",
                    expected,
                    f"{rate:f}",
                )
            )
        else:
            found[currency] = rate
    return found


def _reporting_minor(
    amount: Decimal,
    version: LockedVersion,
    rates: Mapping[str, Decimal],
    currency: str,
    problems: list[Line],
) -> int:
    """An amount of the plan in minor units of the reporting currency, at the plan's own rate.

    Where the plan has no rate for it, that is a problem, and 0: the strictest threshold.
    """
    if currency not in rates:
        problems.append(
            (
                version.number,
                _file(version, "rates"),
                None,
                "the plan has no rate for the reporting currency, so it cannot be compared with"
                " the books",
                f"a row for {currency}",
                ", ".join(sorted(rates)),
            )
        )
        return 0
    with localcontext(prec=60):
        minor = amount / rates[currency] * 10 ** _exponents()[currency]
        # No spend passes a threshold above what a column of money holds.
        return min(int(minor.to_integral_value(ROUND_HALF_UP)), 2**63 - 1)


@cache
def _exponents() -> dict[str, int]:
    """Digits after the point of each currency (ISO 4217)."""
    with CURRENCIES.open(encoding="utf-8", newline="") as file:
        return {row["currency"]: int(row["exponent"]) for row in csv.DictReader(file)}


def _file(version: LockedVersion, sheet: str) -> str:
    """A sheet's file within the plan's root."""
    return f"{version.folder.name}/{file_name(sheet)}"
