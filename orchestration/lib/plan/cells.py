"""What stands in the cells of an Excel workbook: text, number, error, formula, merged or not.

Belongs here: the file format (ECMA-376, transitional and strict) as far as cells go, with the place
of everything found. Does not belong here: what a plan makes of a cell (`workbook`).

Why no library reads it: a plan needs a formula and its stored value, number formats and merged
ranges at once, in bounded time on a sheet with a million formatted rows, and no exception but its
own on a damaged file. openpyxl gives formulas or values, and merged ranges only where it keeps the
whole sheet in memory (measurements: docs/decisions.md).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import join, normpath
from typing import IO
from xml.parsers import expat

#: A sheet larger than these is no plan; they bound time and memory (bytes are those of the XML).
MOST_BYTES = 2_000_000_000
MOST_CELLS = 1_000_000
_CHUNK = 1 << 20
_SEPARATOR = " "
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LETTERS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_EMPTY_CELL = re.compile(rb'<(?:\w+:)?c r="[A-Z]+\d+"(?: \w+="\w*")*\s*/>')
#: Number formats that files name by number only (ECMA-376 part 1, 18.8.30): percents and dates.
_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    **dict.fromkeys(range(27, 37), "yyyy-mm-dd"),
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    **dict.fromkeys(range(50, 59), "yyyy-mm-dd"),
}


class UnreadableError(ValueError):
    """The file, or a part of it, is no workbook; the message says what it is and what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that holds something; `type` is the file's: n, s (any text), b, e or d."""

    type: str
    #: As stored, numbers too; None: a formula that was never calculated.
    text: str | None
    #: Number format, empty for General.
    format: str
    is_formula: bool


@dataclass
class SheetCells:
    """A sheet: by row number and column number (both from 1), what holds something."""

    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    #: Ranges such as B3:C4.
    merged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Book:
    """An open workbook: its sheets by title in order, read one at a time."""

    file: zipfile.ZipFile
    parts: dict[str, str | None]
    strings: list[str]
    formats: list[str]
    #: Dates count from 1904 (old workbooks made on a Mac) and not from 1900.
    is_from_1904: bool

    def cells(self, title: str) -> SheetCells:
        """The cells of one sheet; raises UnreadableError."""
        part = self.parts[title]
        if part is None:
            return SheetCells()
        with _damage_told():
            return _sheet(self.file, part, self.strings, self.formats)


@contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """The workbook's frame; raises UnreadableError with what the file is where it is none."""
    try:
        with path.open("rb") as file:
            _demand_workbook(file)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error
    with _damage_told():
        archive = zipfile.ZipFile(path)
    with archive:
        with _damage_told():
            book = _frame(archive)
        yield book


def _frame(file: zipfile.ZipFile) -> Book:
    names = set(file.namelist())
    if any(info.flag_bits & 1 for info in file.infolist()):
        raise UnreadableError("found a password, expected none; save it without one")
    relations = _relations(file, names, "")
    main = next((to for kind, to in relations.values() if kind == "officeDocument"), None)
    is_workbook = main is not None and main in names and not main.startswith(("word/", "ppt/"))
    if main is None or not is_workbook:
        raise UnreadableError(f"found {_kind_of(names)}, expected an Excel workbook (.xlsx)")
    if main.endswith(".bin"):
        raise UnreadableError("found a binary workbook (.xlsb), expected .xlsx; save it as such")
    sheets, is_from_1904 = _workbook(file, main)
    relations = _relations(file, names, main)
    by_kind = dict(relations.values())
    parts = {
        title: _part_of_sheet(title, relations.get(key, ("", "")), names) for title, key in sheets
    }
    strings, styles = by_kind.get("sharedStrings", ""), by_kind.get("styles", "")
    return Book(
        file,
        parts,
        _shared_strings(file, strings) if strings in names else [],
        _formats(file, styles) if styles in names else [],
        is_from_1904,
    )


def letters(column: int) -> str:
    """A column's letters: 1 is A, 27 is AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def number_of(name: str) -> int:
    """The column that letters stand for: A is 1."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def unescaped(text: str) -> str:
    """A text as people see it: files write what XML cannot hold as _xHHHH_."""

    def one(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        # Half of a pair is no character: it stays as it is written.
        return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)

    return _ESCAPED.sub(one, text) if "_x" in text else text


# --- The file ------------------------------------------------------------------------------------


def _demand_workbook(file: IO[bytes]) -> None:
    """By its first bytes: what people rename to .xlsx is told as what it is."""
    head = file.read(4096)
    if not head:
        raise UnreadableError("found an empty file, expected an Excel workbook (.xlsx)")
    if head.startswith(b"PK"):
        return
    if head.startswith(_OLE):
        # An encrypted workbook is an OLE file with a stream of this name, in UTF-16.
        rest = head + file.read(64 * _CHUNK)
        if "EncryptedPackage".encode("utf-16-le") in rest:
            raise UnreadableError("found a password, expected none; save it without one")
        raise UnreadableError("found an old workbook (.xls), expected .xlsx; save it as such")
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise UnreadableError("found a web page or XML, expected .xlsx; open it, save it as such")
    if b"\0" not in head and (b"," in head or b";" in head or b"\t" in head):
        raise UnreadableError(
            "found text such as CSV, expected an Excel workbook (.xlsx); name targets in CSV .csv"
        )
    raise UnreadableError("found no Excel workbook, expected one (.xlsx)")


def _kind_of(names: set[str]) -> str:
    kinds = {
        "content.xml": "an OpenDocument file",
        "word/document.xml": "a Word document",
        "ppt/presentation.xml": "a presentation",
        "Index/Document.iwa": "a Numbers file",
    }
    return next((told for name, told in kinds.items() if name in names), "a zip archive")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Whatever a broken archive makes the standard library raise, as one error of ours."""
    try:
        yield
    except UnreadableError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        EOFError,
        KeyError,
        LookupError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise UnreadableError(
            f"found a damaged workbook ({error}), expected one that Excel opens; open it, let Excel"
            " repair it, save it"
        ) from error


def _part_of_sheet(title: str, relation: tuple[str, str], names: set[str]) -> str | None:
    """The part that holds a sheet's cells; None for a sheet without any, such as a chart."""
    kind, part = relation
    if kind and kind != "worksheet":
        return None
    if part not in names:
        raise UnreadableError(f"found no content for the sheet {title!r}; the file is damaged")
    return part


def _relations(file: zipfile.ZipFile, names: set[str], part: str) -> dict[str, tuple[str, str]]:
    """What a part refers to: id → (last word of the kind, name of the part)."""
    folder, _, name = part.rpartition("/")
    path = join(folder, "_rels", f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: dict[str, str]) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, normpath(whole))

    if path in names:
        _parse(file, path, start)
    return found


def _workbook(file: zipfile.ZipFile, part: str) -> tuple[list[tuple[str, str]], bool]:
    """Titles of the sheets with the ids of their relations; whether dates count from 1904."""
    sheets: list[tuple[str, str]] = []
    is_from_1904 = False

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal is_from_1904
        if element == "sheet":
            keys = [value for name, value in attributes.items() if name.endswith(" id")]
            sheets.append((unescaped(attributes.get("name", "")), keys[0] if keys else ""))
        elif element == "workbookPr":
            is_from_1904 = attributes.get("date1904") in ("1", "true")

    _parse(file, part, start)
    return sheets, is_from_1904


def _formats(file: zipfile.ZipFile, part: str) -> list[str]:
    """The number format of every cell style, by its number."""
    own: dict[str, str] = {}
    found: list[str] = []
    is_within = False

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal is_within
        if element == "numFmt":
            own[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif element == "cellXfs":
            is_within = True
        elif element == "xf" and is_within:
            number = attributes.get("numFmtId", "0")
            found.append(own.get(number) or _BUILT_IN.get(int(number), ""))

    def end(element: str) -> None:
        nonlocal is_within
        is_within = is_within and element != "cellXfs"

    _parse(file, part, start, end)
    return ["" if code == "General" else code for code in found]


def _shared_strings(file: zipfile.ZipFile, part: str) -> list[str]:
    found: list[str] = []
    pieces: list[str] = []
    # Phonetic guides (rPh) of East Asian texts are not part of them.
    is_text = is_guide = False

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal is_text, is_guide
        is_guide = is_guide or element == "rPh"
        is_text = element == "t" and not is_guide

    def data(text: str) -> None:
        if is_text:
            pieces.append(text)

    def end(element: str) -> None:
        nonlocal is_text, is_guide
        is_text = False
        is_guide = is_guide and element != "rPh"
        if element == "si":
            found.append(unescaped("".join(pieces)))
            pieces.clear()

    _parse(file, part, start, end, data)
    return found


# --- A sheet -------------------------------------------------------------------------------------


class _Reader:
    """Handlers that keep what holds something; a million empty cells cost two calls each."""

    def __init__(self, strings: list[str], formats: list[str]) -> None:
        self.found = SheetCells()
        self._strings = strings
        self._formats = formats
        self._row = 0
        self._column = 0
        self._cell: dict[str, str] | None = None
        self._pieces: list[str] = []
        self._has_places = False
        self._takes = self._is_formula = self._has_value = self._is_guide = False
        self._count = 0

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if element == "c":
            self._cell = attributes
            if "r" in attributes:
                self._has_places = True
            else:
                # It stands right of the one before it, which must be counted then.
                if self._has_places:
                    raise UnreadableError("found cells with and without a place; save it again")
                self._column += 1
        elif element == "row":
            self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
        elif element in ("v", "t"):
            self._takes = self._cell is not None and not self._is_guide
            self._has_value = self._has_value or self._takes
        elif element == "f":
            self._is_formula = True
        elif element == "rPh":
            self._is_guide = True
        elif element == "mergeCell":
            self.found.merged.append(attributes.get("ref", ""))

    def data(self, text: str) -> None:
        if self._takes:
            self._pieces.append(text)

    def end(self, element: str) -> None:
        if element == "c":
            if self._has_value or self._is_formula:
                self._keep()
            self._cell = None
        elif element in ("v", "t"):
            self._takes = False
        elif element == "rPh":
            self._is_guide = False

    def without_empty_cells(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same XML without cells that hold a format only: they are most of a bloated sheet.

        Nineteen million of them take the parser 26 s, and 9 s so (2026-06, two cores). After a
        comment or CDATA what looks like a cell may be text: from there on nothing is left out.
        """
        tail = b""
        is_plain = True
        for chunk in chunks:
            whole = tail + chunk
            is_plain = is_plain and b"<!" not in whole
            if not is_plain:
                tail = b""
                yield whole
                continue
            # What is not a whole element waits for the rest of it.
            cut = max(whole.rfind(b"<"), 0)
            whole, tail = whole[:cut], whole[cut:]
            rest, count = _EMPTY_CELL.subn(b"", whole)
            self._has_places = self._has_places or count > 0
            yield rest
        yield tail

    def _keep(self) -> None:
        attributes = self._cell or {}
        text = "".join(self._pieces)
        is_formula = self._is_formula
        self._pieces.clear()
        self._is_formula = self._has_value = False
        if "r" in attributes:
            match = _LETTERS.fullmatch(attributes["r"])
            if match is None:
                raise UnreadableError(f"found a cell {attributes['r']!r}; the file is damaged")
            self._column, row = number_of(match[1]), int(match[2])
        else:
            row = self._row
        kind = attributes.get("t", "n")
        style = int(attributes.get("s", "0"))
        code = self._formats[style] if 0 <= style < len(self._formats) else ""
        cells = self.found.rows.setdefault(row, {})
        if self._column in cells:
            place = f"{letters(self._column)}{row}"
            raise UnreadableError(f"found the cell {place} twice; the file is damaged")
        cells[self._column] = Cell(
            "s" if kind in ("str", "inlineStr") else kind,
            self._text(kind, text, is_formula=is_formula),
            code,
            is_formula,
        )
        self._count += 1
        if self._count > MOST_CELLS:
            raise UnreadableError(
                f"found more than {MOST_CELLS:,} cells, expected a plan; delete what is not one"
            )

    def _text(self, kind: str, text: str, *, is_formula: bool) -> str | None:
        if kind == "s":
            number = int(text)
            if not 0 <= number < len(self._strings):
                raise UnreadableError(f"found no text of number {number}; the file is damaged")
            return self._strings[number]
        if kind in ("str", "inlineStr"):
            return unescaped(text)
        return None if is_formula and not text else text


def _sheet(file: zipfile.ZipFile, part: str, strings: list[str], formats: list[str]) -> SheetCells:
    reader = _Reader(strings, formats)
    _parse(file, part, reader.start, reader.end, reader.data, pieces=reader.without_empty_cells)
    return reader.found


def _parse(
    file: zipfile.ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
    *,
    pieces: Callable[[Iterator[bytes]], Iterator[bytes]] = iter,
) -> None:
    """Stream a part through handlers; elements come without namespace, whatever its prefix."""
    size = file.getinfo(part).file_size
    if size > MOST_BYTES:
        raise UnreadableError(f"found {size:,} bytes in {part}, expected a plan's; delete the rest")
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    local: dict[str, str] = {}

    def name_of(name: str) -> str:
        # Drawings and extensions have elements of the same names: theirs are no cells.
        namespace, _, short = name.rpartition(_SEPARATOR)
        is_ours = namespace.endswith(("/spreadsheetml/2006/main", "/spreadsheetml/main"))
        is_ours = is_ours or namespace.endswith("/package/2006/relationships")
        local[name] = short if is_ours else f"?{short}"
        return local[name]

    def on_start(name: str, attributes: dict[str, str]) -> None:
        start(local.get(name) or name_of(name), attributes)

    parser.StartElementHandler = on_start
    if end is not None:
        on = end
        parser.EndElementHandler = lambda name: on(local[name])
    if data is not None:
        parser.CharacterDataHandler = data

    def on_doctype(*_: object) -> None:
        # No writer of workbooks makes one; entities that grow without end begin so.
        raise UnreadableError("found a document type declaration; the file is no plain workbook")

    parser.StartDoctypeDeclHandler = on_doctype
    with file.open(part) as stream:
        for piece in pieces(iter(lambda: stream.read(_CHUNK), b"")):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
