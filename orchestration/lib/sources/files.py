"""Files as relations: what is in a file, without judging what it means.

Belongs here: formats, headers, the bytes of a file (hash, lines, records), and the SQL that gives
every record of it as `_line, c0, c1, …`, all text unless the file itself has types.
Does not belong here: types and mappings (`values`), where loads are kept (`landing`).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import importlib.util
import io
import itertools
import json
import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orchestration.lib.sources.config import SUFFIXES, Format, TableSource, did_you_mean
from orchestration.lib.sources.values import identifier, quoted

if TYPE_CHECKING:
    import duckdb

_CHUNK = 4 << 20
_HEAD = 1 << 20
_SAMPLED_JSON_LINES = 1000
_UTF8 = ("utf-8", "ascii", "utf-8-sig")


class SetupError(ValueError):
    """A file or its mapping is wrong as a whole: nothing of the run lands."""


def format_of(source: TableSource, path: Path) -> Format:
    """The declared format, or the one the suffix names."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()
    found = source.format or SUFFIXES.get(suffix)
    if found is None:
        raise SetupError(
            f"{path}: cannot tell the format from the suffix {suffix!r}; declare"
            f" `format: csv|tsv|jsonl|parquet|excel` ({source.declared_at})"
        )
    return found


@dataclass(frozen=True)
class Scan:
    """What one pass over the bytes of a text file tells."""

    sha256: str
    size: int
    lines: int
    #: Line ends within quotes, empty lines or an open quote: records are not simply lines.
    is_plain: bool
    #: More than one kind of line end, or bare carriage returns: DuckDB reads one kind per file.
    has_mixed_ends: bool


def hash_file(path: Path) -> str:
    """SHA-256 of the bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scan_text(path: Path, quote: bytes | None) -> Scan:
    """Hash, lines and shape in one pass and bounded memory, 0.3 s for 115 MB.

    Of each piece only the quotes and line ends are kept, and quotes that stand in pairs are taken
    away: what is left of a quote belongs to a cell that spans lines. (Splitting at the quotes says
    the same in 0.55 s.)
    """
    sha, size, feeds, returns, pairs = hashlib.sha256(), 0, 0, 0, 0
    is_blank, is_spanned, tail, open_quotes = False, False, b"\n", b""
    others = bytes(set(range(256)) - {10} - set(quote or b""))
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            sha.update(chunk)
            size += len(chunk)
            feeds += chunk.count(b"\n")
            seam = tail + chunk[:2]
            if b"\r" in chunk:
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n")
                is_blank = is_blank or b"\n\r\n" in chunk
            pairs += tail[-1:] == b"\r" and chunk[:1] == b"\n"
            is_blank = is_blank or b"\n\n" in chunk or b"\n\n" in seam or b"\n\r\n" in seam
            tail = (tail + chunk[-2:])[-2:]
            if quote is not None and not is_spanned and (open_quotes or quote in chunk):
                marks = (open_quotes + chunk.translate(None, others)).replace(quote * 2, b"")
                ended, _, open_quotes = marks.rpartition(b"\n")
                is_spanned = quote in ended
    lines = feeds + (size > 0 and tail[-1:] != b"\n")
    return Scan(
        sha256=sha.hexdigest(),
        size=size,
        lines=lines,
        is_plain=not (is_blank or is_spanned or open_quotes),
        has_mixed_ends=returns != pairs or (pairs > 0 and pairs != feeds),
    )


@dataclass(frozen=True)
class Located:
    """Where the records of a text file stand, when records are not simply lines."""

    records: int
    accepted: int
    #: From the n-th accepted record on, line = n + shift; flat pairs n, shift.
    shifts: array[int]
    #: Reader's byte position and line of each refused record; flat pairs.
    refused: array[int]


def locate(
    path: Path, header_lines: int, delimiter: bytes, quote: bytes | None, positions: list[int]
) -> Located:
    """Find the physical line of every record, `positions` being where the reader refused one.

    Lines are walked in Python here, the only place where that is done: a record's line depends
    on every quote before it. It runs only for files that have line ends within quotes, empty
    lines or refused records (0.3 s per million lines), and touches no value.
    """
    records = accepted = offset = 0
    shift: int | None = None
    shifts, refused = array("q"), array("q")
    waiting = iter(sorted(positions))
    position = next(waiting, None)
    is_inside = False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            start, offset = offset, offset + len(line)
            if number <= header_lines:
                continue
            if is_inside:
                is_inside = (
                    quote is None
                    or quote not in line
                    or _ends_inside(line, delimiter, quote, is_inside=True)
                )
                continue
            if line in (b"\n", b"\r\n"):
                continue
            records += 1
            # Positions count from 1, and may point at the line end before the record.
            if position is not None and position - 1 <= start:
                refused.extend((position, number))
                position = next(waiting, None)
            else:
                accepted += 1
                if number - accepted != shift:
                    shift = number - accepted
                    shifts.extend((accepted, shift))
            if quote is not None and line.count(quote) & 1:
                is_inside = _ends_inside(line, delimiter, quote, is_inside=False)
    return Located(records, accepted, shifts, refused)


def _ends_inside(line: bytes, delimiter: bytes, quote: bytes, *, is_inside: bool) -> bool:
    """Whether a quoted cell is still open at the end of the line (RFC 4180)."""
    at = 0
    while True:
        if is_inside:
            at = line.find(quote, at)
            if at < 0:
                return True
            if line[at + 1 : at + 2] == quote:
                at += 2
                continue
            is_inside, at = False, at + 1
        else:
            if at == 0 and line.startswith(quote):
                is_inside, at = True, 1
                continue
            at = line.find(delimiter + quote, at)
            if at < 0:
                return False
            is_inside, at = True, at + 2


_QUOTED_ROW = re.compile(r'^"((?:[^"\n]|"")*)"$', re.MULTILINE)


def _unwrapped(text: str) -> str:
    """Rows that were quoted whole, their own quotes doubled, as the rows they were before."""
    return _QUOTED_ROW.sub(lambda match: match[1].replace('""', '"'), text)


class SourceFile:
    """One file of a source: open it with `read_header`, then ask for its `relation`."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, source: TableSource, path: Path, scratch: Path
    ) -> None:
        self.con = con
        self.source = source
        self.path = path
        self.name = source.relative(path)
        self.format = format_of(source, path)
        self.scratch = scratch
        #: What is read: the file itself, or a copy in UTF-8 with one kind of line end.
        self.readable = path
        self.names: tuple[str, ...] = ()
        self.types: tuple[str, ...] = ()
        self.header_lines = 0
        self._shifts: Path | None = None
        self._shift: str | None = None
        self._json_paths: dict[str, str] = {}
        self._range = ""

    @property
    def is_text(self) -> bool:
        """Read line by line: has physical lines, and bytes that can be refused."""
        return self.format in ("csv", "tsv", "jsonl")

    @property
    def delimiter(self) -> str:
        """What stands between cells."""
        return self.source.delimiter or ("\t" if self.format == "tsv" else ",")

    @property
    def quote_byte(self) -> bytes | None:
        """The quote within which line ends do not end a record."""
        return None if self.format == "jsonl" else self.source.quote.encode()

    # -- the header ---------------------------------------------------------------------------

    def read_header(self) -> None:
        """Learn the columns; SetupError where there are none to learn."""
        if self.format == "parquet":
            self._describe(f"select * from read_parquet({quoted(str(self.path))})")
        elif self.format == "excel":
            self._read_excel_header()
        elif self.format == "jsonl":
            self._read_json_keys()
        else:
            self._read_csv_header()

    def _describe(self, query: str) -> None:
        import duckdb

        try:
            rows = self.con.execute(f"describe {query}").fetchall()
        except duckdb.Error as error:
            raise SetupError(f"{self.path}: cannot be read as {self.format}: {error}") from error
        self.names = tuple(row[0] for row in rows)
        self.types = tuple(row[1] for row in rows)

    def _head(self) -> str:
        """The first megabyte as text, all line ends alike."""
        with self._open() as file:
            raw = file.read(_HEAD)
        encoding = "utf-8-sig" if self.source.encoding in _UTF8 else self.source.encoding
        text = io.TextIOWrapper(
            io.BytesIO(raw), encoding=encoding, errors="replace", newline=None
        ).read()
        return _unwrapped(text) if self.source.quoted_rows else text

    def _open(self) -> BinaryIO:
        if self.path.suffix.lower() == ".gz":
            return gzip.open(self.path, "rb")  # type: ignore[return-value]
        return self.path.open("rb")

    def _read_csv_header(self) -> None:
        lines = io.StringIO(self._head())
        for _ in range(self.source.skip_lines):
            lines.readline()
        reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.source.quote)
        header = next((row for row in reader if row), None)
        if header is None:
            raise SetupError(f"{self.path}: there is no header line; the file is empty")
        self.header_lines = self.source.skip_lines + reader.line_num
        self.names = tuple(name.strip() for name in header)
        self.types = ("VARCHAR",) * len(header)

    def _read_json_keys(self) -> None:
        keys: dict[str, None] = {}
        for line in self._json_objects()[:_SAMPLED_JSON_LINES]:
            for key, path in _json_paths(json.loads(line)):
                keys[key] = None
                self._json_paths[key] = path
        if not keys:
            raise SetupError(f"{self.path}: no JSON object in its first lines")
        self.names = tuple(keys)
        self.types = ("VARCHAR",) * len(keys)

    def _read_excel_header(self) -> None:
        load_excel(self.con)
        last_row = 0
        if self.source.skip_lines:
            # Without a range DuckDB takes the sheet's width from its first row, here a title.
            last_row = _last_row(self.path, self.source.sheet)
            first = self.source.skip_lines + 1
            self._range = f"A{first}:{_letters(_WIDEST_SHEET)}{first}"
        query = self._read_xlsx()
        self._describe(query)
        # Without a range the columns are named after their first cells: B4, C4, …
        match = re.fullmatch(r"[A-Z]+(\d+)", self.names[0]) if self.names else None
        row = self.con.execute(f"{query} limit 1").fetchone()
        if row is None or not any(row) or not (match or self._range):
            raise SetupError(f"{self.path}: the sheet has no header row")
        self.header_lines = int(match[1]) if match else self.source.skip_lines + 1
        self.names = tuple(str(name or "").strip() for name in row)
        while self._range and not self.names[-1]:
            self.names = self.names[:-1]
        self.types = ("VARCHAR",) * len(self.names)
        if self._range:
            self._range = f"A{self.header_lines}:{_letters(len(self.names))}{last_row}"

    def _read_xlsx(self) -> str:
        sheet = f", sheet = {quoted(self.source.sheet)}" if self.source.sheet else ""
        span = f", range = {quoted(self._range)}" if self._range else ""
        return (
            f"select * from read_xlsx({quoted(str(self.path))}, all_varchar = true,"
            f" header = false, stop_at_empty = false{sheet}{span})"
        )

    def index(self, name: str) -> int:
        """The position of a declared column; SetupError names what was probably meant."""
        found = [i for i, own in enumerate(self.names) if own == name.strip()]
        if len(found) == 1:
            return found[0]
        if found:
            raise SetupError(
                f"{self.path}:{self.header_lines}: the column {name!r} stands {len(found)} times in"
                f" the header; rename one of them ({self.source.declared_at})"
            )
        near = did_you_mean(name, [own for own in self.names if own])
        hint = f"; did you mean {near!r}?" if near else ""
        raise SetupError(
            f"{self.path}:{self.header_lines or 1}: no column {name!r} in the header{hint}"
            f" The file has: {', '.join(own or '(unnamed)' for own in self.names)}."
            f" Declared in {self.source.declared_at}"
        )

    def sample(self, limit: int) -> list[tuple[str, ...]]:
        """The first records as text, of a file with its header read; empty where null."""
        if self.format in ("csv", "tsv"):
            lines = io.StringIO(self._head())
            for _ in range(self.header_lines):
                lines.readline()
            reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.source.quote)
            rows = [row for row in itertools.islice(reader, limit) if len(row) == len(self.names)]
            return [tuple(row) for row in rows]
        if self.format == "jsonl":
            records = (json.loads(line) for line in self._json_objects()[:limit])
            flat = [dict(_json_cells(record)) for record in records]
            return [tuple(str(row.get(name) or "") for name in self.names) for row in flat]
        found = self.con.execute(
            f"select coalesce(columns('c[0-9]+')::varchar, '') from ({self.relation()})"
            f" limit {limit}"
        ).fetchall()
        return [tuple(row) for row in found]

    def _json_objects(self) -> list[str]:
        """Lines of the head that are JSON objects; a broken one is quarantined when it lands."""
        return [line for line in self._head().split("\n") if _is_json_object(line)]

    # -- the bytes ----------------------------------------------------------------------------

    @property
    def must_be_copied(self) -> bool:
        """Known before a scan: DuckDB cannot read the file as it stands."""
        return self.is_text and (
            self.source.encoding not in _UTF8
            or self.source.quoted_rows
            or self.path.suffix.lower() == ".gz"
            or (self.format == "jsonl" and self._has_mark())
        )

    def _has_mark(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(3) == b"\xef\xbb\xbf"

    def copy_readable(self) -> None:
        """Write the file as UTF-8 with one kind of line end; lines keep their numbers."""
        target = self.scratch / f"{self.path.name}.txt"
        is_utf8 = self.source.encoding in _UTF8
        encoding = "utf-8-sig" if is_utf8 else self.source.encoding
        # What is not UTF-8 in a UTF-8 file goes through: its row is quarantined, not the file.
        errors = "surrogateescape" if is_utf8 else "strict"
        try:
            with (
                io.TextIOWrapper(self._open(), encoding=encoding, errors=errors) as text,
                target.open("w", encoding="utf-8", errors=errors, newline="\n") as out,
            ):
                for block in _blocks(text):
                    out.write(_unwrapped(block) if self.source.quoted_rows else block)
        except UnicodeDecodeError as error:
            raise SetupError(
                f"{self.path}: byte {error.start} is not {self.source.encoding}; declare the"
                f" `encoding` it was written in ({self.source.declared_at})"
            ) from error
        self.readable = target

    def scan(self) -> Scan:
        """Scan what is read."""
        return scan_text(self.readable, self.quote_byte)

    def refused_positions(self) -> list[int]:
        """Where the last statement's reader refused a record."""
        rows = self.con.execute(
            "select distinct line_byte_position from reject_errors order by 1"
        ).fetchall()
        return [int(row[0]) for row in rows]

    def forget_refused(self) -> None:
        """Make room for the rejects of the next statement."""
        self.con.execute("drop table if exists reject_errors; drop table if exists reject_scans")

    def use_exact_lines(self, positions: list[int]) -> Located:
        """From now on `relation` gives exact lines although records are not simply lines."""
        found = locate(
            self.readable, self.header_lines, self.delimiter.encode(), self.quote_byte, positions
        )
        self._shifts = self.scratch / f"{self.path.name}.shifts"
        self._shift = None
        if len(found.shifts) <= 2 * _MOST_BRANCHES:
            self._shift = _branches(found.shifts, 0, len(found.shifts) // 2)
        else:
            _write_pairs(self._shifts, found.shifts)
        _write_pairs(self.scratch / f"{self.path.name}.refused", found.refused)
        return found

    def refused_relation(self) -> str:
        """`_line, text, reason` of every record that the reader refused."""
        pairs = quoted(str(self.scratch / f"{self.path.name}.refused"))
        wanted = len(self.names)
        return f"""
        select
            place.line as _line,
            left(ltrim(any_value(e.csv_line), chr(10) || chr(13)), 2000) as text,
            case min(e.error_type::varchar)
                when 'MISSING COLUMNS' then
                    case
                        when starts_with(ltrim(any_value(e.csv_line), chr(10) || chr(13)),
                                         {quoted(self.source.quote)})
                            and min(e.column_idx) = 1
                        then 'the whole row is quoted: declare `quoted_rows: true`'
                        else 'the row has fewer cells than the header ('
                            || min(e.column_idx)::varchar || ' of {wanted})'
                    end
                when 'TOO MANY COLUMNS' then
                    'the row has more cells than the header (' || max(e.column_idx)::varchar
                    || ' instead of {wanted})'
                when 'UNQUOTED VALUE' then
                    'a quote is not closed, or not doubled within a quoted cell'
                when 'INVALID ENCODING' then 'the row is not UTF-8: declare the `encoding`'
                else 'the row cannot be read: ' || lower(min(e.error_type::varchar))
            end as reason
        from reject_errors as e
        inner join read_csv(
            {pairs}, header = false, auto_detect = false, delim = ',',
            columns = {{'position': 'bigint', 'line': 'bigint'}}
        ) as place
            on place.position = e.line_byte_position
        group by place.line
        """

    # -- the relation -------------------------------------------------------------------------

    def relation(self) -> str:
        """SQL that gives every record as `_line` and the columns `c0, c1, …`."""
        path = quoted(str(self.readable))
        if self.format == "parquet":
            columns = ", ".join(f"{identifier(n)} as c{i}" for i, n in enumerate(self.names))
            return (
                f"select file_row_number + 1 as _line, {columns}"
                f" from read_parquet({path}, file_row_number = true)"
            )
        if self.format == "excel":
            row = f"row_number() over () + {self.header_lines - 1}"
            renamed = ", ".join(f"c{i}" for i in range(len(self.names)))
            filled = " or ".join(f"c{i} is not null" for i in range(len(self.names)))
            return (
                f"select * from (select {row} as _line, * from ({self._read_xlsx()})"
                f" as sheet({renamed})) where _line > {self.header_lines} and ({filled})"
            )
        if self.format == "jsonl":
            # An empty line of a file with one column is a null for DuckDB; it is no record.
            rows = (
                "select row_number() over () as _record, line"
                f" from {self._json_lines(path)} where line is not null"
            )
            paths = ", ".join(quoted(self._json_paths[name]) for name in self.names)
            columns = ", ".join(f"cells[{i + 1}] as c{i}" for i in range(len(self.names)))
            is_object = "json_valid(line) and json_type(line) = 'OBJECT'"
            rows = (
                f"select _record, {columns}, case when cells is null then line end as _broken"
                f" from (select *, case when {is_object} then"
                f" json_extract_string(line, [{paths}]) end as cells from ({rows}))"
            )
        else:
            columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(self.names)))
            quote = quoted(self.source.quote)
            rows = (
                "select row_number() over () as _record, * from read_csv("
                f"{path}, auto_detect = false, header = false, skip = {self.header_lines},"
                f" delim = {quoted(self.delimiter)}, quote = {quote}, escape = {quote},"
                f" columns = {{{columns}}}, store_rejects = true, rejects_limit = 0)"
            )
            if len(self.names) == 1:
                rows += " where c0 is not null"
        if self._shifts is None:
            line = f"_record + {self.header_lines} as _line"
            return f"select {line}, * exclude (_record) from ({rows})"
        if self._shift is not None:
            return f"select _record + {self._shift} as _line, * exclude (_record) from ({rows})"
        return (
            "select _record + s.shift as _line, * exclude (_record, first, shift)"
            f" from ({rows}) as r asof join {self._shift_relation()} as s"
            " on r._record >= s.first order by _line"
        )

    def restamped(self, data: Path) -> str:
        """SQL that gives landed rows again with exact lines, in place of record + header."""
        rows = f"select *, _line - {self.header_lines} as _record from {quoted(str(data))}"
        if self._shift is not None:
            line = f"_record + {self._shift} as _line"
            return f"select * exclude (_record) replace ({line}) from ({rows})"
        return (
            "select r.* exclude (_record) replace (r._record + s.shift as _line)"
            f" from ({rows}) as r asof join {self._shift_relation()} as s"
            " on r._record >= s.first order by r._record"
        )

    def _shift_relation(self) -> str:
        return (
            f"read_csv({quoted(str(self._shifts))}, header = false, auto_detect = false,"
            " delim = ',', columns = {'first': 'bigint', 'shift': 'bigint'})"
        )

    def _json_lines(self, path: str) -> str:
        # JSON has no raw control characters: one as delimiter leaves every line in one piece.
        return (
            f"read_csv({path}, auto_detect = false, header = false, delim = chr(2), quote = '',"
            " escape = '', columns = {'line': 'varchar'}, store_rejects = true, rejects_limit = 0)"
        )


#: Columns that are looked for in a sheet whose header is not its first row.
_WIDEST_SHEET = 702


def _letters(column: int) -> str:
    """The name of a sheet's n-th column: A to Z, then AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _last_row(path: Path, sheet: str | None) -> int:
    """The number of a sheet's last row, from the workbook's own XML."""
    with zipfile.ZipFile(path) as book:
        names = re.findall(
            r'<(?:\w+:)?sheet [^>]*?name="([^"]*)"[^>]*?:id="([^"]*)"',
            book.read("xl/workbook.xml").decode(),
        )
        wanted = next((key for name, key in names if sheet in (None, html.unescape(name))), None)
        relations = book.read("xl/_rels/workbook.xml.rels").decode()
        element = re.search(rf'<Relationship [^>]*Id="{wanted}"[^>]*>', relations)
        target = re.search(r'Target="/?(?:xl/)?([^"]*)"', element[0]) if element else None
        if target is None:
            listed = ", ".join(html.unescape(name) for name, _ in names)
            raise SetupError(f"{path}: there is no sheet {sheet!r}; there are: {listed}")
        last, tail = 0, b""
        with book.open(f"xl/{target[1]}") as file:
            while block := file.read(_CHUNK):
                found = re.findall(rb'<row [^>]*?\br="(\d+)"', tail + block)
                last = int(found[-1]) if found else last
                tail = block[-4096:]
    return last


def _json_paths(record: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names (`a`, `a.b`) of a record's cells with their JSON paths; lists stay one cell."""
    for key, value in record.items():
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        path = f'{prefix or "$"}."{escaped}"'
        if isinstance(value, dict):
            for name, inner in _json_paths(value, path):
                yield f"{key}.{name}", inner
        yield key, path


def _json_cells(record: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names as `_json_paths` gives them, with their values."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _json_cells(value, f"{prefix}{key}.")
        yield f"{prefix}{key}", value


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _blocks(text: io.TextIOWrapper) -> Iterator[str]:
    """Large pieces that end where lines end."""
    rest = ""
    while block := text.read(_CHUNK):
        block = rest + block
        cut = block.rfind("\n") + 1
        rest = block[cut:]
        if cut:
            yield block[:cut]
    if rest:
        yield rest


#: Up to so many places where lines and records drift apart, the line is an expression: the rows
#: stream through it, where a join sorts them (1 million rows: 0.8 s of CPU against 1.4 s).
_MOST_BRANCHES = 2000


def _branches(shifts: array[int], low: int, high: int) -> str:
    """The shift of a record by halving: `case when _record >= middle then … else … end`."""
    if high - low <= 1:
        return str(shifts[2 * low + 1]) if high > low else "0"
    middle = (low + high) // 2
    upper, lower = _branches(shifts, middle, high), _branches(shifts, low, middle)
    return f"case when _record >= {shifts[2 * middle]} then {upper} else {lower} end"


def _write_pairs(path: Path, pairs: array[int]) -> None:
    rows = zip(pairs[::2], pairs[1::2], strict=True)
    path.write_text("".join(f"{a},{b}\n" for a, b in rows))


def load_excel(con: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's `excel` extension from its wheel: no network, no user's home folder."""
    import duckdb

    found = importlib.util.find_spec("duckdb_extension_excel")
    if found is None or found.origin is None:
        raise SetupError("Excel files need the package duckdb-extension-excel; install it")
    version = f"v{duckdb.__version__}"
    extension = Path(found.origin).parent / "extensions" / version / "excel.duckdb_extension"
    if not extension.is_file():
        raise SetupError(
            f"duckdb-extension-excel does not fit duckdb {duckdb.__version__}: install the same"
            " version of both"
        )
    con.execute(f"load {quoted(str(extension))}")
