"""A plan that was changed, duties that were not done, a model that is wrong: none reaches a reader.

As test_corrupted_inputs, in a file of its own so that both can run at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.lib.transform import Project
from orchestration.settings import DBT_PROJECT, Home
from tests.pipeline.conftest import assert_blocked, assert_told, changed, close_the_books, sha256


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


#: No input can break these: they are about the models. So a model is spoilt instead.
DOLLARS = "ledger/fct_dollar_journal__entry.sql"
DEALS = "pipeline/fct_pipeline_journal__entry.sql"
MODELS = {
    "B2": (
        DOLLARS,
        "where delta_amount_minor <> 0",
        "where delta_amount_minor <> 0 and version_number = 1",
    ),
    "B3": (DOLLARS, "where total_number = 0", "where total_number = 0 and share_minor % 2 = 0"),
    "B4": (DEALS, "where way_out is not null", "where way_out = 'won'"),
}


def test_spoilt_models_block(
    published: tuple[Home, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, sources = published
    project = tmp_path / "repository" / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    seeds = Path("seeds", "reference")
    shutil.copytree(DBT_PROJECT.parent / seeds, tmp_path / "repository" / seeds)
    for name, right, wrong in MODELS.values():
        model = project / "models" / "marts" / name
        text = model.read_text()
        assert text.count(right) == 1
        model.write_text(text.replace(right, wrong))
    monkeypatch.setattr(Project.__init__, "__defaults__", (project,))
    before = sha256(home.current_database)
    ran = close_the_books(home, sources)
    assert ran.exit_code == 3, ran.told
    assert sha256(home.current_database) == before
    for law in MODELS:
        assert_told(home, ran, law, "minor")
