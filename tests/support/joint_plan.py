"""A joint plan that every law holds on, and the mirage: two plans that were never one.

Belongs here: what tests of the plan's arithmetic and laws begin with. Does not belong here: locks
and signatures (`contracts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from expectations.laws import LAWS_FOLDER, Law, load_laws
from orchestration.lib.plan.model import Plan, read
from orchestration.lib.plan.sheets import metrics
from tests.support.contracts import people

Cells = Mapping[str, str]

SETTINGS: dict[str, str] = {
    "company": "Larkfield Software",
    "title": "Larkfield FY2026",
    "currency": "USD",
    "effective_from": "2026-01-01",
    "calendar": "months",
    "fiscal_year_first_day": "2026-01-01",
    "fiscal_years": "2026",
    "max_cac": "12000",
    "max_payback_months": "6",
    "gross_margin_pct": "80",
}
#: 200,000 ÷ 40 = 5,000 leads × 25 % = 1,250 MQLs … = 100 opportunities × 50,000 = 5,000,000.
FUNNEL: dict[str, str] = {
    "budget": "200000",
    "cost_per_lead": "40",
    "leads": "5000",
    "rate_lead_mql": "0.25",
    "mqls": "1250",
    "rate_mql_sal": "0.4",
    "sals": "500",
    "rate_sal_sql": "0.5",
    "sqls": "250",
    "rate_sql_opportunity": "0.4",
    "opportunities": "100",
    "acv": "50000",
    "pipeline": "5000000",
    "rate_opportunity_won": "0.2",
    "wins": "20",
    "bookings": "1000000",
    "cycle_days": "60",
}
QUARTER = "FY2026-Q1"
OWNERS = {"budget": "fred", "cost_per_lead": "mia", "leads": "mia", "rate_lead_mql": "mia"} | {
    "mqls": "mia",
    "rate_mql_sal": "rene",
}


def kpi_lines() -> list[dict[str, str]]:
    """One complete line for every metric."""
    return [
        {
            "metric": metric,
            "owner": OWNERS.get(metric, "sam"),
            "tolerance_pct": "10",
            "cadence_days": "7",
            "window_days": "30" if metric.startswith("rate_") else "",
        }
        for metric in metrics()
    ]


def sheets() -> dict[str, list[dict[str, str]]]:
    """Every sheet of the sound plan but `plan`, as texts; rows are numbered from 2."""
    return {
        "people": people(),
        "scopes": [
            {"scope": "company", "level": "company"},
            {"scope": "channel:paid search", "level": "channel", "parent": "company"},
            {"scope": "channel:events", "level": "channel", "parent": "company"},
            {"scope": "stretch:new channels", "level": "channel", "parent": "company"},
        ],
        "kpis": kpi_lines(),
        "targets": [
            {"period": QUARTER, "scope": "company", **FUNNEL},
            {
                "period": QUARTER,
                "scope": "channel:paid search",
                "budget": "150000",
                "leads": "4000",
            },
            {"period": QUARTER, "scope": "channel:events", "budget": "40000", "leads": "900"},
            {"period": QUARTER, "scope": "stretch:new channels", "budget": "10000", "leads": "100"},
            {"period": "FY2026-M01", "scope": "company", "budget": "60000", "sals": "150"},
            {"period": "FY2026-M02", "scope": "company", "budget": "60000", "sals": "150"},
            {"period": "FY2026-M03", "scope": "company", "budget": "80000", "sals": "200"},
        ],
        "promises": [
            promise("marketing", "mqls", "1250", "mia"),
            promise("sales", "pipeline", "5000000", "sam"),
            promise("sales", "bookings", "1000000", "sam"),
        ],
        "capacity": [
            {"period": QUARTER, "scope": "company", "reps": "10", "leads_per_rep": "60"},
        ],
    }


def promise(department: str, metric: str, value: str, by: str = "") -> dict[str, str]:
    """A promise for the quarter and the company."""
    return {
        "department": department,
        "period": QUARTER,
        "scope": "company",
        "metric": metric,
        "value": value,
        "by": by,
    }


def joint_plan(
    settings: Cells | None = None, changed: Mapping[str, Iterable[Cells]] | None = None
) -> Plan:
    """The sound plan; `settings` and whole sheets of `changed` take the place of its own.

    A setting that is replaced by the empty text is left out.
    """
    own = {key: value for key, value in {**SETTINGS, **(settings or {})}.items() if value}
    texts: dict[str, list[Cells]] = {
        "plan": [{"key": key, "value": value} for key, value in own.items()],
        **{name: [*rows] for name, rows in sheets().items()},
        **{name: [*rows] for name, rows in (changed or {}).items()},
    }
    numbered = {name: [*enumerate(rows, start=2)] for name, rows in texts.items()}
    return read(numbered, lambda sheet, row, column: f"{sheet}:{row}:{column}")


def targets(**changes: str) -> list[dict[str, str]]:
    """The targets of the sound plan, with figures of the quarter's company row replaced."""
    rows = sheets()["targets"]
    return [{**rows[0], **changes}, *rows[1:]]


def mirage() -> Plan:
    """500 MQLs, 5 million of pipeline: at the rates that both sides know they come to 2 million."""
    funnel = {
        "leads": "2000",
        "mqls": "500",
        "sals": "200",
        "sqls": "100",
        "opportunities": "40",
        "pipeline": "2000000",
        "wins": "8",
        "bookings": "400000",
        "cost_per_lead": "100",
    }
    company = {"period": QUARTER, "scope": "company", **FUNNEL, **funnel}
    return joint_plan(
        {"title": "The mirage", "max_cac": "", "max_payback_months": ""},
        {
            "targets": [company],
            "promises": [
                promise("marketing", "mqls", "500", "mia"),
                promise("sales", "pipeline", "5000000", "sam"),
            ],
        },
    )


def plan_laws(folder: Path = LAWS_FOLDER) -> list[Law]:
    """The laws that judge a plan, in order."""
    return [law for law in load_laws(folder).values() if law.id.startswith("P")]
