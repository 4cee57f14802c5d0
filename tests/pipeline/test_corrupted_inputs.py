"""What is wrong with the inputs, or with the models, never reaches a reader.

One company, published once; then, law by law, one thing is spoilt. Each run ends with exit code 3
and names the law and its rows, and the published file keeps its bytes.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.lib.transform import Project
from orchestration.settings import DBT_PROJECT, Home
from tests.pipeline.conftest import changed, close_the_books, invoke, sha256

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Spoilt:
    """A file of the company, what is done to its rows, and a word that the law's rows must hold."""

    law: str
    table: str
    spoil: Callable[[Rows], Rows]
    told: str


def _first(column: str, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [rows[0] | {column: value}, *rows[1:]]


def _without_a_day(rows: Rows) -> Rows:
    days = sorted({row["day"] for row in rows})
    return [row for row in rows if row["day"] != days[len(days) // 2]]


INPUTS = [
    Spoilt("B1", "control_totals", _first("cost", "1.00"), "declared control total"),
    Spoilt("B7", "claims", _first("value", "1000000.00"), "1000000"),
    Spoilt("B6", "leads", _first("created_at", "yesterday"), "could not be read"),
    Spoilt("B8", "lead_events", _first("occurred_at", "2019-01-01T00:00:00Z"), "2019-01-01"),
    Spoilt("B10", "lead_events", _first("lead_id", "L-NOBODY"), "L-NOBODY"),
    Spoilt("B11", "spend", _without_a_day, "days without data"),
    Spoilt("B13", "lead_events", _first("status", "Parked by Bob"), "Parked by Bob"),
]


@pytest.fixture(scope="module")
def published(
    company: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, Path]]:
    """A home with one publication, and the company's sources.yml."""
    folder = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(company.parent, folder / "company")
    home, sources = Home(folder / "home"), folder / "company" / "sources.yml"
    assert close_the_books(home, sources).exit_code == 0
    yield home, sources


def spoilt_text(text: str, spoil: Callable[[Rows], Rows]) -> str:
    """The CSV with its rows spoilt."""
    reader = csv.DictReader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(spoil(list(reader)))
    return out.getvalue()


def assert_blocked(home: Home, sources: Path, law: str, told: str) -> None:
    """The run is blocked by the law, says so, and leaves readers what they had."""
    before = sha256(home.current_database), home.current.readlink()
    ran = close_the_books(home, sources)
    assert ran.exit_code == 3, ran.told
    results = {each["law"]: each for each in ran.answer["verdict"]["results"]}
    assert results[law]["status"] == "broken"
    assert results[law]["offending_count"] >= 1
    assert told in str(results[law]["offending_rows"])
    assert (sha256(home.current_database), home.current.readlink()) == before
    code, explained, _ = invoke(home, "explain", law)
    assert code == 0
    assert f"{law}:" in explained and "broken" in explained
    code, status, _ = invoke(home, "status")
    assert law in status


@pytest.mark.parametrize("case", INPUTS, ids=[case.law for case in INPUTS])
def test_spoilt_input_blocks(case: Spoilt, published: tuple[Home, Path]) -> None:
    home, sources = published
    path = sources.parent / "data" / f"{case.table}.csv"
    with changed(path, lambda text: spoilt_text(text, case.spoil)):
        assert_blocked(home, sources, case.law, case.told)


def _one_lead_more(text: str) -> str:
    """Another target in a sheet that is signed."""
    header, first, *rest = text.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("leads")] += "1"
    return "\n".join([header, ",".join(cells), *rest]) + "\n"


def test_a_changed_plan_blocks_and_is_named(published: tuple[Home, Path]) -> None:
    home, sources = published
    with changed(sources.parent / "plan" / "v1" / "targets.csv", _one_lead_more):
        assert_blocked(home, sources, "P5", "v1/targets.csv")


def test_a_removed_register_blocks(published: tuple[Home, Path], tmp_path: Path) -> None:
    """Together with what tells of it: only the last publication knows that it was there."""
    home, sources = published
    plan = sources.parent / "plan"
    for name in ("commitments.csv", "registers.json"):
        shutil.move(plan / name, tmp_path / name)
    try:
        assert_blocked(home, sources, "P5", "commitments.csv")
    finally:
        for name in ("commitments.csv", "registers.json"):
            shutil.move(tmp_path / name, plan / name)


def test_uncommitted_dollars_block(company: Path, tmp_path: Path) -> None:
    """The plan of this company blocks past the grace period, and Sales committed to nothing."""
    shutil.copytree(company.parent, tmp_path / "company")
    for name in ("commitments.csv", "registers.json"):
        (tmp_path / "company" / "plan" / name).unlink()
    home = Home(tmp_path / "home")
    ran = close_the_books(home, tmp_path / "company" / "sources.yml")
    assert ran.exit_code == 3, ran.told
    results = {each["law"]: each for each in ran.answer["verdict"]["results"]}
    assert (results["G1"]["status"], results["G1"]["severity"]) == ("broken", "block")
    assert results["G1"]["actual"] > 100_000
    assert not home.current.exists()


#: No input can break these two: they are about the models. So a model is spoilt instead.
MODELS = {
    "B2": ("where delta_amount_minor <> 0", "where delta_amount_minor <> 0 and version_number = 1"),
    "B3": ("where total_number = 0", "where total_number = 0 and share_minor % 2 = 0"),
}


@pytest.mark.parametrize("law", sorted(MODELS))
def test_spoilt_model_blocks(
    law: str,
    published: tuple[Home, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, sources = published
    project = tmp_path / "repository" / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    seeds = Path("seeds", "reference")
    shutil.copytree(DBT_PROJECT.parent / seeds, tmp_path / "repository" / seeds)
    journal = project / "models/marts/ledger/fct_dollar_journal__entry.sql"
    right, wrong = MODELS[law]
    text = journal.read_text()
    assert text.count(right) == 1
    journal.write_text(text.replace(right, wrong))
    monkeypatch.setattr(Project.__init__, "__defaults__", (project,))
    assert_blocked(home, sources, law, "minor")
