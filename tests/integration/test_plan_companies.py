"""Plan against actuals on companies and plans that nobody chose: nothing is lost between the parts
and the whole.

The compiled models (the same SQL that dbt runs, without its start-up for each) run on random leads,
spend and deals under up to three versions of a plan.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.lib.compiled import CompiledModel, build, compiled_models
from tests.integration.dbt_fixture import write_inputs
from tests.integration.plan_fixture import Rows, Version, plan_rows
from tests.support.parsed import CATALOG, INPUTS, compiled_manifest

CAMPAIGNS = ("A", "B", "C")
QUARTER = ("FY2026-Q1", "FY2026-M01", "FY2026-M02", "FY2026-M03")
THRESHOLD = 5_000
#: Models that none of these read, and whose building would take most of the time.
OTHERS = ("audit_", "int_claim", "fct_dollar", "int_lead__share", "int_cohort__total")
REPORTS = ("rpt_plan", "rpt_commitment")

Books = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def models() -> list[CompiledModel]:
    """The compiled models; their inputs folder is a placeholder."""
    return [
        model
        for model in compiled_models(compiled_manifest())
        if model.name.startswith(REPORTS) or not model.name.startswith(("rpt_", *OTHERS))
    ]


def _books(inputs: Rows, folder: Path, models: list[CompiledModel]) -> Books:
    write_inputs(folder, inputs)
    connection = duckdb.connect()
    connection.execute(f"attach ':memory:' as {CATALOG}; use {CATALOG}")
    queries = [replace(each, query=each.query.replace(INPUTS, str(folder))) for each in models]
    build(connection, queries)
    return connection


DAYS = st.integers(0, 100).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
RATES = ("rate_lead_mql", "rate_mql_sal", "rate_opportunity_won")
COUNTS = ("leads", "mqls", "sals", "opportunities", "wins")
MONEY = ("budget", "pipeline", "bookings")
PRICES = ("cost_per_lead", "acv", "cycle_days")


@st.composite
def companies(draw: st.DrawFn) -> Rows:
    """Leads that come, go on, are rejected and come back; spend and credits; deals."""
    leads, events, deals, deal_events = [], [], [], []
    for number in range(draw(st.integers(0, 30))):
        day = draw(DAYS)
        leads.append(
            {
                "lead_id": f"L{number}",
                "created_at": f"{day} 12:00",
                "source": "Ads",
                "campaign": draw(st.sampled_from([*CAMPAIGNS, None])),
            }
        )
        for status in draw(
            st.lists(st.sampled_from(["mql", "sal", "sql", "rejected"]), max_size=4)
        ):
            day += timedelta(days=draw(st.integers(0, 20)))
            events.append(
                {"lead_id": f"L{number}", "occurred_at": f"{day} 13:00", "status": status}
            )
    for number in range(draw(st.integers(0, 8))):
        day = draw(DAYS)
        amount = draw(st.sampled_from(["100", "99.99", None]))
        deal = {"opportunity_id": f"O{number}", "amount": amount, "currency": "USD"}
        campaign = draw(st.sampled_from(CAMPAIGNS))
        deals.append(deal | {"source": "Ads", "campaign": campaign, "created_at": f"{day} 12:00"})
        for status in ["opportunity", *draw(st.sampled_from([[], ["won"], ["lost"]]))]:
            deal_events.append(
                {
                    "opportunity_id": f"O{number}",
                    "occurred_at": f"{day} 13:00",
                    "stage": status,
                    "amount": amount,
                }
            )
            day += timedelta(days=draw(st.integers(0, 30)))
    spend = {
        (draw(st.sampled_from([*CAMPAIGNS, None])), draw(DAYS)): draw(st.integers(-2_000, 9_000))
        for _ in range(draw(st.integers(0, 25)))
    }
    return {
        "run_parameter": [{"as_of": f"{draw(DAYS)} 12:00"}],
        "leads": leads,
        "lead_events": events,
        "opportunities": deals,
        "opportunity_events": deal_events,
        "spend": [
            {
                "source": "Ads",
                "campaign": campaign,
                "day": str(day),
                "currency": "USD",
                "cost": f"{cents / 100:.2f}",
                "kind": "overhead" if campaign is None else "media",
            }
            for (campaign, day), cents in spend.items()
        ],
        "stage_map": [
            {"feed": "crm", "entity": entity, "raw_status": stage, "stage": stage}
            for entity, stages in (
                ("lead", ("mql", "sal", "sql", "rejected")),
                ("opportunity", ("opportunity", "won", "lost")),
            )
            for stage in stages
        ],
        "plan_commitment": [
            {
                "number": number,
                "campaign_key": f"Ads / {campaign}",
                "cohort_start_date": "2026-02-01",
                "metric": "rate_lead_mql",
                "rate": "0.5",
                "window_days": 10,
                "committed_by": "ann",
                "committed_at": "2026-02-02 12:00",
            }
            for number, campaign in enumerate(draw(st.sets(st.sampled_from(CAMPAIGNS))), start=1)
        ],
    }


@st.composite
def plans(draw: st.DrawFn, is_unamended: bool = False) -> list[Version]:
    """Up to three versions, the first from the quarter's first day; every scope has every KPI."""
    starts = sorted(draw(st.sets(st.integers(1, 89), max_size=2)))
    targets = draw(_targets())
    curve = {month: draw(st.integers(1, 1_000_000)) for month in range(1, 13)}
    versions = []
    for number, start in enumerate([0, *starts], start=1):
        own = targets if is_unamended else draw(_targets())
        versions.append(
            Version(
                number,
                str(date(2026, 1, 1) + timedelta(days=start)),
                {
                    (period, scope): own
                    for period in QUARTER
                    for scope in ("company", *(f"campaign:Ads / {name}" for name in CAMPAIGNS))
                },
                {
                    metric: {"window_days": 10, "curve": "own"}
                    for metric in (*COUNTS, *MONEY, *PRICES, *RATES)
                },
                scopes={f"campaign:Ads / {name}": [] for name in CAMPAIGNS},
                curves={"own": curve},
                counts={"mql": draw(st.sampled_from(["first", "latest", "every"]))},
                policy={"commitment_threshold_minor": THRESHOLD},
                days=90,
            )
        )
    return versions


@st.composite
def _targets(draw: st.DrawFn) -> dict[str, str | int]:
    amounts = st.integers(0, 10**13)
    return {
        **{metric: f"{draw(amounts) / 1000:.3f}" for metric in COUNTS},
        **{metric: f"{draw(amounts) / 100:.2f}" for metric in MONEY},
        **{metric: draw(st.integers(1, 10**6)) for metric in PRICES},
        **{metric: str(draw(st.integers(0, 1000)) / 1000) for metric in RATES},
        "rate_sal_sql": "0.5",
        "rate_sql_opportunity": "0.333333333",
    }


def _none(books: Books, query: str) -> None:
    offenders = books.execute(query)
    names = [column[0] for column in offenders.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in offenders.fetchmany(3)]
    assert rows == []


def parts_add_up_to_the_whole(books: Books) -> None:
    """Over versions: plan, plan to date and actuals of what is additive, and all numerators."""
    _none(
        books,
        """
        with parts as (
            select period, scope, metric, sum(plan_value) as plan, sum(plan_to_date_value) as due,
                sum(actual_value) as actual, sum(numerator) as numerator,
                sum(denominator) as denominator, sum(without_amount) as without_amount,
                case when count(variance_minor) = count(numerator) then sum(variance_minor) end
                    as variance_minor
            from rpt_plan_vs_actual__kpi_version group by all
        )
        from rpt_plan_vs_actual__kpi_period as whole join parts using (period, scope, metric)
        where (kind = 'volume' and (whole.plan_value, whole.plan_to_date_value, actual_value)
                is distinct from (plan, due, actual))
            or (whole.numerator, whole.denominator, whole.without_amount, whole.variance_minor)
                is distinct from (
                    parts.numerator, parts.denominator, parts.without_amount, parts.variance_minor
                )
        """,
    )


def campaigns_add_up_to_the_company(books: Books) -> None:
    """Every figure of the company is the sum over its campaigns, the buckets without one too."""
    _none(
        books,
        """
        with campaigns as (
            select version, metric, period, sum(numerator) as numerator,
                sum(denominator) as denominator, sum(waiting) as waiting
            from int_kpi__daily as daily
            join int_plan__kpi_period as plan using (version, metric)
            where plan.scope = 'company' and day >= period_start_date and day < period_end_date
            group by all
        )
        from int_plan_vs_actual__kpi_version as company
        left join campaigns using (version, metric, period)
        where company.scope = 'company'
            and (company.numerator, company.denominator, company.waiting) is distinct from (
                coalesce(campaigns.numerator, 0), coalesce(campaigns.denominator, 0),
                coalesce(campaigns.waiting, 0)
            )
        """,
    )


def months_of_budget_are_the_spend(books: Books) -> None:
    """To the cent, overheads and credits included."""
    _none(
        books,
        """
        with spend as (
            select date_trunc('month', spend_date)::date as period_start_date,
                sum(amount_minor) as spent
            from fct_spend__campaign_daily group by all
        )
        from rpt_plan_vs_actual__kpi_period as months left join spend using (period_start_date)
        where scope = 'company' and metric = 'budget' and period_kind = 'month'
            and coalesce(actual_value, 0) <> coalesce(spent, 0)
        """,
    )


def months_add_up_to_the_quarter(books: Books) -> None:
    """Actuals of any kind, decided leads included."""
    _none(
        books,
        """
        with months as (
            select scope, metric, sum(numerator) as numerator, sum(denominator) as denominator
            from rpt_plan_vs_actual__kpi_period where period_kind = 'month' group by all
        )
        from rpt_plan_vs_actual__kpi_period as quarter join months using (scope, metric)
        where period_kind = 'quarter'
            and (quarter.numerator, quarter.denominator)
                is distinct from (months.numerator, months.denominator)
        """,
    )


def every_dollar_above_the_threshold_is_committed_or_owed(books: Books) -> None:
    """Committed, uncommitted and overdue dollars are the spend of the cohorts above it."""
    _none(
        books,
        f"""
        with cohorts as (
            select campaign_key, cohort_start_date, sum(amount_minor) as spent
            from fct_spend__campaign_daily join dim_campaign using (campaign_key)
            where dim_campaign.kind = 'campaign' group by all
        )
        from cohorts full join rpt_commitment__campaign_cohort as report
            using (campaign_key, cohort_start_date)
        where spent is distinct from spend_minor
            or committed_minor + uncommitted_minor + overdue_minor
                <> case when spent > {THRESHOLD} then spent else 0 end
            or (status = 'committed') <> (spent > {THRESHOLD} and commitments > 0)
        """,
    )


def the_series_ends_where_the_report_is(books: Books) -> None:
    """The same numbers and the same verdict, by another way."""
    _none(
        books,
        """
        with series as (
            select period, scope, metric, max_by(numerator, day) as numerator,
                max_by(waiting, day) as waiting, max_by(expected_value, day) as expected,
                max_by(is_outside_tolerance, day) as outside
            from int_plan__kpi_day group by all
        )
        from int_plan_vs_actual__kpi_period as report left join series using (period, scope, metric)
        where report.has_actual
            and (report.numerator, report.waiting, report.expected_value,
                report.is_outside_tolerance) is distinct from (
                series.numerator, series.waiting, series.expected, series.outside
            )
        """,
    )


def entries_are_those_of_the_published_leads(books: Books) -> None:
    """Under one rule: one entry of a lead that reached mql or, where every one counts, as many as
    it entered itself, and one more if it first reached it by skipping it."""
    _none(
        books,
        """
        with rules as (
            select min(counts) as counts from stg_landed__plan_stage where stage = 'mql'
            having count(distinct counts) = 1
        ),
        entries as (
            select lead_id, count(*) as entries,
                count(*) filter (where not is_skipped) as entered, min(entered_at) as first_at
            from int_kpi__lead_entry where stage = 'mql' group by all
        )
        from fct_lead left join entries using (lead_id) cross join rules
        where coalesce(entries, 0) <> case
                when counts = 'every' then mql_entries + (entries > entered)::int
                else (first_mql_at is not null)::int
            end
            or (counts <> 'latest' and first_at is distinct from first_mql_at)
        """,
    )


CHECKS: list[Callable[[Books], None]] = [
    parts_add_up_to_the_whole,
    campaigns_add_up_to_the_company,
    months_of_budget_are_the_spend,
    months_add_up_to_the_quarter,
    every_dollar_above_the_threshold_is_committed_or_owed,
    the_series_ends_where_the_report_is,
    entries_are_those_of_the_published_leads,
]
EXAMPLES = int(os.environ.get("TIEOUT_COMPANIES", "12"))


@pytest.mark.slow
@given(company=companies(), plan=plans())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_is_lost_between_the_parts_and_the_whole(
    company: Rows, plan: list[Version], models: list[CompiledModel]
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        _books(company | plan_rows(plan), Path(folder) / "inputs", models) as books,
    ):
        for check in CHECKS:
            check(books)


@pytest.mark.slow
@given(plan=plans(is_unamended=True))
@settings(max_examples=EXAMPLES // 3 + 1, deadline=None)
def test_versions_with_one_target_add_up_to_it(
    plan: list[Version], models: list[CompiledModel]
) -> None:
    """Amounts to the cent and counts to the ninth digit, whatever the curve and the days."""
    wanted = [each for each in models if not each.name.startswith(("rpt_", "audit_"))]
    with (
        tempfile.TemporaryDirectory() as folder,
        _books(plan_rows(plan), Path(folder) / "inputs", wanted) as books,
    ):
        _none(
            books,
            """
            select period, scope, metric, any_value(plan_value) as target,
                sum(plan_in_force_value) as parts, sum(in_force_share) as shares
            from fct_plan__kpi_period where is_additive
            group by all
            having parts <> target or shares <> 1
            """,
        )
