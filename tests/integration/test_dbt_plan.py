"""Plan against actuals, variance items and commitments on one small company, figured by hand.

The plan is amended in the middle of the quarter: 90 leads at one MQL in two become 180 at two in
five from 15 February on. The quarter has 90 days, 45 of them under either version; the books are as
of 16 March, the 75th day. Rules with a branch have a dbt unit test beside their model.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import md5
from typing import Any

import pytest

from tests.integration.dbt_fixture import Warehouse
from tests.integration.plan_fixture import Rows, Version, plan_rows

AS_OF = "2026-03-16 12:00"
Q1 = "FY2026-Q1"
SEARCH = "channel:paid_search"
A = "campaign:Google Ads / A"


def leads(
    name: str, count: int, day: str, source: str = "Google Ads", campaign: str = "A"
) -> list[dict[str, Any]]:
    """So many leads of one day, called `<name> <number>`; ten of one second would be an import."""
    return [
        {
            "lead_id": f"{name} {number}",
            "created_at": f"{day} 16:59:{number:02d}",
            "source": source,
            "campaign": campaign,
        }
        for number in range(count)
    ]


def moves(name: str, numbers: range, day: str, status: str) -> list[dict[str, Any]]:
    """These leads of that name change to a status, at noon."""
    return [
        {"lead_id": f"{name} {number}", "occurred_at": f"{day} 17:00", "status": status}
        for number in numbers
    ]


def spend(source: str, campaign: str | None, day: str, cost: str, **columns: Any) -> dict[str, Any]:
    usual = {"source": source, "campaign": campaign, "day": day, "currency": "USD", "cost": cost}
    return usual | columns


COMPANY: Rows = {
    "run_parameter": [{"as_of": AS_OF}],
    "campaigns": [
        {"source": "Google Ads", "campaign": "A", "channel": "paid_search"},
        {"source": "Bing", "campaign": "B"},
        {"source": "Meta", "campaign": "C", "channel": "social"},
    ],
    "spend": [
        spend("Google Ads", "A", "2026-01-03", "30"),
        spend("Google Ads", "A", "2026-02-20", "50"),
        spend("Google Ads", "A", "2026-03-05", "100"),
        spend("Bing", "B", "2026-03-01", "20"),
        spend("Meta", "C", "2026-03-13", "60"),
        spend("Google Ads", None, "2026-01-05", "7", kind="overhead"),
    ],
    "leads": [
        *leads("jan", 20, "2026-01-10"),
        *leads("feb", 20, "2026-02-05"),
        *leads("new", 12, "2026-02-20"),
        *leads("bing", 8, "2026-03-01", "Bing", "B"),
    ],
    "lead_events": [
        *moves("jan", range(10), "2026-01-12", "Qualified"),
        *moves("jan", range(4), "2026-01-13", "Accepted"),
        *moves("jan", range(4, 6), "2026-01-20", "Accepted"),
        *moves("jan", range(6, 8), "2026-01-13", "Rejected"),
        *moves("feb", range(5), "2026-02-17", "Qualified"),
        *moves("new", range(6), "2026-02-25", "Qualified"),
        *moves("new", range(11, 12), "2026-03-01", "Rejected"),
    ],
    "opportunities": [
        {
            "opportunity_id": opportunity,
            "source": source,
            "campaign": campaign,
            "created_at": f"{day} 17:00",
            "amount": amount,
            "currency": currency,
            "close_date": close_date,
        }
        for opportunity, source, campaign, day, amount, currency, close_date in [
            ("euro", "Google Ads", "A", "2026-01-20", "1500", "EUR", "2026-03-10"),
            ("no amount", "Bing", "B", "2026-02-20", None, None, None),
            ("lost", "Google Ads", "A", "2026-03-01", "2000", "USD", None),
        ]
    ],
    "opportunity_events": [
        {
            "opportunity_id": opportunity,
            "occurred_at": f"{day} 17:00",
            "stage": stage,
            "amount": amount,
        }
        for opportunity, day, stage, amount in [
            ("euro", "2026-01-20", "Open", "1000"),
            ("euro", "2026-03-10", "Won", "1500"),
            ("no amount", "2026-02-20", "Open", None),
            ("lost", "2026-03-01", "Open", "2000"),
            ("lost", "2026-03-05", "Lost", "2000"),
        ]
    ],
    "fx_rates": [
        {"day": "2026-01-20", "currency": "EUR", "rate": "1.1"},
        {"day": "2026-03-10", "currency": "EUR", "rate": "1.15"},
    ],
    "stage_map": [
        {"feed": "crm", "entity": entity, "raw_status": raw, "stage": stage}
        for entity, raw, stage in [
            ("lead", "Qualified", "mql"),
            ("lead", "Accepted", "sal"),
            ("lead", "Rejected", "rejected"),
            ("opportunity", "Open", "opportunity"),
            ("opportunity", "Won", "won"),
            ("opportunity", "Lost", "lost"),
        ]
    ],
}

KPIS: dict[Any, dict[str, Any]] = {
    "budget": {"curve": "late"},
    "cost_per_lead": {},
    "leads": {},
    "mqls": {},
    "rate_lead_mql": {"window_days": 30},
    "rate_mql_sal": {"window_days": 5, "sla_hours": 24},
    "opportunities": {},
    "acv": {},
    "pipeline": {},
    "rate_opportunity_won": {"window_days": 90},
    "wins": {},
    "bookings": {},
    "cycle_days": {},
    ("leads", SEARCH): {"owner": "bob", "tolerance_pct": "200"},
}
FIRST: dict[str, str | int] = {
    "budget": "100.01",
    "cost_per_lead": 5,
    "leads": 90,
    "rate_lead_mql": "0.5",
    "mqls": 45,
    "rate_mql_sal": "0.6",
    "rate_sal_sql": "0.5",
    "rate_sql_opportunity": "0.4",
    "opportunities": 3,
    "acv": 1000,
    "pipeline": 9000,
    "rate_opportunity_won": "0.5",
    "wins": 1,
    "bookings": 3000,
    "cycle_days": 50,
}
PLAN = plan_rows(
    [
        Version(
            1,
            "2026-01-01",
            {
                (Q1, "company"): FIRST,
                (Q1, SEARCH): {"leads": 90},
                (Q1, A): {"leads": 45},
                (Q1, "stretch:more"): {"leads": 9},
                ("FY2026-Q2", "company"): {"leads": 100},
            },
            KPIS,
            scopes={SEARCH: ["bing"], A: [], "stretch:more": []},
            curves={"late": {month: month - 1 for month in range(1, 13)}},
            rates={"EUR": "1.2"},
            policy={"commitment_threshold_minor": 4_000},
        ),
        Version(
            2,
            "2026-02-15",
            {
                (Q1, "company"): FIRST | {"leads": 180, "rate_lead_mql": "0.4"},
                (Q1, SEARCH): {"leads": 180},
                ("FY2026-Q2", "company"): {"leads": 200},
            },
            KPIS,
            scopes={SEARCH: ["bing"], A: [], "stretch:more": []},
            curves={"late": {month: month - 1 for month in range(1, 13)}},
            rates={"EUR": "1.2"},
            policy={"commitment_threshold_minor": 4_000},
        ),
        # Signed by nobody: it changes nothing.
        Version(3, "2026-03-01", {(Q1, "company"): {"leads": 1}}, {"leads": {}}, is_signed=False),
    ]
) | {
    "plan_commitment": [
        {
            "number": number,
            "campaign_key": "Google Ads / A",
            "cohort_start_date": "2026-03-01",
            "metric": "rate_lead_mql",
            "rate": rate,
            "window_days": 30,
            "committed_by": "ann",
            "committed_at": f"2026-03-{day} 12:00",
        }
        for number, rate, day in [(1, "0.2", "06"), (2, "0.3", "07")]
    ],
    "plan_note": [],
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    found = Warehouse(tmp_path_factory.mktemp("plan"))
    found.build(COMPANY | PLAN)
    return found


def figures(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some columns of a row; decimals as plain texts."""
    return tuple(
        f"{row[name].normalize():f}" if isinstance(row[name], Decimal) else row[name]
        for name in names
    )


def whole(warehouse: Warehouse, metric: str, scope: str = "company") -> dict[str, Any]:
    return warehouse.row(
        "from rpt_plan_vs_actual__kpi_period"
        f" where period = '{Q1}' and scope = '{scope}' and metric = '{metric}'"
    )


def parts(warehouse: Warehouse, metric: str, *names: str, scope: str = "company") -> list[Any]:
    rows = warehouse.rows(
        "from rpt_plan_vs_actual__kpi_version"
        f" where period = '{Q1}' and scope = '{scope}' and metric = '{metric}'"
        " order by plan_version"
    )
    return [figures(row, "plan_version", *names) for row in rows]


def test_earlier_days_are_judged_by_the_old_version_later_ones_by_the_new(
    warehouse: Warehouse,
) -> None:
    """90 × 45/90 and 180 × 45/90; of the latter 30 days have passed."""
    names = ("plan_value", "plan_to_date_value", "actual_value", "variance_value", "variance_pct")
    assert parts(warehouse, "leads", *names) == [
        (1, "45", "45", "40", "-5", "-11.11"),
        (2, "90", "60", "20", "-40", "-66.67"),
    ]
    row = whole(warehouse, "leads")
    assert figures(row, *names) == ("135", "105", "60", "-45", "-42.86")
    assert figures(row, "plan_versions", "is_amended", "is_provisional") == ("1, 2", True, True)


def test_the_days_on_which_each_version_is_in_force(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "from fct_plan__kpi_period where scope = 'company' and metric = 'leads' order by all"
    )
    names = ("plan_version", "period", "plan_value", "in_force_share", "to_date_share")
    assert [
        (*figures(row, *names), row["in_force_from_date"], row["in_force_to_date"]) for row in rows
    ] == [
        (1, Q1, "90", "0.5", "0.5", date(2026, 1, 1), date(2026, 2, 15)),
        (2, Q1, "180", "0.5", "0.333333333", date(2026, 2, 15), date(2026, 4, 1)),
        # Version 1 is in force on no day of the second quarter.
        (2, "FY2026-Q2", "200", "1", "0", date(2026, 4, 1), date(2026, 7, 1)),
    ]


def test_a_rate_counts_the_decided_of_those_who_entered(warehouse: Warehouse) -> None:
    """Of January's and early February's 40 leads 15 went on in time. Of 12 on 20 February 6 did and
    one was rejected; the window of the others, and of Bing's 8, is open."""
    names = ("numerator", "denominator", "plan_to_date_value", "actual_value")
    assert parts(warehouse, "rate_lead_mql", *names) == [
        (1, 15, 40, "0.5", "0.375"),
        (2, 6, 7, "0.4", "0.857142857"),
    ]
    row = whole(warehouse, "rate_lead_mql")
    # (40 × 0.5 + 7 × 0.4) / 47, and 21 / 47.
    assert figures(row, *names) == (21, 47, "0.485106382", "0.44680851")
    # 1.8 conversions fewer: 0.6 × 0.5 × 0.4 × $1,000 = $120 each, of the parts −5 and +3.2.
    assert [part[1] for part in parts(warehouse, "rate_lead_mql", "variance_minor")] == [
        -60_000,
        38_400,
    ]
    assert figures(row, "variance_minor", "is_outside_tolerance", "status") == (
        -21_600,
        False,
        "on plan",
    )


def test_a_handoff_rate_with_a_short_window(warehouse: Warehouse) -> None:
    """Four were accepted after a day, two after eight: too late; two rejected, two never worked.
    Nobody of the eleven MQLs of February was."""
    assert parts(warehouse, "rate_mql_sal", "numerator", "denominator") == [(1, 4, 10), (2, 0, 11)]


def test_money_is_paced_by_its_own_curve_and_adds_up_to_the_cent(warehouse: Warehouse) -> None:
    """January weighs nothing, February 28, March 62: version 1 has 14 of 90, version 2 the rest."""
    names = ("plan_value", "plan_to_date_value", "actual_value", "variance_minor")
    # floor(10001 × 14/90) = 1555; by 16 March floor(10001 × 60/90) = 6667.
    assert parts(warehouse, "budget", *names) == [
        (1, "1555", "1555", "3700", 2145),
        (2, "8446", "5112", "23000", 17888),
    ]
    assert figures(whole(warehouse, "budget"), *names) == ("10001", "6667", "26700", 20033)


def test_what_opportunities_are_worth(warehouse: Warehouse) -> None:
    """1,000 EUR at the plan's 1.2 when it was opened, 1,500 at the 1.15 of the day it closed; the
    one without an amount is an opportunity, and not zero."""
    names = ("actual_value", "without_amount")
    assert parts(warehouse, "pipeline", *names) == [(1, "120000", 0), (2, "200000", 1)]
    assert parts(warehouse, "opportunities", *names) == [(1, "1", 0), (2, "2", 1)]
    assert parts(warehouse, "acv", *names) == [(1, "120000", 0), (2, "200000", 1)]
    assert figures(whole(warehouse, "acv"), "actual_value", "denominator") == ("160000", 2)
    assert parts(warehouse, "bookings", *names) == [(1, "0", 0), (2, "172500", 0)]
    assert parts(warehouse, "wins", *names) == [(1, "0", 0), (2, "1", 0)]
    # 20 January to 10 March.
    assert figures(whole(warehouse, "cycle_days"), "actual_value", "denominator") == ("49", 1)
    assert figures(whole(warehouse, "rate_opportunity_won"), "numerator", "denominator") == (1, 2)
    # $267 over 60 leads, overheads included.
    assert figures(whole(warehouse, "cost_per_lead"), "actual_value") == ("445",)


def test_activity_and_value_are_two_fields(warehouse: Warehouse) -> None:
    """Leads behind; pipeline $3,200 against $7,500 and bookings $1,725 against $2,500 are outside
    their tolerance, but of deals as few as these chance explains it."""
    names = ("status", "activity_status", "value_status")
    assert figures(whole(warehouse, "leads"), *names) == ("behind", "behind", "on plan")
    assert figures(whole(warehouse, "pipeline"), *names) == ("on plan", "on plan", "on plan")
    assert whole(warehouse, "pipeline")["is_beyond_chance"] is False
    # One win where 0.83 were due: no more than chance.
    assert figures(whole(warehouse, "wins"), *names) == ("on plan", "on plan", "on plan")
    # Nobody set a tolerance for it, though there is a target.
    assert figures(whole(warehouse, "rate_sal_sql"), "status") == ("not planned",)
    # Of the channel only leads are planned.
    assert figures(whole(warehouse, "leads", SEARCH), *names) == (
        "on plan",
        "on plan",
        "not planned",
    )
    assert (
        warehouse.row(
            "select status from rpt_plan_vs_actual__kpi_period where period = 'FY2026-Q2'"
        )["status"]
        == "not yet"
    )


def test_scopes_count_their_own(warehouse: Warehouse) -> None:
    """Bing has no channel of its own and is counted whole by paid search; a stretch has nothing;
    version 2 plans nothing for the campaign, so that its days alone are judged."""
    assert figures(whole(warehouse, "leads", SEARCH), "actual_value", "owner") == ("60", "bob")
    row = whole(warehouse, "leads", A)
    assert figures(row, "plan_versions", "plan_value", "actual_value") == ("1", "22.5", "40")
    row = whole(warehouse, "leads", "stretch:more")
    assert figures(row, "actual_value", "variance_minor", "status") == (None, None, "no data")


def test_the_last_day_of_the_series_is_the_report(warehouse: Warehouse) -> None:
    differing = warehouse.rows(
        """
        select * from rpt_plan_vs_actual__kpi_period as report
        left join (
            select period, scope, metric,
                max_by(is_outside_tolerance, day) as is_outside, max_by(numerator, day) as done
            from int_plan__kpi_day group by all
        ) as series using (period, scope, metric)
        where report.actual_value is not null
            and (report.is_outside_tolerance, report.numerator)
                is distinct from (series.is_outside, series.done)
        """
    )
    assert differing == []


def item(warehouse: Warehouse, metric: str) -> dict[str, Any]:
    return warehouse.row(
        f"from rpt_variance_item where period = '{Q1}' and scope = 'company'"
        f" and metric = '{metric}'"
    )


def test_an_item_opens_on_the_first_day_of_its_latest_run(warehouse: Warehouse) -> None:
    """Leads were outside from 1 to 4 February (20 where 32 to 35 were due, two standard errors are
    11.3 to 11.8), on days of late February, and for good from 3 March: 60 of 79, 2√79 = 17.8."""
    row = item(warehouse, "leads")
    assert row["item_id"] == "V-" + md5(f"{Q1}|company|leads".encode()).hexdigest()[:10]
    assert figures(row, "status", "owner", "notes", "is_period_open") == ("overdue", "ann", 0, True)
    assert (row["opened_date"], row["due_date"]) == (date(2026, 3, 3), date(2026, 3, 10))
    outside = warehouse.rows(
        f"select day from int_plan__kpi_day where period = '{Q1}' and scope = 'company'"
        " and metric = 'leads' and is_outside_tolerance order by day"
    )
    assert [row["day"].isoformat()[5:] for row in outside] == [
        "02-01", "02-02", "02-03", "02-04",
        "02-19", "02-26", "02-27", "02-28",
        *(f"03-{day:02d}" for day in range(3, 17)),
    ]  # fmt: skip


def test_what_is_within_its_tolerance_has_no_item(warehouse: Warehouse) -> None:
    found = {
        row["metric"]: row["status"]
        for row in warehouse.rows("from rpt_variance_item where scope = 'company'")
    }
    assert "rate_sal_sql" not in found and "wins" not in found
    assert "pipeline" not in found


def test_commitments(warehouse: Warehouse) -> None:
    """The threshold is $40, the grace five days. January is below; February's $50 were due on 25
    February; March's of A are committed, those of C not yet due; overheads owe nothing."""
    rows = warehouse.rows("from rpt_commitment__campaign_cohort")
    names = ("campaign_key", "status", "spend_minor", "judged_by", "judged_rate", "commitments")
    assert {(row["cohort_start_date"].month, *figures(row, *names)) for row in rows} == {
        (3, "Bing / B", "below threshold", 2000, "plan", "0.6", 0),
        (1, "Google Ads / A", "below threshold", 3000, "plan", "0.6", 0),
        (2, "Google Ads / A", "overdue", 5000, "plan", "0.6", 0),
        (3, "Google Ads / A", "committed", 10000, "committed", "0.3", 2),
        (3, "Meta / C", "uncommitted", 6000, "plan", "0.6", 0),
    }
    (february,) = [row for row in rows if row["status"] == "overdue"]
    assert (february["crossed_date"], february["due_date"]) == (
        date(2026, 2, 20),
        date(2026, 2, 25),
    )
    # Eleven MQLs of that cohort, none accepted within five days.
    assert figures(february, "entered", "matured", "converted") == (11, 11, 0)


def test_the_handoff_and_its_hours(warehouse: Warehouse) -> None:
    """Ten MQLs in January: six were worked after exactly a day, two after eight, two never."""
    rows = warehouse.rows("from rpt_handoff_sla__metric_period order by period")
    names = ("plan_version", "period", "leads", "in_time", "late", "is_complete")
    assert [figures(row, *names) for row in rows] == [
        (1, "FY2026-M01", 10, 6, 4, True),
        (2, "FY2026-M02", 11, 0, 11, True),
    ]


PLAN_MODELS = (
    "fct_plan__kpi_period",
    "rpt_plan_vs_actual__kpi_version",
    "rpt_plan_vs_actual__kpi_period",
    "rpt_variance_item",
    "rpt_commitment__campaign_cohort",
    "rpt_handoff_sla__metric_period",
    "int_kpi__daily",
    "int_kpi__lead_entry",
    "int_kpi__opportunity",
    "int_plan__kpi_day",
)


def test_a_company_without_a_plan_has_none_of_it(warehouse: Warehouse) -> None:
    """The last test: it builds the same warehouse again."""
    warehouse.build(COMPANY)
    counts = {
        model: warehouse.row(f"select count(*) as rows from {model}")["rows"]
        for model in PLAN_MODELS
    }
    assert counts == dict.fromkeys(PLAN_MODELS, 0)
