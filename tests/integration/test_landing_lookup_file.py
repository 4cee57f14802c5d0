"""`lookup_file`: a cell that another file of the feed explains."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.landing import LandingReport, SetupError, land
from orchestration.lib.sources.config import SourcesError, load_sources
from orchestration.settings import Home

AS_OF = datetime(2026, 1, 1)
HEAD = """
version: 1
company: {name: Test, reporting_currency: EUR}
sources:
  crm:
    adapter: mapped
    path: .
    tables:
      leads:
        files: leads.csv
        columns:
          lead_id: id
          created_at: created
          converted_opportunity_id:
            column: id
            lookup_file: {file: deals.csv, key: lead, value: deal}
"""
LEADS = "id,created\nL1,2025-01-01\nL2,2025-01-02\nL3,2025-01-03\n"
DEALS = "deal,lead\nD1,L1\nD3, L3 \nD9,L9\n"


@pytest.fixture
def company(tmp_path: Path) -> Callable[..., LandingReport]:
    """Land leads whose deal stands in another file."""

    def landed(deals: str | None = DEALS, more: str = "", text: str = HEAD) -> LandingReport:
        (tmp_path / "sources.yml").write_text(text + more)
        (tmp_path / "leads.csv").write_text(LEADS)
        if deals is not None:
            (tmp_path / "deals.csv").write_text(deals)
        sources = load_sources(tmp_path / "sources.yml")
        return land(Home(tmp_path / "home"), sources, AS_OF)

    return landed


def deals_of(folder: Path) -> list[tuple[str, str | None]]:
    """What the inputs say of each lead."""
    path = Home(folder / "home").inputs / "leads" / "*.parquet"
    with duckdb.connect() as connection:
        return connection.execute(
            f"select lead_id, converted_opportunity_id"
            f" from read_parquet('{path}', union_by_name = true) order by all"
        ).fetchall()


EMPTY = "            otherwise: empty\n"


def test_what_is_found_is_taken_and_what_is_not_is_empty(
    company: Callable[..., LandingReport], tmp_path: Path
) -> None:
    (table,) = company(more=EMPTY).tables
    assert deals_of(tmp_path) == [("L1", "D1"), ("L2", None), ("L3", "D3")]
    assert table.lookups == {"converted_opportunity_id": 2}
    assert (table.raw_rows, table.landed_rows) == (3, 3)


def test_otherwise_keep(company: Callable[..., LandingReport], tmp_path: Path) -> None:
    company()
    assert deals_of(tmp_path) == [("L1", "D1"), ("L2", "L2"), ("L3", "D3")]


def test_otherwise_quarantine(company: Callable[..., LandingReport], tmp_path: Path) -> None:
    (table,) = company(more="            otherwise: quarantine\n").tables
    assert deals_of(tmp_path) == [("L1", "D1"), ("L3", "D3")]
    assert (table.landed_rows, table.quarantined_rows) == (2, 1)


@pytest.mark.parametrize("more", ["", EMPTY, "            otherwise: quarantine\n"])
def test_a_key_whose_value_is_empty_is_known(
    company: Callable[..., LandingReport], tmp_path: Path, more: str
) -> None:
    company("deal,lead\n,L1\nD2,L2\nD3,L3\n", more)
    assert deals_of(tmp_path) == [("L1", None), ("L2", "D2"), ("L3", "D3")]


def test_a_changed_lookup_file_lands_the_table_again(
    company: Callable[..., LandingReport], tmp_path: Path
) -> None:
    company(more=EMPTY)
    assert company(more=EMPTY).is_unchanged
    assert not company("deal,lead\nD2,L2\n", EMPTY).is_unchanged
    assert deals_of(tmp_path) == [("L1", None), ("L2", "D2"), ("L3", None)]


def test_the_same_pair_twice_is_one_answer(
    company: Callable[..., LandingReport], tmp_path: Path
) -> None:
    (table,) = company("deal,lead\nD1,L1\nD1,L1\n", EMPTY).tables
    assert deals_of(tmp_path) == [("L1", "D1"), ("L2", None), ("L3", None)]
    assert table.landed_rows == 3


@pytest.mark.parametrize(
    ("deals", "said"),
    [
        (None, "there is no file"),
        ("deal,leads\nD1,L1\n", "no column 'lead' in the header; did you mean 'leads'?"),
        ("deal,lead\nD1,L1\nD2,L1\n", "lead 'L1' stands for several values of deal"),
        ("deal,lead\nD1,L1\nD2\n", "1 rows of the lookup file cannot be read"),
    ],
)
def test_a_lookup_file_that_cannot_answer_stops_before_anything_lands(
    company: Callable[..., LandingReport], tmp_path: Path, deals: str | None, said: str
) -> None:
    with pytest.raises(SetupError, match=r"deals\.csv") as error:
        company(deals)
    assert said in str(error.value)
    assert not list((tmp_path / "home").rglob("data.parquet"))


def test_one_file_may_deliver_two_tables(
    company: Callable[..., LandingReport], tmp_path: Path
) -> None:
    more = """            otherwise: empty
      contacts:
        files: leads.csv
        columns: {contact_id: id, created_at: created}
        exclude:
          - {column: id, equals: L2, reason: not a contact}
"""
    leads, contacts = company(more=more).tables
    assert (leads.landed_rows, leads.excluded) == (3, {})
    assert (contacts.landed_rows, contacts.excluded) == (2, {"not a contact": 1})
    assert deals_of(tmp_path) == [("L1", "D1"), ("L2", None), ("L3", "D3")]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("{column: id, otherwise: empty}", "needs a `lookup` or a `lookup_file`"),
        (
            "{column: id, lookup: {a: b}, lookup_file: {file: f, key: k, value: v}}",
            "at most one of `lookup` and `lookup_file`",
        ),
        ("{constant: a, lookup_file: {file: f, key: k, value: v}}", "needs a `column`"),
        ("{column: id, lookup_file: {file: f, key: k}}", "the key 'value' is missing"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, column: str, said: str) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(
        HEAD.split("          converted", maxsplit=1)[0] + f"          owner: {column}\n"
    )
    with pytest.raises(SourcesError) as error:
        load_sources(path)
    assert said in str(error.value)
    assert ":14:" in str(error.value)


def test_otherwise_empty_of_a_lookup(company: Callable[..., LandingReport], tmp_path: Path) -> None:
    text = HEAD.split("            lookup_file", maxsplit=1)[0]
    company(text=text, more="            lookup: {L1: D1}\n            otherwise: empty\n")
    assert deals_of(tmp_path) == [("L1", "D1"), ("L2", None), ("L3", None)]
