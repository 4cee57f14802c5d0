"""dbt's exposures name what the scorecard and the live pages read: their queries say it."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conventions.tree import REPO

MODELS = REPO / "dbt_project" / "models"
READ = re.compile(r"\b(?:from|join)\s+(?:(main|audit|meta)\.)?([a-z_]+)")


def asked_for(folder: str) -> set[str]:
    """The published models that the queries of a folder read."""
    known = {path.stem for path in MODELS.rglob("*.sql")}
    named = {
        f"audit_{table}" if schema == "audit" else table
        for path in (REPO / folder).glob("*.sql")
        for schema, table in READ.findall(path.read_text(encoding="utf-8"))
    }
    return named & known


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("scorecard", "orchestration/lib/scorecard/sql"),
        ("live_pages", "orchestration/lib/pages/sql"),
    ],
)
def test_an_exposure_names_what_its_queries_read(name: str, folder: str) -> None:
    document = yaml.safe_load((MODELS / "exposures.yml").read_text(encoding="utf-8"))
    (exposure,) = [each for each in document["exposures"] if each["name"] == name]
    named = {re.sub(r"ref\('(.*)'\)", r"\1", each) for each in exposure["depends_on"]}
    assert named == asked_for(folder)
    assert len(named) > 10
