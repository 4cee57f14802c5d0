"""Every law holds on sound books and breaks on books made unsound, through Great Expectations.

The books are those of `tests/support/books.py`; each case spoils them in one way and names the law
that must notice, and what it must say.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.laws import LAWS_FOLDER, load_laws
from expectations.verdict import LawResult, Verdict
from tests.support.books import SOUND_BOOKS

LAWS = load_laws()
#: Duties (G) have test_gate_laws_plan.py; what breaks B7 stands in test_gate_law_b7.py.
HERE = [law for law in LAWS if not law.startswith("G")]

Spoil = Callable[[str], Path]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books that obey every law, as a file."""
    path = tmp_path_factory.mktemp("sound") / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SOUND_BOOKS)
    return path


@pytest.fixture
def spoil(sound: Path, tmp_path: Path) -> Spoil:
    """Makes a copy of the sound books and runs some SQL on it."""

    def spoiled(sql: str) -> Path:
        path = tmp_path / "tieout.duckdb"
        shutil.copy(sound, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        return path

    return spoiled


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with the file of one law: judging one takes a fraction of judging all."""
    root = tmp_path_factory.mktemp("alone")

    def folder(law: str) -> Path:
        path = root / law
        path.mkdir(exist_ok=True)
        shutil.copy(LAWS_FOLDER / f"{law}.sql", path)
        return path

    return folder


def problems(result: LawResult) -> str:
    """What the offending rows say, on one line."""
    return " | ".join(str(row.get("problem")) for row in result.offending_rows)


@pytest.fixture(scope="module")
def verdict_on_sound(judge: Judge, sound: Path) -> Verdict:
    return judge.verdict(sound)


def test_sound_books_pass(verdict_on_sound: Verdict) -> None:
    assert verdict_on_sound.error is None
    assert {
        item.law: (item.status, item.reason) for item in verdict_on_sound.results
    } == dict.fromkeys(LAWS, ("held", None))
    assert verdict_on_sound.passed
    assert verdict_on_sound.as_of == "2026-03-31T23:00:00"
    assert verdict_on_sound.currency == "USD"


def test_a_held_law_says_what_it_compared(verdict_on_sound: Verdict) -> None:
    balances = verdict_on_sound.result("B2")
    assert (balances.expected, balances.actual, balances.difference) == (14000, 14000, 0)
    assert (balances.unit, balances.currency, balances.checked) == ("minor", "USD", 6)
    totals = verdict_on_sound.result("B1")
    assert (totals.expected, totals.currency) == (13000, None)  # dollars and euros: a hash total
    rows = verdict_on_sound.result("B6")
    assert (rows.expected, rows.actual, rows.unit, rows.currency) == (22, 22, "rows", None)
    assert verdict_on_sound.result("B8").actual == 0


BREAKS = {
    # B1
    "a control total is higher than the books": (
        "B1",
        "update audit.source_total set expected_minor = 10600 where month = '2026-02-01'",
        "the books differ from the file total",
    ),
    "a source has a total and the books have nothing": (
        "B1",
        "insert into audit.source_total values"
        " ('ads', 'Bing', '1', '2026-02-01', 'USD', 5, null, 'file total')",
        "the books differ from the file total",
    ),
    "spend without any control total": (
        "B1",
        "update audit.source_total set expected_minor = null where currency = 'EUR'",
        "the books differ",
    ),
    "published spend was changed after it was reconciled": (
        "B1",
        "update fct_spend__campaign_daily set cost_minor = cost_minor + 1 where kind = 'media'"
        " and currency = 'EUR'",
        "the published spend differs from what was reconciled",
    ),
    "published spend is gone, its totals are not": (
        "B1",
        "delete from fct_spend__campaign_daily where currency = 'EUR'",
        "the published spend differs from what was reconciled",
    ),
    "published spend was reconciled by nobody": (
        "B1",
        "delete from audit.source_total where currency = 'EUR'",
        "the published spend differs from what was reconciled",
    ),
    # B2
    "a share is a cent too large": (
        "B2",
        "update fct_dollar_journal__entry set amount_minor = 10001 where entry_id = 's1'",
        "the stages in the journal do not add up to the spend",
    ),
    "a published balance is not the journal's": (
        "B2",
        "update rpt_stage_balance__campaign_cohort set amount_minor = 5001 where stage = 'sql'",
        "the published balances do not add up to the spend",
    ),
    "a balance moved to another stage": (
        "B2",
        "update rpt_stage_balance__campaign_cohort set stage = 'mql' where stage = 'sql'",
        "the published balance is not the one the journal gives",
    ),
    "a published balance is unknown": (
        "B2",
        "update rpt_stage_balance__campaign_cohort set amount_minor = null where stage = 'lead'",
        "the published balance is not the one the journal gives",
    ),
    "spend that never entered the journal": (
        "B2",
        "insert into fct_spend__campaign_daily values ('ads', 'Google Ads', '1', 'Google Ads / A',"
        " '2026-01-01', '2026-01-10', 'USD', 'media', 7, 7, 7, 'market')",
        "the stages in the journal do not add up to the spend",
    ),
    "balances of a cohort that never spent": (
        "B2",
        "insert into rpt_stage_balance__campaign_cohort values"
        " ('Google Ads / B', '2026-01-01', '2026-02-01', 'lead', 7, 1, false)",
        "the published balances do not add up to the spend",
    ),
    # B3
    "an entry without its second side": (
        "B3",
        "update fct_dollar_journal__entry set to_stage = null where entry_id = 'm2'",
        "an entry does not have two sides",
    ),
    "an entry from a stage to itself": (
        "B3",
        "update fct_dollar_journal__entry set to_stage = 'lead' where entry_id = 'm1'",
        "an entry does not have two sides",
    ),
    "an entry without an amount": (
        "B3",
        "update fct_dollar_journal__entry set amount_minor = null where entry_id = 'm1'",
        "an entry does not have two sides",
    ),
    "a stage gives what it has not": (
        "B3",
        "update fct_dollar_journal__entry set from_stage = 'won' where entry_id = 'm2'",
        "a balance is below zero",
    ),
    "a stage gives before it has received": (
        "B3",
        "update fct_dollar_journal__entry set occurred_at = '2026-02-19 12:00'"
        " where entry_id = 'm2'",
        "a balance is below zero",
    ),
    "in market is below zero when its period ends": (
        "B3",
        "update fct_dollar_journal__entry set occurred_at = '2026-03-02 12:00'"
        " where entry_id = 's1'",
        "a balance is below zero",
    ),
    "in market is below zero on the last evening of its period, in the reporting zone": (
        "B3",
        "update fct_dollar_journal__entry set occurred_at = '2026-03-01 05:00'"
        " where entry_id = 's1'",
        "a balance is below zero",
    ),
    "in market falls below zero after its period": (
        "B3",
        "insert into fct_dollar_journal__entry values ('x', '2026-03-10', '2026-03-10',"
        " 'Google Ads / A', '2026-02-01', null, 'in_market', 'no_lead', 1, 'no_lead', false)",
        "a balance is below zero",
    ),
    "a balance is further below zero than the credit": (
        "B3",
        "insert into fct_dollar_journal__entry values ('x', '2026-03-10', '2026-03-10',"
        " 'Google Ads / C', '2026-02-01', null, 'in_market', 'no_lead', 1, 'no_lead', false)",
        "a balance is below zero",
    ),
    # B4: all other ways to break it stand in test_gate_law_b4.py
    "a movement of the pipeline is a cent off": (
        "B4",
        "update rpt_pipeline_waterfall__period set won_minor = won_minor - 1"
        " where period_kind = 'month'",
        "opening and movements are not the closing",
    ),
    # B5 (more of it in test_gate_law_b5.py)
    "a credit is a cent too large": (
        "B5",
        "update fct_credit__opportunity_touch set credit_minor = credit_minor + 1"
        " where model = 'linear' and touch_number = 2",
        "the credits do not add up to the amount",
    ),
    # B6
    "a row is lost": (
        "B6",
        "update audit.row set raw_rows = raw_rows + 1 where table_name = 'lead_events'",
        "rows do not add up",
    ),
    "a count is unknown": (
        "B6",
        "update audit.row set merged_rows = null where table_name = 'lead_events'",
        "rows do not add up",
    ),
    "more rows are unreadable than agreed": (
        "B6",
        "update audit.tolerance set at_most = 1 where kind = 'quarantine'",
        "more rows could not be read than were agreed",
    ),
    "rows are unreadable and nothing was agreed": (
        "B6",
        "delete from audit.tolerance",
        "more rows could not be read than were agreed",
    ),
    "rows were left out without a reason": (
        "B6",
        "update audit.row_reason set reason = ' ' where disposition = 'excluded'",
        "rows were left out without a reason",
    ),
    "leads were kept and not published": (
        "B6",
        "delete from fct_lead where lead_id = 'L2'",
        "the published table does not hold the rows that were kept",
    ),
    # B8
    "a source dates a change before creation": (
        "B8",
        "insert into audit.stage_time values ('crm', 'lead', 'L1', 'before_creation',"
        " '2026-02-01', '2026-02-05', 'MQL', 'events.csv', 3)",
        "dated before it was created",
    ),
    "an interval ends before it begins": (
        "B8",
        "update fct_lead_stage__interval set left_at = '2026-02-19' where stage = 'mql'",
        "ended before it began",
    ),
    "an opportunity's interval lies in the future": (
        "B8",
        "update fct_opportunity_stage__interval set entered_at = '2026-04-02'",
        "dated in the future",
    ),
    "a lead reached a stage before the one above it": (
        "B8",
        "update fct_lead set first_mql_at = '2026-03-02' where lead_id = 'L1'",
        "reached a stage before the one above it",
    ),
    "the funnel widens": (
        "B8",
        "update fct_lead set first_mql_at = null",
        "more leads reached a stage than the one above it",
    ),
    "the histories are gone": (
        "B8",
        "delete from fct_lead_stage__interval",
        "fewer stage intervals (0) than leads (3)",
    ),
    # B9: all other ways to break it stand in test_gate_law_b9.py
    "a day has no exchange rate": (
        "B9",
        "delete from dim_fx_rate where currency = 'EUR' and rate = 1.5;"
        " update fct_spend__campaign_daily set amount_minor = null, rate_basis = null"
        " where currency = 'EUR'",
        "no exchange rate on the day or in the week before",
    ),
    # B10
    "a lead stands twice": (
        "B10",
        "insert into fct_lead select * from fct_lead where lead_id = 'L2'",
        "duplicate key",
    ),
    "a journal entry stands twice": (
        "B10",
        "insert into fct_dollar_journal__entry select * from fct_dollar_journal__entry"
        " where entry_id = 'm1'",
        "duplicate key",
    ),
    "a day of spend stands twice": (
        "B10",
        "insert into fct_spend__campaign_daily select * from fct_spend__campaign_daily limit 1",
        "duplicate key",
    ),
    "two feeds deliver the same day of spend": (
        "B10",
        "insert into fct_spend__campaign_daily select 'file', * exclude (feed)"
        " from fct_spend__campaign_daily where campaign_key = 'Google Ads / A' limit 1",
        "the same day of spend is delivered by ads and file",
    ),
    "an entry of the pipeline stands twice": (
        "B10",
        "insert into fct_pipeline_journal__entry select * from fct_pipeline_journal__entry limit 1",
        "duplicate key",
    ),
    "an opportunity has no key": (
        "B10",
        "update fct_opportunity set opportunity_id = null",
        "duplicate key",
    ),
    "an entry names a lead that is not there": (
        "B10",
        "update fct_dollar_journal__entry set lead_id = 'L9' where entry_id = 'm2'",
        "unresolved reference",
    ),
    "a lead names a campaign that is not there": (
        "B10",
        "update fct_lead set campaign_key = 'Bing / Z' where lead_id = 'L2'",
        "unresolved reference",
    ),
    "a stage is not among the stages": (
        "B10",
        "delete from dim_stage where stage = 'no_lead'",
        "unresolved reference",
    ),
    "a source's reference leads nowhere": (
        "B10",
        "insert into audit.reference values ('crm', 'lead_events', 'lead_id',"
        " 'unresolved reference', 'leads.lead_id = L77', 3)",
        "unresolved reference",
    ),
    # B11
    "a source is late": (
        "B11",
        "update audit.freshness set newest_at = '2026-03-30 22:00' where table_name = 'spend'",
        "is late",
    ),
    "a source never delivered": (
        "B11",
        "update audit.freshness set newest_at = null where table_name = 'leads'",
        "is late, or has never delivered",
    ),
    "a stored age belies the newest row": (
        "B11",
        "update audit.freshness set newest_at = '2026-01-01', age_hours = 0"
        " where table_name = 'leads'",
        "is late",
    ),
    "a day is missing": (
        "B11",
        "update audit.freshness set missing_days = 1, first_missing_day = '2026-03-08'"
        " where is_daily",
        "has days without data",
    ),
    # B12: all other ways to break it stand in test_gate_law_b12.py
    "a table has shrunk": (
        "B12",
        "insert into audit.volume_shrunk values ('crm', 'leads', false, 100, 50, 50, 5, null)",
        "the table has shrunk",
    ),
    # B13
    "a status nobody mapped": (
        "B13",
        "insert into audit.unmapped values ('crm', 'lead', 'status', 'Nurture', 3, '2026-03-01')",
        "no mapping for this status",
    ),
    "a spelling with two meanings": (
        "B13",
        "insert into audit.unmapped values ('crm', 'campaign_name', 'meaning',"
        " 'Meta / Sale: Meta / A, or Meta / B', 1, '2026-03-01')",
        "two meanings of one spelling at the same time",
    ),
    "a currency that is none and that nobody listed": (
        "B13",
        "update fct_spend__campaign_daily set cost_minor = null where currency = 'EUR'",
        "spend is in a currency that is none",
    ),
    # P1
    "a target does not multiply out": (
        "P1",
        "update audit.plan_target set value = 200 where metric = 'mqls'",
        "the plan states more than its rates give",
    ),
    "a rate is not stated": (
        "P1",
        "delete from audit.plan_target where metric = 'rate_sal_sql'",
        "no rate is stated",
    ),
    # P2
    "the mirage": (
        "P2",
        "update audit.plan_promise set value = 50 where metric = 'mqls'",
        "sales promises more pipeline than the MQLs multiply out to",
    ),
    "Sales promises nothing": (
        "P2",
        "delete from audit.plan_promise where department = 'sales'",
        "sales promises nothing",
    ),
    # P3
    "channels do not add up": (
        "P3",
        "update audit.plan_target set value = 5000 where scope = 'channel:events'",
        "its channels add up to more",
    ),
    "months do not add up": (
        "P3",
        "delete from audit.plan_target where period = 'FY2026-M02'",
        "its months add up to less",
    ),
    # P4
    "a KPI without an owner": (
        "P4",
        "update audit.plan_kpi set owner = null, owner_department = null where metric = 'sals'",
        "nobody answers for it",
    ),
    "the handoff belongs to Sales": (
        "P4",
        "update audit.plan_kpi set owner = 'sam', owner_department = 'sales'"
        " where metric = 'rate_mql_sal'",
        "the handoff belongs to one of the two sides",
    ),
    "a trigger within the tolerance": (
        "P4",
        "update audit.plan_kpi set trigger_pct = 9.5 where metric = 'sals'",
        "both sides would pivot before it counts as a miss",
    ),
    # P5
    "a byte of the plan was changed": (
        "P5",
        "insert into audit.plan_problem values (1, 1, 'v1/targets.csv', 2, 'the line was changed',"
        " 'a hash', 'another')",
        "the line was changed",
    ),
    "nobody has signed": (
        "P5",
        "update audit.plan_version set is_signed = false, signed_by = null",
        "no version is in force",
    ),
    "the versions of the plan are gone": (
        "P5",
        "delete from audit.plan_version",
        "no version is in force",
    ),
    # P6
    "Sales cannot work the leads": (
        "P6",
        "update audit.plan_capacity set reps = 2.9",
        "more accepted leads are planned than Sales can work",
    ),
    # P7
    "a customer costs too much": (
        "P7",
        "update audit.plan_policy set max_cac = 3999",
        "a customer costs more than the plan allows",
    ),
    "a customer pays back too late": (
        "P7",
        "update audit.plan_policy set max_payback_months = 26",
        "a customer pays back later than the plan allows",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_breaks(case: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]) -> None:
    law, sql, says = BREAKS[case]
    verdict = judge.verdict(spoil(sql), laws=alone(law))
    result = verdict.result(law)
    assert (result.status, verdict.passed) == ("broken", False), result
    assert says in problems(result)
    assert result.offending_count == len(result.offending_rows) > 0


def test_every_law_has_a_case_that_breaks_it() -> None:
    assert {law for law, _, _ in BREAKS.values()} == set(HERE) - {"B7"}


HOLDS = {
    "a credit explains a balance below zero": ("B3", "select 1"),
    "spend arrives on the last day of its period, in the reporting zone": (
        "B3",
        "update fct_dollar_journal__entry set occurred_at = '2026-03-01 04:59'"
        " where entry_id = 's1'",
    ),
    "in market is below zero while its period is open": (
        "B3",
        "delete from fct_dollar_journal__entry where entry_id = 's2'",
    ),
    "a balance of zero need not be published": (
        "B2",
        "insert into rpt_stage_balance__campaign_cohort values"
        " ('Google Ads / A', '2026-02-01', '2026-03-01', 'mql', 0, 0, false)",
    ),
    "a control total that the source declared": (
        "B1",
        "update audit.source_total set feed = '(declared)', basis = 'declared control total'",
    ),
    "a table without a promise may be old": (
        "B11",
        "update audit.freshness set newest_at = null where table_name = 'opportunities'",
    ),
}


@pytest.mark.parametrize("case", HOLDS)
def test_holds(case: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]) -> None:
    law, sql = HOLDS[case]
    result = judge.verdict(spoil(sql), laws=alone(law)).result(law)
    assert result.status == "held", result


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("America/New_York", "2026-03-01 05:00"),
        ("Europe/Berlin", "2026-02-28 23:00"),
        ("Europe/London", "2026-03-01 00:00"),
        ("Asia/Kolkata", "2026-02-28 18:30"),
        ("Pacific/Chatham", "2026-02-28 10:15"),
    ],
)
def test_a_period_ends_at_midnight_in_the_reporting_zone(
    zone: str, midnight: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    """February's spend may arrive a second before midnight; at midnight it is too late."""
    found = {}
    for arrives in (f"timestamp '{midnight}' - interval 1 second", f"timestamp '{midnight}'"):
        path = spoil(
            f"update audit.run set time_zone = '{zone}';"
            f"update fct_dollar_journal__entry set occurred_at = {arrives} where entry_id = 's1'"
        )
        result = judge.verdict(path, laws=alone("B3")).result("B3")
        found[arrives] = [row["stage"] for row in result.offending_rows]
        path.unlink()
    assert list(found.values()) == [[], ["in_market"]]


EMPTIED = {
    "B1": (
        "audit.source_total",
        "fct_spend__campaign_daily",
        "fct_spend__ad_daily",
        "rpt_spend_reconciliation__account_month",
    ),
    "B2": (
        "fct_spend__campaign_daily",
        "fct_dollar_journal__entry",
        "rpt_stage_balance__campaign_cohort",
    ),
    "B3": ("fct_dollar_journal__entry",),
    "B4": ("fct_opportunity", "fct_pipeline_journal__entry", "rpt_pipeline_waterfall__period"),
    "B5": ("fct_opportunity", "dim_credit_model", "fct_credit__opportunity_touch"),
    "B6": ("audit.row", "fct_lead"),
    "B7": ("audit.claim", "rpt_claims_bridge__period", "rpt_claims_bridge__record"),
    "B8": ("fct_lead", "fct_lead_stage__interval", "fct_opportunity_stage__interval"),
    "B9": (
        "fct_spend__campaign_daily", "fct_opportunity", "fct_revenue__item",
        "fct_spend__ad_daily", "rpt_currency_effect__period",
    ),
    "B10": (
        "dim_stage", "dim_campaign", "fct_spend__campaign_daily", "fct_lead", "fct_opportunity",
        "fct_dollar_journal__entry", "rpt_stage_balance__campaign_cohort",
    ),
    "B11": ("audit.freshness",),
    "B12": ("audit.volume",),
    "B13": ("fct_spend__campaign_daily", "fct_lead", "fct_opportunity"),
    "P1": ("audit.plan_target",),
    "P2": ("audit.plan_version",),
    "P3": ("audit.plan_target",),
    "P4": ("audit.plan_target",),
    "P5": ("audit.plan_version",),
    "P6": ("audit.plan_version",),
    "P7": ("audit.plan_policy",),
}  # fmt: skip


@pytest.mark.parametrize("law", HERE)
def test_emptied_tables_do_not_pass(
    law: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    path = spoil(";".join(f"delete from {table}" for table in EMPTIED[law]))
    verdict = judge.verdict(path, laws=alone(law))
    result = verdict.result(law)
    assert (result.status, verdict.passed) == ("broken", False)
    assert result.reason == "nothing was checked: the tables that this law reads are empty"


ABSENT = {
    "B1": ("no spend source", "table_name = 'spend'"),
    "B2": ("no spend source", "table_name = 'spend'"),
    "B3": ("no spend source", "table_name = 'spend'"),
    "B4": ("no opportunity source", "table_name = 'opportunities'"),
    "B5": ("no opportunity source", "table_name = 'opportunities'"),
    "B8": ("no lead or opportunity source", "table_name in ('leads', 'opportunities')"),
    "B9": ("no spend, opportunity or revenue source", "true"),
    "B13": ("no spend, lead or opportunity source", "true"),
}


@pytest.mark.parametrize("law", ABSENT)
def test_not_applicable(law: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]) -> None:
    reason, rows = ABSENT[law]
    emptied = ";".join(f"delete from {table}" for table in EMPTIED[law])
    path = spoil(f"delete from audit.row where {rows}; {emptied}")
    verdict = judge.verdict(path, laws=alone(law))
    assert (verdict.result(law).status, verdict.result(law).reason) == ("not applicable", reason)
    assert verdict.passed


@pytest.mark.parametrize("law", ABSENT)
def test_a_law_applies_when_rows_offend_whatever_the_counts_say(
    law: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    reason, rows = ABSENT[law]
    breaking = next(sql for name, sql, _ in BREAKS.values() if name == law)
    path = spoil(f"delete from audit.row where {rows}; {breaking}")
    assert judge.verdict(path, laws=alone(law)).result(law).status == "broken", reason


NO_PLAN = ";".join(
    f"delete from audit.plan_{table}"
    for table in ("version", "policy", "target", "promise", "capacity", "kpi")
)


@pytest.mark.parametrize(
    ("law", "sql", "reason"),
    [
        *((law, NO_PLAN, "no plan") for law in LAWS if law.startswith("P")),
        ("P6", "delete from audit.plan_capacity", "no capacity is stated"),
        (
            "P7",
            "update audit.plan_policy set max_cac = null, max_payback_months = null",
            "no limits are stated",
        ),
    ],
)
def test_a_law_of_the_plan_needs_one(
    law: str, sql: str, reason: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    result = judge.verdict(spoil(sql), laws=alone(law)).result(law)
    assert (result.status, result.reason) == ("not applicable", reason)


@pytest.mark.parametrize(("ends", "is_judged"), [("2026-03-31", False), ("2026-04-01", True)])
def test_a_superseded_version_is_history(
    ends: str, is_judged: bool, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    """The books are as of 31 March: a version that ended on that day is not judged any more."""
    _, spoiling, _ = BREAKS["a target does not multiply out"]
    path = spoil(f"{spoiling}; update audit.plan_version set effective_to = date '{ends}'")
    result = judge.verdict(path, laws=alone("P1")).result("P1")
    assert bool(result.offending_rows) is is_judged


def test_freshness_does_not_apply_where_nothing_was_promised(
    judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    path = spoil("update audit.freshness set cadence_hours = null, is_daily = false")
    result = judge.verdict(path, laws=alone("B11")).result("B11")
    assert (result.status, result.reason) == ("not applicable", "no source promises a cadence")


UNMAPPED = (
    "insert into audit.unmapped values"
    " ('crm', 'lead', 'status', 'Nurture', 3, '2026-03-01'),"
    " ('crm', 'lead', 'status', 'Zombie', 4, '2026-03-01');"
)


def tolerance(law: str, at_most: int, feed: str = "crm") -> str:
    return f"insert into audit.tolerance values ('{feed}', 'law', '{law}', {at_most}, 'known');"


def test_a_tolerance_forgives_source_rows_and_still_lists_them(
    judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    path = spoil(UNMAPPED + tolerance("B13", 7))
    verdict = judge.verdict(path, laws=alone("B13"))
    result = verdict.result("B13")
    assert (result.status, result.tolerated, result.offending_count) == ("held", 7, 2)
    assert [row["value"] for row in result.offending_rows] == ["Nurture", "Zombie"]
    assert verdict.passed


@pytest.mark.parametrize("declared", [tolerance("B13", 6), tolerance("B13", 7, feed="ads")])
def test_a_tolerance_holds_to_its_number_and_its_feed(
    declared: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    result = judge.verdict(spoil(UNMAPPED + declared), laws=alone("B13")).result("B13")
    assert (result.status, result.tolerated) == ("broken", 0)


def test_no_tolerance_forgives_a_dollar(
    judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    _, sql, _ = BREAKS["a share is a cent too large"]
    path = spoil(sql + ";" + tolerance("B2", 100) + tolerance("B99", 1))
    verdict = judge.verdict(path, laws=alone("B2"))
    assert verdict.result("B2").status == "broken"
    assert verdict.notes == [
        "crm: tolerances: laws: B2: this law forgives nothing; ignored",
        "crm: tolerances: laws: B99: there is no such law",
    ]


@pytest.mark.parametrize(("at_most", "status"), [(450, "held"), (449, "broken")])
def test_past_200_rows_the_count_is_exact(
    at_most: int, status: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    path = spoil(
        "insert into audit.stage_time select 'crm', 'lead', 'X' || range, 'future', '2027-01-01',"
        " '2026-01-01', 'MQL', 'events.csv', range from range(450);" + tolerance("B8", at_most)
    )
    result = judge.verdict(path, laws=alone("B8")).result("B8")
    assert (result.status, result.offending_count) == (status, 450)
    assert len(result.offending_rows) == 200
    assert result.actual == 450


def broken_law(folder: Path, query: str, sql: str) -> Path:
    """A folder with B6 alone, one of whose queries is replaced."""
    folder.mkdir()
    text = (LAWS_FOLDER / "B6.sql").read_text(encoding="utf-8")
    parts = text.split("-- query: ")
    rest = [f"{query}\n{sql};\n" if part.startswith(query) else part for part in parts]
    (folder / "B6.sql").write_text("-- query: ".join(rest), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("query", "sql", "says"),
    [
        ("offenders", "select no_such_column from audit.run", "no_such_column"),
        ("offenders", "selec 1", "syntax error"),
        ("measure", "select * from no_such_table", "no_such_table"),
        ("measure", "select 1 as expected, 1 as actual, 0 as difference", "checked"),
        ("applies", "select cast('x' as integer) as reason", "Could not convert"),
        ("offenders", "select * from read_csv('/etc/hostname')", "disabled"),
        ("offenders", "select '{' as feed", ""),
    ],
)
def test_whatever_raises_is_an_error_and_never_a_pass(
    query: str, sql: str, says: str, judge: Judge, sound: Path, tmp_path: Path
) -> None:
    verdict = judge.verdict(sound, laws=broken_law(tmp_path / "laws", query, sql))
    result = verdict.result("B6")
    assert not verdict.passed
    assert result.status == ("error" if says else "broken")
    assert says in (result.reason or "")


def test_totals_that_differ_without_an_offender_do_not_pass(
    judge: Judge, sound: Path, tmp_path: Path
) -> None:
    laws = broken_law(
        tmp_path / "laws", "measure", "select 1 as expected, 2 as actual, 1 as difference,"
        " 1 as checked",
    )  # fmt: skip
    result = judge.verdict(sound, laws=laws).result("B6")
    assert result.reason == "the totals differ although no single row offends"
    assert result.status == "broken"


def test_a_warning_does_not_block_but_an_error_does(
    judge: Judge, spoil: Spoil, sound: Path, tmp_path: Path
) -> None:
    laws = broken_law(tmp_path / "laws", "measure", "select no_such_column from audit.run")
    text = (laws / "B6.sql").read_text(encoding="utf-8")
    (laws / "B6.sql").write_text(text.replace("severity: block", "severity: warn"), "utf-8")
    assert not judge.verdict(sound, laws=laws).passed
    intact = (LAWS_FOLDER / "B6.sql").read_text(encoding="utf-8")
    (laws / "B6.sql").write_text(intact.replace("severity: block", "severity: warn"), "utf-8")
    verdict = judge.verdict(spoil("delete from audit.tolerance"), laws=laws)
    assert (verdict.result("B6").status, verdict.passed) == ("broken", True)


@pytest.mark.parametrize(
    "sql",
    ["delete from audit.run", "insert into audit.run select * from audit.run",
     "drop table audit.tolerance"],
)  # fmt: skip
def test_a_candidate_that_does_not_know_its_run_is_an_error(
    sql: str, judge: Judge, spoil: Spoil, alone: Callable[[str], Path]
) -> None:
    verdict = judge.verdict(spoil(sql), laws=alone("B6"))
    assert verdict.error is not None
    assert (verdict.passed, verdict.result("B6").status) == (False, "error")


def test_no_candidate_is_an_error(judge: Judge, tmp_path: Path) -> None:
    verdict = judge.verdict(tmp_path / "none.duckdb")
    assert not verdict.passed
    assert "no candidate at" in str(verdict.error)


def test_a_file_that_is_no_database_is_an_error(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "tieout.duckdb").write_text("not a database")
    assert judge.verdict(tmp_path / "tieout.duckdb").error is not None


def test_judging_does_not_touch_the_file(judge: Judge, spoil: Spoil) -> None:
    path = spoil("select 1")
    before = path.read_bytes()
    path.chmod(0o444)
    judge.verdict(path)
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == ["tieout.duckdb"]
