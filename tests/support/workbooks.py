"""A workbook in parts, to be changed the way people, programs and disks change one.

Cells are changed in the file's own XML: what a library would mend when it writes stays damaged.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from orchestration.lib.plan.cells import letters
from orchestration.lib.plan.sheets import SETTINGS, SHEETS

STYLES = "xl/styles.xml"
BOOK = "xl/workbook.xml"


def place(sheet: str, column: str, row: int = 2) -> str:
    """The cell of a column, e.g. C3; of the sheet plan, where a setting's value stands."""
    if sheet == "plan" and column not in ("key", "value"):
        return f"B{[setting.name for setting in SETTINGS].index(column) + 2}"
    return f"{letters(SHEETS[sheet].column_names.index(column) + 1)}{row}"


def text(value: str) -> str:
    """The inside of a cell that holds text."""
    return f't="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'


def number(value: str) -> str:
    """The inside of a cell that holds a number."""
    return f"><v>{value}</v>"


def formula(value: str | None, kind: str = "n") -> str:
    """The inside of a cell that holds a formula; None: nobody has calculated it."""
    return f't="{kind}"><f>A1*2</f>' + ("" if value is None else f"<v>{value}</v>")


class Parts(dict[str, bytes]):
    """The parts of a workbook by name."""

    @classmethod
    def of(cls, path: Path) -> Parts:
        with zipfile.ZipFile(path) as file:
            return cls({name: file.read(name) for name in file.namelist()})

    def write(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
            for name, content in self.items():
                file.writestr(name, content)
        return path

    def bytes(self) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
            for name, part in self.items():
                file.writestr(name, part)
        return content.getvalue()

    def edit(self, part: str, change: Callable[[str], str]) -> None:
        """Change a part as text; a change that changes nothing is a mistake of the test."""
        before = self[part].decode()
        after = change(before)
        assert after != before, f"nothing to change in {part}"
        self[part] = after.encode()

    @staticmethod
    def part(sheet: str) -> str:
        """The part of a sheet of the plan."""
        return f"xl/worksheets/sheet{[*SHEETS].index(sheet) + 2}.xml"

    def put(self, sheet: str, cell: str, inside: str | None, code: str | None = None) -> None:
        """Let a cell hold this, shown in this number format; None empties it."""
        style = "" if code is None else f' s="{self.style(code)}"'
        whole = "" if inside is None else f'<c r="{cell}"{style} {inside}</c>'
        row = re.sub(r"\D", "", cell)
        old = re.compile(rf'<c r="{cell}"[^>]*?(/>|>.*?</c>)')

        def change(xml: str) -> str:
            if old.search(xml):
                return old.sub(lambda _: whole, xml, count=1)
            of_row = re.compile(rf'(<row r="{row}"[^>]*>.*?)</row>')
            if of_row.search(xml):
                return of_row.sub(lambda match: f"{match[1]}{whole}</row>", xml, count=1)
            return xml.replace("</sheetData>", f'<row r="{row}">{whole}</row></sheetData>')

        self.edit(self.part(sheet), change)

    def style(self, code: str) -> int:
        """A new cell style with this number format."""
        xml = self[STYLES].decode()
        count = len(re.findall("<xf ", xml[xml.index("<cellXfs") : xml.index("</cellXfs>")]))
        name = escape(code, {'"': "&quot;"})
        xml = xml.replace("</cellXfs>", f'<xf numFmtId="{900 + count}"/></cellXfs>')
        own = f'<numFmt numFmtId="{900 + count}" formatCode="{name}"/>'
        self[STYLES] = xml.replace("</numFmts>", f"{own}</numFmts>").encode()
        return count

    def retitle(self, sheet: str, title: str) -> None:
        """Rename a sheet."""
        old = f'name="{SHEETS[sheet].title}"'
        self.edit(BOOK, lambda xml: xml.replace(old, f'name="{escape(title)}"'))

    def drop(self, sheet: str) -> None:
        """Delete a sheet."""
        name = SHEETS[sheet].title
        self.edit(BOOK, lambda xml: re.sub(rf'<sheet [^>]*name="{name}"[^>]*/>', "", xml))

    def merge(self, sheet: str, cells: str) -> None:
        """Merge cells."""
        merged = f'</sheetData><mergeCells count="1"><mergeCell ref="{cells}"/></mergeCells>'
        self.edit(self.part(sheet), lambda xml: xml.replace("</sheetData>", merged))
