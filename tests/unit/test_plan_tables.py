"""The plan as a run reads it: rows, registers, findings, the definition of qualified."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.lib.landing.inputs import plan_definitions, write_inputs
from orchestration.lib.plan import tables
from orchestration.lib.plan.contract import Contract, Finding, LockedVersion
from orchestration.lib.plan.inspection import inspect
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.registers import Register, read_registers
from orchestration.lib.release.folders import RECEIPT, point_current_at, release_folder
from orchestration.lib.release.receipt import Receipt
from orchestration.lib.sources.config import SourcesError, SourcesFile, load_sources
from orchestration.settings import Home
from tests.support.contracts import SIGNERS, fill_registers, locked, two_versions
from tests.support.joint_plan import QUARTER, joint_plan

AS_OF = datetime(2026, 4, 30, 12)


def version(plan: Plan, number: int = 1, **changes: Any) -> LockedVersion:
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


def found(
    *versions: LockedVersion,
    registers: dict[str, Register] | None = None,
    findings: tuple[Finding, ...] = (),
    as_of: datetime = AS_OF,
    currency: str = "USD",
) -> dict[str, list[dict[str, Any]]]:
    """The rows by column."""
    made = tables.rows(
        Contract(versions, findings),
        registers or {},
        as_of=as_of,
        reporting_currency=currency,
        time_zone="America/New_York",
    )
    return {
        name: [
            dict(zip([column.name for column in table.columns], row, strict=True))
            for row in made[name]
        ]
        for name, table in tables.TABLES.items()
    }


_TYPES: dict[str, tuple[type, ...]] = {
    "varchar": (str,),
    "bigint": (int,),
    "decimal(38, 9)": (Decimal, int),
    "date": (date,),
    "timestamp": (datetime,),
    "boolean": (bool,),
}


def test_every_row_has_its_columns_types_and_keys(tmp_path: Path) -> None:
    locked(tmp_path, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    contract = inspect(tmp_path)
    finding = Finding(1, "v1/plan.csv", 2, "a line was changed", "one", "another")
    made = tables.rows(
        Contract(contract.versions, (finding,)),
        {},
        as_of=AS_OF,
        reporting_currency="USD",
        time_zone="UTC",
    )
    assert made.keys() == tables.TABLES.keys()
    for name, table in tables.TABLES.items():
        keys = set()
        for row in made[name]:
            assert len(row) == len(table.columns), name
            for column, value in zip(table.columns, row, strict=True):
                told = f"{name}.{column.name}: {value!r}"
                assert value is not None or not column.required, told
                assert value is None or isinstance(value, _TYPES[column.type]), told
                assert isinstance(value, bool) is (column.type == "boolean") or value is None, told
            named = dict(zip([column.name for column in table.columns], row, strict=True))
            keys.add(tuple(named[column] for column in table.key))
        assert len(keys) == len(made[name]), name
    assert len(made["plan_day"]) == 365
    assert len(made["plan_period"]) == 17


def test_what_a_sheet_leaves_empty_has_its_default() -> None:
    (policy,) = found(version(joint_plan()))["plan_policy"]
    assert policy == {
        "version": 1,
        "spend_rate": "spend_date",
        "pipeline_rate": "plan",
        "won_rate": "close_date",
        "commitment_policy": "warn",
        "variance_policy": "warn",
        "handoff_policy": "warn",
        "commitment_threshold_minor": 100_000,
        "commitment_grace_days": 5,
        "variance_after_pct": 25,
        "variance_sigma": 2,
        "handoff_share_pct": None,
        "funnel_tolerance_pct": 1,
        "promise_tolerance_pct": 5,
        "rollup_tolerance_pct": Decimal("0.5"),
        "max_cac": 12000,
        "max_payback_months": 6,
        "gross_margin_pct": 80,
        "business_hours": None,
    }
    assert found(version(joint_plan()))["plan_business_day"] == []
    stages = found(version(joint_plan()))["plan_stage"]
    assert [(row["stage"], row["counts"], row["definition"]) for row in stages] == [
        (stage, "first", None) for stage in ("lead", "mql", "sal", "sql")
    ]


def test_what_a_sheet_states_stands() -> None:
    settings = {"funnel_tolerance_pct": "0", "commitment_grace_days": "0", "won_rate": "plan"}
    changed = {
        "stages": [{"stage": "mql", "counts": "latest", "definition": "score 50"}],
        "scopes": [
            {"scope": "company", "level": "company"},
            {"scope": "channel:a", "level": "channel", "parent": "company", "sources": "X; Y; X"},
            {"scope": "stretch:b", "level": "channel", "parent": "company"},
        ],
        "targets": [{"period": QUARTER, "scope": "channel:a", "leads": "0", "acv": "0.5"}],
        "kpis": [
            {"metric": "leads", "owner": "nobody", "curve": ""},
            {"metric": "acv", "owner": "sam", "scope": "channel:a", "sla_hours": "8"}
            | {"trigger_pct": "12.5", "action": "Pause"},
        ],
        "capacity": [],
        "promises": [],
    }
    made = found(version(joint_plan(settings, changed)))
    (policy,) = made["plan_policy"]
    assert (policy["funnel_tolerance_pct"], policy["commitment_grace_days"]) == (0, 0)
    assert policy["won_rate"] == "plan"
    assert [(row["stage"], row["counts"]) for row in made["plan_stage"]][1] == ("mql", "latest")
    assert [(row["scope"], row["member"], row["is_stretch"]) for row in made["plan_scope"]] == [
        ("company", None, False),
        ("channel:a", "a", False),
        ("stretch:b", "b", True),
    ]
    assert [row["source"] for row in made["plan_scope_source"]] == ["X", "Y"]
    assert [(row["metric"], row["value"]) for row in made["plan_target"]] == [
        ("leads", 0),
        ("acv", Decimal("0.5")),
    ]
    assert [(row["owner"], row["owner_department"], row["curve"]) for row in made["plan_kpi"]] == [
        ("nobody", None, "standard"),
        ("sam", "sales", "standard"),
    ]
    assert [(row["trigger_pct"], row["action"]) for row in made["plan_kpi"]] == [
        (None, None),
        (Decimal("12.5"), "Pause"),
    ]


def test_business_days_reach_from_the_plans_first_day_to_its_last_or_to_the_run() -> None:
    plan = joint_plan({"business_hours": "9:00-17:00"})
    days = found(version(plan))["plan_business_day"]
    assert (days[0]["day"], days[-1]["day"]) == (date(2026, 1, 1), date(2026, 12, 31))
    assert days[0]["opens_at"] == datetime(2026, 1, 1, 14)
    later = found(version(plan), as_of=datetime(2027, 2, 1, 1))["plan_business_day"]
    assert later[-1]["day"] == date(2027, 2, 2)


@pytest.mark.parametrize(
    ("threshold", "own", "reporting", "rates", "minor"),
    [
        ("1000", "USD", "USD", {}, 100_000),
        ("0.005", "USD", "USD", {}, 1),  # half a cent rounds up
        ("1000", "EUR", "USD", {"USD": "0.8"}, 125_000),  # 0.8 euros a dollar
        ("1000", "USD", "JPY", {"JPY": "0.0064"}, 156_250),  # the yen has no cents
        ("1000", "JPY", "KWD", {"KWD": "470"}, 2_128),  # the dinar has 1,000 fils
        ("999999999999999999", "KWD", "KWD", {}, 2**63 - 1),
    ],
)
def test_the_threshold_is_in_the_reporting_currency(
    threshold: str, own: str, reporting: str, rates: dict[str, str], minor: int
) -> None:
    plan = joint_plan(
        {"currency": own, "commitment_threshold": threshold},
        {"rates": [{"currency": name, "rate": rate} for name, rate in rates.items()]},
    )
    made = found(version(plan), currency=reporting)
    assert made["plan_policy"][0]["commitment_threshold_minor"] == minor
    assert not made["plan_problem"]
    assert {row["currency"]: row["rate"] for row in made["plan_rate"]} == {
        own: 1,
        **{name: Decimal(rate) for name, rate in rates.items()},
    }


def test_a_plan_without_the_rate_it_needs_is_a_problem() -> None:
    made = found(version(joint_plan()), currency="EUR")
    assert made["plan_policy"][0]["commitment_threshold_minor"] == 0
    (problem,) = made["plan_problem"]
    assert (problem["problem_number"], problem["version"]) == (1, 1)
    assert (problem["file"], problem["expected"], problem["found"]) == (
        "v1/rates.csv",
        "a row for EUR",
        "USD",
    )


@pytest.mark.parametrize(
    ("currency", "rate", "expected"),
    [("USD", "1.1", "1: it is the plan's own"), ("EUR", "0", "a rate above 0")],
)
def test_a_rate_that_cannot_be_is_a_problem(currency: str, rate: str, expected: str) -> None:
    rates = [{"currency": "CHF", "rate": "1.2"}, {"currency": currency, "rate": rate}]
    made = found(version(joint_plan({}, {"rates": rates})))
    (problem,) = made["plan_problem"]
    assert (problem["line"], problem["expected"], problem["found"]) == (3, expected, rate)
    assert {row["currency"] for row in made["plan_rate"]} == {"USD", "CHF"}


def test_findings_of_versions_and_registers_are_numbered() -> None:
    one = Finding(1, "v1/targets.csv", 7, "a line was changed", "abc", "def")
    two = Finding(None, "waivers.csv", None, "a row is gone")
    made = found(
        version(joint_plan()), findings=(one,), registers={"waivers": Register((), (two,))}
    )
    assert [
        (row["problem_number"], row["file"], row["line"], row["expected"])
        for row in made["plan_problem"]
    ] == [(1, "v1/targets.csv", 7, "abc"), (2, "waivers.csv", None, None)]


def test_a_version_that_cannot_be_read_has_no_rows() -> None:
    unread = replace(version(joint_plan()), plan=None)
    made = found(unread, findings=(Finding(1, "v1", None, "gone"),))
    assert [name for name, rows in made.items() if rows] == ["plan_problem"]


def test_a_row_of_a_register_counts_from_when_it_was_signed(tmp_path: Path) -> None:
    two_versions(tmp_path)
    fill_registers(tmp_path)
    contract = inspect(tmp_path)
    registers = read_registers(tmp_path, contract)
    names = ("plan_commitment", "plan_note", "plan_waiver", "plan_explanation")
    total = sum(len(register.rows) for register in registers.values())
    assert total >= len(names)

    def counted(as_of: datetime) -> int:
        made = tables.rows(
            contract, registers, as_of=as_of, reporting_currency="USD", time_zone="UTC"
        )
        assert not made["plan_problem"]
        return sum(len(made[name]) for name in names)

    assert counted(datetime(2030, 1, 1)) == total
    assert counted(datetime(2020, 1, 1)) == 0


def test_versions_say_when_they_are_in_force(tmp_path: Path) -> None:
    two_versions(tmp_path)
    made = tables.rows(
        inspect(tmp_path), {}, as_of=AS_OF, reporting_currency="USD", time_zone="UTC"
    )
    columns = [column.name for column in tables.TABLES["plan_version"].columns]
    first, second = (dict(zip(columns, row, strict=True)) for row in made["plan_version"])
    assert (first["effective_from"], first["effective_to"]) == (
        date(2026, 1, 1),
        date(2026, 4, 1),
    )
    assert (second["effective_from"], second["effective_to"]) == (date(2026, 4, 1), None)
    assert second["reason"] == "Half of the leads came back"
    assert first["signed_by"] == "finance: fred; marketing: mia; sales: sam"
    assert first["is_signed"] and len(first["sha256"]) == 64


# --- The definition of qualified ------------------------------------------------------------------


def qualified(number: int, first_day: str, **settings: str) -> LockedVersion:
    return version(joint_plan({"effective_from": first_day, **settings}), number)


def test_the_definition_is_that_of_the_signed_versions() -> None:
    contract = Contract(
        (
            qualified(1, "2026-01-01", qualified_min_score="50"),
            # An amended target is no changed definition.
            qualified(2, "2026-02-01", qualified_min_score="50", title="Amended"),
            qualified(
                3,
                "2026-03-01",
                qualified_min_score="60",
                qualified_exclude_test="no",
                qualified_exclude_email_domains="Example.org; test.com",
            ),
            replace(qualified(4, "2026-04-01", qualified_min_score="1"), is_signed=False),
            replace(qualified(5, "2026-05-01"), plan=None),
        ),
        (),
    )
    assert [
        (
            each.version,
            each.from_,
            each.min_score,
            each.exclude_test,
            each.exclude_email_domains,
        )
        for each in plan_definitions(contract)
    ] == [
        ("plan v1", date(2026, 1, 1), 50, True, []),
        ("plan v3", date(2026, 3, 1), 60, False, ["Example.org", "test.com"]),
    ]
    assert plan_definitions(Contract((), ())) == []


# --- sources.yml and the inputs of a run ----------------------------------------------------------

SOURCES = """\
version: 1
company:
  name: Larkfield Software
  reporting_currency: USD
  time_zone: America/New_York
  plan: plan
sources:
  crm:
    adapter: canonical
    path: crm
"""


def sources(folder: Path, text: str = SOURCES) -> SourcesFile:
    (folder / "sources.yml").write_text(text, encoding="utf-8")
    return load_sources(folder / "sources.yml")


def test_the_plan_is_beside_sources_yml(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    assert sources(tmp_path).plan_root == (tmp_path / "plan").resolve()
    assert sources(tmp_path, SOURCES.replace("  plan: plan\n", "")).plan_root is None


def test_a_plan_that_is_not_there_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SourcesError) as caught:
        sources(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (6, "company.plan")
    assert f"found no folder {tmp_path / 'plan'}" in problem.message


def test_there_is_one_definition_of_qualified(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    text = SOURCES.replace(
        "  plan: plan\n", "  plan: plan\n  qualified:\n    - version: v1\n      min_score: 5\n"
    )
    with pytest.raises(SourcesError) as caught:
        sources(tmp_path, text)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (7, "company.qualified")
    assert "beside `plan`" in problem.message


def inputs(home: Home, given: SourcesFile, as_of: datetime = AS_OF) -> duckdb.DuckDBPyConnection:
    """Write the inputs of a run without any file of a source; the connection reads them."""
    connection = duckdb.connect()
    write_inputs(connection, home, given, as_of, {})
    return connection


def read(connection: duckdb.DuckDBPyConnection, home: Home, table: str, what: str) -> list[Any]:
    folder = home.inputs / table
    return connection.execute(
        f"select {what} from read_parquet('{folder}/*.parquet') order by all"
    ).fetchall()


def test_a_run_reads_the_plan_and_its_definition(tmp_path: Path) -> None:
    locked(
        tmp_path / "plan",
        joint_plan({"qualified_min_score": "40", "qualified_exclude_email_domains": "A.com"}),
        datetime(2025, 12, 20),
        SIGNERS.values(),
    )
    home = Home(tmp_path / "home")
    with inputs(home, sources(tmp_path)) as connection:
        assert read(connection, home, "plan_version", "version, is_signed") == [(1, True)]
        assert read(connection, home, "plan_problem", "problem") == []
        assert read(connection, home, "plan_target", "count(*), sum(value)")[0][0] == 29
        # The first day begins at midnight in New York.
        assert read(connection, home, "qualified_definition", "version, valid_from, min_score") == [
            ("plan v1", datetime(2026, 1, 1, 5), 40)
        ]
        assert read(connection, home, "excluded_domain", "version, domain") == [
            ("plan v1", "a.com")
        ]


def test_without_a_signed_version_a_lead_is_qualified_without_conditions(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    home = Home(tmp_path / "home")
    with inputs(home, sources(tmp_path)) as connection:
        assert read(connection, home, "qualified_definition", "version, min_score") == [
            ("default", None)
        ]
        assert read(connection, home, "plan_version", "version") == []


def test_a_version_of_the_future_may_wait_for_its_signatures(tmp_path: Path) -> None:
    """The day is that of the reporting zone: at 04:00 UTC it is still 31 March in New York."""
    root = tmp_path / "plan"
    locked(root, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    second = joint_plan({"effective_from": "2026-04-01", "reason": "Events were cancelled"})
    locked(root, second, datetime(2026, 3, 20))
    home = Home(tmp_path / "home")
    with inputs(home, sources(tmp_path), datetime(2026, 4, 1, 3)) as connection:
        assert read(connection, home, "plan_problem", "problem") == []
    with inputs(home, sources(tmp_path), datetime(2026, 4, 1, 4)) as connection:
        assert read(connection, home, "plan_problem", "count(*)") != [(0,)]


def published_with(home: Home, plan_version: str | None) -> None:
    """A current publication whose receipt names that version of the plan."""
    receipt = Receipt(
        format=1, number=1, previous=None, passed=True, as_of="2026-01-31T00:00:00Z",
        sealed_at="2026-01-31T00:00:00Z", plan_version=plan_version, code_version="1",
        company="Larkfield Software", reporting_currency="USD", engine="duckdb",
        content_algorithm="1", content_sha256="0", file_sha256="0", file_bytes=0, laws=(),
        tables=(), freshness=(), changes={}, not_compared=(),
    )  # fmt: skip
    folder = release_folder(home, 1)
    folder.mkdir(parents=True)
    (folder / RECEIPT).write_text(receipt.to_json(), encoding="utf-8")
    point_current_at(home, 1)


@pytest.mark.parametrize("is_same", [True, False])
def test_another_plan_than_the_one_published_with_is_found_out(
    is_same: bool, tmp_path: Path
) -> None:
    """A root that was replaced whole, with good signatures, shows by the last receipt."""
    root = tmp_path / "plan"
    made = locked(root, joint_plan(), datetime(2025, 12, 20), SIGNERS.values())
    home = Home(tmp_path / "home")
    published_with(home, f"v1:{made.sha256 if is_same else 'f' * 64}")
    with inputs(home, sources(tmp_path)) as connection:
        problems = read(connection, home, "plan_problem", "problem, expected, found")
    if is_same:
        assert problems == []
    else:
        assert "f" * 64 in str(problems)


def test_a_receipt_names_the_version_in_force() -> None:
    def head(text: str | None) -> tuple[int, str] | None:
        made: dict[str, Any] = dict.fromkeys(Receipt.__dataclass_fields__)
        return Receipt(**made | {"plan_version": text}).plan_head

    assert head(f"v12:{'a' * 64}") == (12, "a" * 64)
    assert head(None) is None and head("2") is None and head("v0:ab") is None
