"""`tieout plan …` and the commands that add to a plan, as people type them."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.cli.plan.common import instant, plan_root
from orchestration.lib.plan.folder import read_plan, write_plan
from orchestration.lib.plan.keys import load_key
from orchestration.lib.plan.locking import inspect
from orchestration.lib.plan.registers import read_register
from tests.support.contracts import SIGNERS, key_of, locked, small_plan, two_versions
from tests.support.joint_plan import joint_plan, mirage

LOCKED = "2025-12-20T10:00:00Z"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the keys of all people; its plan/ does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIEOUT_KEYS", str(tmp_path / "keys"))
    (tmp_path / "keys").mkdir()
    for person in ("mia", "sam", "fred", "sally", "rene"):
        file = tmp_path / "keys" / f"{person}.key"
        file.write_text(f"{key_of(person)._seed.hex()}\n")
        file.chmod(0o600)
    return tmp_path / "plan"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def done(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def answer(*arguments: str) -> Any:
    return json.loads(done(*arguments, "--json"))


def refused(*arguments: str, code: int = 1) -> str:
    result = call(*arguments)
    assert result.exit_code == code, result.output
    return result.output


def plan_files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and "draft" not in path.parts
    }


# --- The plan ------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_its_public_half_printed(root: Path) -> None:
    public = done("plan", "key", "nina").splitlines()[0]
    assert load_key("nina", root.parent / "keys").public_key == public
    assert "found a key, expected none" in refused("plan", "key", "nina")
    assert answer("plan", "key", "omar")["person"] == "omar"
    assert "letters, digits" in refused("plan", "key", "../omar")


def test_from_draft_to_a_signed_version(root: Path) -> None:
    write_plan(joint_plan(), root / "draft")
    told = done("plan", "lock", "plan/draft", "--sign", "mia", "--at", LOCKED)
    assert "version 1 is locked as " in told
    assert "signed for marketing by mia" in told
    assert "yet to sign: sales, finance (`tieout plan sign 1 --as PERSON`)" in told
    assert "it counts from 2026-01-01, once all have signed" in told
    assert "yet to sign: finance" in done("plan", "sign", "1", "--as", "sam", "--at", LOCKED)
    signed = answer("plan", "sign", "1", "--as", "fred", "--at", LOCKED)
    assert signed["is_signed"] is True
    assert signed["signed_by"] == {"finance": "fred", "marketing": "mia", "sales": "sam"}
    assert "already, by sam" in refused("plan", "sign", "1", "--as", "sam")
    shown = done("plan", "show", "--at", "2026-02-01")
    assert signed["sha256"][:16] in shown
    assert shown.splitlines()[1].startswith("*  1")
    whole = done("plan", "show", "1", "--at", "2026-02-01")
    assert f"sha256: {signed['sha256']}" in whole
    assert answer("plan", "show", "--at", "2025-12-31")["in_force"] is None
    assert answer("plan", "show", "--at", "2026-01-01")["in_force"] == 1


def test_a_plan_that_does_not_multiply_out_is_not_locked(root: Path) -> None:
    write_plan(mirage(), root / "draft")
    told = refused("plan", "lock", "plan/draft", "--at", LOCKED, code=3)
    assert "500 MQLs × 40 %" in told
    assert "nothing was locked; broken: P2" in told
    assert plan_files(root) == {}
    laws = json.loads(call("plan", "lock", "plan/draft", "--at", LOCKED, "--json").stdout)["laws"]
    assert {law["law"] for law in laws if law["status"] == "broken"} == {"P2"}


def test_a_waiver_of_both_departments_lets_it_through_and_says_so(root: Path) -> None:
    write_plan(mirage(), root / "draft")
    waiver = ("waive", "p2", "--reason", "The board wants it", "--expires", "2026-04-01")
    told = refused(*waiver, "--as", "mia", "--at", LOCKED)
    assert "expected marketing and sales" in told
    done(*waiver, "--as", "mia", "--as", "sam", "--at", LOCKED)
    told = done("plan", "lock", "plan/draft", "--at", LOCKED)
    assert "law P2 is broken and waived: waiver 1 until 2026-04-01: The board wants it" in told
    assert inspect(root, as_of=date.min).findings == ()


def test_two_people_sign_a_waiver_on_a_machine_each(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sam never sees Mia's key: her signature is enough, over the very row that he completes."""
    write_plan(mirage(), root / "draft")
    waiver = ("waive", "P2", "--reason", "The board's wish", "--expires", "2026-04-01")
    before = plan_files(root)
    handed = answer(*waiver, "--as", "mia", "--then", "sam", "--at", LOCKED)
    assert plan_files(root) == before, "one signature adds nothing"
    (tmp_path / "keys" / "mia.key").unlink()
    refused(*waiver, "--as", "mia", "--as", "sam", "--at", LOCKED)
    signed = f"mia:{handed['signed']['mia']}"
    told = refused(*waiver[:3], "Another", *waiver[4:], "--as", "sam", "--signed", signed,
                   "--at", LOCKED)  # fmt: skip
    assert "not over this row" in told
    told = refused(*waiver, "--as", "sam", "--signed", signed, "--at", "2025-12-21T10:00:00Z")
    assert "not over this row" in told
    assert "PERSON:SIGNATURE" in refused(*waiver, "--as", "sam", "--signed", "nobody:00")
    done(*handed["next"][1:])
    contract = inspect(root)
    register = read_register(root, "waivers", contract, draft=read_plan(root / "draft"))
    assert [row["waived_by"] for row in register.rows] == ["marketing: mia; sales: sam"]
    assert not register.findings


def test_an_expired_waiver_lets_nothing_through(root: Path) -> None:
    write_plan(mirage(), root / "draft")
    waiver = ("waive", "P2", "--reason", "Once", "--expires", "2026-01-01", "--as", "mia")
    done(*waiver, "--as", "sam", "--at", LOCKED)
    refused("plan", "lock", "plan/draft", "--at", "2026-01-01T00:00:00Z", code=3)
    done("plan", "lock", "plan/draft", "--at", "2025-12-31T23:00:00Z")


def test_nothing_is_locked_when_somebody_cannot_sign(root: Path) -> None:
    write_plan(joint_plan(), root / "draft")
    for person, message in (
        ("nina", "found no key"),
        ("sally", "sally cannot sign this plan: found signs empty or no"),
        ("rene", "rene cannot sign this plan"),
    ):
        assert message in refused("plan", "lock", "plan/draft", "--sign", person)
    shutil.copy(root.parent / "keys/sam.key", root.parent / "keys/mia.key")
    assert "mia cannot sign this plan: their key is" in refused(
        "plan", "lock", "plan/draft", "--sign", "mia"
    )
    assert plan_files(root) == {}


def test_a_draft_that_is_none_is_told(root: Path) -> None:
    assert "found no folder" in refused("plan", "lock", "nowhere", "--plan", "plan")
    write_plan(joint_plan(), root / "draft")
    (root / "draft/people.csv").write_text("person,department\nmia,dreams\n")
    told = refused("plan", "lock", "plan/draft")
    assert "people.csv:2: column department" in told
    assert plan_files(root) == {}


def test_nothing_is_locked_upon_a_contract_that_was_changed(root: Path) -> None:
    two_versions(root)
    path = root / "v1/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"500", b"400"))
    before = plan_files(root)
    write_plan(
        joint_plan({"effective_from": "2026-07-01", "reason": "Again"}), root.parent / "draft"
    )
    told = refused("plan", "lock", "draft")
    assert "v1/targets.csv:2: sheet targets, row 2 is not what was signed" in told
    assert plan_files(root) == before


def test_what_was_changed_is_shown_and_is_an_error(root: Path) -> None:
    two_versions(root)
    assert call("plan", "show").exit_code == 0
    path = root / "v2/targets.csv"
    path.write_bytes(path.read_bytes().replace(b"450", b"400"))
    told = refused("plan", "show", "--at", "2026-05-01")
    assert "error: v2/targets.csv:2" in told
    found = json.loads(call("plan", "show", "2", "--json").stdout)["findings"]
    assert [(each["file"], each["line"]) for each in found] == [("v2/targets.csv", 2)]
    assert call("plan", "show", "1").exit_code == 0
    assert "found no version 7; the versions are: 1" in refused(
        "plan", "show", "7", "--plan", str(_sound(root))
    )


def _sound(root: Path) -> Path:
    other = root.parent / "other"
    locked(other, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    return other


def test_an_amendment_is_a_draft_that_says_what_to_do(root: Path) -> None:
    two_versions(root)
    shutil.rmtree(root / "draft")
    told = done("plan", "amend")
    assert "plan/draft is version 2, to be changed" in told
    assert "set effective_from" in told
    assert "set reason" in told
    draft = read_plan(root / "draft")
    assert draft.settings["reason"] is None
    assert draft.rows("targets") == inspect(root).versions[1].plan.rows("targets")  # type: ignore[union-attr]
    assert "found a draft, expected none" in refused("plan", "amend")
    assert "found no reason" in refused_lock(root)


def test_the_draft_that_was_locked_is_no_draft_any_more(root: Path) -> None:
    """`lock` leaves it where it was; nobody's work is in it."""
    locked(root, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    assert read_plan(root / "draft")
    told = done("plan", "amend", "--set", "targets:FY2026-Q1,company:mqls=450")
    assert "targets: FY2026-Q1, company: mqls: 500 → 450" in told
    assert "found a draft, expected none" in refused("plan", "amend")
    (root / "draft" / "targets.csv").write_text("nonsense")
    assert "found a draft, expected none" in refused("plan", "amend")


def refused_lock(root: Path) -> str:
    """Without the laws: the small plan is too small for them."""
    from orchestration.lib.plan.contract import ContractError
    from orchestration.lib.plan.locking import lock

    with pytest.raises(ContractError) as caught:
        lock(root, root / "draft", locked_at=datetime(2026, 5, 1))
    return str(caught.value)


def test_small_changes_are_made_by_amend_itself(root: Path) -> None:
    two_versions(root)
    changes = [
        "targets:FY2026-Q2,company:mqls=300",
        "kpis:sals:tolerance_pct=12.50",
        "plan:max_cac=900",
        "people:sally:name=",
    ]
    body = answer(
        "plan", "amend", "--into", "next", "--reason", "Fewer", "--effective-from", "2026-07-01",
        *(part for change in changes for part in ("--set", change)),
    )  # fmt: skip
    assert body["amends"] == 2
    told = {
        (change["sheet"], *change["key"], change["column"]): (change["before"], change["after"])
        for change in body["changes"]
    }
    assert told["targets", "FY2026-Q2", "company", "mqls"] == ("400", "300")
    assert told["kpis", "sals", "", "tolerance_pct"] == ("10", "12.5")
    assert told["people", "sally", "name"] == ("Sally", "")
    assert told["plan", "reason", "value"] == ("Half of the leads came back", "Fewer")
    assert told["plan", "effective_from", "value"] == ("2026-04-01", "2026-07-01")
    assert ("plan", "max_cac", None) in told
    done_diff = done("plan", "diff", "2", "next")
    assert "targets: FY2026-Q2, company: mqls: 400 → 300" in done_diff
    assert "people: sally: name: Sally → (empty)" in done_diff
    assert "plan: max_cac: row added: key=max_cac; value=900" in done_diff


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("targets", "expected sheet:key,…:column=value"),
        ("target:x:y=1", "did you mean 'targets'"),
        ("targets:FY2026-Q2,company:mql=1", "did you mean 'mqls'"),
        ("targets:FY2026-Q3,company:mqls=1", "found no rows of targets"),
        ("targets:FY2026-Q2,company,x:mqls=1", "found 3 parts of a key"),
        ("targets:FY2026-Q2,company:mqls=many", "expected a number"),
        ("targets:FY2026-Q2,company:period=FY2031", "expected a period of the plan's calendar"),
        ("plan:curency=EUR", "did you mean 'currency'"),
        ("plan:effective_from=soon", "expected a date"),
        ("people:mia:department=", "found nothing, expected department"),
    ],
)
def test_changes_that_are_none_make_no_draft(root: Path, change: str, message: str) -> None:
    two_versions(root)
    told = refused("plan", "amend", "--into", "next", "--set", change)
    assert message in told.replace("\n", " ")
    assert not (root.parent / "next").exists()


def test_there_is_nothing_to_amend_without_a_version(root: Path) -> None:
    root.mkdir()
    assert "found no version, expected one to amend" in refused("plan", "amend")
    assert "no version is locked yet" in done("plan", "show")


def test_two_versions_are_compared_cell_by_cell(root: Path) -> None:
    two_versions(root)
    told = done("plan", "diff", "1", "2")
    assert "targets: FY2026-Q1, company: mqls: 500 → 450" in told
    assert "row removed: period=FY2026-Q1; scope=channel:paid search" in told
    assert "row added: period=FY2026-Q2; scope=company; budget=150000; mqls=400" in told
    assert "plan: reason: row added" in told
    assert "1 and plan/v1 are the same plan" in done("plan", "diff", "1", "plan/v1")
    changes = answer("plan", "diff", "2", "1")["changes"]
    assert {
        "kind": "changed",
        "sheet": "targets",
        "key": ["FY2026-Q1", "company"],
        "column": "mqls",
        "before": "450",
        "after": "500",
        "cells": None,
    } in changes
    assert "found no version 3; the versions are: 1, 2" in refused("plan", "diff", "1", "3")
    assert "found no folder" in refused("plan", "diff", "1", "nowhere")


def test_rows_in_another_order_are_told(root: Path) -> None:
    days = [{"first_day": f"2026-0{n}-01", "weight_pct": "0"} for n in (1, 2)]
    write_plan(small_plan(sheets={"special_days": days}), root / "a")
    write_plan(small_plan(sheets={"special_days": days[::-1]}), root / "b")
    assert done("plan", "diff", "plan/a", "plan/b") == (
        "special_days: the same rows in another order\n"
    )


def test_a_version_is_withdrawn(root: Path) -> None:
    locked(root, small_plan(), datetime(2025, 12, 20), ["mia"])
    assert "version 1 is withdrawn" in done("plan", "withdraw", "1")
    assert inspect(root).versions == ()
    assert "version 1 stays" in refused("plan", "withdraw", "1")


def test_an_amendment_that_reaches_back_says_so(root: Path) -> None:
    locked(root, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    write_plan(
        joint_plan({"effective_from": "2026-02-01", "reason": "Late"}), root.parent / "draft"
    )
    told = done("plan", "lock", "draft", "--at", "2026-02-20")
    assert "note: it was locked on 2026-02-20, so days from 2026-02-01" in told


# --- What people add -----------------------------------------------------------------------------


@pytest.fixture
def signed(root: Path) -> Path:
    locked(root, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    return root


def test_a_commitment_takes_its_window_from_the_plan(signed: Path) -> None:
    told = done(
        "commit", "google/1", "2026-02", "--rate", "0.4", "--as", "sally", "--at", "2026-02-10"
    )
    assert told.startswith(
        "commitment 1: sally commits to rate_mql_sal 0.4 within 30 days for google/1, cohort of"
        " 2026-02-01"
    )
    body = answer(
        "commit", "google/1", "2026-02-01", "--rate", "0.1", "--metric", "rate_sal_sql",
        "--window", "45", "--as", "sam", "--at", "2026-02-10T10:00:00+02:00",
    )  # fmt: skip
    assert (body["number"], body["window_days"]) == (2, 45)
    rows = read_register(signed, "commitments", inspect(signed)).rows
    assert [row["committed_by"] for row in rows] == ["sally", "sam"]
    assert rows[1]["committed_at"] == datetime(2026, 2, 10, 8)


def test_a_commitment_that_is_none_is_told(signed: Path) -> None:
    arguments = ("commit", "google/1", "2026-02", "--at", "2026-02-10")
    assert "expected one person of sales" in refused(*arguments, "--rate", "0.4", "--as", "mia")
    assert "a share of 40 % is written 0.4" in refused(*arguments, "--rate", "40", "--as", "sam")
    assert "found no key" in refused(*arguments, "--rate", "0.4", "--as", "nina")
    assert "--window DAYS" in refused(
        *arguments, "--rate", "0.4", "--metric", "rate_x", "--as", "sam"
    )
    refused("commit", "google/1", "2026-02", code=2)


def test_a_note_explains_and_closes(signed: Path) -> None:
    note = ("note", "V-17", "--why", "The form broke", "--action", "Mended", "--at", "2026-02-10")
    assert "mia explains V-17; due 2026-02-20" in done(*note, "--due", "2026-02-20", "--as", "mia")
    assert "mia closes V-17" in done(*note, "--due", "2026-02-01", "--close", "--as", "mia")
    assert "expected 2026-02-10 or later" in refused(*note, "--due", "2026-02-01", "--as", "mia")
    rows = read_register(signed, "notes", inspect(signed)).rows
    assert [row["closes"] for row in rows] == [False, True]


def test_a_law_that_cannot_be_waived_is_told(signed: Path) -> None:
    waiver = ("--reason", "x", "--expires", "2026-12-31", "--as", "mia", "--as", "sam")
    at = ("--at", "2026-02-10")
    told = refused("waive", "P5", *waiver, *at)
    assert "found 'P5', expected a law that can be waived" in told
    assert "expected one person of each department" in refused(
        "waive", "P2", *waiver, "--as", "sally", *at
    )
    body = answer("waive", "p2", *waiver, "--scope", "version=1;period=FY2026-Q1", *at)
    assert body["number"] == 1
    row = read_register(signed, "waivers", inspect(signed)).rows[0]
    assert (row["law"], row["scope"]) == ("P2", "version=1; period=FY2026-Q1")


def test_a_claim_is_explained_for_a_period_of_the_plan(signed: Path) -> None:
    why = ("--reason", "not_synced", "--note", "The fair", "--as", "rene", "--at", "2026-04-02")
    told = done("explain-claim", "marketing", "mqls", "FY2026-Q1", "--value=-12", *why)
    assert "explanation 1: rene explains -12 of marketing's mqls, FY2026-Q1, company" in told
    done("explain-claim", "sales", "pipeline", "2026-01-01/2026-02-01", "--value", "1000.5", *why)
    rows = read_register(signed, "explanations", inspect(signed)).rows
    assert [(row["period_start_date"], row["period_end_date"]) for row in rows] == [
        (date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 1, 1), date(2026, 2, 1)),
    ]
    told = refused("explain-claim", "marketing", "mqls", "Q1", "--value", "1", *why)
    assert "expected a period of the plan's calendar" in told


def test_a_draft_in_the_making_does_not_stand_in_the_way(signed: Path) -> None:
    (signed / "draft/plan.csv").write_text("half a draf")
    done("commit", "google/1", "2026-02", "--rate", "0.4", "--as", "sam", "--at", "2026-02-10")


# --- Where and when ------------------------------------------------------------------------------


def test_where_the_plan_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = refused("plan", "show", code=2)
    assert "found no folder plan/ here" in told.replace("\n", " ")
    two_versions(root)
    assert plan_root(None, None) == Path("plan")
    assert plan_root(root.parent, None) == root.parent
    company = root.parent / "company"
    company.mkdir()
    sources = company / "sources.yml"
    body = (
        "version: 1\ncompany: {name: L, reporting_currency: USD, plan: ../plan}\n"
        "sources:\n  crm: {adapter: canonical, path: data}\n"
    )
    sources.write_text(body)
    assert plan_root(None, sources).resolve() == root
    monkeypatch.chdir(company)
    assert len(answer("plan", "show", "--sources", "sources.yml")["versions"]) == 2
    monkeypatch.setenv("TIEOUT_SOURCES", str(sources))
    assert len(answer("plan", "show")["versions"]) == 2
    sources.write_text("company: 1\n")
    assert "sources.yml:1" in refused("plan", "show")


def test_when_it_is() -> None:
    assert instant("2026-02-10T22:15:00+12:45").isoformat() == "2026-02-10T09:30:00+00:00"
    assert instant("2026-02-10").isoformat() == "2026-02-10T00:00:00+00:00"
    assert instant(None).utcoffset() is not None
    assert call("plan", "show", "--plan", ".", "--at", "soon").exit_code == 2
