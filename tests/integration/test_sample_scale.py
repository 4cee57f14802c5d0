"""The sample company at scale and at random: no byte changes, no cent is lost."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.sample import ERRORS, CompanySpec, Oddities, generate


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_threads_and_memory_change_no_byte(
    tmp_path: Path, file_format: Literal["csv", "parquet"]
) -> None:
    """130 thousand leads fill more than one row group, so that threads could get out of step."""
    every = Oddities(**{each.name: each.name not in ERRORS for each in fields(Oddities)})
    spec = CompanySpec(seed=3, leads=130_000, months=2, touches_per_lead=1, oddities=every)
    generate(spec, tmp_path / "two", file_format, threads=2)
    generate(spec, tmp_path / "one", file_format, threads=1)
    generate(spec, tmp_path / "five", file_format, threads=5, memory_limit="700MB")
    assert digests(tmp_path / "two") == digests(tmp_path / "five")
    assert digests(tmp_path / "two") == digests(tmp_path / "one")


@st.composite
def small_companies(draw: st.DrawFn) -> CompanySpec:
    """Any small company, each oddity on or off."""
    switches = {each.name: draw(st.booleans()) for each in fields(Oddities)}
    return CompanySpec(
        seed=draw(st.integers(0, 10_000)),
        leads=draw(st.integers(0, 120)),
        months=draw(st.integers(1, 4)),
        campaigns=draw(st.integers(1, 9)),
        currencies=draw(st.sampled_from([("USD",), ("USD", "EUR"), ("EUR", "GBP")])),
        oddities=Oddities(**switches),
    )


@settings(max_examples=12, deadline=None)
@given(spec=small_companies())
def test_any_small_company_ties_out_with_its_truth(spec: CompanySpec) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        truth = generate(spec, Path(folder), "parquet")
        for path in truth.data.iterdir():
            connection.read_parquet(str(path)).create_view(path.stem)
        for name, path in truth.tables.items():
            connection.read_parquet(str(path)).create_view(f"true_{name}")
        # Each query counts what is wrong.
        for problem, sql in {
            "spend differs from truth": (
                "with newest as (from spend where level is null "
                "qualify loaded_at = max(loaded_at) over "
                "(partition by source, account, campaign, day, kind)) "
                "select coalesce((select sum(cost * 100) from newest), 0) "
                "- coalesce((select sum(cost_minor) from true_cohort), 0)"
            ),
            "spend differs from control totals": (
                "select coalesce((select sum(cost_minor) from true_spend), 0) "
                "- coalesce((select sum(cost * 100) from control_totals), 0)"
            ),
            "lead rows differ from truth": (
                "select (select count(*) from leads) "
                "- coalesce((select sum(raw_rows) from true_cohort), 0)"
            ),
            "a survivor was not kept": (
                "select count(*) from true_lead where survivor_lead_id is not null "
                "and survivor_lead_id not in "
                "(select lead_id from true_lead where disposition = 'kept')"
            ),
            "an opportunity is missing": (
                "select count(*) from leads anti join opportunities "
                "on converted_opportunity_id = opportunity_id "
                "where converted_opportunity_id is not null"
            ),
            "an opportunity has no history": (
                "select count(*) from opportunities where opportunity_id not in "
                "(select opportunity_id from opportunity_events)"
            ),
            "a trail runs backwards": (
                "select count(*) from (select entered_at < lag(entered_at) over "
                "(partition by lead_id order by entry_number) as is_back from true_lead_stage) "
                "where is_back"
            ),
            "a rate is missing": (
                "select count(*) from spend where currency <> '"
                + spec.currencies[0]
                + "' and (day, currency) not in (select (day, currency) from fx_rates)"
            ),
        }.items():
            assert connection.execute(sql).fetchall() == [(0,)], problem
