"""The sheets of a plan: every column, its type and what it means.

One home for this knowledge: the CSV folder, the workbook, the checks, the documentation and the
tables of a run all read it here. A change is a change of the signed form: versions that are locked
keep the form they were locked in, so add columns at the end, marked `is_later`, and never rename
one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import Literal

from orchestration.settings import SEEDS

Kind = Literal[
    "text",
    "slug",
    "date",
    "integer",
    "decimal",
    "boolean",
    "choice",
    "list",
    "key",
    "scope",
    "hours",
]

DEPARTMENTS = ("marketing", "sales", "finance", "revops")
#: Who signs a version: both departments, and Finance as controller.
SIGNING_DEPARTMENTS = ("marketing", "sales", "finance")
LEVELS = ("company", "segment", "channel", "campaign")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Why a department's own number may differ from the books; see docs/plan.md.
REASONS = (
    "test_record",
    "excluded_domain",
    "left_out_by_rule",
    "merged",
    "duplicate",
    "below_definition",
    "repeat_entry",
    "different_date",
    "deleted",
    "not_new_business",
    "amount_change",
    "currency_rate",
    "credit",
    "overhead",
    "restatement",
    "not_synced",
    "other",
)
#: What a department may claim or promise: the counts and amounts of the plan, and two by their
#: everyday names.
CLAIM_METRICS = {"accepted_leads": "sals", "spend": "budget"}


@cache
def kpis() -> tuple[dict[str, str], ...]:
    """The metrics of a plan in the order of the funnel: the rows of seeds/reference/kpis.csv."""
    with (SEEDS / "reference" / "kpis.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def metrics() -> tuple[str, ...]:
    """The names of the metrics in the order of the funnel."""
    return tuple(row["metric"] for row in kpis())


@dataclass(frozen=True)
class Column:
    """One column of a sheet; `required`: a row without it cannot be read at all.

    What a law judges (an owner, a tolerance) is not required here: the law names what is missing.
    """

    name: str
    kind: Kind
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    #: Digits after the point that a decimal may have.
    scale: int = 9
    #: Of a decimal: more than the minimum, not the minimum itself.
    is_above_minimum: bool = False
    #: Versions were locked before there was this column: it is written only where a row fills it.
    is_later: bool = False


@dataclass(frozen=True)
class Sheet:
    """One sheet; `key` is what makes a row one (empty: rows may repeat and a law judges them)."""

    name: str
    title: str
    help: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    at_least_one_row: bool = False

    def column(self, name: str) -> Column:
        """The column of that name, or KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(column.name for column in self.columns)


#: The settings of the sheet `plan`: key, kind and meaning, in order. A value is read as its kind.
SETTINGS: tuple[Column, ...] = (
    Column("company", "text", "Whose plan this is", required=True),
    Column("title", "text", "What people call this plan", required=True),
    Column("currency", "text", "ISO 4217; all money of the plan is in it", required=True),
    Column("effective_from", "date", "First day on which this version counts", required=True),
    Column("reason", "text", "Why this version was made; an amendment must say it"),
    Column(
        "calendar",
        "choice",
        "How a fiscal year is cut: months, or weeks in quarters of 13",
        required=True,
        choices=("months", "4-4-5", "4-5-4", "5-4-4"),
    ),
    Column(
        "fiscal_year_first_day",
        "date",
        "First day of the fiscal year that `fiscal_years` names first",
        required=True,
    ),
    Column(
        "fiscal_years",
        "list",
        "Fiscal years that the plan covers, in a row, e.g. 2026; 2027",
        required=True,
    ),
    Column("years_of_53_weeks", "list", "Of these, the ones with a 53rd week (week calendars)"),
    Column("spend_rate", "choice", "Rate that spend is counted at", choices=("spend_date", "plan")),
    Column("pipeline_rate", "choice", "Rate of open pipeline", choices=("plan", "as_of")),
    Column("won_rate", "choice", "Rate of what was won", choices=("close_date", "plan")),
    Column("funnel_tolerance_pct", "decimal", "P1: how far a step may miss", minimum=0),
    Column("promise_tolerance_pct", "decimal", "P2: how far promises may miss", minimum=0),
    Column("rollup_tolerance_pct", "decimal", "P3: how far a sum may miss", minimum=0),
    Column("max_cac", "decimal", "P7: most that a new customer may cost", minimum=0),
    Column("max_payback_months", "decimal", "P7: latest month it is earned back", minimum=0),
    Column(
        "gross_margin_pct", "decimal", "P7: share of a sale that is margin", minimum=0, maximum=100
    ),
    Column(
        "commitment_threshold",
        "decimal",
        "G1: spend of a campaign's cohort from which Sales owes its expected rate",
        minimum=0,
    ),
    Column("commitment_grace_days", "integer", "G1: days until that rate is due", minimum=0),
    Column("commitment_policy", "choice", "G1: past the grace period", choices=("block", "warn")),
    Column(
        "variance_after_pct",
        "integer",
        "Share of a period (paced) after which its KPIs are held to their tolerance",
        minimum=0,
        maximum=100,
    ),
    Column(
        "variance_sigma",
        "decimal",
        "Counts and rates: standard errors by which they must miss as well; 0: none",
        minimum=0,
        maximum=10,
    ),
    Column("variance_policy", "choice", "G2: an item is overdue", choices=("block", "warn")),
    Column(
        "handoff_share_pct", "decimal", "G3: share to be worked in time", minimum=0, maximum=100
    ),
    Column("handoff_policy", "choice", "G3: the share is missed", choices=("block", "warn")),
    Column(
        "business_hours",
        "hours",
        "Handoffs: hours of a working day in the company's time zone, e.g. 09:00-17:00; empty:"
        " hours run day and night",
    ),
    Column(
        "business_days",
        "slug",
        "Curve whose days with a weight are worked; empty: working_days, or Monday to Friday",
    ),
    Column("qualified_min_score", "integer", "Qualified: least score; empty: any"),
    Column("qualified_exclude_test", "boolean", "Qualified: leave out test records"),
    Column(
        "qualified_exclude_email_domains", "list", "Qualified: leave out e-mails of these domains"
    ),
)

_METRIC_HELP = {row["metric"]: row["description"] for row in kpis()}


def _target(metric: dict[str, str]) -> Column:
    is_rate = metric["unit"] == "rate"
    return Column(
        metric["metric"],
        "decimal",
        metric["description"] + (" (0.4 is 40 %)" if is_rate else ""),
        minimum=0,
        maximum=1 if is_rate else None,
    )


SHEETS: dict[str, Sheet] = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "plan",
            "Plan",
            "What the plan is, when it counts and the rules it sets",
            (
                Column("key", "choice", "Setting", True, tuple(c.name for c in SETTINGS)),
                Column("value", "text", "Its value"),
            ),
            ("key",),
            True,
        ),
        Sheet(
            "people",
            "People",
            "Who owns, promises and signs; a signer has a public key (`tieout plan key`)",
            (
                Column("person", "slug", "Short name used in all sheets", required=True),
                Column("name", "text", "Name"),
                Column("title", "text", "Position"),
                Column("department", "choice", "Department", True, DEPARTMENTS),
                Column("signs", "boolean", "Signs versions and waivers for the department"),
                Column("public_key", "key", "Ed25519 public key, 64 hexadecimal digits"),
            ),
            ("person",),
        ),
        Sheet(
            "scopes",
            "Scopes",
            "What targets are set for, and what each adds up to",
            (
                Column(
                    "scope",
                    "scope",
                    "company, segment:…, channel:…, campaign:… (key of dim_campaign), or stretch:…:"
                    " an explicit difference between a total and its parts",
                    required=True,
                ),
                Column("level", "choice", "Level; of a stretch: of its siblings", True, LEVELS),
                Column("parent", "scope", "What it adds up to; empty for company only"),
                Column("sources", "list", "Of a channel or segment: sources counted whole"),
                Column("note", "text", "Remark"),
            ),
            ("scope",),
            True,
        ),
        Sheet(
            "stages",
            "Stages",
            "What each stage means; which entry of a lead counts when it enters more than once",
            (
                Column("stage", "choice", "Stage", True, ("lead", "mql", "sal", "sql")),
                Column("definition", "text", "What must be true of a lead to stand there"),
                Column("counts", "choice", "Which counts", False, ("first", "latest", "every")),
            ),
            ("stage",),
        ),
        Sheet(
            "kpis",
            "KPIs",
            "One accountable owner, a tolerance and a review cadence for every KPI and transition",
            (
                Column("metric", "choice", "KPI or transition", True, metrics()),
                Column("scope", "scope", "Scope this line is for; empty: every scope"),
                Column("owner", "slug", "The one accountable person"),
                Column("tolerance_pct", "decimal", "Percent it may miss by", minimum=0),
                Column("cadence_days", "integer", "Days to answer a miss in", minimum=1),
                Column("window_days", "integer", "Of a rate: days a lead has", minimum=1),
                Column("curve", "slug", "Pacing curve; empty: standard"),
                Column("sla_hours", "integer", "Of a handoff: hours to be worked in", minimum=1),
                Column(
                    "trigger_pct",
                    "decimal",
                    "Percent of plan that it must miss by for both sides to pivot, as agreed",
                    minimum=0,
                    is_above_minimum=True,
                    is_later=True,
                ),
                Column(
                    "action", "text", "What both sides agreed to do at that miss", is_later=True
                ),
            ),
        ),
        Sheet(
            "targets",
            "Targets",
            "The funnel of each period and scope; leave empty what is not planned",
            (
                Column("period", "text", "Period of the fiscal calendar, e.g. FY2026-Q1", True),
                Column("scope", "scope", "Scope", required=True),
                *(_target(metric) for metric in kpis()),
            ),
            ("period", "scope"),
            True,
        ),
        Sheet(
            "promises",
            "Promises",
            "What each department commits to",
            (
                Column("department", "choice", "Department", True, DEPARTMENTS),
                Column("period", "text", "Period", required=True),
                Column("scope", "scope", "Scope", required=True),
                Column(
                    "metric",
                    "choice",
                    "What is promised",
                    True,
                    tuple(row["metric"] for row in kpis() if row["is_additive"] == "true"),
                ),
                Column("value", "decimal", "How much", required=True, minimum=0),
                Column("by", "slug", "Who promises"),
            ),
            ("department", "period", "scope", "metric"),
        ),
        Sheet(
            "capacity",
            "Capacity",
            "Accepted leads that Sales can work",
            (
                Column("period", "text", "Period", required=True),
                Column("scope", "scope", "Scope", required=True),
                Column("reps", "decimal", "Representatives", required=True, minimum=0),
                Column("leads_per_rep", "decimal", "Accepted leads each", True, minimum=0),
            ),
            ("period", "scope"),
        ),
        Sheet(
            "curves",
            "Curves",
            "Pacing: weight of each weekday; `standard` holds where a KPI names none",
            (
                Column("curve", "slug", "Name", required=True),
                *(
                    Column(day, "integer", f"Weight of a {day}", True, minimum=0, maximum=1000)
                    for day in WEEKDAYS
                ),
            ),
            ("curve",),
        ),
        Sheet(
            "special_days",
            "Special days",
            "Holidays (weight 0) and seasons: days that weigh more or less than their weekday",
            (
                Column("curve", "slug", "Curve; empty: all"),
                Column("first_day", "date", "First day", required=True),
                Column("last_day", "date", "Last day; empty: the first"),
                Column("weight_pct", "integer", "Percent of its weight", True, (), 0, 1000),
                Column("name", "text", "What it is"),
            ),
        ),
        Sheet(
            "rates",
            "Rates",
            "The plan's own exchange rates, to the plan's currency",
            (
                Column("currency", "text", "ISO 4217", required=True),
                Column("rate", "decimal", "Plan currency per unit", required=True, minimum=0),
            ),
            ("currency",),
        ),
        Sheet(
            "counting",
            "Counting",
            "How each department counts what it claims, where that is not how the books do",
            (
                Column("department", "choice", "Department", True, DEPARTMENTS),
                Column("metric", "text", "What it claims: mqls, accepted_leads, pipeline, …", True),
                Column("reason", "choice", "What it counts as well", True, REASONS),
            ),
            ("department", "metric", "reason"),
        ),
    )
}
