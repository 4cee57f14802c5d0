"""The judge: holds one candidate file against the laws, with Great Expectations on DuckDB.

The candidate is opened read-only, without access to anything outside it, with bounded memory. Each
law is one suite of three rules, whose results are then read with suspicion:

- whatever raised is an error, whatever its severity, and an error is never a pass;
- the canaries (a rule that must fail with known rows, one that must pass, one that must raise) go
  through the same connection and the same rules each time; if one misbehaves, nothing was judged;
- a law that looked at nothing is broken, and so is one whose totals differ although no row offends.

Belongs here: running rules, reading their results. Does not belong here: what a law says
(`laws/*.sql`), who asks (`client`), what happens next (publishing).
"""

from __future__ import annotations

import datetime
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)

from expectations import dialect
from expectations.laws import QUERIES, Law, load_laws
from expectations.rules import NoRows, SomethingMeasured
from expectations.verdict import MAX_ROWS, LawResult, Severity, Verdict
from expectations.waiver import Waiver, covers

RULES: dict[str, type[UnexpectedRowsExpectation]] = {
    "applies": NoRows,
    "measure": SomethingMeasured,
    "offenders": NoRows,
}

#: Braces, a colon, a percent sign and quotes must arrive as they were written.
_CANARY_TEXT = "{a} 100% :b 'c'"

Progress = Callable[[str], None]


class UnsoundJudgeError(RuntimeError):
    """The judge cannot be trusted: a canary misbehaved, or a result has an unknown shape."""


@dataclass(frozen=True)
class Limits:
    """What the judge may use of the machine."""

    memory: str = "2GB"
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True)
class _Outcome:
    """One rule's result: its rows, or what it raised."""

    success: bool
    rows: list[dict[str, Any]]
    raised: str | None


@dataclass(frozen=True)
class _Run:
    """What the candidate says about its own run, and what its configuration tolerates."""

    as_of: str
    currency: str
    tolerances: dict[tuple[str, str], int]
    #: The waivers that hold on the day of `as_of`.
    waivers: tuple[Waiver, ...]


#: A law's id and its query's name.
_Key = tuple[str, str]
#: What judges a query's rows, and the query.
_Rule = tuple[type[UnexpectedRowsExpectation], str]


def judge(
    candidate: Path,
    *,
    laws: Mapping[str, Law] | None = None,
    limits: Limits | None = None,
    scheme: str | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Holds the file `candidate` against the laws.

    Never raises for what the candidate holds: a verdict with `error` set has not passed.
    """
    started = time.perf_counter()
    laws = load_laws() if laws is None else laws
    try:
        if not candidate.is_file():
            raise FileNotFoundError(f"no candidate at {candidate}")
        with _opened(candidate, limits or Limits(), scheme or dialect.register()) as case:
            run = case.run_row()
            _check_canaries(case)
            results = []
            for law in laws.values():
                if progress is not None:
                    progress(law.id)
                results.append(_result(law, run, case))
        return Verdict.of(
            results,
            as_of=run.as_of,
            currency=run.currency,
            notes=_notes(laws, run),
            error=None,
            seconds=round(time.perf_counter() - started, 3),
        )
    except Exception as error:  # noqa: BLE001 - the boundary: any failure is a verdict of error
        reason = _one_line(error)
        return Verdict.of(
            [_unjudged(law, reason) for law in laws.values()],
            as_of=None,
            currency=None,
            notes=[],
            error=reason,
            seconds=round(time.perf_counter() - started, 3),
        )


def warm_up() -> None:
    """Judges an empty file once, so that the first real verdict finds everything loaded."""
    with tempfile.TemporaryDirectory(prefix="tieout-gate-") as folder:
        empty = Path(folder) / "empty.duckdb"
        with duckdb.connect(str(empty)) as connection:
            connection.execute(_EMPTY)
        verdict = judge(empty, laws={})
    if verdict.error is not None:
        raise UnsoundJudgeError(verdict.error)


_EMPTY = """
create schema audit;
create table audit.run as
select
    timestamp '2000-01-01' as as_of,
    date '2000-01-01' as as_of_date,
    'USD' as reporting_currency;
create table audit.plan_waiver (
    number bigint, law varchar, scope varchar, reason varchar, expires_on date
);
create table audit.tolerance (feed varchar, kind varchar, name varchar, at_most bigint);
"""


@contextmanager
def _opened(candidate: Path, limits: Limits, scheme: str) -> Iterator[_Case]:
    """The candidate as a batch of Great Expectations; every engine is disposed at the end."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.variables.analytics_enabled = False
    with tempfile.TemporaryDirectory(prefix="tieout-gate-") as scratch:
        # The path goes in as an argument, not in the URL: a `$` in a URL is a variable to GX.
        connection: dict[str, Any] = {
            "database": str(candidate),
            "read_only": True,
            "config": {
                "enable_external_access": False,
                "autoinstall_known_extensions": False,
                "memory_limit": limits.memory,
                "threads": limits.threads,
                "temp_directory": scratch,
                "lock_configuration": True,
            },
        }
        source = context.data_sources.add_sql(
            "candidate",
            connection_string=f"{scheme}://",
            create_temp_table=False,
            # GX's type stub leaves this parameter out; its documentation and code have it.
            kwargs={"connect_args": connection},  # type: ignore[call-arg]
        )
        try:
            asset = source.add_query_asset("run", query="select * from audit.run")
            batch = asset.add_batch_definition_whole_table("whole").get_batch()
            yield _Case(source.get_engine(), batch)
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()


@dataclass(frozen=True)
class _Case:
    """An opened candidate."""

    engine: sa.Engine
    batch: Any

    def rows(self, query: str) -> list[dict[str, Any]]:
        """All rows of a query that is no rule."""
        with self.engine.connect() as connection:
            result = connection.execute(sa.text(_bind_free(query)))
            return [dict(row) for row in result.mappings()]

    def run_row(self) -> _Run:
        """What audit.run, audit.tolerance and audit.plan_waiver say."""
        runs = self.rows("select as_of, reporting_currency from audit.run")
        if len(runs) != 1:
            raise UnsoundJudgeError(f"audit.run has {len(runs)} rows; expected exactly one")
        tolerances = self.rows(
            "select feed, name, min(at_most) as at_most from audit.tolerance"
            " where kind = 'law' group by feed, name"
        )
        waivers = self.rows(
            "select number, law, scope, reason, expires_on from audit.plan_waiver"
            " where expires_on > (select as_of_date from audit.run) order by number"
        )
        return _Run(
            as_of=str(_plain(runs[0]["as_of"])),
            currency=str(runs[0]["reporting_currency"]),
            tolerances={(row["feed"], row["name"]): int(row["at_most"]) for row in tolerances},
            waivers=tuple(Waiver(**row) for row in waivers),
        )

    def outcomes(self, rules: Mapping[_Key, _Rule]) -> dict[_Key, _Outcome]:
        """Runs these rules as one suite; if one of them raises, GX runs them all several times."""
        suite = gx.ExpectationSuite(
            name=next(iter(rules))[0],
            expectations=[_expectation(kind, query, key) for key, (kind, query) in rules.items()],
        )
        report = self.batch.validate(suite, result_format={"result_format": "COMPLETE"})
        outcomes = {
            (
                item.expectation_config.meta["law"],
                item.expectation_config.meta["query"],
            ): _outcome(item)
            for item in report.results
        }
        if outcomes.keys() != rules.keys():
            raise UnsoundJudgeError(f"{list(rules)} gave results for {list(outcomes)}")
        return outcomes


def _expectation(
    rule: type[UnexpectedRowsExpectation], query: str, key: _Key
) -> UnexpectedRowsExpectation:
    law, name = key
    # GX prints a warning for a query without {batch}; in the comment it satisfies it.
    text = f"/* law {law} {name}, in batch {{batch}} */\n" + _bind_free(query).replace(
        "{", "{{"
    ).replace("}", "}}")
    return rule(unexpected_rows_query=text, meta={"law": law, "query": name})


def _bind_free(query: str) -> str:
    """The query with its colons escaped, which SQLAlchemy would take for parameters."""
    return query.replace(":", "\\:")


_CANARY = "canary"
_MUST_FAIL = (_CANARY, "must fail")
_MUST_PASS = (_CANARY, "must pass")
_MUST_RAISE = (_CANARY, "must raise")
_MUST_MEASURE = (_CANARY, "must measure")
_MUST_NOT_MEASURE = (_CANARY, "must not measure")
_CANARY_TEXT_SQL = _CANARY_TEXT.replace("'", "''")
_CANARIES: dict[_Key, _Rule] = {
    _MUST_FAIL: (
        NoRows,
        f"select number, '{_CANARY_TEXT_SQL}' as text"
        " from (values (1), (2), (3)) as canary (number) cross join audit.run order by number",
    ),
    _MUST_PASS: (NoRows, "select as_of from audit.run where false"),
    _MUST_RAISE: (NoRows, "select no_such_column from audit.run"),
    _MUST_MEASURE: (SomethingMeasured, "select count(*) as checked from audit.run"),
    _MUST_NOT_MEASURE: (SomethingMeasured, "select count(*) as checked from audit.run where false"),
}


def _check_canaries(case: _Case) -> None:
    """Raises UnsoundJudgeError unless every canary did exactly what it must."""
    calm = {key: rule for key, rule in _CANARIES.items() if key != _MUST_RAISE}
    outcomes = case.outcomes(calm) | case.outcomes({_MUST_RAISE: _CANARIES[_MUST_RAISE]})
    failing = outcomes[_MUST_FAIL]
    expected = [{"number": number, "text": _CANARY_TEXT} for number in (1, 2, 3)]
    raising = outcomes[_MUST_RAISE]
    sound = {
        "must fail": failing.raised is None and not failing.success and failing.rows == expected,
        "must pass": outcomes[_MUST_PASS] == _Outcome(True, [], None),
        "must raise": raising.raised is not None and not raising.success,
        "must measure": outcomes[_MUST_MEASURE] == _Outcome(True, [{"checked": 1}], None),
        "must not measure": outcomes[_MUST_NOT_MEASURE] == _Outcome(False, [{"checked": 0}], None),
    }
    dead = [name for name, is_sound in sound.items() if not is_sound]
    if dead:
        raise UnsoundJudgeError(
            f"the canary that {' and the one that '.join(dead)} did not: Great Expectations does "
            "not see the rows of this file, so no law was judged (see expectations/dialect.py)"
        )


def _outcome(item: Any) -> _Outcome:
    raised = _raised(item.exception_info)
    if raised is not None:
        return _Outcome(False, [], raised)
    rows = item.result["details"]["unexpected_rows"]
    return _Outcome(
        bool(item.success),
        [{key: _plain(value) for key, value in row.items()} for row in rows],
        None,
    )


def _raised(info: Any) -> str | None:
    """What a rule raised, or None. GX has two shapes: one report, or one per metric."""
    if not isinstance(info, dict):
        raise UnsoundJudgeError(f"exception_info is a {type(info).__name__}; expected a dict")
    reports = [info] if "raised_exception" in info else list(info.values())
    messages = [
        _without_sql(str(report.get("exception_message") or "raised, and does not say what"))
        for report in reports
        if report.get("raised_exception")
    ]
    if messages:
        return " · ".join(dict.fromkeys(messages))
    if not reports:
        raise UnsoundJudgeError("exception_info is empty; expected raised_exception")
    return None


def _without_sql(message: str) -> str:
    """The message on one line, without the whole query that SQLAlchemy appends to it."""
    return " ".join(message.split("[SQL:", 1)[0].split())


def _result(law: Law, run: _Run, case: _Case) -> LawResult:
    """One law's result out of its three rules."""
    started = time.perf_counter()
    try:
        outcomes = case.outcomes(
            {(law.id, name): (RULES[name], getattr(law, name)) for name in QUERIES}
        )
        parts = {name: outcome for (_, name), outcome in outcomes.items()}
        raised = [f"{name}: {part.raised}" for name, part in parts.items() if part.raised]
        result = _unjudged(law, " · ".join(raised)) if raised else _weighed(law, parts, run, case)
    except Exception as error:  # noqa: BLE001 - one law's failure is that law's error
        result = _unjudged(law, _one_line(error))
    return replace(result, seconds=round(time.perf_counter() - started, 3))


def _weighed(law: Law, parts: Mapping[str, _Outcome], run: _Run, case: _Case) -> LawResult:
    """The result of a law none of whose rules raised."""
    offenders = parts["offenders"].rows
    count = len(offenders) if len(offenders) < MAX_ROWS else _count(law, case)
    if len(parts["measure"].rows) != 1:
        raise UnsoundJudgeError(f"measure gave {len(parts['measure'].rows)} rows; expected one")
    measure = parts["measure"].rows[0]
    expected, actual = measure["expected"], measure["actual"]
    difference = measure["difference"]
    if actual is None and expected is not None:
        actual, difference = count, count - expected
    forgiven = _forgiven(law, offenders, count, run, case) if count else None
    waived, not_waived = _waived(law, offenders, count, run, case)

    if count == 0 and parts["applies"].rows:
        status, reason = "not applicable", str(parts["applies"].rows[0]["reason"])
    elif not parts["measure"].success:
        status, reason = "broken", "nothing was checked: the tables that this law reads are empty"
    elif count and forgiven is None and waived == count:
        status, reason = "waived", _by_whom(law, offenders, run)
    elif count and forgiven is None:
        status, reason = "broken", None
        if waived:
            reason = f"{waived} rows more are waived: {_by_whom(law, offenders, run)}"
            count, offenders = count - waived, not_waived
    elif count:
        status, reason = "held", f"{forgiven} rows are within the declared tolerance"
    elif difference is None or difference != 0:
        status, reason = "broken", "the totals differ although no single row offends"
    else:
        status, reason = "held", None
    return LawResult(
        law=law.id,
        title=law.title,
        severity=_severity(law, case),
        status=status,  # type: ignore[arg-type]
        reason=reason,
        expected=expected,
        actual=actual,
        difference=difference,
        unit=law.unit,
        currency=_currency(law, measure, run),
        checked=measure["checked"],
        offending_count=count,
        offending_rows=offenders,
        tolerated=forgiven or 0,
        waived=waived if status in ("waived", "broken") else 0,
        checks={name: part.success for name, part in parts.items()},
        owner=law.owner,
        seconds=0.0,
    )


def _currency(law: Law, measure: Mapping[str, Any], run: _Run) -> str | None:
    """The currency of expected and actual; None where they are no money, or of several."""
    if law.unit != "minor":
        return None
    currency: str | None = measure.get("currency", run.currency)
    return currency


def _count(law: Law, case: _Case) -> int:
    rows = case.rows(f"select count(*) as rows from (\n{law.offenders}\n)")
    return int(rows[0]["rows"])


def _forgiven(
    law: Law, offenders: list[dict[str, Any]], count: int, run: _Run, case: _Case
) -> int | None:
    """How many source rows the tolerances forgive, or None unless they forgive every row."""
    if not law.forgivable:
        return None
    weight = "rows" if "rows" in offenders[0] else None
    if count == len(offenders):
        weights: dict[str | None, int] = {}
        for row in offenders:
            weights[row["feed"]] = weights.get(row["feed"], 0) + (row[weight] if weight else 1)
    else:
        total = "sum(rows)" if weight else "count(*)"
        query = f"select feed, {total} as weight from (\n{law.offenders}\n) group by feed"
        weights = {row["feed"]: int(row["weight"]) for row in case.rows(query)}
    for feed, rows in weights.items():
        if feed is None or rows > run.tolerances.get((feed, law.id), 0):
            return None
    return sum(weights.values())


def _severity(law: Law, case: _Case) -> Severity:
    """How much the law weighs in these books: as the plan in force says, else as its header."""
    rows = case.rows(law.severity_query) if law.severity_query else []
    if not rows:
        return law.severity
    found = rows[0]["severity"]
    if len(rows) > 1 or found not in ("block", "warn"):
        raise UnsoundJudgeError(f"severity gave {rows}; expected one row, block or warn")
    return found  # type: ignore[no-any-return]


def _holding(law: Law, offenders: list[dict[str, Any]], run: _Run) -> list[Waiver]:
    """The waivers of this law that cover any of its rows."""
    if not law.waivable or not offenders:
        return []
    return [
        waiver
        for waiver in run.waivers
        if waiver.law == law.id and waiver.unknown_columns(offenders[0]) == []
    ]


def _waived(
    law: Law, offenders: list[dict[str, Any]], count: int, run: _Run, case: _Case
) -> tuple[int, list[dict[str, Any]]]:
    """How many offending rows are waived, and the first 200 of those that are not."""
    waivers = _holding(law, offenders, run)
    if not waivers:
        return 0, offenders
    query = f"select * from (\n{law.offenders}\n) where not ({covers(waivers)})"
    left = case.rows(f"select count(*) as rows from (\n{query}\n)")
    rows = [
        {key: _plain(value) for key, value in row.items()}
        for row in case.rows(f"{query}\nlimit {MAX_ROWS}")
    ]
    return count - int(left[0]["rows"]), rows


def _by_whom(law: Law, offenders: list[dict[str, Any]], run: _Run) -> str:
    return "; ".join(
        f"waiver {waiver.number} for {waiver.scope}, until {waiver.expires_on}: {waiver.reason}"
        for waiver in _holding(law, offenders, run)
    )


def _notes(laws: Mapping[str, Law], run: _Run) -> list[str]:
    """What the configuration tolerates in vain, and what is waived in vain."""
    notes = []
    for feed, name in sorted(run.tolerances):
        if name not in laws:
            notes.append(f"{feed}: tolerances: laws: {name}: there is no such law")
        elif not laws[name].forgivable:
            notes.append(f"{feed}: tolerances: laws: {name}: this law forgives nothing; ignored")
    for waiver in run.waivers:
        if waiver.law not in laws:
            notes.append(f"waiver {waiver.number}: {waiver.law}: there is no such law")
        elif not laws[waiver.law].waivable:
            notes.append(
                f"waiver {waiver.number}: {waiver.law}: this law cannot be waived; ignored"
            )
    return notes


def _unjudged(law: Law, reason: str) -> LawResult:
    return LawResult(
        law=law.id,
        title=law.title,
        severity=law.severity,
        status="error",
        reason=reason,
        expected=None,
        actual=None,
        difference=None,
        unit=law.unit,
        currency=None,
        checked=None,
        offending_count=0,
        offending_rows=[],
        tolerated=0,
        waived=0,
        checks={},
        owner=law.owner,
        seconds=0.0,
    )


def _plain(value: Any) -> Any:
    """The value as JSON can hold it; whole decimals become integers, others text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    return str(value)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {_without_sql(str(error))}"
