"""The laws of governance hold on sound books and break on unsound ones, through Great Expectations.

The books are those of `tests/support/books.py`. That the models fill
those tables as the plan demands is shown in test_dbt_plan.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.laws import LAWS_FOLDER, load_laws
from expectations.verdict import LawResult
from tests.support.books import SOUND_BOOKS

GOVERNANCE = [law for law in load_laws() if law.startswith("G")]

Judged = Callable[[str, str], LawResult]


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
def judged(judge: Judge, sound: Path, tmp_path: Path) -> Judged:
    """Judges one law on a copy of the sound books after some SQL."""

    def result(law: str, sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        shutil.copy(sound, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        folder = tmp_path / "laws"
        folder.mkdir(exist_ok=True)
        shutil.copy(LAWS_FOLDER / f"{law}.sql", folder)
        verdict = judge.verdict(path, laws=folder)
        assert verdict.error is None
        found = verdict.result(law)
        assert verdict.passed is not found.blocks
        return found

    return result


def problems(result: LawResult) -> str:
    """What the offending rows say, on one line."""
    return " | ".join(str(row.get("problem")) for row in result.offending_rows)


@pytest.mark.parametrize("law", GOVERNANCE)
def test_sound_books_pass(law: str, judged: Judged) -> None:
    result = judged(law, "select 1")
    assert (result.status, result.reason) == ("held", None)
    assert (result.expected, result.actual, result.difference) == (0, 0, 0)


def test_a_held_law_says_what_it_looked_at(judged: Judged) -> None:
    """Cohorts, KPIs (not the items: none is good news), and months that are over."""
    found = {law: judged(law, "select 1") for law in GOVERNANCE}
    assert {law: (each.checked, each.unit) for law, each in found.items()} == {
        "G1": (3, "minor"),
        "G2": (2, "rows"),
        "G3": (1, "rows"),
    }
    assert found["G1"].currency == "USD"


def mqls(leads: int, *, late: int = 0, day: str = "2026-02-20 12:00") -> str:
    """More leads that became MQLs on a day of February, of which some waited for 241 hours."""
    return (
        f"insert into fct_lead by name select 'M' || n as lead_id, 'crm' as feed,"
        f" timestamp '2026-02-05 12:00' + n * interval 1 hour as created_at from range({leads}) as"
        f" numbers (n); insert into fct_lead_stage__interval by name select 'M' || n as lead_id,"
        f" 2 as entry_number, 'lead' as from_stage, 'mql' as stage,"
        f" timestamp '{day}' as entered_at,"
        f" timestamp '{day}' + (case when n < {late} then 241 else 1 end) * interval 1 hour"
        f" as left_at, false as is_time_estimated from range({leads}) as numbers (n)"
    )


#: From 9 to 17 on weekdays in New York.
WORKED = (
    "insert into audit.plan_business_day select 1, cast(d as date), d + interval 14 hour,"
    " d + (case when isodow(d) < 6 then 22 else 14 end) * interval 1 hour"
    " from range(timestamp '2026-01-01', timestamp '2026-04-01', interval 1 day) as days (d)"
)
OVERDUE = (
    "update rpt_commitment__campaign_cohort set status = 'overdue', commitments = 0,"
    " committed_minor = 0, overdue_minor = spend_minor where committed_minor > 0"
)
BREAKS = {
    # G1
    "a cohort is overdue": ("G1", OVERDUE, "no conversion rate was committed to in time"),
    "an overdue cohort is called something else": (
        "G1",
        "update rpt_commitment__campaign_cohort set commitments = 0 where commitments = 1",
        "the report does not call it overdue",
    ),
    "overdue dollars are not counted": (
        "G1",
        f"{OVERDUE}; update rpt_commitment__campaign_cohort set overdue_minor = 0",
        "the report does not count all of its spend as overdue",
    ),
    "overdue dollars are unknown": (
        "G1",
        "update rpt_commitment__campaign_cohort set overdue_minor = null where spend_minor = 3000",
        "the report does not call it overdue",
    ),
    # G2
    "nobody has answered": (
        "G2",
        "update rpt_variance_item set status = 'overdue', notes = 0, action_due_date = null",
        "nobody has said why, and what is done",
    ),
    "an answer has run out": (
        "G2",
        "update rpt_variance_item set status = 'overdue', action_due_date = '2026-03-30'",
        "the date named in its note has passed",
    ),
    "an answer is from before": (
        "G2",
        "update rpt_variance_item set status = 'overdue'",
        "its notes are from before it opened",
    ),
    "an item is gone": (
        "G2",
        "delete from rpt_variance_item",
        "it is outside its tolerance and has no item",
    ),
    "an item was closed while its KPI is outside": (
        "G2",
        "update rpt_variance_item set status = 'closed'",
        "it is outside its tolerance and has no item",
    ),
    "a handoff raised an alarm": (
        "G2",
        "update rpt_drift__cohort_transition set is_alarm = true",
        "it raised an alarm and has no item",
    ),
    "velocity raised an alarm": (
        "G2",
        "update rpt_velocity__segment_week set is_alarm = true",
        "it raised an alarm and has no item",
    ),
    # G3
    "too few leads were worked in time": (
        "G3",
        f"{mqls(9, late=3)}; update rpt_handoff_sla__metric_period"
        " set leads = 10, in_time = 7, late = 3",
        "too few leads were worked in time",
    ),
    "a late lead is counted as one in time": (
        "G3",
        f"{mqls(9, late=3)}; update rpt_handoff_sla__metric_period"
        " set leads = 10, in_time = 8, late = 2",
        "the books count other leads",
    ),
    "a lead is in time by the clock alone": (
        "G3",
        f"{WORKED}; update rpt_handoff_sla__metric_period set clock = 'business';"
        " update audit.plan_kpi set sla_hours = 47 where metric = 'rate_mql_sal'",
        "the books count other leads",
    ),
    "what Sales entered is counted": (
        "G3",
        "update fct_lead set created_at = first_sal_at - interval 60 second where lead_id = 'L1'",
        "the books count other leads",
    ),
    "an import is counted": (
        "G3",
        f"{mqls(9)}; update rpt_handoff_sla__metric_period set leads = 10, in_time = 10;"
        " update fct_lead set created_at = '2026-02-05 12:00:07' where lead_id not in ('L2', 'L3')",
        "the books count other leads",
    ),
    "what is backdated is counted": (
        "G3",
        "update fct_lead_stage__interval set is_time_estimated = true where stage = 'sql'",
        "the books count other leads",
    ),
    "a month is in no report": (
        "G3",
        "insert into rpt_handoff_sla__metric_period by name select * replace"
        " ('FY2026-M01' as period) from rpt_handoff_sla__metric_period;"
        " delete from rpt_handoff_sla__metric_period where period = 'FY2026-M02'",
        "the books count other leads",
    ),
    "a lead is in no count": (
        "G3",
        "update rpt_handoff_sla__metric_period set leads = 2",
        "its leads do not add up",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_breaks(case: str, judged: Judged) -> None:
    law, sql, says = BREAKS[case]
    result = judged(law, sql)
    assert (result.status, result.blocks) == ("broken", True), result
    assert says in problems(result)
    assert result.offending_count == len(result.offending_rows) > 0


def test_every_law_has_a_case_that_breaks_it() -> None:
    assert {law for law, _, _ in BREAKS.values()} == set(GOVERNANCE)


HOLDS = {
    "on the day it is due it is not overdue": (
        "G1",
        "update rpt_commitment__campaign_cohort set status = 'uncommitted', commitments = 0,"
        " due_date = '2026-03-31' where commitments = 1",
    ),
    "a note closes an item whose period is over": (
        "G2",
        "update rpt_variance_item set status = 'closed', is_period_open = false",
    ),
    "a handoff of one department raised an alarm": (
        "G2",
        "update rpt_drift__cohort_transition set is_alarm = true; update audit.plan_kpi"
        " set owner_department = 'sales' where metric = 'rate_mql_sal'",
    ),
    "the share is met to the lead": (
        "G3",
        f"{mqls(9, late=2)}; update rpt_handoff_sla__metric_period"
        " set leads = 10, in_time = 8, late = 2",
    ),
    # Six working days of eight hours, from Friday before opening to a Sunday.
    "a lead is in time in business hours": (
        "G3",
        f"{WORKED}; update rpt_handoff_sla__metric_period set clock = 'business';"
        " update audit.plan_kpi set sla_hours = 48 where metric = 'rate_mql_sal'",
    ),
    "imports at midnight are days": (
        "G3",
        f"{mqls(9)}; update rpt_handoff_sla__metric_period set leads = 10, in_time = 10;"
        " update fct_lead set created_at = '2026-02-05 05:00' where lead_id not in ('L2', 'L3')",
    ),
    "a month that is not over is not judged": (
        "G3",
        f"{mqls(1, late=1, day='2026-03-05 12:00')};"
        " insert into rpt_handoff_sla__metric_period values (1, 'FY2026-M03', 'company',"
        " 'rate_mql_sal', 'rene', 'elapsed', 240, 80, 1, 0, 1, 0, 0, false, '2026-03-01')",
    ),
}


@pytest.mark.parametrize("case", HOLDS)
def test_holds(case: str, judged: Judged) -> None:
    result = judged(*HOLDS[case])
    assert result.status == "held", result


EMPTIED = {
    "G1": ("rpt_commitment__campaign_cohort",),
    "G2": ("rpt_plan_vs_actual__kpi_period", "rpt_variance_item"),
    "G3": ("rpt_handoff_sla__metric_period",),
}


@pytest.mark.parametrize("law", GOVERNANCE)
def test_emptied_tables_do_not_pass(law: str, judged: Judged) -> None:
    result = judged(law, ";".join(f"delete from {table}" for table in EMPTIED[law]))
    assert (result.status, result.blocks) == ("broken", True)
    assert result.reason == "nothing was checked: the tables that this law reads are empty"


NO_PLAN = "; ".join(
    f"delete from audit.plan_{table}" for table in ("version", "policy", "target", "kpi", "period")
)


@pytest.mark.parametrize(
    ("law", "sql", "reason"),
    [
        *((law, NO_PLAN, "no plan") for law in GOVERNANCE),
        (
            "G1",
            "delete from fct_spend__campaign_daily where spend_date >= '2026-01-01'"
            " and kind <> 'overhead'",
            "no campaign has spent under a plan",
        ),
        (
            "G2",
            "update audit.plan_version set effective_from = '2026-04-01'",
            "no target is in force",
        ),
        ("G2", "update audit.plan_version set is_signed = false", "no target is in force"),
        ("G3", "update audit.plan_kpi set sla_hours = null", "no handoff has hours"),
        # The line for the company beats the one for all scopes, also where it says less.
        (
            "G3",
            "insert into audit.plan_kpi select * replace ('company' as scope, null as sla_hours)"
            " from audit.plan_kpi where metric = 'rate_mql_sal'",
            "no handoff has hours",
        ),
        (
            "G3",
            "delete from fct_lead_stage__interval where stage = 'mql'",
            "no lead has reached a handoff",
        ),
    ],
)
def test_where_there_is_nothing_to_judge(law: str, sql: str, reason: str, judged: Judged) -> None:
    emptied = ";".join(f"delete from {table}" for table in EMPTIED[law])
    result = judged(law, f"{sql}; {emptied}")
    assert (result.status, result.reason) == ("not applicable", reason)


def test_no_month_is_over(judged: Judged) -> None:
    result = judged("G3", "update rpt_handoff_sla__metric_period set is_complete = false")
    assert result.status == "not applicable"
    assert result.reason == "no month with a handoff is complete"


def test_a_plan_that_cannot_be_read_is_not_no_plan(judged: Judged) -> None:
    sql = "insert into audit.plan_problem values (1, 1, 'v1/lock.json', 1, 'is gone', null, null)"
    for law in GOVERNANCE:
        emptied = ";".join(f"delete from {table}" for table in EMPTIED[law])
        assert judged(law, f"{NO_PLAN}; {emptied}; {sql}").reason != "no plan"


BREAKING = {law: sql for law, sql, _ in reversed(BREAKS.values())}
POLICY = {"G1": "commitment_policy", "G2": "variance_policy", "G3": "handoff_policy"}


@pytest.mark.parametrize("law", GOVERNANCE)
def test_the_version_in_force_says_whether_it_blocks(law: str, judged: Judged) -> None:
    """Not the one before it, one that has not begun, or one that nobody signed."""
    versions = "; ".join(
        "insert into audit.plan_version select * replace"
        f" ({version} as version, date '{begins}' as effective_from, {signed} as is_signed)"
        " from audit.plan_version where version = 1; insert into audit.plan_policy select * replace"
        f" ({version} as version, '{policy}' as {POLICY[law]}) from audit.plan_policy"
        " where version = 1"
        for version, begins, signed, policy in [
            (2, "2026-03-31", True, "warn"),
            (3, "2026-03-31", False, "block"),
            (4, "2026-04-01", True, "block"),
        ]
    )
    result = judged(law, f"{BREAKING[law]}; {versions}")
    assert (result.status, result.severity, result.blocks) == ("broken", "warn", False)


@pytest.mark.parametrize(
    ("law", "scope"),
    [
        ("G1", "campaign_key=Google Ads / A; cohort_start_date=2026-02-01"),
        ("G2", "period=FY2026-Q1; scope=company; metric=leads"),
        ("G3", "period=FY2026-M02; metric=rate_mql_sal"),
    ],
)
def test_a_waiver_names_what_it_covers(law: str, scope: str, judged: Judged) -> None:
    waiver = f"insert into audit.plan_waiver values (1, '{law}', '{scope}', 'agreed', '2026-04-01')"
    assert judged(law, f"{BREAKING[law]}; {waiver}").status == "waived"
