"""Every law of the plan holds on a sound plan and breaks on one made unsound, at the right cell.

The plans are those of `tests.support.joint_plan`. Here the laws' own SQL runs as `plan check` runs
it; test_gate_laws.py runs it through Great Expectations, and the last test here shows that both
read the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.waiver import Waiver, covers
from orchestration.lib.plan import arithmetic, tables
from orchestration.lib.plan.check import Report, Result, check_plan, fill
from orchestration.lib.plan.contract import Contract, Finding, LockedVersion
from orchestration.lib.plan.inspection import inspect
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.registers import Register
from orchestration.lib.plan.sheets import metrics
from orchestration.lib.plan.workbook import write_workbook
from orchestration.lib.release.seal import facts_of
from tests.integration.dbt_fixture import Warehouse
from tests.support.contracts import SIGNERS, locked
from tests.support.joint_plan import (
    FUNNEL,
    QUARTER,
    joint_plan,
    kpi_lines,
    mirage,
    plan_laws,
    promise,
    sheets,
    targets,
)

LAWS = plan_laws()


def result(report: Report, law: str) -> Result:
    return next(each for each in report.results if each.law == law)


def told(found: Result) -> list[dict[str, Any]]:
    """The offending rows, with the cell each stands in."""
    return [{**each.values, "cell": each.place.cell} for each in found.offences]


def test_a_sound_plan_holds() -> None:
    report = check_plan(joint_plan(), LAWS)
    assert {each.law: each.status for each in report.results} == dict.fromkeys(
        ("P1", "P2", "P3", "P4", "P6", "P7"), "held"
    )
    assert report.is_sound


def without(rows: list[dict[str, str]], *columns: str) -> list[dict[str, str]]:
    """The rows without some figures of the first."""
    return [{k: v for k, v in rows[0].items() if k not in columns}, *rows[1:]]


def kpis_with(metric: str, **cells: str) -> list[dict[str, str]]:
    return [{**row, **cells} if row["metric"] == metric else row for row in kpi_lines()]


#: Law, what replaces the settings, what replaces the sheets, what the rows say: problem, cell and
#: the figures expected and actual.
CASES: dict[str, tuple[str, dict[str, str], dict[str, Any], list[tuple[Any, ...]]]] = {
    # P1
    "the budget does not buy the leads": (
        "P1", {}, {"targets": targets(cost_per_lead="50")},
        [("the plan states more than its rates give", "Targets!E2", "4000", "5000")],
    ),
    "fewer MQLs than the rate gives": (
        "P1", {}, {"targets": targets(mqls="1200", sals="480")},
        [
            ("the plan states less than its rates give", "Targets!G2", "1250", "1200"),
            ("the plan states more than its rates give", "Targets!K2", "240", "250"),
        ],
    ),
    "pipeline is not opportunities times deal size": (
        "P1", {}, {"targets": targets(pipeline="6000000")},
        [("the plan states more than its rates give", "Targets!O2", "5000000", "6000000")],
    ),
    "wins and bookings have a ladder of their own": (
        "P1", {}, {"targets": targets(wins="30")},
        [
            ("the plan states more than its rates give", "Targets!Q2", "20", "30"),
            ("the plan states less than its rates give", "Targets!R2", "1500000", "1000000"),
        ],
    ),
    "a rate is missing at the top": (
        "P1", {}, {"targets": without(targets(), "rate_sal_sql")},
        [("no rate is stated", "Targets!K2", None, "250")],
    ),
    "a volume left out carries the one above it": (
        "P1", {}, {"targets": without(targets(rate_mql_sal="0.1"), "sals", "sqls")},
        [("the plan states more than its rates give", "Targets!M2", "25", "100")],
    ),
    "two rates are missing between two volumes": (
        "P1", {},
        {"targets": without(targets(), "sals", "rate_mql_sal", "rate_sal_sql")},
        [("no rate is stated", "Targets!K2", None, "250")],
    ),
    "nothing at all multiplies out": (
        "P1", {}, {"targets": [{"period": QUARTER, "scope": "company", "pipeline": "5000000"}]},
        [("nothing multiplies out: no row states two volumes of the funnel", None, None, None)],
    ),
    "leads that cost nothing out of a budget": (
        "P1", {}, {"targets": targets(cost_per_lead="0")},
        [("the figures divide by 0", "Targets!E2", None, "5000")],
    ),
    "figures beyond what decimals hold": (
        "P1", {},
        {"targets": targets(wins="999999999999999999", acv="999999999999999999",
                            rate_opportunity_won="0.2")},
        [
            ("the plan states less than its rates give", "Targets!O2",
             "99999999999999999900", "5000000"),
            ("the plan states more than its rates give", "Targets!Q2", "20",
             "999999999999999999"),
            ("the figures are too large to be multiplied", "Targets!R2", None, "1000000"),
        ],
    ),
    # P2
    "the mirage": (
        "P2", {},
        {"targets": [{"period": QUARTER, "scope": "company", **FUNNEL, "pipeline": ""}],
         "promises": [promise("marketing", "mqls", "500"),
                      promise("sales", "pipeline", "5000000")]},
        [
            ("marketing promises less mqls than the target", "Promises!E2", "1250", "500"),
            ("sales promises more pipeline than the MQLs multiply out to", "Promises!E3",
             "2000000", "5000000"),
        ],
    ),
    "pipeline and bookings do not agree": (
        "P2", {},
        {"promises": [*sheets()["promises"][:2], promise("sales", "bookings", "1200000")]},
        [
            ("sales promises more bookings than the pipeline gives", "Promises!E4",
             "1000000", "1200000"),
            ("sales promises more bookings than the target", "Promises!E4",
             "1000000", "1200000"),
        ],
    ),
    "promises without the rates between them": (
        "P2", {},
        {"targets": [{"period": QUARTER, "scope": "company", "mqls": "1250", "acv": "50000"}]},
        [
            ("the promise cannot be multiplied out: no rate_mql_sal, rate_sal_sql,"
             " rate_sql_opportunity in this period and scope", "Promises!E3", None, "5000000"),
            ("the promise cannot be multiplied out: no rate_opportunity_won in this period and"
             " scope", "Promises!E4", None, "1000000"),
        ],
    ),
    "pipeline that no MQLs are promised for": (
        "P2", {}, {"promises": [promise("sales", "pipeline", "5000000"),
                                promise("marketing", "leads", "5000")]},
        [("pipeline is promised and no MQLs that would win it", "Promises!E2", None, None)],
    ),
    "MQLs that nobody promises to make pipeline of": (
        "P2", {}, {"promises": [promise("marketing", "mqls", "1250")]},
        [
            ("MQLs are promised and no pipeline that they would become", "Promises!E2", None, None),
            ("sales promises nothing", None, None, None),
        ],
    ),
    "nobody promises anything": (
        "P2", {}, {"promises": []},
        [
            ("marketing promises nothing", None, None, None),
            ("sales promises nothing", None, None, None),
        ],
    ),
    # P3
    "channels do not add up to the company": (
        "P3", {}, {"targets": [*targets()[:2], *targets()[3:]]},
        [
            ("its channels add up to less", "Targets!C2", "200000", "160000"),
            ("its channels add up to less", "Targets!E2", "5000", "4100"),
        ],
    ),
    "months do not add up to the quarter": (
        "P3", {}, {"targets": [*targets()[:6], {**targets()[6], "sals": "300"}]},
        [("its months add up to more", "Targets!I2", "500", "600")],
    ),
    "quarters do not add up to the year": (
        "P3", {}, {"targets": [{"period": "FY2026", "scope": "company", "budget": "900000"},
                               *targets()]},
        [("its quarters add up to less", "Targets!C2", "900000", "200000")],
    ),
    "months do not add up to a year without quarters": (
        "P3", {}, {"targets": [{"period": "FY2026", "scope": "company", "sqls": "100"},
                               {"period": "FY2026-M05", "scope": "company", "sqls": "50"},
                               {"period": "FY2026-M06", "scope": "company", "sqls": "40"}]},
        [("its months add up to less", "Targets!K2", "100", "90")],
    ),
    # P4
    "a KPI without a line": (
        "P4", {}, {"kpis": [row for row in kpi_lines() if row["metric"] != "wins"]},
        [("no line applies to it", "Targets!Q2", "a line in kpis", "none")],
    ),
    "a KPI of one channel only": (
        "P4", {}, {"kpis": kpis_with("budget", scope="channel:events")},
        [
            ("no line applies to it", "Targets!C2", "a line in kpis", "none"),
            ("no line applies to it", "Targets!C3", "a line in kpis", "none"),
            ("no line applies to it", "Targets!C5", "a line in kpis", "none"),
        ],
    ),
    "two lines for one KPI": (
        "P4", {}, {"kpis": [*kpi_lines(), kpi_lines()[4]]},
        [("a second line for the same", "KPIs!A19", "one line", "also in row 6")],
    ),
    "an owner whom nobody knows": (
        "P4", {}, {"kpis": kpis_with("sals", owner="nina")},
        [("nobody answers for it", "KPIs!C8", "one of people", "nina")],
    ),
    "a handoff that Sales owns": (
        "P4", {}, {"kpis": kpis_with("rate_mql_sal", owner="sam")},
        [("the handoff belongs to one of the two sides", "KPIs!C7",
          "neither marketing nor sales", "sam of sales")],
    ),
    "a trigger within the tolerance": (
        "P4", {}, {"kpis": kpis_with("sals", trigger_pct="9.5", action="Pause the campaign")},
        [("both sides would pivot before it counts as a miss", "KPIs!I8",
          "at least the tolerance, 10", "9.5")],
    ),
    "a line without tolerance, cadence and window": (
        "P4", {}, {"kpis": kpis_with("rate_sal_sql", tolerance_pct="", cadence_days="",
                                     window_days="")},
        [
            ("no cadence is stated", "KPIs!E9", "days", "nothing"),
            ("no tolerance is stated", "KPIs!D9", "a percentage", "nothing"),
            ("no window is stated", "KPIs!F9", "days",
             "nothing"),
        ],
    ),
    # P6
    "more leads than Sales can work": (
        "P6", {}, {"capacity": [{"period": QUARTER, "scope": "company", "reps": "8",
                                 "leads_per_rep": "60"}]},
        [("more accepted leads are planned than Sales can work", "Capacity!C2", "480", "500")],
    ),
    "the months exceed the quarter's capacity": (
        "P6", {}, {"targets": [*without(targets(), "sals"), ],
                   "capacity": [{"period": QUARTER, "scope": "company", "reps": "8",
                                 "leads_per_rep": "60"}]},
        [("more accepted leads are planned than Sales can work", "Capacity!C2", "480", "500")],
    ),
    "the quarter exceeds the months' capacity": (
        "P6", {}, {"targets": targets()[:1],
                   "capacity": [{"period": f"FY2026-M0{month}", "scope": "company", "reps": "4",
                                 "leads_per_rep": "40"} for month in (1, 2, 3)]},
        [("more accepted leads are planned than Sales can work", "Capacity!C2", "480", "500")],
    ),
    "a capacity that nothing is planned for": (
        "P6", {}, {"capacity": [{"period": "FY2026-Q2", "scope": "company", "reps": "4",
                                 "leads_per_rep": "40"}]},
        [("no accepted leads are planned to hold it against", "Capacity!C2", None, None)],
    ),
    # P7
    "a customer costs too much": (
        "P7", {"max_cac": "9999.99"}, {},
        [("a customer costs more than the plan allows", "Targets!C2", "9999.99", "10000")],
    ),
    "a customer pays back too late": (
        "P7", {"max_payback_months": "2.9"}, {},
        [("a customer pays back later than the plan allows", "Targets!C2", "2.9", "3")],
    ),
    "a budget that wins nobody": (
        "P7", {"max_payback_months": ""}, {"targets": targets(wins="0")},
        [("a budget without a planned win", "Targets!C2", "12000", None)],
    ),
    "wins are opportunities times their rate": (
        "P7", {"max_cac": "9999.99", "max_payback_months": ""},
        {"targets": without(targets(), "wins")},
        [("a customer costs more than the plan allows", "Targets!C2", "9999.99", "10000")],
    ),
    "a payback without a margin": (
        "P7", {"gross_margin_pct": ""}, {},
        [("a payback is limited and no gross margin is stated", "Plan!B19", None, None)],
    ),
    "a limit that no row can be held against": (
        "P7", {}, {"targets": without(targets(), "budget")[:1]},
        [
            ("a CAC is limited and no row states a budget and the wins it pays for",
             "Plan!B17", "12000", None),
            ("a payback is limited and no row states a budget, the wins it pays for and their acv",
             "Plan!B18", "6", None),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_unsound_plan_is_told_apart(case: str) -> None:
    law, settings, changed, expected = CASES[case]
    found = result(check_plan(joint_plan(settings, changed), LAWS), law)
    assert found.status == "broken"
    assert [
        (row["problem"], row["cell"], row["expected"], row["actual"]) for row in told(found)
    ] == expected
    for row in told(found):
        if row["sheet_row"] is not None:
            assert row["version"] == 1 and row["metric" if law != "P7" else "setting"]


def test_the_arithmetic_stands_in_the_row() -> None:
    report = check_plan(mirage(), LAWS)
    (of_mqls, of_target) = told(result(report, "P2"))
    assert of_target["step"] == "promise of pipeline = target of pipeline"
    assert of_mqls["arithmetic"] == "500 × 0.4 × 0.5 × 0.4 × 50000"
    assert of_mqls["difference"] == "3000000"
    missing = check_plan(joint_plan({}, {"targets": without(targets(), "rate_sal_sql")}), LAWS)
    (gap,) = told(result(missing, "P1"))
    assert gap["arithmetic"] == "missing: rate_sal_sql; implied: 0.5"
    assert gap["step"] == "sals × rate_sal_sql = sqls"


def test_the_cell_is_that_of_the_workbook(tmp_path: Path) -> None:
    """What `plan export` writes has the figure just where the offending row says."""
    plan = joint_plan({"gross_margin_pct": ""}, {"targets": targets(pipeline="6000000")})
    write_workbook(plan, tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")

    def value(cell: str) -> Any:
        sheet, _, place = cell.partition("!")
        return book[sheet][place].value

    report = check_plan(plan, LAWS)
    (pipeline,) = told(result(report, "P1"))
    assert value(pipeline["cell"]) == int(pipeline["actual"]) == 6_000_000
    promised = told(result(report, "P2"))[0]
    assert value(promised["cell"]) == int(promised["actual"]) == 5_000_000
    (margin,) = told(result(report, "P7"))
    assert value(margin["cell"].replace("B", "A")) == "gross_margin_pct"


def test_a_part_that_states_nothing_is_named() -> None:
    found = result(check_plan(joint_plan({}, {"targets": [*targets()[:2]]}), LAWS), "P3")
    assert [row["parts_without_figure"] for row in told(found)] == [
        "channel:events, stretch:new channels",
        "channel:events, stretch:new channels",
    ]
    assert [row["parts_stated"] for row in told(found)] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "is_sound"),
    [
        # 40.4 SQLs are 40: rounding to whole leads is no contradiction (half a unit).
        ({"sals": "101", "rate_sal_sql": "0.4", "sqls": "40"}, True),
        ({"sals": "101", "rate_sal_sql": "0.4", "sqls": "39"}, False),
        # Exactly the tolerance of 1 % holds, a billionth more does not.
        ({"pipeline": "5050000"}, True),
        ({"pipeline": "5050000.000000001"}, False),
        ({"pipeline": "4950000"}, True),
        ({"pipeline": "4949999.999999999"}, False),
    ],
)
def test_p1_decides_to_the_last_digit(changes: dict[str, str], is_sound: bool) -> None:
    rows = without(targets(**changes), "rate_mql_sal", "mqls", "rate_sql_opportunity")
    needed = {"opportunities": "100", "scope": "channel:events"} | changes
    row = {name: value for name, value in rows[0].items() if name != "scope"} | needed
    found = result(
        check_plan(joint_plan({"funnel_tolerance_pct": "1"}, {"targets": [row]}), LAWS), "P1"
    )
    broken = [each for each in told(found) if each["problem"] != "no rate is stated"]
    assert (not broken) is is_sound


def test_a_tolerance_of_zero_is_no_default() -> None:
    settings = {
        "funnel_tolerance_pct": "0",
        "promise_tolerance_pct": "0",
        "rollup_tolerance_pct": "0",
    }
    changed = {"targets": targets(budget="200100", pipeline="5000001")}
    report = check_plan(joint_plan(settings, changed), LAWS)
    assert {each.law for each in report.results if each.status == "broken"} == {"P1", "P2", "P3"}


def test_a_channel_with_budget_and_leads_alone_is_fine() -> None:
    """Only the top, or a row that states a rate, owes the rates between its volumes."""
    rows = [*targets()[:1], {**targets()[1], "mqls": "1000"}]
    found = result(check_plan(joint_plan({}, {"targets": rows}), LAWS), "P1")
    assert found.status == "held"
    rows[1]["rate_mql_sal"] = "0.4"
    found = result(check_plan(joint_plan({}, {"targets": rows}), LAWS), "P1")
    assert [row["arithmetic"] for row in told(found)] == [
        "missing: cost_per_lead; implied: 37.5",
        "missing: rate_lead_mql; implied: 0.25",
    ]


@pytest.mark.parametrize(
    ("law", "settings", "changed", "reason"),
    [
        ("P6", {}, {"capacity": []}, "no capacity is stated"),
        ("P7", {"max_cac": "", "max_payback_months": ""}, {}, "no limits are stated"),
    ],
)
def test_what_a_plan_need_not_state(
    law: str, settings: dict[str, str], changed: dict[str, Any], reason: str
) -> None:
    found = result(check_plan(joint_plan(settings, changed), LAWS), law)
    assert (found.status, found.reason) == ("not applicable", reason)


# --- Locked versions ------------------------------------------------------------------------------


def version(number: int, plan: Plan, **changes: Any) -> LockedVersion:
    first_day: Any = plan.settings["effective_from"]
    made = LockedVersion(
        number=number,
        folder=Path(f"v{number}"),
        plan=plan,
        sha256=f"{number}" * 64,
        previous_sha256=None,
        effective_from=first_day,
        effective_to=None,
        reason=None,
        locked_at=datetime(2025, 12, 1),
        signed_by=SIGNERS,
        is_signed=True,
    )
    return replace(made, **changes)


SECOND = joint_plan({"effective_from": "2026-02-01"}, {"targets": targets(pipeline="1")})
FINDING = Finding(1, "v1/targets.csv", 2, "the line was changed", "one hash", "another")


@pytest.mark.parametrize(
    ("contract", "problems"),
    [
        (Contract((version(1, joint_plan()),), ()), []),
        (Contract((version(1, joint_plan()),), (FINDING,)), ["the line was changed"]),
        (Contract((), (FINDING,)), ["the line was changed", "no version is in force"]),
        (
            Contract((version(1, joint_plan({"effective_from": "2026-04-01"})),), ()),
            ["no version is in force"],
        ),
        (
            Contract((version(1, joint_plan(), is_signed=False, signed_by={}),), ()),
            ["the version counts already and is not signed", "no version is in force"],
        ),
        (
            # A version of the future may still wait for its signatures.
            Contract(
                (
                    version(1, joint_plan()),
                    version(2, joint_plan({"effective_from": "2026-04-01"}), is_signed=False),
                ),
                (),
            ),
            [],
        ),
        (
            Contract((version(1, joint_plan()), version(2, SECOND)), ()),
            ["it overlaps version 1"],
        ),
        (
            Contract(
                (
                    version(1, joint_plan(), effective_to=date(2026, 2, 1)),
                    version(2, joint_plan({"effective_from": "2026-02-01"})),
                ),
                (),
            ),
            [],
        ),
    ],
    ids=[
        "sound", "a finding", "nothing but a finding", "not begun", "not signed",
        "not signed yet", "overlapping", "one after the other",
    ],
)  # fmt: skip
def test_p5_judges_the_contract(contract: Contract, problems: list[str]) -> None:
    found = result(check_plan(contract, LAWS, as_of=datetime(2026, 3, 31, 23)), "P5")
    assert [each.values["problem"] for each in found.offences] == problems
    assert found.status == ("broken" if problems else "held")


def test_p5_says_where_a_finding_stands() -> None:
    report = check_plan(Contract((version(1, joint_plan()),), (FINDING,)), LAWS)
    (offence,) = result(report, "P5").offences
    assert str(offence.place) == "v1/targets.csv:2"
    assert (offence.values["expected"], offence.values["actual"]) == ("one hash", "another")


def test_without_a_plan_no_law_applies() -> None:
    report = check_plan(Contract((), ()), LAWS)
    assert {each.reason for each in report.results} == {"no plan"}
    assert {each.status for each in report.results} == {"not applicable"}


def test_a_superseded_version_is_not_judged() -> None:
    """Its figures are history; the version that is to come is judged before it counts."""
    sound = joint_plan()
    ended = version(
        1, joint_plan({}, {"targets": targets(wins="99")}), effective_to=date(2026, 2, 1)
    )
    both = Contract((ended, version(2, sound, effective_from=date(2026, 2, 1))), ())
    later = check_plan(both, LAWS, as_of=datetime(2026, 2, 1))
    assert result(later, "P1").status == "held" and later.versions == (2,)
    earlier = check_plan(both, LAWS, as_of=datetime(2026, 1, 31))
    assert [row["version"] for row in told(result(earlier, "P1"))] == [1, 1]
    # The day is one of the reporting zone.
    zoned = check_plan(both, LAWS, as_of=datetime(2026, 1, 31, 12), time_zone="Pacific/Auckland")
    assert result(zoned, "P1").status == "held"


def test_a_waiver_covers_its_rows_until_it_expires() -> None:
    contract = Contract((version(1, mirage()),), ())
    row = {
        "number": 1,
        "law": "P2",
        "scope": f"period={QUARTER}; scope=company",
        "reason": "Both sides agree to try",
        "expires_on": date(2026, 3, 1),
        "waived_by": "marketing: mia; sales: sam",
        "waived_at": datetime(2026, 1, 2),
    }

    def status(day: int, month: int = 2, **changes: Any) -> tuple[str, str | None]:
        found = result(
            check_plan(
                contract,
                LAWS,
                registers={"waivers": Register(({**row, **changes},))},
                as_of=datetime(2026, month, day),
                covering=lambda rows: covers(Waiver(**each) for each in rows),
            ),
            "P2",
        )
        return found.status, found.reason

    assert status(28) == ("waived", "waiver 1 until 2026-03-01: Both sides agree to try")
    assert status(1, month=3) == ("broken", None)
    # Not signed yet on that day.
    assert status(1, month=1) == ("broken", None)
    assert status(28, scope="period=FY2026-Q2") == ("broken", None)
    assert status(28, scope="all")[0] == "waived"
    assert status(28, law="P1") == ("broken", None)


@pytest.mark.parametrize("table", ["plan_target", "plan_policy", "plan_kpi", "plan_scope",
                                   "plan_period", "plan_version", "plan_promise", "dim_kpi",
                                   "plan_person"])  # fmt: skip
def test_an_emptied_table_is_no_pass(table: str) -> None:
    """What the laws read must be there: an empty table says nothing, which is not that all is well.

    `plan_capacity` may be empty: a plan need not state any.
    """
    contract = Contract((version(1, joint_plan()),), ())
    found = tables.rows(
        contract, {}, as_of=datetime(2026, 3, 1), reporting_currency="USD", time_zone="UTC"
    )
    with duckdb.connect() as connection:
        fill(
            connection,
            found,
            as_of=datetime(2026, 3, 1),
            day=date(2026, 3, 1),
            time_zone="UTC",
            currency="USD",
        )
        assert not broken(connection)
        schema = "main" if table == "dim_kpi" else "audit"
        connection.execute(f"delete from {schema}.{table}")
        assert broken(connection)


def broken(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The laws that do not hold, as the judge reads their queries."""
    found = set()
    for law in LAWS:
        offends = connection.execute(law.offenders).fetchall()
        applies = not connection.execute(law.applies).fetchall()
        checked = connection.execute(f"select checked from ({law.measure})").fetchone()
        if offends or (applies and checked == (0,)):
            found.add(law.id)
    return found


# --- Python and SQL agree -------------------------------------------------------------------------

#: Counts and money with up to nine digits after the point, rates up to 1; zero is among them.
_FIGURE = st.one_of(
    st.just(Decimal(0)),
    st.integers(1, 10_000).map(Decimal),
    st.decimals(0, 10_000_000, places=9),
)
_RATE = st.one_of(
    st.sampled_from([Decimal(0), Decimal("0.4"), Decimal(1)]), st.decimals(0, 1, places=9)
)


@st.composite
def funnels(draw: st.DrawFn) -> dict[str, Decimal]:
    """A row of targets: some figures random, some what the ones above them give, or nearly."""
    figures: dict[str, Decimal] = {}
    for metric in metrics():
        kind = draw(st.sampled_from(["none", "random", "derived", "derived"]))
        if kind == "none":
            continue
        if metric.startswith("rate_"):
            figures[metric] = draw(_RATE)
        elif kind == "random" or not (derived := _derived(metric, figures)):
            figures[metric] = draw(_FIGURE)
        else:
            # On the edge of the tolerance and a billionth beside it, where rounding would tell.
            off = draw(st.sampled_from([0, 1, -1])) * (derived / 100)
            near = derived + off + draw(st.sampled_from([0, 1, -1])) * Fraction(1, 10**9)
            digits = max(arithmetic.rounded(near), Fraction(0))
            figures[metric] = Decimal(digits.numerator) / Decimal(digits.denominator)
    return {name: value.quantize(Decimal("1e-9")) for name, value in figures.items()}


def _derived(metric: str, figures: dict[str, Decimal]) -> Fraction | None:
    exact = {name: Fraction(value) for name, value in figures.items()}
    step = next((each for each in arithmetic.funnel(exact) if each.metric == metric), None)
    return step.expected if step else None


@pytest.fixture(scope="module")
def books() -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of the sound plan, of which the properties replace the targets and promises."""
    contract = Contract((version(1, joint_plan()),), ())
    moment = datetime(2026, 3, 1)
    found = tables.rows(contract, {}, as_of=moment, reporting_currency="USD", time_zone="UTC")
    with duckdb.connect() as connection:
        fill(
            connection,
            found,
            as_of=moment,
            day=moment.date(),
            time_zone="UTC",
            currency="USD",
        )
        yield connection


def offenders(connection: duckdb.DuckDBPyConnection, law: str) -> list[dict[str, Any]]:
    found = connection.execute(next(each.offenders for each in LAWS if each.id == law))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def replace_targets(
    connection: duckdb.DuckDBPyConnection, scope: str, figures: dict[str, Decimal]
) -> None:
    connection.execute("delete from audit.plan_target")
    for metric, value in figures.items():
        connection.execute(
            "insert into audit.plan_target (version, period, scope, metric, value, sheet_row)"
            " values (1, ?, ?, ?, ?, 2)",
            [QUARTER, scope, metric, value],
        )


@given(funnels(), st.sampled_from(["company", "channel:events"]))
def test_the_steps_and_p1_agree(
    books: duckdb.DuckDBPyConnection, figures: dict[str, Decimal], scope: str
) -> None:
    replace_targets(books, scope, figures)
    exact = {name: Fraction(value) for name, value in figures.items()}
    needs = arithmetic.needs_rates(exact, is_top=scope == "company")
    expected = {
        step.metric: problem
        for step in arithmetic.funnel(exact)
        if (problem := step.problem(Fraction(1), needs_rates=needs))
    }
    found = offenders(books, "P1")
    assert {row["metric"]: row["problem"] for row in found if row["metric"]} == expected
    for step in arithmetic.funnel(exact):
        for row in found:
            if row["metric"] == step.metric and not step.lacking and step.expected is not None:
                assert abs(Fraction(row["expected"]) - step.expected) <= Fraction(1, 10**4)
            if row["metric"] == step.metric and step.lacking:
                assert row["arithmetic"].startswith(f"missing: {', '.join(step.lacking)}")


@given(funnels(), _FIGURE, st.integers(-3, 3), st.booleans())
def test_the_promise_and_p2_agree(
    books: duckdb.DuckDBPyConnection,
    figures: dict[str, Decimal],
    mqls: Decimal,
    billionths: int,
    at_the_edge: bool,
) -> None:
    figures = {name: value for name, value in figures.items() if name not in ("mqls", "pipeline")}
    replace_targets(books, "company", figures)
    exact = {name: Fraction(value) for name, value in figures.items()}
    steps = arithmetic.multiply_out(Fraction(mqls), exact)
    reached = steps[-1].expected
    edge = (reached or Fraction(1000)) * (Fraction(105, 100) if at_the_edge else 1)
    pipeline = max(arithmetic.rounded(edge) + Fraction(billionths, 10**9), Fraction(0))
    books.execute("delete from audit.plan_promise")
    for department, metric, value in (
        ("marketing", "mqls", mqls),
        ("sales", "pipeline", Decimal(pipeline.numerator) / Decimal(pipeline.denominator)),
    ):
        books.execute(
            "insert into audit.plan_promise"
            " (version, department, period, scope, metric, value, promised_by, sheet_row)"
            " values (1, ?, ?, 'company', ?, cast(? as decimal(38, 9)), null, 2)",
            [department, QUARTER, metric, f"{value:.9f}"],
        )
    is_one = reached is not None and arithmetic.is_near(pipeline, reached, Fraction(5))
    assert (not offenders(books, "P2")) is is_one


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=12), st.integers(-2, 2))
def test_p3_adds_up_any_months(
    books: duckdb.DuckDBPyConnection, months: list[int], off: int
) -> None:
    """A year and its months: broken exactly where they differ by more than half a percent."""
    total = sum(months)
    whole = max(total + off * total // 200 + off, 0)
    books.execute("delete from audit.plan_target")
    figures = [("FY2026", whole), *((f"FY2026-M{n:02d}", v) for n, v in enumerate(months, 1))]
    for period, value in figures:
        books.execute(
            "insert into audit.plan_target (version, period, scope, metric, value, sheet_row)"
            " values (1, ?, 'company', 'budget', ?, 2)",
            [period, value],
        )
    is_near = abs(total - whole) <= max(Fraction(whole, 200), Fraction(1, 2))
    assert (not offenders(books, "P3")) is is_near


# --- What a publication says of its plan ----------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-12-31", None),
        ("2026-01-01", "v1:aa"),
        ("2026-02-28", "v1:aa"),
        # Version 2 is not signed, so version 1 stays in force until version 3 begins.
        ("2026-03-01", "v3:cc"),
    ],
)
def test_the_version_in_force_is_told(day: str, expected: str | None, tmp_path: Path) -> None:
    path = tmp_path / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema audit;
            create table audit.run as select date '{day}' as as_of_date;
            create table audit.plan_version as
            select * from (
                values
                (1, 'aa', true, date '2026-01-01'),
                (2, 'bb', false, date '2026-02-01'),
                (3, 'cc', true, date '2026-03-01')
            ) as versions (version, sha256, is_signed, effective_from);
            create table audit.plan_register as
            select 'notes' as register, 2 as rows, 'ff' as sha256
            """
        )
    facts = facts_of(path, "1")
    assert (facts.plan_version, facts.plan_registers) == (expected, {"notes": (2, "ff")})


# --- The same tables as dbt -----------------------------------------------------------------------


@pytest.mark.slow
def test_check_judges_the_tables_that_dbt_builds(tmp_path: Path) -> None:
    """rows() of locked versions through the real models gives what `check` builds in memory."""
    root = tmp_path / "plan"
    locked(root, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    amended = joint_plan(
        {"effective_from": "2026-03-01", "reason": "Events were cancelled", "title": "Amended"}
        | {"business_hours": "09:00-17:00"},
        {"rates": [{"currency": "EUR", "rate": "1.25"}]},
    )
    locked(root, amended, datetime(2026, 2, 20), SIGNERS.values())
    contract = inspect(root)
    moment = datetime(2026, 3, 31, 23)
    waiver = {
        "number": 1,
        "law": "P6",
        "scope": "all",
        "reason": "Two people begin in May",
        "expires_on": date(2026, 5, 1),
        "waived_by": "marketing: mia; sales: sam",
        "waived_at": datetime(2026, 1, 2),
    }
    found = tables.rows(
        Contract(contract.versions, (FINDING,)),
        {"waivers": Register((waiver,), head=(1, "ff"))},
        as_of=moment,
        reporting_currency="EUR",
        time_zone="UTC",
    )
    warehouse = Warehouse(tmp_path / "books")
    inputs = {
        name: [
            dict(zip([column.name for column in table.columns], row, strict=True))
            for row in found[name]
        ]
        for name, table in tables.TABLES.items()
    }
    inputs["run_parameter"] = [{"as_of": moment, "reporting_currency": "EUR", "time_zone": "UTC"}]
    warehouse.build(inputs, "+audit_run", "+dim_kpi", "stg_landed__plan_*", "+audit_plan_*")
    with duckdb.connect() as connection:
        fill(
            connection,
            found,
            as_of=moment,
            day=date(2026, 3, 31),
            time_zone="UTC",
            currency="EUR",
        )
        names = [f"audit.{name}" for name, table in tables.TABLES.items() if table.is_judged]
        for name in [*names, "main.dim_kpi", "audit.run"]:
            own = connection.execute(f"select * from {name}")
            columns = [column[0] for column in own.description or ()]
            order = ", ".join(f'"{column}"' for column in sorted(columns))
            mine = connection.execute(f"select {order} from {name} order by all").fetchall()
            model = name.replace("audit.", "audit_").removeprefix("main.")
            theirs = warehouse.rows(f"select {order} from {model} order by all")
            assert [tuple(row.values()) for row in theirs] == mine, name
            if name != "audit.run":
                built = warehouse.rows(f"select * from {model} limit 0") or warehouse.rows(
                    f"select column_name from information_schema.columns"
                    f" where table_name = '{model}'"
                )
                assert {row["column_name"] for row in built} == set(columns), name
            assert mine, name
