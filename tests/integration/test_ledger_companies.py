"""The dollar journal on companies that nobody chose: every cent stands in exactly one stage.

Two hundred random companies with all oddities on or off go through the real landing and the
compiled models (the same SQL that dbt runs, without its start-up for each), and are judged against
the generator's truth.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import dbtRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.lib.compiled import CompiledModel, build, compiled_models
from orchestration.lib.landing import land
from orchestration.lib.sample import CompanySpec, Oddities, Truth, generate
from orchestration.lib.sources.config import load_sources
from orchestration.settings import DBT_PROJECT, Home

INPUTS = "/inputs-of-this-company"
#: dbt writes the name of the warehouse into every reference.
CATALOG = "books"


@dataclass(frozen=True)
class Case:
    """A company and how its books are kept."""

    spec: CompanySpec
    cohort_period: str


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[CompiledModel]:
    """The compiled models; their inputs folder is a placeholder."""
    target = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEOUT_INPUTS", INPUTS)
        patch.setenv("TIEOUT_WAREHOUSE", str(target / f"{CATALOG}.duckdb"))
        patch.setenv("DBT_TARGET_PATH", str(target))
        patch.setenv("DBT_LOG_PATH", str(target / "logs"))
        result = dbtRunner().invoke(
            [
                "--quiet",
                "compile",
                "--no-introspect",
                "--project-dir",
                str(DBT_PROJECT),
                "--profiles-dir",
                str(DBT_PROJECT),
            ]
        )
    assert result.success, result.exception
    return compiled_models(target / "manifest.json")


def _books(case: Case, folder: Path, models: list[CompiledModel]) -> tuple[Truth, Books]:
    truth = generate(case.spec, folder / "company", with_plan=False)
    text = truth.sources.read_text()
    assert "cohort_period: month" in text
    truth.sources.write_text(
        text.replace("cohort_period: month", f"cohort_period: {case.cohort_period}")
    )
    home = Home(folder / "home")
    sources = load_sources(truth.sources)
    land(home, sources, case.spec.as_of)
    connection = duckdb.connect()
    connection.execute(f"attach ':memory:' as {CATALOG}; use {CATALOG}")
    build(
        connection,
        [replace(each, query=each.query.replace(INPUTS, str(home.inputs))) for each in models],
    )
    return truth, connection


Books = duckdb.DuckDBPyConnection


def _none(books: Books, query: str) -> None:
    offenders = books.execute(query).fetchmany(5)
    assert offenders == [], f"{len(offenders)} offending rows, e.g. {offenders[0]}"


def balances_are_spend(books: Books) -> None:
    """Law B2, from the journal and from the published balances, cohort by cohort."""
    for balances in (
        """
        select campaign_key, cohort_start_date, sum(amount_minor) as standing
        from (
            select campaign_key, cohort_start_date, to_stage as stage, amount_minor
            from fct_dollar_journal__entry
            union all
            select campaign_key, cohort_start_date, from_stage as stage, -amount_minor
            from fct_dollar_journal__entry
        )
        where stage <> 'funding'
        group by all
        """,
        """
        select campaign_key, cohort_start_date, sum(amount_minor) as standing
        from rpt_stage_balance__campaign_cohort
        group by all
        """,
    ):
        _none(
            books,
            f"""
            select *
            from (
                select campaign_key, cohort_start_date, sum(amount_minor) as spent
                from fct_spend__campaign_daily
                group by all
            ) as spend
            full join ({balances}) as balance using (campaign_key, cohort_start_date)
            where coalesce(spent, 0) <> coalesce(standing, 0)
            """,
        )


def nothing_is_overdrawn(books: Books) -> None:
    """Law B3: no running balance below zero, but for credits and in_market in an open period."""
    _none(
        books,
        """
        with sides as (
            select campaign_key, cohort_start_date, to_stage as stage, occurred_at, amount_minor
            from fct_dollar_journal__entry
            union all
            select campaign_key, cohort_start_date, from_stage, occurred_at, -amount_minor
            from fct_dollar_journal__entry
        ),
        instants as (
            select campaign_key, cohort_start_date, stage, occurred_at, sum(amount_minor) as net
            from sides where stage <> 'funding' group by all
        ),
        running as (
            select *, sum(net) over (
                partition by campaign_key, cohort_start_date, stage order by occurred_at
            ) as balance
            from instants
        ),
        least_total as (
            select campaign_key, cohort_start_date, min(total_minor) as least_minor
            from int_cohort__total group by all
        )
        select running.*
        from running
        join int_cohort using (campaign_key, cohort_start_date)
        left join least_total using (campaign_key, cohort_start_date)
        where balance < 0
          and coalesce(least_minor, -1) >= 0
          and not (stage = 'in_market' and (closes_at is null or occurred_at < closes_at))
        """,
    )


def no_row_is_lost(books: Books) -> None:
    """Law B6."""
    _none(
        books,
        """
        select * from audit_row
        where raw_rows
            <> kept_rows + merged_rows + excluded_rows + quarantined_rows + superseded_rows
        """,
    )


def keys_are_unique(books: Books) -> None:
    """Law B10 for the journal."""
    _none(
        books,
        "select entry_id from fct_dollar_journal__entry group by all having count(*) > 1",
    )


def spend_is_true(books: Books, truth: Truth) -> None:
    """Native cost to the cent, reporting amounts within the rounding of each key."""
    expected = {
        (key, month, currency): (cost, float(exact), keys)
        for key, month, currency, cost, exact, keys in truth.query(
            """
            select
                campaign_key, month, currency,
                sum(cost_minor)::bigint, sum(reporting_minor_exact), sum(keys)::bigint
            from spend group by all having sum(keys) > 0
            """
        )
    }
    found = {
        (key, month, currency): (cost, amount)
        for key, month, currency, cost, amount in books.execute(
            """
            select
                campaign_key, date_trunc('month', spend_date)::date, currency,
                sum(cost_minor)::bigint, sum(amount_minor)::bigint
            from fct_spend__campaign_daily group by all
            """
        ).fetchall()
    }
    assert {key: cost for key, (cost, _) in found.items()} == {
        key: cost for key, (cost, _, _) in expected.items()
    }
    for key, (_, amount) in found.items():
        _, exact, rows = expected[key]
        assert abs(amount - exact) <= 0.5 * rows + 1e-6, key


def leads_are_true(books: Books, truth: Truth) -> None:
    """Every kept lead, at its true stage."""
    expected = truth.query(
        "select lead_id, final_stage from lead where disposition = 'kept' order by lead_id"
    )
    found = books.execute("select lead_id, stage from fct_lead order by lead_id").fetchall()
    assert found == expected


def trails_are_true(books: Books, truth: Truth) -> None:
    """Every stage a lead has stood in, in order."""
    expected = truth.query("select lead_id, entry_number, stage from lead_stage order by all")
    found = books.execute(
        "select lead_id, entry_number, stage from int_lead__stage_interval order by all"
    ).fetchall()
    assert found == expected


CHECKS: list[Callable[[Books], None]] = [
    balances_are_spend,
    nothing_is_overdrawn,
    no_row_is_lost,
    keys_are_unique,
]
RESOLVABLE = [
    name
    for name in Oddities.__dataclass_fields__
    if name not in ("future_events", "events_before_creation", "unmapped_statuses")
]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A small company: few leads, so that shares of a cent and empty cohorts are common."""
    switched_off = draw(st.sets(st.sampled_from(RESOLVABLE), max_size=8))
    return Case(
        CompanySpec(
            seed=draw(st.integers(0, 10_000)),
            leads=draw(st.integers(0, 120)),
            months=draw(st.integers(1, 4)),
            campaigns=draw(st.integers(1, 6)),
            touches_per_lead=1,
            currencies=draw(st.sampled_from([("USD", "EUR"), ("EUR", "USD"), ("GBP",)])),
            as_of=datetime(2026, draw(st.integers(2, 12)), draw(st.integers(2, 28)), 9, tzinfo=UTC),
            time_zone=draw(
                st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC"])
            ),
            oddities=replace(Oddities(), **dict.fromkeys(switched_off, False)),
        ),
        draw(st.sampled_from(["month", "month", "day", "week", "quarter", "campaign"])),
    )


@given(case=cases())
@example(case=Case(CompanySpec(leads=300), "month"))
@example(case=Case(CompanySpec.for_scenario("mirage"), "quarter"))
@settings(max_examples=int(os.environ.get("TIEOUT_COMPANIES", "200")))
def test_every_cent_of_any_company_stands_in_one_stage(
    case: Case, models: list[CompiledModel]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        truth, books = _books(case, Path(folder), models)
        with books:
            for check in CHECKS:
                check(books)
            spend_is_true(books, truth)
            leads_are_true(books, truth)
            trails_are_true(books, truth)
