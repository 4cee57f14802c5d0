"""The audit pack of an alarm: every lead accounted for, the same bytes, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.lib.audit import pack as packs
from orchestration.lib.audit.alarms import Alarm
from orchestration.lib.audit.pack import Pack, make_missing_packs, make_packs, pack_of
from orchestration.settings import Home
from tests.support.alarmed import VELOCITY, publish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    publish(made, 1)
    return made


def alarms(home: Home, number: int = 1) -> dict[str, Alarm]:
    return {alarm.scope: alarm for alarm in packs.standing_alarms(home, number)}


def made(home: Home, scope: str = "company", number: int = 1) -> Pack:
    (pack,) = make_packs(home, number, [alarms(home, number)[scope].key])
    return pack


def table(pack: Pack, name: str) -> list[dict[str, str]]:
    with (pack.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_alarms_of_the_way_to_sales_with_their_money_and_who_answers(home: Home) -> None:
    found = alarms(home)
    assert list(found) == ["company", "channel:search"], "the win rate's alarm opens no audit"
    company, search = found.values()
    assert (company.budget_minor, company.spent_at_alarm_minor, company.spent_minor) == (
        20_000, 10_000, 16_000,
    )  # fmt: skip
    assert company.not_yet_burnt_minor == 10_000
    assert (company.owner, company.item_id, company.item_status) == ("rita", "V-1", "open")
    # Without a budget of its own: what was spent after the alarm.
    assert (search.budget_minor, search.not_yet_burnt_minor) == (None, 6_000)
    assert (search.owner, search.item_id) == ("sam", None)


def test_money_of_a_drift_alarm_is_that_of_the_report(home: Home) -> None:
    """One figure, wherever it is read; what the report has none of is added up."""
    changes = "update rpt_drift__cohort_transition set budget_minor = 30_000,"
    publish(home, 2, changes=f"{changes} spent_at_alarm_minor = 9_000 where scope = 'company'")
    company, search = alarms(home, 2).values()
    assert (company.budget_minor, company.spent_at_alarm_minor) == (30_000, 9_000)
    assert (search.budget_minor, search.spent_at_alarm_minor) == (None, 10_000)


def test_key_is_the_alarms_own(home: Home) -> None:
    publish(home, 2, changes="update rpt_drift__cohort_transition set actual_rate = 0.2")
    assert alarms(home, 2)["company"].key == alarms(home, 1)["company"].key
    publish(home, 3, changes="update rpt_drift__cohort_transition set alarmed_at = '2026-04-11'")
    assert alarms(home, 3)["company"].key != alarms(home, 1)["company"].key


def test_every_lead_has_its_trail(home: Home) -> None:
    leads = {row["lead_id"]: row for row in table(made(home), "leads")}
    assert list(leads) == ["L1", "L2", "L3", "L5", "L4"], "by entry; L6 entered in May"
    assert {lead: row["outcome"] for lead, row in leads.items()} == {
        "L1": "accepted", "L2": "rejected", "L3": "rejected", "L4": "waiting", "L5": "expired",
    }  # fmt: skip
    first = leads["L1"]
    assert (first["handed_over_by"], first["assigned_to"], first["decided_by"]) == (
        "mia", "ann", "ann",
    )  # fmt: skip
    assert (first["marketing_owner"], first["assigned_at"]) == ("mara", "2026-04-01T11:00:00Z")
    assert (first["hours_in_lead"], first["hours_in_mql"]) == ("24.0", "10.0")
    assert first["decided_at"] == "2026-04-02T20:00:00Z"
    # April 30, 22:00 in New York, and still there on 10 May.
    assert (leads["L4"]["hours_waited"], leads["L4"]["is_sla_breach"]) == ("226.0", "true")
    assert leads["L1"]["is_sla_breach"] == "false"
    assert leads["L5"]["decided_by"] == "robot"
    stays = table(made(home), "lead_stages")
    assert [row["stage"] for row in stays if row["lead_id"] == "L2"] == ["lead", "mql", "rejected"]


def test_sums_are_those_of_the_leads(home: Home) -> None:
    pack = made(home)
    outcomes = {
        (row["outcome"], row["reason"]): (int(row["leads"]), row["amount"])
        for row in table(pack, "outcomes")
    }
    assert outcomes == {
        ("accepted", ""): (1, "40.00"),
        ("expired", ""): (1, "0.00"),
        ("rejected", "'=cmd|no budget"): (1, "40.00"),
        ("rejected", "<script>student"): (1, "40.00"),
        ("waiting", ""): (1, "40.00"),
    }
    owners = {(row["side"], row["owner"]): row for row in table(pack, "by_owner")}
    assert owners["marketing", "mara"]["leads"] == "5"
    assert owners["sales", "bob"]["sla_breaches"] == "2"
    assert owners["sales", "(nobody named)"]["lost"] == "1"
    dollars = {row["stage"]: int(row["amount_minor"]) for row in table(pack, "dollars_by_stage")}
    assert dollars == {"mql": 4_000, "sal": 4_000, "rejected": 8_000, "expired": 0}
    whole = table(pack, "campaign_dollars_by_stage")
    assert sum(int(row["amount_minor"]) for row in whole) == 16_000
    assert {row["lead_id"] for row in table(pack, "sla_breaches")} == {"L2", "L3", "L4"}
    (alarm_day,) = [row for row in table(pack, "timeline") if row["is_alarm_day"] == "true"]
    assert (alarm_day["day"], alarm_day["entered_so_far"], alarm_day["spend_so_far"]) == (
        "2026-04-09", "4", "100.00",
    )  # fmt: skip


def test_scope_counts_the_campaigns_of_its_newest_version(home: Home) -> None:
    """Version 2 of the plan took social out of the channel."""
    leads = {row["lead_id"] for row in table(made(home, "channel:search"), "leads")}
    assert leads == {"L1", "L2", "L3", "L4"}


def test_velocity_opens_one_too_where_the_file_has_it(home: Home) -> None:
    publish(home, 2, changes=VELOCITY)
    pack = made(home, "segment:smb", 2)
    alarm = pack.alarm
    assert (alarm.kind, alarm.metric, alarm.period) == ("velocity", "velocity", "2026-04-27")
    assert (alarm.owner, alarm.alarmed_at) == ("rita", datetime(2026, 5, 4, 4))
    assert (alarm.item_id, alarm.item_status) == ("V-2", "open")
    leads = {row["lead_id"] for row in table(pack, "leads")}
    assert leads == {"L1", "L2", "L3", "L4", "L6"}, "of the quarter before the week's end"
    assert "900.00 USD a day" in pack.page.read_text()
    assert "300.00 USD a day" in pack.page.read_text(), "the newest week's"


def test_same_publication_gives_the_same_bytes(home: Home, tmp_path: Path) -> None:
    pack = made(home)
    before = hashes(pack.folder)
    assert made(home).is_new is False
    other = Home(tmp_path / "elsewhere")
    publish(other, 1)
    assert hashes(made(other).folder) == before
    manifest = json.loads((pack.folder / "manifest.json").read_text())
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == {
        name: sha256 for name, sha256 in before.items() if name != "manifest.json"
    }
    assert (manifest["publication"], manifest["content_sha256"]) == (1, "c1" * 8)
    assert manifest["files"]["leads.csv"]["rows"] == manifest["leads"] == 5


def test_page_asks_nobody_and_runs_nothing(home: Home) -> None:
    page = made(home).page.read_text()
    assert not re.search(r"https?:|//|<script|@import|url\(|src=", page)
    assert "&lt;script&gt;student" in page
    for told in ("50.0 %", "25.0 %", "V-1", "rita", "100.00 USD", "2026-04-09 10:00 EDT"):
        assert told in page, told


def test_pack_is_there_whole_or_not_at_all(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(packs, "sync", _full_disk)
        with pytest.raises(OSError, match="no space"):
            made(home)
    alarm = alarms(home)["company"]
    assert pack_of(home, alarm) is None
    assert list(packs.alarm_folder(home, alarm).iterdir()) == []
    # What a kill leaves is swept by the next.
    (packs.alarm_folder(home, alarm) / ".making-x").mkdir()
    assert [path.name for path in made(home).folder.parent.iterdir()] == ["publication-1"]


def _full_disk(_path: Path) -> None:
    raise OSError("no space")


def test_missing_packs_are_made_the_largest_first_and_once(home: Home) -> None:
    first, left = make_missing_packs(home, 1, at_most=1)
    assert ([pack.alarm.scope for pack in first], left) == (["company"], 1)
    publish(home, 2)
    second, left = make_missing_packs(home, 2, at_most=5)
    assert ([pack.alarm.scope for pack in second], left) == (["channel:search"], 0)
    assert make_missing_packs(home, 2, at_most=5) == ([], 0)


def call(home: Home | Path, *arguments: str) -> tuple[int, str, str]:
    root = home.root if isinstance(home, Home) else home
    result = CliRunner().invoke(
        app, ["audit", "handoff", *arguments], env={"TIEOUT_HOME": str(root)}
    )
    return result.exit_code, result.stdout, result.stderr


def test_command_lists_makes_and_answers(home: Home, tmp_path: Path) -> None:
    code, told, _ = call(home, "--list")
    assert code == 0 and "mql → sal of company below plan, FY26-M04" in told
    assert not packs.audits_folder(home).exists()
    code, told, _ = call(home, "--scope", "channel:search", "--json")
    (answer,) = json.loads(told)
    assert code == 0 and Path(answer["page"]).is_file() and answer["is_new"] is True
    code, told, _ = call(home, answer["key"])
    assert code == 0 and f"there already: {answer['page']}" in told
    code, told, _ = call(home, "--period", "FY27")
    assert code == 0 and "No alarm stands in publication 1 that fits; 2 others stand." in told
    code, _, told = call(home, "A-0000000000")
    assert code == 2 and answer["key"] in told
    code, _, told = call(home, "--publication", "9")
    assert code == 1 and "there is no publication 9" in told
    code, _, told = call(tmp_path / "empty")
    assert code == 1 and "nothing is published yet" in told
