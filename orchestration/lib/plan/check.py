"""`plan check`: a plan against the laws before anybody signs it, spends or runs anything.

Belongs here: running the laws' own SQL on the tables a run would read, in memory; which rows of the
plan are shown step by step; the cell an offending row stands in. Does not belong here: the laws
(`expectations`, handed in by the caller), the steps (`arithmetic`), the terminal
(`orchestration.cli.plan.check`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

import duckdb

from orchestration.lib.plan import arithmetic, tables
from orchestration.lib.plan.arithmetic import Remedy, Step
from orchestration.lib.plan.contract import Contract, LockedVersion
from orchestration.lib.plan.model import Plan
from orchestration.lib.plan.registers import Register
from orchestration.lib.plan.sheets import SETTINGS, SHEETS, kpis, metrics

Status = Literal["held", "broken", "waived", "not applicable"]

#: The law on locks, chain and signatures: a draft has none of them yet.
OF_LOCKED = "P5"
#: The number that a draft is judged as.
DRAFT = 1

_DIM_KPI = tuple(
    (name, "boolean" if name == "is_additive" else "bigint" if name == "ordinal" else "varchar")
    for name in kpis()[0]
)


class LawText(Protocol):
    """What a law says (`expectations.laws.Law` is one)."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def owner(self) -> str: ...  # noqa: D102
    @property
    def what_to_do(self) -> str: ...  # noqa: D102
    @property
    def waivable(self) -> bool: ...  # noqa: D102
    @property
    def applies(self) -> str: ...  # noqa: D102
    @property
    def measure(self) -> str: ...  # noqa: D102
    @property
    def offenders(self) -> str: ...  # noqa: D102


#: From waivers (rows with number, law, scope, reason, expires_on) to the condition, in SQL, on a
#: row that one of them covers: `expectations.waiver.covers`, which lib does not import.
Covering = Callable[[Sequence[Mapping[str, Any]]], str]


@dataclass(frozen=True)
class Place:
    """Where an offending row stands: in a sheet, with its cell in the workbook, or in a file.

    Of the sheet `plan` the row is that of the workbook, which has a fixed one for each setting.
    """

    sheet: str
    row: int | None
    column: str | None

    @property
    def cell(self) -> str | None:
        """`Targets!H3`: the workbook has the columns of the sheet in their order."""
        if self.row is None or self.column is None or self.sheet not in SHEETS:
            return None
        sheet = SHEETS[self.sheet]
        title = f"'{sheet.title}'" if " " in sheet.title else sheet.title
        return f"{title}!{_letters(sheet.column_names.index(self.column) + 1)}{self.row}"

    def __str__(self) -> str:
        if self.sheet not in SHEETS:
            return self.sheet if self.row is None else f"{self.sheet}:{self.row}"
        if self.row is None:
            return f"sheet {self.sheet}"
        cell = f" ({self.cell})" if self.cell else ""
        return f"sheet {self.sheet}, row {self.row}{cell}"


@dataclass(frozen=True)
class Offence:
    """One offending row; `values` as the law gives them, numbers as text."""

    values: Mapping[str, Any]
    place: Place
    is_waived: bool = False


@dataclass(frozen=True)
class Result:
    """One law on this plan; `reason` says why where it does not apply or is waived."""

    law: str
    title: str
    status: Status
    reason: str | None
    checked: int
    offences: tuple[Offence, ...]
    owner: str
    what_to_do: str


@dataclass(frozen=True)
class Promise:
    """What two departments promise for one period and scope, and whether it is one plan.

    `steps` lead from the MQLs to `multiplied_out`, None where a rate is missing.
    """

    mqls: Fraction
    mqls_by: str
    pipeline: Fraction
    pipeline_by: str
    steps: tuple[Step, ...]
    is_one_plan: bool
    remedies: tuple[Remedy, ...]

    @property
    def multiplied_out(self) -> Fraction | None:
        """The pipeline that the MQLs come to."""
        return self.steps[-1].expected

    @property
    def gap(self) -> Fraction | None:
        """Promised pipeline less that; above zero something is missing."""
        found = self.multiplied_out
        return None if found is None else self.pipeline - found


@dataclass(frozen=True)
class Funnel:
    """A row of targets, step by step, and the promises of its period and scope.

    `problems` has what law P1 finds wrong with each step, by its metric; `is_longest`: of the top
    scope, in the longest periods that it has targets for.
    """

    version: int
    period: str
    scope: str
    sheet_row: int | None
    currency: str
    steps: tuple[Step, ...]
    problems: Mapping[str, str]
    promises: tuple[Promise, ...]
    is_longest: bool

    @property
    def is_sound(self) -> bool:
        """Every step multiplies out, and what is promised is one plan."""
        return not self.problems and all(promise.is_one_plan for promise in self.promises)


@dataclass(frozen=True)
class Report:
    """Everything that `plan check` has to say; `is_sound` when no law is broken."""

    title: str
    versions: tuple[int, ...]
    is_draft: bool
    results: tuple[Result, ...]
    funnels: tuple[Funnel, ...]

    @property
    def is_sound(self) -> bool:
        """No law is broken; a waived one is not."""
        return not any(result.status == "broken" for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: figures as text, exact to the digits that the laws keep."""
        return {
            "title": self.title,
            "versions": list(self.versions),
            "is_draft": self.is_draft,
            "is_sound": self.is_sound,
            "laws": [_result_as_dict(result) for result in self.results],
            "funnels": [_funnel_as_dict(funnel) for funnel in self.funnels],
        }


def check_plan(
    given: Plan | Contract,
    laws: Iterable[LawText],
    *,
    registers: Mapping[str, Register] | None = None,
    as_of: datetime | None = None,
    time_zone: str = "UTC",
    reporting_currency: str | None = None,
    covering: Covering | None = None,
) -> Report:
    """Hold a draft, or locked versions, against the laws.

    A draft is judged as version 1 and needs no lock and no signature. Of locked versions
    those that are not superseded on the day of `as_of` are judged, all of them by all laws.

    Args:
        given: the draft, or the contract as `locking.inspect` gives it.
        laws: those to judge by.
        registers: what people have added; of it only waivers matter here.
        as_of: instant in UTC without a zone; now by default.
        time_zone: in which `as_of` is a day.
        reporting_currency: by default the plan's own.
        covering: what a waiver's scope means; without it nothing is waived.
    """
    is_draft = isinstance(given, Plan)
    contract = _as_contract(given) if isinstance(given, Plan) else given
    moment = as_of or datetime.now(UTC).replace(tzinfo=None)
    day = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()
    newest = next((each.plan for each in reversed(contract.versions) if each.plan), None)
    # Without a version that can be read nothing is in any currency.
    currency = reporting_currency or (str(newest.settings["currency"]) if newest else "XXX")
    found = tables.rows(
        contract,
        registers or {},
        as_of=moment,
        reporting_currency=currency,
        time_zone=time_zone,
    )
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        fill(connection, found, as_of=moment, day=day, time_zone=time_zone, currency=currency)
        results = [
            _judge(connection, law, _holding(found, law, day), covering)
            for law in laws
            # A draft has no lock yet; what else is wrong with it is told under the same law.
            if not (is_draft and law.id == OF_LOCKED and not found["plan_problem"])
        ]
    if is_draft:
        results = [_without_lock(result) for result in results]
    current = [
        each
        for each in contract.versions
        if each.plan is not None and (each.effective_to is None or each.effective_to > day)
    ]
    return Report(
        title=str(newest.settings["title"]) if newest else "no plan",
        versions=tuple(each.number for each in current),
        is_draft=is_draft,
        results=tuple(results),
        funnels=tuple(funnel for each in current for funnel in _funnels(each)),
    )


def fill(
    connection: duckdb.DuckDBPyConnection,
    found: Mapping[str, Sequence[Sequence[Any]]],
    *,
    as_of: datetime,
    day: date,
    time_zone: str,
    currency: str,
) -> None:
    """Make the tables that the laws read, as a candidate has them: `audit.plan_*` and two more."""
    connection.execute("create schema audit")
    for table in tables.TABLES.values():
        if table.is_judged:
            columns = [(column.name, column.type) for column in table.columns]
            _create(connection, f"audit.{table.name}", columns, found[table.name])
    _create(connection, "main.dim_kpi", _DIM_KPI, [tuple(row.values()) for row in kpis()])
    _create(
        connection,
        "audit.run",
        (
            ("as_of", "timestamp"),
            ("as_of_date", "date"),
            ("reporting_currency", "varchar"),
            ("time_zone", "varchar"),
        ),
        [(as_of, day, currency, time_zone)],
    )


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[Any]],
) -> None:
    """A table with these rows, which travel as one text: a statement each would be slow."""
    texts = [[None if cell is None or cell == "" else str(cell) for cell in row] for row in rows]
    casts = ", ".join(
        f'r[{number}]::{kind} as "{column}"' for number, (column, kind) in enumerate(columns, 1)
    )
    connection.execute(
        f"create table {name} as select {casts}"
        " from (select unnest(from_json(cast(? as json), '[[\"varchar\"]]')) as r)",
        [json.dumps(texts, ensure_ascii=False)],
    )


def _as_contract(plan: Plan) -> Contract:
    """A draft as if it were locked, without a lock or a signature."""
    first_day: Any = plan.settings["effective_from"]
    reason = plan.settings["reason"]
    draft = LockedVersion(
        number=DRAFT,
        folder=Path("draft"),
        plan=plan,
        sha256="",
        previous_sha256=None,
        effective_from=first_day,
        effective_to=None,
        reason=None if reason is None else str(reason),
        locked_at=datetime.combine(first_day, time()),
        signed_by={},
        is_signed=False,
    )
    return Contract((draft,), ())


# --- Laws ----------------------------------------------------------------------------------------


def _holding(
    found: Mapping[str, Sequence[Sequence[Any]]], law: LawText, day: date
) -> list[dict[str, Any]]:
    """The waivers of a law that have not expired."""
    columns = [column.name for column in tables.TABLES["plan_waiver"].columns]
    wanted = ("number", "law", "scope", "reason", "expires_on")
    waivers = [dict(zip(columns, row, strict=True)) for row in found["plan_waiver"]]
    return [
        {name: waiver[name] for name in wanted}
        for waiver in waivers
        if law.waivable and waiver["law"] == law.id and waiver["expires_on"] > day
    ]


def _judge(
    connection: duckdb.DuckDBPyConnection,
    law: LawText,
    waivers: Sequence[Mapping[str, Any]],
    covering: Covering | None,
) -> Result:
    covered = covering(waivers) if covering is not None and waivers else "false"
    offences = tuple(
        Offence(
            {name: value for name, value in row.items() if name not in ("feed", "is_waived")},
            _place(row),
            bool(row["is_waived"]),
        )
        for row in _rows(connection, f"select *, {covered} as is_waived from (\n{law.offenders}\n)")
    )
    applies = _rows(connection, law.applies)
    checked = int(_rows(connection, law.measure)[0]["checked"])
    status: Status
    reason: str | None = None
    if not offences and applies:
        status, reason = "not applicable", str(applies[0]["reason"])
    elif checked == 0:
        status, reason = "broken", "nothing was checked: the sheets that this law reads are empty"
    elif not offences:
        status = "held"
    elif all(offence.is_waived for offence in offences):
        status = "waived"
        reason = "; ".join(
            f"waiver {each['number']} until {each['expires_on']}: {each['reason']}"
            for each in waivers
        )
    else:
        status = "broken"
    return Result(law.id, law.title, status, reason, checked, offences, law.owner, law.what_to_do)


def _without_lock(result: Result) -> Result:
    """Of the law on locks only what stands in a file: a draft is in force on no day."""
    if result.law != OF_LOCKED:
        return result
    return replace(result, offences=tuple(each for each in result.offences if each.values["file"]))


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


#: The column that an offending row of a sheet is about, where the law does not name one.
_COLUMN = {"promises": "value", "capacity": "reps", "kpis": "metric", "plan": "value"}


def _place(row: Mapping[str, Any]) -> Place:
    """Where a law's row stands in the sheets; P5 names files, not sheets."""
    sheet, number = row.get("sheet"), row.get("sheet_row")
    if sheet is None:
        return Place(str(row.get("file") or "plan"), row.get("line"), None)
    column = row.get("sheet_column")
    if column is None and sheet == "targets":
        column = row["metric"] if row.get("metric") in metrics() else "budget"
    if sheet == "plan":
        number = [setting.name for setting in SETTINGS].index(row["setting"]) + 2
    return Place(str(sheet), number, str(column or _COLUMN[str(sheet)]))


def _letters(number: int) -> str:
    """The name of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


# --- Arithmetic ----------------------------------------------------------------------------------

_KINDS = ("year", "quarter", "month")


def _funnels(version: LockedVersion) -> list[Funnel]:
    """The rows that are shown: the top scope in its longest periods, and all that is promised."""
    plan = version.plan
    if plan is None:
        return []
    policy = tables.policy(plan)
    funnel_pct = arithmetic.fraction(policy["funnel_tolerance_pct"])
    promise_pct = arithmetic.fraction(policy["promise_tolerance_pct"])
    tops = {row["scope"] for row in plan.rows("scopes") if row["parent"] is None}
    promised = {(row["period"], row["scope"]) for row in plan.rows("promises")}
    targets = {(str(row["period"]), str(row["scope"])): row for row in plan.rows("targets")}
    kinds = {plan.periods[period].kind for period, scope in targets if scope in tops}
    longest = min(kinds, key=_KINDS.index, default=None)
    shown = [
        (period, scope)
        for period, scope in dict.fromkeys([*targets, *((str(p), str(s)) for p, s in promised)])
        if (scope in tops and plan.periods[period].kind == longest) or (period, scope) in promised
    ]
    found = []
    for period, scope in sorted(shown, key=lambda each: _order(plan, *each)):
        row = targets.get((period, scope))
        figures: dict[str, Fraction] = {}
        for metric in metrics() if row is not None else ():
            value = row[metric]  # type: ignore[index]
            if isinstance(value, Decimal):
                figures[metric] = arithmetic.fraction(value)
        steps = arithmetic.funnel(figures)
        needs = arithmetic.needs_rates(figures, is_top=scope in tops)
        problems = {step.metric: step.problem(funnel_pct, needs_rates=needs) for step in steps}
        found.append(
            Funnel(
                version=version.number,
                period=period,
                scope=scope,
                sheet_row=None if row is None else row.number,
                currency=str(plan.settings["currency"]),
                steps=steps,
                problems={name: told for name, told in problems.items() if told},
                promises=_promises(plan, period, scope, figures, promise_pct),
                is_longest=scope in tops and plan.periods[period].kind == longest,
            )
        )
    return found


def _order(plan: Plan, period: str, scope: str) -> tuple[Any, ...]:
    found = plan.periods[period]
    scopes = [row["scope"] for row in plan.rows("scopes")]
    return (_KINDS.index(found.kind), found.start, scopes.index(scope))


def _promises(
    plan: Plan, period: str, scope: str, figures: arithmetic.Figures, tolerance: Fraction
) -> tuple[Promise, ...]:
    """Every promise of MQLs with every promise of pipeline, as law P2 pairs them."""
    promised = {
        metric: [
            (arithmetic.fraction(row["value"]), str(row["department"]))  # type: ignore[arg-type]
            for row in plan.rows("promises")
            if (row["period"], row["scope"], row["metric"]) == (period, scope, metric)
        ]
        for metric in ("mqls", "pipeline")
    }
    found = []
    for mqls, mqls_by in promised["mqls"]:
        for pipeline, pipeline_by in promised["pipeline"]:
            steps = arithmetic.multiply_out(mqls, figures)
            reached = steps[-1].expected
            is_one = reached is not None and arithmetic.is_near(pipeline, reached, tolerance)
            found.append(
                Promise(
                    mqls=mqls,
                    mqls_by=mqls_by,
                    pipeline=pipeline,
                    pipeline_by=pipeline_by,
                    steps=steps,
                    is_one_plan=is_one,
                    remedies=() if is_one else arithmetic.remedies(mqls, figures, pipeline),
                )
            )
    return tuple(found)


# --- JSON ----------------------------------------------------------------------------------------


def decimal_text(value: Fraction | None, digits: int = 9) -> str | None:
    """A fraction in digits, rounded half up; None stays None."""
    if value is None:
        return None
    scaled = (abs(value) * 10**digits + arithmetic.HALF).__floor__()
    whole, part = divmod(scaled, 10**digits)
    text = f"{whole}.{part:0{digits}}".rstrip("0").rstrip(".") if digits else str(whole)
    return f"-{text}" if value < 0 and scaled else text


def _result_as_dict(result: Result) -> dict[str, Any]:
    return {
        "law": result.law,
        "title": result.title,
        "status": result.status,
        "reason": result.reason,
        "checked": result.checked,
        "owner": result.owner,
        "what_to_do": result.what_to_do,
        "rows": [
            {
                **{name: _plain(value) for name, value in offence.values.items()},
                "cell": offence.place.cell,
                "is_waived": offence.is_waived,
            }
            for offence in result.offences
        ],
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _funnel_as_dict(funnel: Funnel) -> dict[str, Any]:
    return {
        "version": funnel.version,
        "period": funnel.period,
        "scope": funnel.scope,
        "sheet_row": funnel.sheet_row,
        "currency": funnel.currency,
        "steps": [
            _step_as_dict(step) | {"problem": funnel.problems.get(step.metric)}
            for step in funnel.steps
        ],
        "promises": [
            {
                "mqls": decimal_text(promise.mqls),
                "mqls_by": promise.mqls_by,
                "pipeline": decimal_text(promise.pipeline),
                "pipeline_by": promise.pipeline_by,
                "multiplied_out": decimal_text(promise.multiplied_out),
                "gap": decimal_text(promise.gap),
                "is_one_plan": promise.is_one_plan,
                "steps": [_step_as_dict(step) for step in promise.steps],
                "would_close_it": [
                    {
                        "metric": remedy.metric,
                        "now": decimal_text(remedy.now),
                        "needed": decimal_text(remedy.needed),
                        "is_possible": remedy.is_possible,
                    }
                    for remedy in promise.remedies
                ],
            }
            for promise in funnel.promises
        ],
    }


def _step_as_dict(step: Step) -> dict[str, Any]:
    return {
        "metric": step.metric,
        "origin": step.origin,
        "factor": step.factor,
        "operation": "÷" if step.is_division else "×",
        "start": decimal_text(step.start),
        "rate": decimal_text(step.rate),
        "expected": decimal_text(step.expected),
        "stated": decimal_text(step.stated),
        "lacking": list(step.lacking),
        "implied": decimal_text(step.implied),
    }
