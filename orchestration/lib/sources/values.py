"""From a cell of a file to a typed value, as SQL: every declared format is one expression.

Belongs here: how text, numbers, dates, instants and booleans are read, and what is said of a cell
that cannot be. A format belongs to a column, never to a cell: an expression never tries a second
format. Values are over the alias `t_…` of the cleaned cell; `bad` says which cannot be read.
The spelling is chosen by measurement: these expressions are what landing spends its time on
(seconds per million cells, duckdb 1.5.5: `trim` 0.14, a guard that finds nothing to trim 0.02).
Does not belong here: files (`files`) and statements (`orchestration.lib.landing`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestration.lib.sources.canonical import Column
from orchestration.lib.sources.config import ColumnSpec

#: What a spreadsheet writes where a formula failed; no name or id looks like this.
SHEET_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")
#: Blanks that exports use inside numbers: no-break, narrow no-break, figure and thin space.
_BLANKS = "\u00a0\u202f\u2007\u2009"
_TRIMMED = " \t\r\n" + _BLANKS
#: Before this no lead was made: a two-digit year read as the year 24 is caught here.
_FIRST_DAY = "1900-01-01"
#: Domains of text columns whose values the books rely on.
_DOMAINS = {
    "currency": ("not regexp_full_match({t}, '[A-Z]{{3}}')", "is not an ISO 4217 code, e.g. EUR"),
    "kind@spend": (
        "{t} not in ('media', 'credit', 'overhead')",
        "is none of media, credit, overhead",
    ),
}
_INTEGERS = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
}  # fmt: skip
_FLOATS = {"FLOAT", "DOUBLE"}


class TypeClash(ValueError):
    """A typed file delivers a column in a type that cannot carry what is meant."""


def quoted(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Cell:
    """How one canonical column comes out of one file."""

    column: Column
    #: The file's own name of the column, for messages; None for constants and absent columns.
    header: str | None
    #: SQL over the file's columns: the cell as it stands, cleaned and null where it means null.
    cleaned: str
    #: SQL over `t_<name>`: the typed value, null where it cannot be read.
    value: str
    #: SQL over `t_<name>`, `v_<name>`: the cell cannot be read. "false" where it always can.
    bad: str
    #: What is said of a bad cell.
    reason: str
    #: SQL over the file's columns that is true where a lookup replaced the text, if there is one.
    looked_up: str | None = None
    #: SQL over the file's columns: the cell as text, for messages.
    shown: str = "null::varchar"

    @property
    def text_alias(self) -> str:
        """Alias of the cleaned cell."""
        return f"t_{self.column.name}"

    @property
    def value_alias(self) -> str:
        """Alias of the typed value."""
        return f"v_{self.column.name}"


def absent(column: Column, sql_type: str) -> Cell:
    """A canonical column that the file does not have: unknown, so null."""
    null = f"null::{sql_type}"
    return Cell(column, None, null, f"t_{column.name}", "false", "")


def constant(column: Column, spec: ColumnSpec, table: str) -> Cell:
    """A declared constant, read by the same rules as a cell."""
    text = quoted(spec.constant or "")
    return _from_text(column, spec, None, f"{text}::varchar", table, is_excel=False, zone="UTC")


def from_file(
    column: Column,
    spec: ColumnSpec,
    header: str,
    source: str,
    source_type: str,
    table: str,
    nulls: tuple[str, ...],
    *,
    is_excel: bool,
    reporting_zone: str,
    lookup: str | None = None,
) -> Cell:
    """The cell of a file's column: `source` is its SQL name, `source_type` its DuckDB type.

    `lookup` names the relation `key, value` (unique keys) of a declared lookup file.
    """
    if lookup is not None and source_type in _INTEGERS:
        source, source_type = f"{source}::varchar", "VARCHAR"
    if source_type == "VARCHAR":
        if spec.nulls is None:
            spec = spec.model_copy(update={"nulls": list(nulls)})
        return _from_text(column, spec, header, source, table, is_excel, reporting_zone, lookup)
    return _from_typed(column, spec, header, source, source_type, table)


def _from_text(
    column: Column,
    spec: ColumnSpec,
    header: str | None,
    source: str,
    table: str,
    is_excel: bool,
    zone: str,
    lookup: str | None = None,
) -> Cell:
    text = trimmed(source) if spec.trim else source
    nulls = [item for item in (spec.nulls or []) if item]
    if nulls:
        listed = ", ".join(quoted(item) for item in nulls)
        text = f"case when {text} not in ({listed}) then {text} end"
    if spec.case != "keep":
        text = f"{spec.case}({text})"
    looked_up, known = None, ""
    if lookup is not None:
        looked_up = f"coalesce({text} in (select key from {lookup}), false)"
        found = f"(select found.value from {lookup} as found where found.key = {text})"
        # A key whose value is empty is known: the answer is empty, not the key.
        kept = f"case when {text} in (select key from {lookup}) then {found} else {text} end"
        text = found if spec.otherwise == "empty" else kept
        known = f"select value from {lookup}"
    elif spec.lookup:
        keys = ", ".join(quoted(key) for key in spec.lookup)
        looked_up = f"coalesce({text} in ({keys}), false)"
        branches = " ".join(f"when {quoted(k)} then {quoted(v)}" for k, v in spec.lookup.items())
        known = ", ".join(quoted(item) for item in sorted(set(spec.lookup.values())))
        rest = f"case when {text} in ({known}) then {text} end"
        text = f"case {text} {branches} else {rest if spec.otherwise == 'empty' else text} end"
    t = f"t_{column.name}"
    value, bad, reason = _read_text(column, spec, t, table, is_excel, zone)
    if spec.otherwise == "quarantine":
        value = f"case when {t} in ({known}) then {value} end"
        bad, reason = _unread(column, t), "is not among the values of the declared lookup"
    shown = source if header is not None else "null::varchar"
    return Cell(column, header, text, value, bad, reason, looked_up, shown)


def trimmed(source: str) -> str:
    """Without blanks and no-break blanks at either end, null where nothing is left.

    `trim` costs more than splitting the line; hardly any cell needs it, and what may need it
    sorts before '!' (empty, blank, tab) or begins or ends with a blank.
    """
    blank, hard = quoted(" "), quoted("\u00a0")
    needs = (
        f"{source} < '!' or ends_with({source}, {blank})"
        f" or starts_with({source}, {hard}) or ends_with({source}, {hard})"
    )
    return (
        f"case when {needs} then nullif(trim({source}, {quoted(_TRIMMED)}), '') else {source} end"
    )


def _unread(column: Column, t: str) -> str:
    """True, never null, of a cell that has a text and no value."""
    v = f"v_{column.name}"
    early = f" or {v} < '{_FIRST_DAY}'" if column.type in ("date", "instant") else ""
    return f"({t} is not null and ({v} is null{early}))"


def _read_text(
    column: Column, spec: ColumnSpec, t: str, table: str, is_excel: bool, zone: str
) -> tuple[str, str, str]:
    """Value, condition that is true of a bad cell, and what is said of one."""
    if column.type == "text":
        return _text(column, t, table, is_excel)
    value, reason = _parsed(column, spec, t, is_excel, zone)
    return value, _unread(column, t), reason


def _parsed(column: Column, spec: ColumnSpec, t: str, is_excel: bool, zone: str) -> tuple[str, str]:
    if column.type == "boolean":
        return _boolean(spec, t)
    if column.type == "integer":
        number, marks = _plain_number(spec, t)
        number = number if marks else t
        body = f"case when regexp_full_match({number}, '[+-]?[0-9]+([.]0*)?') then {number} end"
        if spec.suffixes:
            return f"try_cast({_decimal(spec, t)} as bigint)", f"is not a whole number{marks}"
        return f"try_cast({body} as bigint)", f"is not a whole number{marks}"
    if column.type == "decimal":
        return _decimal(spec, t), f"is not a number{_plain_number(spec, t)[1]}"
    if column.type == "date":
        return _date(spec, t, is_excel, zone)
    return _instant(spec, t, is_excel)


def _text(column: Column, t: str, table: str, is_excel: bool) -> tuple[str, str, str]:
    errors = ", ".join(quoted(error) for error in SHEET_ERRORS)
    bad = f"(starts_with({t}, '#') and {t} in ({errors}))"
    reason = "is a spreadsheet error"
    if is_excel:
        # A workbook keeps 15 digits of a number: an id stored as one is not the id any more.
        bad += f" or regexp_full_match({t}, '-?[0-9]([.][0-9]+)?[eE][+]?[0-9]+')"
        reason = "is a spreadsheet error or a number that has lost digits (format ids as text)"
    domain = _DOMAINS.get(column.name) or _DOMAINS.get(f"{column.name}@{table}")
    if domain:
        bad, reason = domain[0].format(t=t), domain[1]
    return t, f"coalesce({bad}, false)", reason


def _boolean(spec: ColumnSpec, t: str) -> tuple[str, str]:
    if spec.true_values or spec.false_values:
        yes, no, value = spec.true_values, spec.false_values, t
        said = f"is neither {'/'.join(yes) or '(nothing)'} nor {'/'.join(no) or '(nothing)'}"
    else:
        yes, no = ["true", "t", "yes", "y", "1"], ["false", "f", "no", "n", "0"]
        value, said = f"lower({t})", "is neither true/t/yes/y/1 nor false/f/no/n/0"
    listed = {
        answer: ", ".join(quoted(item) for item in items) or "null"
        for answer, items in (("true", yes), ("false", no))
    }
    whens = " ".join(f"when {value} in ({items}) then {a}" for a, items in listed.items())
    return f"case {whens} end", said


def _plain_number(spec: ColumnSpec, t: str) -> tuple[str, str]:
    """The number with a point and no other mark, or null; and the declared marks in words."""
    if not (spec.thousands or spec.decimal == "," or spec.symbols or spec.suffixes):
        # DuckDB reads 1_000 as a thousand; nothing declared that.
        return f"case when not contains({t}, '_') then {t} end", ""
    text = f"translate({t}, {quoted(_BLANKS + '−')}, {quoted(' ' * len(_BLANKS) + '-')})"
    for symbol in sorted(spec.symbols, key=len, reverse=True):
        plain = re.sub(f"[{_BLANKS}]", " ", symbol)
        text = f"replace({text}, {quoted(plain)}, '')"
    for suffix in spec.suffixes:
        text = f"regexp_replace({text}, {quoted(re.escape(suffix) + ' *$')}, '')"
    text = f"trim({text})"
    mark = re.escape(spec.decimal)
    whole = "[0-9]*"
    if spec.thousands:
        group = {"'": "['’]", "’": "['’]"}.get(spec.thousands, re.escape(spec.thousands))
        whole = f"([0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]*)"
    shape = f"[+-]? *{whole}({mark}[0-9]*)?([eE][+-]?[0-9]+)?"
    bare = f"regexp_replace({text}, '[ ’'']', '', 'g')"
    if spec.thousands in (".", ","):
        bare = f"replace({bare}, {quoted(spec.thousands)}, '')"
    if spec.decimal == ",":
        bare = f"replace({bare}, ',', '.')"
    marks = f" (decimal mark {spec.decimal!r}"
    marks += f", thousands {spec.thousands!r}" if spec.thousands else ", no thousands mark"
    marks += f", symbols {' '.join(spec.symbols)}" if spec.symbols else ""
    marks += f", suffixes {' '.join(spec.suffixes)})" if spec.suffixes else ")"
    return f"case when regexp_full_match({text}, {quoted(shape)}) then {bare} end", marks


def _exact(number: str, width: int, scale: int) -> str:
    """An exact decimal from text; 18 digits suffice for nearly all cells.

    Casting text to a decimal of 38 digits takes 6 s per million cells, to one of 18 digits
    0.03 s (duckdb 1.5.5): the wide cast is only for what does not fit the narrow one.
    """
    narrow = f"try_cast({number} as decimal(18, {scale}))::decimal({width}, {scale})"
    return f"coalesce({narrow}, try_cast({number} as decimal({width}, {scale})))"


def _decimal(spec: ColumnSpec, t: str) -> str:
    """Exact to nine decimals: float noise (-2e-18, 99.99999999999996) is rounded away."""
    number, _ = _plain_number(spec, t)
    if spec.scale == "micros":
        return f"({_exact(number, 32, 3)} * 0.000001::decimal(6, 6))"
    if spec.scale == "cents":
        return f"({_exact(number, 36, 7)} * 0.01::decimal(2, 2))"
    if not spec.suffixes:
        return _exact(number, 38, 9)
    whens = []
    for suffix, factor in spec.suffixes.items():
        digits = len(str(factor))
        scaled = f"{_exact(number, 38 - digits, 9)} * {factor}::decimal({digits}, 0)"
        whens.append(f"when ends_with(rtrim({t}), {quoted(suffix)}) then {scaled}")
    return f"case {' '.join(whens)} else {_exact(number, 38, 9)} end"


def _date(spec: ColumnSpec, t: str, is_excel: bool, zone: str) -> tuple[str, str]:
    form = spec.format or ("excel" if is_excel else "iso")
    if form == "iso" and spec.time_zone is None:
        day = f"case when length({t}) = 10 then try_cast({t} as date) end"
        return day, "is not a day of the form 2025-01-31"
    if spec.time_zone is not None or form in _EPOCHS:
        # An instant: its day is the one in the reporting time zone.
        instant, reason = _instant(spec, t, is_excel)
        local = f"timezone({quoted(zone)}, timezone('UTC', {instant}))"
        return f"cast({local} as date)", reason
    instant, reason = _local(form, t)
    return f"cast({instant} as date)", reason


def _local(form: str, t: str) -> tuple[str, str]:
    """A wall-clock timestamp by declared format; for formats that carry no offset."""
    if form == "excel":
        days = f"try_cast({t} as double)"
        micros = f"(round({days} * 86400000)::bigint * 1000 - 2209161600000000)"
        value = f"case when {days} between 1 and 2958466 then make_timestamp({micros}) end"
        return value, "is not a date cell of a workbook"
    return f"try_strptime({t}, {quoted(form)})", f"is not a date of the form {form}"


def _utc(zoned: str) -> str:
    """An instant with a zone as naive UTC; through its microseconds, which costs no calendar."""
    return f"make_timestamp(epoch_us({zoned}))"


_EPOCHS = {"epoch_seconds": 1_000_000, "epoch_millis": 1_000, "epoch_micros": 1}


def _instant(spec: ColumnSpec, t: str, is_excel: bool) -> tuple[str, str]:
    """Naive UTC. A wall clock is read in the declared zone (UTC if none).

    Wall clocks that a change of the clock skips or repeats have one answer, always the same: a
    skipped time is read with the offset from before the change, so it moves forward by the gap;
    a repeated one is its second occurrence (standard time). That is ICU's rule, pinned by tests.
    """
    form, zone = spec.format or ("excel" if is_excel else "iso"), spec.time_zone or "UTC"
    if form in _EPOCHS:
        number = f"try_cast({t} as decimal(24, 6))"
        micros = f"cast({number} * {_EPOCHS[form]} as bigint)"
        named = form.removeprefix("epoch_")
        return (
            f"make_timestamp({micros})",
            f"is not a number of {named} since 1970",
        )
    if form == "iso":
        reason = "is not an instant of the form 2025-01-31 15:30:00 or 2025-01-31T15:30:00+01:00"
        # `cast(… as timestamp)` ignores an offset: only a text without one may be cast so.
        is_wall = f"{t} like '____-__-_____:__:__'"
        any_zone = _utc(f"try_cast({t} as timestamptz)")
        if zone == "UTC":
            value = (
                f"case when {is_wall} or {t} like '____-__-_____:__:__Z'"
                f" then try_cast({t} as timestamp) when length({t}) >= 10 then {any_zone} end"
            )
            return value, reason
        has_offset = (
            rf"regexp_matches({t}, ':[0-9]{{2}}([.][0-9]+)? *([Zz]|[+-][0-9:]+|[A-Za-z/_]+)$')"
        )
        value = (
            f"case when length({t}) < 10 then null"
            f" when not ({is_wall}) and {has_offset} then {any_zone}"
            f" else {_in_zone(f'try_cast({t} as timestamp)', zone)} end"
        )
        return value, reason
    local, reason = _local(form, t)
    if "%z" in form or "%Z" in form:
        return _utc(local), reason
    return _in_zone(local, zone), reason


def _in_zone(wall: str, zone: str) -> str:
    return wall if zone == "UTC" else _utc(f"timezone({quoted(zone)}, {wall})")


def _from_typed(
    column: Column, spec: ColumnSpec, header: str, source: str, source_type: str, table: str
) -> Cell:
    """A column of a Parquet file that has a type of its own."""
    base = source_type.partition("(")[0]
    t = f"t_{column.name}"
    zoned, naive, day = "TIMESTAMP WITH TIME ZONE", base.startswith("TIMESTAMP"), base == "DATE"
    number = base in _INTEGERS or base in _FLOATS or base == "DECIMAL"
    value, reason = None, "cannot be represented"
    if column.type == "text" and base not in _FLOATS and (base in _INTEGERS or base != "DECIMAL"):
        cell = _from_text(column, spec, header, f"{source}::varchar", table, False, "UTC")
        return cell
    if column.type == "decimal" and number and not spec.symbols:
        value = _decimal_of_number(spec, t)
    elif column.type == "integer" and base in _INTEGERS:
        value = f"try_cast({t} as bigint)"
    elif column.type == "integer" and number:
        value, reason = (
            f"case when {t} = floor({t}) then try_cast({t} as bigint) end",
            "has decimals",
        )
    elif column.type == "boolean" and base == "BOOLEAN":
        value = t
    elif column.type == "instant" and base == zoned:
        value = _utc(t)
    elif column.type == "instant" and (naive or day):
        value = _in_zone(f"cast({t} as timestamp)", spec.time_zone or "UTC")
    elif column.type == "date" and base == zoned:
        value = f"cast({_utc(t)} as date)"
    elif column.type == "date" and (naive or day):
        value = f"cast({t} as date)"
    if value is None:
        advice = (
            "ids and texts lose digits as floating point; export the column as text"
            if column.type == "text"
            else f"export it as text or as {column.type}"
        )
        raise TypeClash(
            f"column {header!r} is of type {source_type}, expected something that holds"
            f" {column.name} ({column.type}); {advice}"
        )
    bad = _unread(column, t)
    return Cell(column, header, source, value, bad, reason, None, f"{source}::varchar")


def _decimal_of_number(spec: ColumnSpec, t: str) -> str:
    if spec.scale == "micros":
        return f"(try_cast({t} as decimal(32, 3)) * 0.000001::decimal(6, 6))"
    if spec.scale == "cents":
        return f"(try_cast({t} as decimal(36, 7)) * 0.01::decimal(2, 2))"
    return f"try_cast({t} as decimal(38, 9))"
