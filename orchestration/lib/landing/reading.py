"""One file under one mapping, as SQL: the typed rows, the bad cells, the counts, the totals.

Belongs here: how the expressions of `values` over the relation of `files` become statements.
Does not belong here: running them in order and keeping the results (`load`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestration.lib.sources import canonical
from orchestration.lib.sources.config import ColumnSpec, TableSource, did_you_mean
from orchestration.lib.sources.files import SetupError, SourceFile
from orchestration.lib.sources.lookups import open_lookup
from orchestration.lib.sources.values import (
    Cell,
    TypeClash,
    absent,
    constant,
    from_file,
    quoted,
    trimmed,
)

_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """A file whose columns are all accounted for; build it with `of`."""

    source: TableSource
    file: SourceFile
    cells: tuple[Cell, ...]
    #: (reason, SQL over the file's columns) in the order in which they are declared.
    exclusions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, source: TableSource, file: SourceFile) -> Reading:
        """Match declared columns with the file's; SetupError names what does not fit."""
        file.read_header()
        specs = _identity(source, file) if source.columns is None else source.columns
        cells = []
        for column in source.table.columns:
            spec = specs.get(column.name)
            if spec is None:
                cells.append(absent(column, canonical.SQL_TYPE[column.type]))
            elif spec.column is None:
                cells.append(_constant(source, column, spec, file))
            else:
                at = file.index(spec.column)
                try:
                    cells.append(
                        from_file(
                            column,
                            spec,
                            spec.column,
                            f"c{at}",
                            file.types[at],
                            source.table.name,
                            source.nulls,
                            is_excel=file.format == "excel",
                            reporting_zone=source.reporting_zone,
                            lookup=open_lookup(file.con, source, spec.lookup_file)
                            if spec.lookup_file
                            else None,
                        )
                    )
                except TypeClash as error:
                    raise SetupError(f"{file.path}: {error}") from error
        return cls(source, file, tuple(cells), tuple(_exclusions(source, file)))

    @property
    def has_lookups(self) -> bool:
        """Whether any column replaces texts."""
        return any(cell.looked_up for cell in self.cells)

    def _judged(self) -> str:
        """The CTEs up to `judged`: every record, cleaned, typed, and what is to become of it."""
        broken = "_broken" if self.file.format == "jsonl" else "null::varchar"
        cleaned = "".join(
            f"\n        {cell.cleaned} as {cell.text_alias},"
            f"\n        {cell.shown} as r_{cell.column.name},"
            for cell in self.cells
        )
        looked_up = "".join(
            f"\n        {cell.looked_up} as l_{cell.column.name},"
            for cell in self.cells
            if cell.looked_up
        )
        branches = " ".join(
            f"when {condition} then {number}"
            for number, (_, condition) in enumerate(self.exclusions)
        )
        excluded = f"case {branches} end" if branches else "null::integer"
        typed = "".join(
            f"\n        ({cell.value})::{canonical.SQL_TYPE[cell.column.type]}"
            f" as {cell.value_alias},"
            for cell in self.cells
        )
        bad = [cell.bad for cell in self.cells if cell.bad != "false"]
        bad += [f"{cell.text_alias} is null" for cell in self.cells if cell.column.required]
        is_bad = " or ".join(["_broken is not null", *bad])
        # A filter is pushed below the projections and then computes every cast a second time; it
        # cannot be pushed below a row number (12 to 15 % of this statement's CPU, best of five).
        barrier = "row_number() over ()" if self.file.is_text else "1"
        return f"""
    with
    raw as ({self.file.relation()}),
    cells as (
        select
        _line,{cleaned}{looked_up}
        {broken} as _broken,
        case when {broken} is null then {excluded} end as _excluded
        from raw
    ),
    typed as (
        select
        *,{typed}
        from cells
    ),
    judged as (
        select
        *,
        {barrier} as _barrier,
        ({is_bad}) as _is_bad
        from typed
    )"""

    def landed(self, load: int, loaded_at: str) -> str:
        """The good rows in canonical order and types, with their lineage."""
        columns = ",\n        ".join(
            f"{cell.value_alias} as {cell.column.name}" for cell in self.cells
        )
        return f"""{self._judged()}
    select
        {columns},
        {quoted(self.source.feed)}::varchar as _feed,
        {load}::bigint as _load,
        {quoted(self.file.name)}::varchar as _file,
        _line::bigint as _line,
        timestamp '{loaded_at}' as _loaded_at
    from judged
    where _excluded is null and not _is_bad and _barrier > 0"""

    def counts(self) -> str:
        """One row: the records that each exclusion takes, the cells that each lookup replaces."""
        parts = [f"count(*) filter (where _excluded = {i})" for i in range(len(self.exclusions))]
        parts += [f"count(*) filter (where l_{cell.column.name})" for cell in self._looking_up]
        return f"{self._judged()} select {', '.join(parts)} from judged"

    @property
    def _looking_up(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.looked_up]

    def named_counts(self, row: tuple[int, ...]) -> tuple[dict[str, int], dict[str, int]]:
        """The answer of `counts`: rows by the exclusion's reason, cells by the lookup's column."""
        excluded: dict[str, int] = {}
        for (reason, _), rows in zip(self.exclusions, row, strict=False):
            excluded[reason] = excluded.get(reason, 0) + rows
        replaced = row[len(self.exclusions) :]
        lookups = {cell.column.name: n for cell, n in zip(self._looking_up, replaced, strict=True)}
        return excluded, lookups

    def bad_cells(self, load: int, refused: str | None) -> str:
        """The quarantine: one row per bad cell, and one per record that could not be split."""
        structs = []
        for cell in self.cells:
            name = quoted(cell.header or cell.column.name)
            whens = ""
            if cell.column.required:
                empty = quoted(f"is empty, and {cell.column.name} is required")
                whens += f"when {cell.text_alias} is null then {empty} "
            if cell.bad != "false":
                whens += f"when {cell.bad} then {quoted(cell.reason)} "
            if whens:
                structs.append(
                    f"{{'name': {name}, 'value': r_{cell.column.name}::varchar,"
                    f" 'reason': case {whens}end}}"
                )
        listed = ", ".join(structs)
        union = f"union all select _line, null, null, text, reason from ({refused})"
        return f"""{self._judged()},
    bad as (
        select * from judged where _excluded is null and _is_bad
    ),
    cell as (
        select
            _line,
            generate_subscripts([{listed}], 1) as position,
            unnest([{listed}]) as cell
        from bad
        where _broken is null
    ),
    problem as (
        select _line, position, cell.name as name, cell.value as value, cell.reason as reason
        from cell
        where cell.reason is not null
        union all
        select _line, null, null, left(_broken, 2000), 'the line is not a JSON object'
        from bad
        where _broken is not null
        {union if refused else ""}
    )
    select
        {quoted(self.source.feed)}::varchar as feed,
        {quoted(self.source.table.name)}::varchar as table_name,
        {load}::bigint as load,
        {quoted(self.file.name)}::varchar as file,
        _line::bigint as line,
        name::varchar as "column",
        value::varchar as value,
        reason::varchar as reason
    from problem
    order by line, position nulls first"""

    # -- control totals -----------------------------------------------------------------------

    def control_totals(self) -> str:
        """Spend by source, account, month and currency, without the typed statement's casts.

        Cost is read digit by digit into whole nano-units, the month from the text's own places:
        a mistake in `values` moves one of the two sums and not the other.
        """
        by_name = {cell.column.name: cell for cell in self.cells}
        spec_of = self.source.columns or {}
        cost, day = by_name["cost"], by_name["day"]
        nanos = _nanos("t_cost", spec_of.get("cost") or ColumnSpec(column="cost"))
        day_type = self.file.types[self.file.index(day.header)] if day.header else "VARCHAR"
        month = _month(
            "t_day",
            spec_of.get("day") or ColumnSpec(column="day"),
            is_text=day_type == "VARCHAR",
            is_excel=self.file.format == "excel",
            typed=day.value,
        )
        names = ("source", "account", "currency")
        keys = ", ".join(f"({by_name[n].cleaned})::varchar as {n}" for n in names)
        branches = " or ".join(f"coalesce({condition}, false)" for _, condition in self.exclusions)
        return f"""
    with
    raw as ({self.file.relation()}),
    cells as (
        select {keys}, ({cost.cleaned})::varchar as t_cost, {day.cleaned} as t_day
        from raw
        where not ({branches or "false"})
    )
    select
        source,
        account,
        {month} as month,
        currency,
        coalesce(sum({nanos}), 0)::varchar as nanos,
        count(*) as rows
    from cells
    group by all
    order by all"""


def _identity(source: TableSource, file: SourceFile) -> dict[str, ColumnSpec]:
    """The adapter `canonical`: the file's columns are the table's, and no others."""
    names = source.table.column_names
    for name in file.names:
        if name not in names:
            near = did_you_mean(name, names)
            hint = f"; did you mean {near!r}?" if near else ";"
            raise SetupError(
                f"{file.path}:{file.header_lines or 1}: {name or '(unnamed)'!r} is no column of"
                f" {source.table.name}{hint} expected {', '.join(names)}. Rename or remove it, or"
                f" use the adapter `mapped` ({source.declared_at})"
            )
    for column in source.table.columns:
        if column.required and column.name not in file.names:
            raise SetupError(
                f"{file.path}:{file.header_lines or 1}: the required column {column.name!r}"
                f" ({column.description}) is missing; add it"
            )
    return {name: ColumnSpec(column=name) for name in file.names}


def _constant(
    source: TableSource, column: canonical.Column, spec: ColumnSpec, file: SourceFile
) -> Cell:
    cell = constant(column, spec, source.table.name)
    row = file.con.execute(
        f"select {cell.bad} from (select *, {cell.value} as {cell.value_alias}"
        f" from (select {cell.cleaned} as {cell.text_alias}))"
    ).fetchone()
    if row is not None and row[0]:
        raise SetupError(
            f"{source.declared_at}: columns.{column.name}: the constant {spec.constant!r}"
            f" {cell.reason or 'cannot be read'}"
        )
    return cell


def _exclusions(source: TableSource, file: SourceFile) -> list[tuple[str, str]]:
    listed = ", ".join(quoted(item) for item in source.nulls) or "''"
    rules = []
    for rule in source.exclude:
        cell = trimmed(f"c{file.index(rule.column)}::varchar")
        if rule.is_null:
            condition = f"({cell} is null or {cell} in ({listed}))"
        else:
            values = [rule.equals] if rule.equals is not None else rule.in_ or []
            condition = f"{cell} in ({', '.join(quoted(value) for value in values)})"
        rules.append((rule.reason, condition))
    return rules


def _nanos(t: str, spec: ColumnSpec) -> str:
    """The cost in whole nano-units (hugeint), from its digits; null where there are none."""
    mark = spec.decimal
    body = t
    for suffix in spec.suffixes:
        body = f"regexp_replace({body}, {quoted(re.escape(suffix) + ' *$')}, '')"
    digits = f"regexp_replace({body}, '[^0-9{mark}]', '', 'g')"
    whole = f"split_part({digits}, '{mark}', 1)"
    places = f"rpad(left(split_part({digits}, '{mark}', 2), 10), 10, '0')"
    tenths = f"try_cast({whole} || {places} as hugeint)"
    sign = f"case when contains(translate({t}, '−', '-'), '-') then -1 else 1 end"
    half_up = f"({tenths} + 5) // 10"
    exponent = f"round(try_cast({t} as double) * 1e9)::hugeint"
    has_digits = f"regexp_matches({t}, '[0-9]')"
    power = "1"
    if spec.suffixes:
        whens = " ".join(
            f"when ends_with(rtrim({t}), {quoted(suffix)}) then {factor}"
            for suffix, factor in spec.suffixes.items()
        )
        power = f"case {whens} else 1 end"
    divisor = {"units": 1, "cents": 100, "micros": 1_000_000}[spec.scale]
    nanos = f"{sign} * ({half_up}) * {power}"
    nanos = (
        f"case when regexp_matches({t}, '[0-9][eE][+-]?[0-9]') then {exponent}"
        f" when {has_digits} then {nanos} end"
    )
    if divisor == 1:
        return nanos
    return f"(sign({nanos})::hugeint * ((abs({nanos}) + {divisor // 2}) // {divisor}))"


_PLACES = {
    "%Y": "([0-9]{4})", "%y": "([0-9]{2})", "%m": "([0-9]{1,2})", "%-m": "([0-9]{1,2})",
    "%b": "([A-Za-z]{3})[a-z]*", "%B": "([A-Za-z]{3})[a-z]*",
}  # fmt: skip


def _month(t: str, spec: ColumnSpec, *, is_text: bool, is_excel: bool, typed: str) -> str:
    """First day of the month as text (`2025-01-01`), from the places of year and month.

    Where the day itself is computed (typed columns, workbooks' serial days, instants brought into
    the reporting zone) there are no such places, and the typed value is taken.
    """
    form = spec.format or "iso"
    if not is_text or is_excel or spec.time_zone or form in ("excel", *_COMPUTED):
        return f"strftime(date_trunc('month', ({typed})::date), '%Y-%m-01')"
    if form == "iso":
        return f"regexp_extract({t}, '^([0-9]{{4}}-(0[1-9]|1[0-2]))', 1) || '-01'".join(
            ("nullif(", ", '-01')")
        )
    pieces, order = "", []
    for part in re.split(r"(%-?[A-Za-z])", form):
        if part in _PLACES:
            pieces += _PLACES[part]
            order.append(part)
        elif part.startswith("%"):
            pieces += "[^ ]+?" if part not in ("%d", "%-d", "%H", "%M", "%S") else "[0-9]{1,2}"
        else:
            pieces += re.escape(part)
    groups = {part: f"regexp_extract({t}, {quoted('^' + pieces)}, {i + 1})"
              for i, part in enumerate(order)}  # fmt: skip
    year = groups.get("%Y") or f"('20' || {groups['%y']})"
    name = next((groups[part] for part in ("%b", "%B") if part in groups), None)
    if name is not None:
        whens = " ".join(f"when '{m}' then '{i:02d}'" for i, m in enumerate(_MONTHS, 1))
        month = f"case lower({name}) {whens} end"
    else:
        number = groups.get("%m") or groups["%-m"]
        month = f"case when {number} between '0' and '99' then lpad({number}, 2, '0') end"
    return f"case when length({year}) = 4 then {year} || '-' || {month} || '-01' end"


_COMPUTED = ("epoch_seconds", "epoch_millis", "epoch_micros")
