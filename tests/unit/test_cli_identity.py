"""`tieout identity suggest`, as people type it: what it needs and what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.lib import identity
from orchestration.settings import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home after a run over three leads and a contact, two of the leads nearly the same."""
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path))
    home = Home(tmp_path)
    for table in ("leads", "contacts"):
        (home.inputs / table).mkdir(parents=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "create table fct_identity__record as select * from (values"
            " ('lead', 'L1', 'p1', false), ('lead', 'L2', 'p2', false),"
            " ('lead', 'L3', 'p1', false), ('lead', 'L4', 'p4', true),"
            " ('contact', 'C1', 'p5', false)"
            ") as record (entity, record_id, person_key, is_merged)"
        )
        rows = (
            "select *, timestamp '2026-01-01' as created_at, 1 as _load, 2 as _line, 'crm' as _feed"
            " from (values {values}) as delivered ({columns})"
        )
        leads = (
            "('L1', 'Ada.Keller@acme.example', 'ACME, Inc.'),"
            " ('L2', 'ada.kellr+x@acme.example', 'Acme Inc'),"
            " ('L3', 'ada@gmail.com', null), ('L4', 'info@acme.example', 'Acme')"
        )
        connection.execute(
            f"copy ({rows.format(values=leads, columns='lead_id, email, company')})"
            f" to '{home.inputs}/leads/data.parquet'"
        )
        contacts = "('C1', 'info@acme.example', 'Acme')"
        connection.execute(
            f"copy ({rows.format(values=contacts, columns='contact_id, email, account')})"
            f" to '{home.inputs}/contacts/data.parquet'"
        )
    return home


def test_without_a_run_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["identity", "suggest"])
    assert result.exit_code == 1
    assert "found no run" in result.output and "tieout run" in result.output


def test_without_splink_it_says_what_to_install(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    result = CliRunner().invoke(app, ["identity", "suggest"])
    assert result.exit_code == 2
    assert "pip install 'tieout[identity]'" in result.output


def test_a_broken_warehouse_is_an_error_not_a_traceback(home: Home) -> None:
    home.warehouse.write_bytes(b"not a database")
    result = CliRunner().invoke(app, ["identity", "suggest"])
    assert result.exit_code == 1
    assert "cannot be read" in result.output and "Traceback" not in result.output


def test_one_record_stands_for_each_person(home: Home) -> None:
    with identity.last_run_records(home) as records:
        found = records.execute("from record order by all").fetchall()
    # A shared mailbox is nobody's; a merged record is not looked at.
    assert found == [
        ("contact", "C1", "acme", None, "acme.example"),
        ("lead", "L1", "acme inc", "ada.keller", "acme.example"),
        ("lead", "L2", "acme inc", "ada.kellr", "acme.example"),
    ]


def test_suggestions_have_the_shape_of_merges(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "splink", ModuleType("splink"))
    suggestion = identity.Suggestion("lead", "L2", "L1", 0.97654321)
    monkeypatch.setattr(identity, "suggest", lambda *_: [suggestion])
    out = tmp_path / "review" / "merges.csv"
    result = CliRunner().invoke(app, ["identity", "suggest", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "1 suggested merges" in result.output
    assert out.read_text() == (
        "entity,record_id,merged_into,merged_at,probability\nlead,L2,L1,,0.976543\n"
    )
    printed = CliRunner().invoke(app, ["identity", "suggest"])
    assert printed.stdout == out.read_text()
    as_json = CliRunner().invoke(app, ["identity", "suggest", "--threshold", "0.5", "--json"])
    assert json.loads(as_json.stdout)["suggestions"][0]["merged_into"] == "L1"


@pytest.mark.parametrize("threshold", ["0", "1.1", "much"])
def test_a_threshold_is_a_probability(threshold: str, home: Home) -> None:
    result = CliRunner().invoke(app, ["identity", "suggest", "--threshold", threshold])
    assert result.exit_code == 2


def test_help_teaches() -> None:
    result = CliRunner().invoke(app, ["identity", "suggest", "--help"])
    assert result.exit_code == 0
    assert "Nothing is merged" in " ".join(result.output.split())
