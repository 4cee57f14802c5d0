"""Loads over time: unchanged files, restatements, new mappings, kills, and the inputs of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.lib.landing import (
    LandingPlan,
    LandingReport,
    SetupError,
    land,
    land_table,
    link_inputs,
)
from orchestration.lib.landing.inputs import SMALL_TABLES, input_columns
from orchestration.lib.sources.canonical import TABLES
from orchestration.lib.sources.config import load_sources
from orchestration.settings import SAMPLE_SOURCES, Home

REPO = Path(__file__).resolve().parents[2]
AS_OF = datetime(2026, 1, 1)
YML = """\
version: 1
company:
  name: T
  reporting_currency: EUR
  time_zone: Europe/Berlin
  qualified:
    - {version: '1', from: 2025-01-01, min_score: 50}
    - {version: '2', from: 2025-07-01, exclude_email_domains: [T.example]}
sources:
  ads:
    adapter: mapped
    path: exports
    cadence_hours: {spend: 24}
    daily: [spend]
    stages:
      lead: {Neu: lead, Alt: [{stage: mql, to: 2025-07-01}, {stage: sql, from: 2025-07-01}]}
    tolerances:
      quarantine: {spend: {at_most: 2, reason: known}}
      laws: {B8: {at_most: 1, reason: "a quote's ' reason"}}
    tables:
      spend:
        files: "spend*.csv"
        columns: {source: {constant: Ads}, currency: {constant: EUR}, day: Date, cost: Cost}
      touches:
        files: "touch*.csv"
        mode: append
        columns: {touch_id: Id, occurred_at: At}
"""


class Company:
    """A folder of exports, landed again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "home")
        (root / "exports").mkdir()
        self.yml = YML
        self.write("spend.csv", "Date,Cost", "2025-01-01,1")
        self.write("touch-1.csv", "Id,At", "t1,2025-01-01 10:00:00")

    def write(self, name: str, *lines: str) -> None:
        (self.root / "exports" / name).write_text("\n".join(lines) + "\n")

    def land(self) -> LandingReport:
        (self.root / "sources.yml").write_text(self.yml)
        return land(self.home, load_sources(self.root / "sources.yml"), AS_OF)

    def rows(self, table: str, columns: str = "*", order: str = "all") -> list[tuple[Any, ...]]:
        with duckdb.connect() as con:
            return con.execute(
                f"select {columns} from read_parquet('{self.home.inputs}/{table}/*.parquet',"
                f" union_by_name = true) order by {order}"
            ).fetchall()

    def loads(self) -> list[str]:
        return sorted(
            path.relative_to(self.home.landing).as_posix()
            for path in self.home.landing.glob("ads/*/*")
        )


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_an_unchanged_file_is_not_landed_again(company: Company) -> None:
    first = company.land()
    assert [table.new_rows for table in first.tables] == [1, 1]
    again = company.land()
    assert again.is_unchanged
    assert [table.new_rows for table in again.tables] == [0, 0]
    assert company.loads() == ["ads/spend/000001", "ads/touches/000001"]
    assert [table.landed_rows for table in again.tables] == [1, 1]


def test_same_bytes_with_other_times_are_unchanged(company: Company) -> None:
    company.land()
    os.utime(company.root / "exports" / "spend.csv", (1, 1))
    assert company.land().is_unchanged


def test_changed_bytes_of_the_same_size_and_time_are_seen(company: Company) -> None:
    path = company.root / "exports" / "spend.csv"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    company.land()
    company.write("spend.csv", "Date,Cost", "2025-01-01,2")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert company.land().tables[0].spend == {"EUR": Decimal(2)}


def test_a_changed_file_is_a_restatement_whose_history_is_kept(company: Company) -> None:
    company.land()
    company.write("spend.csv", "Date,Cost", "2025-01-01,2", "2025-01-02,3")
    company.land()
    assert company.rows("spend", "_load, cost::varchar") == [
        (1, "1.000000000"), (2, "2.000000000"), (2, "3.000000000"),
    ]  # fmt: skip
    assert company.rows("load", "table_name, load, is_newest, raw_rows") == [
        ("spend", 1, False, 1), ("spend", 2, True, 2), ("touches", 1, True, 1),
    ]  # fmt: skip
    assert company.rows("source_total", "load, month, cost, rows") == [
        (2, date(2025, 1, 1), Decimal(5), 2)
    ]


def test_bytes_that_come_back_are_a_restatement_too(company: Company) -> None:
    company.land()
    company.write("spend.csv", "Date,Cost", "2025-01-01,2")
    company.land()
    company.write("spend.csv", "Date,Cost", "2025-01-01,1")
    assert company.land().tables[0].spend == {"EUR": Decimal(1)}
    assert company.rows("load", "load, is_newest")[:3] == [(1, False), (1, True), (2, False)]
    assert len(company.rows("spend")) == 3


def test_a_new_mapping_replaces_the_load_of_the_same_bytes(company: Company) -> None:
    company.land()
    company.yml = YML.replace("source: {constant: Ads}", "source: {constant: Google Ads}")
    company.land()
    assert company.rows("spend", "source, _load") == [("Google Ads", 2)]
    assert company.loads()[:2] == ["ads/spend/000001", "ads/spend/000002"]
    company.yml = YML
    company.land()
    assert company.rows("spend", "source, _load") == [("Ads", 3)]


def test_every_load_counts_where_files_are_appended(company: Company) -> None:
    company.land()
    company.write("touch-1.csv", "Id,At", "t2,2025-01-02 10:00:00")
    company.write("touch-2.csv", "Id,At", "t3,2025-01-03 10:00:00")
    company.land()
    (company.root / "exports" / "touch-1.csv").rename(company.root / "exports" / "touch-3.csv")
    report = company.land()
    assert report.tables[1].new_rows == 0
    assert company.rows("touches", "touch_id") == [("t1",), ("t2",), ("t3",)]
    assert {row[0] for row in company.rows("load", "is_newest")} == {True}


def test_twins_of_one_run_count_once_where_files_are_appended(company: Company) -> None:
    company.write("touch-2.csv", "Id,At", "t1,2025-01-01 10:00:00")
    report = company.land()
    assert (report.tables[1].files_unchanged, report.tables[1].landed_rows) == (1, 1)


def test_a_snapshot_that_is_gone_no_longer_counts_but_its_spend_is_history(
    company: Company,
) -> None:
    company.write("spend-2.csv", "Date,Cost", "2025-02-01,7")
    company.land()
    (company.root / "exports" / "spend-2.csv").unlink()
    assert company.land().tables[0].spend == {"EUR": Decimal(1)}
    assert company.rows("load", "file, is_newest")[:2] == [
        ("spend-2.csv", False), ("spend.csv", True),
    ]  # fmt: skip
    assert len(company.rows("spend")) == 2


def test_same_inputs_give_the_same_bytes(company: Company, tmp_path: Path) -> None:
    company.write("spend.csv", "Date,Cost", "2025-01-01,1", "x,2")
    company.land()
    (tmp_path / "twin").mkdir()
    twin = Company(tmp_path / "twin")
    twin.write("spend.csv", "Date,Cost", "2025-01-01,1", "x,2")
    twin.land()
    for name in ("data.parquet", "quarantine.parquet"):
        one, two = (c.home.landing / "ads" / "spend" / "000001" / name for c in (company, twin))
        assert one.read_bytes() == two.read_bytes()


def test_inputs_hold_every_table_with_its_columns(company: Company) -> None:
    company.land()
    for table in (*TABLES, *SMALL_TABLES):
        with duckdb.connect() as con:
            described = con.execute(
                f"describe select * from read_parquet('{company.home.inputs}/{table}/*.parquet',"
                " union_by_name = true)"
            ).fetchall()
        found = [(row[0], row[1].lower().replace(" ", "")) for row in described]
        assert found == [(name, kind.replace(" ", "")) for name, kind in input_columns(table)]
    [link] = [p for p in (company.home.inputs / "spend").iterdir() if p.name != "_empty.parquet"]
    assert link.is_symlink()
    assert link.resolve() == company.home.landing / "ads" / "spend" / "000001" / "data.parquet"


def test_configuration_is_data(company: Company) -> None:
    company.land()
    summer, always = datetime(2025, 6, 30, 22), datetime(1900, 1, 1)
    assert company.rows("stage_map", "* exclude (feed)", "raw_status, valid_from") == [
        ("lead", "Alt", "mql", always, summer),
        ("lead", "Alt", "sql", summer, None),
        ("lead", "Neu", "lead", always, None),
    ]
    assert company.rows("tolerance") == [
        ("ads", "law", "B8", 1, "a quote's ' reason"),
        ("ads", "quarantine", "spend", 2, "known"),
    ]
    assert company.rows("cadence") == [("ads", "spend", 24, True)]
    assert company.rows("qualified_definition", "* exclude (sha256)") == [
        ("1", datetime(2024, 12, 31, 23), summer, 50, True),
        ("2", summer, None, None, True),
    ]
    assert company.rows("excluded_domain") == [("2", "t.example")]
    assert company.rows("run_parameter", "* exclude (person_key)") == [
        (AS_OF, "EUR", "Europe/Berlin", "month", 90, "T")
    ]


def test_the_person_key_is_secret_and_stays(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.land()
    key = company.home.person_key.read_text()
    assert len(key) == 64
    assert company.home.person_key.stat().st_mode & 0o777 == 0o600
    parameters = company.home.inputs / "run_parameter" / "data.parquet"
    assert parameters.stat().st_mode & 0o777 == 0o600
    company.land()
    assert company.rows("run_parameter", "person_key") == [(key,)]
    monkeypatch.setenv("TIEOUT_PERSON_KEY", "given")
    company.land()
    assert company.rows("run_parameter", "person_key") == [("given",)]


def test_tables_can_land_one_at_a_time(company: Company) -> None:
    (company.root / "sources.yml").write_text(company.yml)
    sources = load_sources(company.root / "sources.yml")
    land_table(company.home, sources, "ads", "spend", AS_OF)
    with pytest.raises(SetupError, match=r"land ads\.touches first"):
        link_inputs(company.home, sources, AS_OF)
    report = land_table(company.home, sources, "ads", "touches", AS_OF)
    assert (report.feed, report.table, report.landed_rows) == ("ads", "touches", 1)
    link_inputs(company.home, sources, AS_OF)
    assert len(company.rows("touches")) == 1
    with pytest.raises(SetupError, match=r"no files for ads\.leads"):
        land_table(company.home, sources, "ads", "leads", AS_OF)


def test_a_wrong_file_keeps_the_others_from_landing(company: Company) -> None:
    company.write("touch-1.csv", "Id,When", "t1,2025-01-01 10:00:00")
    with pytest.raises(SetupError, match=r"no column 'At' in the header"):
        company.land()
    assert company.loads() == []


def test_what_a_killed_run_left_is_swept(company: Company) -> None:
    company.land()
    for path in (
        company.home.landing / "ads" / "spend" / ".tmp-1-000002",
        company.home.work / "inputs.new" / "spend",
        company.home.work / "inputs.old",
    ):
        path.mkdir(parents=True)
    company.land()
    assert not list(company.home.landing.glob("**/.tmp-*"))
    assert not list(company.home.work.glob("inputs.*"))


def test_a_kill_at_any_instant_leaves_nothing_half_done(company: Company) -> None:
    company.write("spend.csv", "Date,Cost", *[f"2025-01-01,{i}" for i in range(50_000)])
    (company.root / "sources.yml").write_text(company.yml)
    code = (
        "import sys; from pathlib import Path; from datetime import datetime\n"
        "from orchestration.settings import Home; from orchestration.lib.landing import land\n"
        "from orchestration.lib.sources.config import load_sources\n"
        "print('ready', flush=True)\n"
        f"land(Home(Path({str(company.home.root)!r})),"
        f" load_sources(Path({str(company.root / 'sources.yml')!r})), datetime(2026, 1, 1))"
    )
    for delay in (0.02, 0.06, 0.12, 0.2):
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=REPO, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.kill()
        for load in company.loads():
            folder = company.home.landing / load
            complete = {"data.parquet", "manifest.json", "quarantine.parquet"}
            assert ".tmp-" in load or {p.name for p in folder.iterdir()} == complete
    report = company.land()
    assert report.tables[0].landed_rows == 50_000
    assert len(company.rows("spend", "_line")) == 50_000


def test_a_file_that_grows_while_it_is_read_is_refused(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.lib.landing import load as load_module

    real = load_module.FileLoad._account

    def growing(self: load_module.FileLoad) -> load_module.Accounting:
        found = real(self)
        with self.file.path.open("a") as file:
            file.write("2025-01-09,9\n")
        return found

    monkeypatch.setattr(load_module.FileLoad, "_account", growing)
    with pytest.raises(load_module.LandingError, match="was written to while it was read"):
        company.land()
    assert company.loads() == []


def test_the_bundled_sample_lands_quickly_and_whole(tmp_path: Path) -> None:
    sources = load_sources(SAMPLE_SOURCES)
    home = Home(tmp_path / "home")
    seen: list[str] = []
    report = land(home, sources, sources.as_of(), lambda feed, table, what: seen.append(table))
    assert {table.table for table in report.tables} == set(seen)
    assert all(table.quarantined_rows == 0 for table in report.tables)
    with LandingPlan(home, sources, sources.as_of()) as plan:
        plan.prepare()
        assert plan.land_table("crm", "spend").new_rows == 0
