"""What a run knows of the publication before it: how many rows each feed delivered then."""

from __future__ import annotations

import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.landing.inputs import _tolerance_rows, _volume_rows
from orchestration.lib.sources.config import SourcesFile, load_sources
from orchestration.settings import REPO, Home

COMPANY = """
version: 1
company:
  name: Test
  reporting_currency: USD
  time_zone: UTC
sources:
  crm:
    adapter: canonical
    path: data
    tolerances:
      shrink:
        leads: {at_most: 40, reason: the old leads were archived}
"""


@pytest.fixture
def sources(tmp_path: Path) -> SourcesFile:
    (tmp_path / "data").mkdir()
    path = tmp_path / "sources.yml"
    path.write_text(COMPANY)
    return load_sources(path)


def published(home: Home, sql: str) -> None:
    """A publication of a file in which that was done."""
    release = home.releases / "1"
    release.mkdir(parents=True)
    with duckdb.connect(str(release / home.current_database.name)) as connection:
        connection.execute(sql)
    home.current.symlink_to("releases/1")


def rows(home: Home, sources: SourcesFile) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return [tuple(row) for row in _volume_rows(connection, home, sources)]


def test_before_the_first_publication_there_is_nothing(
    tmp_path: Path, sources: SourcesFile
) -> None:
    assert rows(Home(tmp_path / "home"), sources) == []


def test_an_older_publication_counted_nothing(tmp_path: Path, sources: SourcesFile) -> None:
    home = Home(tmp_path / "home")
    published(home, "create schema audit; create table audit.run as select 1 as x")
    assert rows(home, sources) == []


def test_volumes_say_whether_their_feed_is_still_read(tmp_path: Path, sources: SourcesFile) -> None:
    home = Home(tmp_path / "home")
    published(
        home,
        "create schema audit; create table audit.volume"
        " (feed varchar, table_name varchar, rows bigint, month date);"
        " insert into audit.volume values ('old', 'leads', 3, null),"
        " ('crm', 'leads', 5, '2026-01-01')",
    )
    before = (home.releases / "1" / home.current_database.name).read_bytes()
    assert rows(home, sources) == [
        ("crm", "leads", datetime.date(2026, 1, 1), 5, True),
        ("old", "leads", None, 3, False),
    ]
    assert (home.releases / "1" / home.current_database.name).read_bytes() == before


def test_what_may_shrink_is_landed_with_its_reason(sources: SourcesFile) -> None:
    assert list(_tolerance_rows(sources)) == [
        ("crm", "shrink", "leads", 40, "the old leads were archived")
    ]


def test_the_bundled_company_shrinks_in_nothing() -> None:
    sample = load_sources(REPO / "seeds" / "sample" / "sources.yml")
    assert not [row for row in _tolerance_rows(sample) if row[1] == "shrink"]
