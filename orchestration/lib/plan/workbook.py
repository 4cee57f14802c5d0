"""A plan as an Excel workbook: what people fill in, and what is read back or refused by its cell.

Belongs here: how the sheets look and help (notes, drop-downs, formulas that show P1 and P2 as one
types), and what a cell of Excel means in a column of a plan. Does not belong here: the file format
below the cells (`cells`), and what a plan must hold (`model`).

A workbook is made in two parts. Its frame (headings, notes, formats, drop-downs, protection) is the
same for every plan: openpyxl makes it once. A plan's rows are put into it as text, so that the same
plan gives the same bytes, and a thousand plans take seconds.
"""

from __future__ import annotations

import io
import math
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from orchestration.lib.plan.calendar import STANDARD
from orchestration.lib.plan.cells import Book, Cell, SheetCells, UnreadableError, letters, open_book
from orchestration.lib.plan.model import (
    Locate,
    Plan,
    PlanError,
    Problem,
    Row,
    Texts,
    Value,
    canonical,
    parse,
    read,
)
from orchestration.lib.plan.sheets import SETTINGS, SHEETS, WEEKDAYS, Column, Sheet, kpis, metrics
from orchestration.lib.sources.config import did_you_mean

README = "Read me"
LISTS = "Lists"
#: A sheet or a column whose name begins so is a remark and is not read.
REMARK = "_"
#: Rows of targets that have formulas beyond those that are filled in.
SPARE_ROWS = 200

_SETTING = {column.name: column for column in SETTINGS}
_SHEET_OF = {sheet.title.lower(): sheet for sheet in SHEETS.values()}
_MEANING = "meaning"
_UNIT = {row["metric"]: row["unit"] for row in kpis()}
_MONEY_SETTINGS = ("max_cac", "commitment_threshold")
_MONEY, _COUNT, _RATE, _DATE, _TEXT, _PLAIN = (
    "#,##0.00",
    "#,##0",
    "0.0%",
    "yyyy-mm-dd",
    "@",
    "General",
)
#: Excel keeps 15 digits of a number; what has more is written as text, so that none is lost.
_DIGITS = 15
_LONGEST_TEXT = 32_767
_LAST_ROW = 1_048_576
#: Before it Excel's calendar has a 29 February 1900.
_FIRST_SERIAL_DAY = date(1900, 3, 1)
_DAY_ZERO = date(1899, 12, 30)
#: What is written in a zip for a time; the oldest that it can hold.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


# --- The formulas beside the targets -------------------------------------------------------------


@dataclass(frozen=True)
class _Formula:
    """A computed column of Targets; `{name}` in its text is the cell of that column."""

    heading: str
    text: str
    format: str
    help: str
    #: Setting whose tolerance its percent is held to.
    tolerance: str | None = None


def _product(*names: str) -> str:
    cells = [f"{{{name}}}" for name in names]
    return f'IF(COUNT({",".join(cells)})<{len(cells)},"",{"*".join(cells)})'


def _step(metric: str, formula: str, told: str, unit: str) -> list[_Formula]:
    implied = f"implied_{metric}"
    return [
        _Formula(implied, formula, _MONEY if unit == "minor" else _COUNT, f"P1: {told}"),
        _Formula(
            f"{metric}_off",
            f'IF(COUNT({{{metric}}},{{{implied}}})<2,"",IF({{{implied}}}=0,'
            f"IF({{{metric}}}=0,0,1),{{{metric}}}/{{{implied}}}-1))",
            _RATE,
            f"{metric} as typed, against {implied}; red: out of funnel_tolerance_pct",
            "funnel_tolerance_pct",
        ),
    ]


def _formulas() -> tuple[_Formula, ...]:
    steps = {
        "leads": (
            'IF(COUNT({budget},{cost_per_lead})<2,"",IF({cost_per_lead}=0,"",'
            "{budget}/{cost_per_lead}))",
            "budget / cost_per_lead",
        )
    }
    for metric, factors in {
        "mqls": ("leads", "rate_lead_mql"),
        "sals": ("mqls", "rate_mql_sal"),
        "sqls": ("sals", "rate_sal_sql"),
        "opportunities": ("sqls", "rate_sql_opportunity"),
        "pipeline": ("opportunities", "acv"),
        "wins": ("opportunities", "rate_opportunity_won"),
        "bookings": ("wins", "acv"),
    }.items():
        steps[metric] = (_product(*factors), " × ".join(factors))
    funnel = [
        column
        for metric, (formula, told) in steps.items()
        for column in _step(metric, formula, told, _UNIT[metric])
    ]
    chain = ("mqls", "rate_mql_sal", "rate_sal_sql", "rate_sql_opportunity", "acv")
    match = ",".join(
        f"{_range('promises', name)},{wanted}"
        for name, wanted in {
            "department": '"sales"',
            "metric": '"pipeline"',
            "period": "{period}",
            "scope": "{scope}",
        }.items()
    )
    return (
        *funnel,
        _Formula(
            "pipeline_from_mqls",
            _product(*chain),
            _MONEY,
            f"P2: what the MQLs multiply out to: {' × '.join(chain)}",
        ),
        _Formula(
            "promised_pipeline",
            f'IF(COUNTIFS({match})=0,"",SUMIFS({_range("promises", "value")},{match}))',
            _MONEY,
            "P2: pipeline that Sales promises for this period and scope (sheet Promises)",
        ),
        _Formula(
            "pipeline_gap",
            'IF(COUNT({pipeline_from_mqls},{promised_pipeline})<2,"",'
            "{pipeline_from_mqls}-{promised_pipeline})",
            _MONEY,
            "P2: what the MQLs bring more (less) than Sales promises",
        ),
        _Formula(
            "pipeline_gap_off",
            'IF(COUNT({pipeline_gap})=0,"",IF({promised_pipeline}=0,'
            "IF({pipeline_gap}=0,0,1),{pipeline_gap}/{promised_pipeline}))",
            _RATE,
            "P2: the gap in percent of the promise; red: out of promise_tolerance_pct",
            "promise_tolerance_pct",
        ),
    )


def _range(sheet: str, column: str) -> str:
    name = letters(SHEETS[sheet].column_names.index(column) + 1)
    return f"{SHEETS[sheet].title}!${name}$2:${name}$20000"


#: Columns that are shown and never read, by sheet.
FORMULAS = _formulas()
_SHOWN_ONLY: dict[str, frozenset[str]] = {
    "plan": frozenset({_MEANING}),
    "targets": frozenset(formula.heading for formula in FORMULAS),
}
#: What a plan that says nothing is held to.
_TOLERANCES = {"funnel_tolerance_pct": "1", "promise_tolerance_pct": "5"}


# --- Writing -------------------------------------------------------------------------------------


def template_plan(
    *,
    company: str | None,
    currency: str | None,
    fiscal_year: int,
    calendar: str,
    first_day: date,
    effective_from: date | None = None,
) -> Plan:
    """What a template holds before anyone fills it in: a plan that cannot be read back yet.

    Its settings are the defaults, its curves `standard` and `working_days`, its only scope the
    company; every KPI is listed and no one owns it. What people must decide is left empty.
    """
    settings: dict[str, Value] = {
        "company": company,
        "title": f"Plan FY{fiscal_year}",
        "currency": currency,
        "effective_from": effective_from,
        "calendar": calendar,
        "fiscal_year_first_day": first_day,
        "fiscal_years": (str(fiscal_year),),
        "spend_rate": "spend_date",
        "pipeline_rate": "plan",
        "won_rate": "close_date",
        "funnel_tolerance_pct": Decimal(1),
        "promise_tolerance_pct": Decimal(5),
        "rollup_tolerance_pct": Decimal("0.5"),
        "commitment_threshold": Decimal(1000),
        "commitment_grace_days": 5,
        "commitment_policy": "warn",
        "variance_after_pct": 25,
        "variance_sigma": Decimal(2),
        "variance_policy": "warn",
        "handoff_policy": "warn",
        "qualified_exclude_test": True,
    }
    filled: dict[str, list[dict[str, Value]]] = {
        "plan": [
            {"key": name, "value": canonical(_SETTING[name], value)}
            for name, value in settings.items()
            if value is not None
        ],
        "scopes": [{"scope": "company", "level": "company"}],
        "stages": [{"stage": name, "counts": "first"} for name in ("lead", "mql", "sal", "sql")],
        "kpis": [{"metric": name} for name in metrics()],
        "curves": [
            {"curve": STANDARD, **dict.fromkeys(WEEKDAYS, 1)},
            {
                "curve": "working_days",
                **{day: int(day not in ("sat", "sun")) for day in WEEKDAYS},
            },
        ],
    }
    return Plan(
        {
            name: tuple(
                Row(number, {column: cells.get(column) for column in sheet.column_names})
                for number, cells in enumerate(filled.get(name, ()), 2)
            )
            for name, sheet in SHEETS.items()
        }
    )


def write_workbook(plan: Plan, path: Path, *, spare_rows: int = SPARE_ROWS) -> None:
    """Write the plan as a workbook; the same plan gives the same bytes. All or nothing.

    `spare_rows`: rows of Targets beyond the plan's that have formulas. Raises PlanError for a text
    that is too long for a cell, OSError where the file cannot be written.
    """
    frame = _frame()
    parts = dict(frame.parts)
    problems: list[Problem] = []
    for name in SHEETS:
        before, after = frame.around[name]
        rows = "".join(_sheet_rows(plan, name, frame, spare_rows, problems))
        parts[frame.part[name]] = (before + rows + after).encode()
    before, after = frame.around[LISTS]
    parts[frame.part[LISTS]] = (before + "".join(_list_rows(plan)) + after).encode()
    if problems:
        raise PlanError(problems)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        building = Path(scratch) / path.name
        with zipfile.ZipFile(building, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
            for name, content in parts.items():
                info = zipfile.ZipInfo(name, _ZIP_TIME)
                info.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(info, content)
        building.replace(path)


def _sheet_rows(
    plan: Plan, name: str, frame: _Frame, spare_rows: int, problems: list[Problem]
) -> Iterable[str]:
    """The rows of a sheet below its heading, as XML."""
    if name == "plan":
        given = {str(row["key"]): row["value"] for row in plan.rows("plan")}
        for number, column in enumerate(SETTINGS, 2):
            text = given.get(column.name)
            value = None if text is None else parse(column, str(text))
            yield (
                f'<row r="{number}">'
                + _text_cell(f"A{number}", frame.styles["plan", f"{column.name} key"], column.name)
                + _cell(f"B{number}", frame.styles["plan", column.name], column, value, problems)
                + _text_cell(f"C{number}", frame.styles["plan", _MEANING], _told(column))
                + "</row>"
            )
        return
    sheet = SHEETS[name]
    columns = [
        (letters(number), column, frame.styles[name, column.name])
        for number, column in enumerate(sheet.columns, 1)
    ]
    tail = frame.formulas if name == "targets" else ""
    for number, row in enumerate(plan.rows(name), 2):
        cells = "".join(
            _cell(f"{letter}{number}", style, column, row[column.name], problems, sheet.title)
            for letter, column, style in columns
            if row[column.name] is not None
        )
        yield f'<row r="{number}">{cells}{tail.replace("@", str(number))}</row>'
    if name == "targets":
        filled = len(plan.rows(name)) + 1
        for number in range(filled + 1, filled + 1 + spare_rows):
            yield f'<row r="{number}">{tail.replace("@", str(number))}</row>'


def _list_rows(plan: Plan) -> Iterable[str]:
    """Below the headings of Lists: tolerances in force, the calendar's periods, every choice."""
    try:
        periods = list(plan.periods)
    except (KeyError, TypeError, ValueError):
        # A template whose calendar is still to be filled in has none.
        periods = []
    columns: list[Sequence[str]] = [[name] for name in _TOLERANCES]
    columns += [periods, *(choices for choices in _choice_lists())]
    for row in range(max(map(len, columns))):
        cells = ""
        for number, values in enumerate(columns, 1):
            if row < len(values):
                place = f"{letters(number)}{row + 2}"
                if values[row] in _TOLERANCES:
                    cells += f'<c r="{place}"><f>{escape(_tolerance(values[row]))}</f></c>'
                else:
                    cells += _text_cell(place, 0, values[row])
        yield f'<row r="{row + 2}">{cells}</row>'


def _tolerance(setting: str) -> str:
    """Formula of the tolerance that the sheet Plan sets, or of the default."""
    found = f'INDEX(Plan!$B$2:$B$200,MATCH("{setting}",Plan!$A$2:$A$200,0))'
    default = _TOLERANCES[setting]
    return f'IFERROR(IF({found}="",{default},{found}),{default})'


def _cell(
    place: str,
    style: int,
    column: Column,
    value: Value,
    problems: list[Problem],
    title: str = "Plan",
) -> str:
    """One cell as XML, empty if there is no value."""
    if value is None:
        return f'<c r="{place}" s="{style}"/>'
    if isinstance(value, date) and value >= _FIRST_SERIAL_DAY:
        return f'<c r="{place}" s="{style}"><v>{(value - _DAY_ZERO).days}</v></c>'
    text = canonical(column, value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if len(text.lstrip("-").replace(".", "").strip("0")) <= _DIGITS:
            return f'<c r="{place}" s="{style}"><v>{text}</v></c>'
    elif len(text) > _LONGEST_TEXT:
        problems.append(
            Problem(
                f"sheet {title!r}, cell {place}",
                f"found {len(text):,} characters, expected at most the {_LONGEST_TEXT:,} of Excel",
            )
        )
    return _text_cell(place, style, text)


#: What XML 1.0 cannot hold, and what would be read as such an escape, is written as _xHHHH_.
_TO_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def _text_cell(place: str, style: int, text: str) -> str:
    escaped = escape(_TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", text))
    return (
        f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is>'
        "</c>"
    )


# --- The frame -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Frame:
    """Everything of a workbook but its rows."""

    parts: Mapping[str, bytes]
    #: By sheet: its part, and that part's text before and after the rows.
    part: Mapping[str, str]
    around: Mapping[str, tuple[str, str]]
    #: Cell style by sheet and column; of the sheet Plan by setting.
    styles: Mapping[tuple[str, str], int]
    #: The formula cells of a row of Targets, with @ for its number.
    formulas: str


_FONT = "Calibri"
_HEAD_FONT = Font(name=_FONT, bold=True, color="FFFFFF")
_HEAD = PatternFill("solid", start_color="1F3864")
_HEAD_REQUIRED = PatternFill("solid", start_color="C55A11")
_HEAD_COMPUTED = PatternFill("solid", start_color="7F7F7F")
_COMPUTED = PatternFill("solid", start_color="F2F2F2")
_RED = PatternFill("solid", start_color="FFC7CE", end_color="FFC7CE")
_MISSING = PatternFill("solid", start_color="FCE4D6", end_color="FCE4D6")
_LINE = Border(bottom=Side(style="hair", color="BFBFBF"))
_INPUT = Protection(locked=False)

_README = (
    "1. This workbook is one version of the plan that Marketing, Sales and Finance sign together.",
    "2. Orange headings must be filled in; blue ones may stay empty. Grey columns are formulas.",
    "3. Begin with Plan (settings), People and Scopes: the drop-downs of the other sheets list"
    " what stands there.",
    "4. Every heading and every setting has a note: point at it to read what belongs there.",
    "5. Targets: one row per period and scope, each metric in its column. Leave empty what is not"
    " planned. Rates are shares: 40 % or 0.4.",
    "6. To the right of the targets, grey: what your figures multiply out to (P1), and what the"
    " MQLs bring against what Sales promises (P2). Red is out of tolerance.",
    "7. Money is in the plan's currency, without signs. Do not merge cells. Messages name"
    " sheets, rows and cells as Excel does.",
    "8. Remarks: a sheet or a heading whose name begins with _ is not read. Any other sheet or"
    " heading is an error, so that nothing is lost unseen.",
    "9. Then: `tieout plan import THIS-FILE.xlsx` reads it, or says by sheet and cell what to"
    " change; `tieout plan check` shows the arithmetic and what does not add up.",
    "10. When it holds: `tieout plan lock`, then each department signs. After that changes are"
    " amendments: a new version with a reason.",
)


@cache
def _frame() -> _Frame:
    """Make the frame; once a process, for it takes openpyxl a tenth of a second."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)  # noqa: S101 - for the type checker: a new book has one
    _make_readme(first)
    styles: dict[tuple[str, str], int] = {}
    formulas = ""
    for name, sheet in SHEETS.items():
        page = book.create_sheet(sheet.title)
        _make_sheet(page, sheet, styles)
        if name == "plan":
            _make_settings(page, styles)
        if name == "targets":
            formulas = _make_formulas(page)
        _protect(page)
    _make_lists(book.create_sheet(LISTS))
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts["docProps/core.xml"] = re.sub(
        rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2000-01-01T00:00:00Z", parts["docProps/core.xml"]
    )
    part = {
        name: f"xl/worksheets/sheet{number}.xml" for number, name in enumerate([*SHEETS, LISTS], 2)
    }
    around = {}
    for name, path in part.items():
        # Only the heading of the frame's rows stays; a dimension would say how many there are.
        text = re.sub(r"<dimension [^>]*/>", "", parts.pop(path).decode())
        before, rest = text.split("<sheetData>", 1)
        rows, after = rest.split("</sheetData>", 1)
        heading = rows[: rows.index("</row>") + len("</row>")]
        around[name] = (f"{before}<sheetData>{heading}", f"</sheetData>{after}")
    return _Frame(parts, part, around, styles, formulas)


def _make_readme(page: Worksheet) -> None:
    page.title = README
    page.column_dimensions["A"].width = 95
    page["A1"] = "The joint plan: how to fill in this workbook"
    page["A1"].font = Font(name=_FONT, bold=True, size=14)
    for number, line in enumerate(_README, 3):
        cell = page.cell(number, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        # Nobody measures the text for us: about 85 letters are a line.
        page.row_dimensions[number].height = 16 * (1 + len(line) // 85)
    page.sheet_view.showGridLines = False
    _fit_on_paper(page)
    _protect(page)


def _make_sheet(page: Worksheet, sheet: Sheet, styles: dict[tuple[str, str], int]) -> None:
    """Headings with notes; formats, unlocked cells and drop-downs for all rows below."""
    page.freeze_panes = "C2" if sheet.name == "targets" else "A2"
    for number, column in enumerate(sheet.columns, 1):
        letter = letters(number)
        _heading(
            page,
            number,
            column.name,
            f"{column.help}{'. Required.' if column.required else ''}",
            _HEAD_REQUIRED if column.required else _HEAD,
        )
        code = _format(sheet, column)
        whole = page.column_dimensions[letter]
        whole.width = _width(column)
        whole.number_format = code
        whole.protection = _INPUT
        sample = page.cell(2, number)
        sample.number_format = code
        sample.protection = _INPUT
        styles[sheet.name, column.name] = sample.style_id
        if sheet.name != "plan":
            _validate(page, f"{letter}2:{letter}{_LAST_ROW}", column)
    _fit_on_paper(page)


def _make_settings(page: Worksheet, styles: dict[tuple[str, str], int]) -> None:
    """The sheet Plan: one fixed row a setting, with its note, its drop-down and its meaning."""
    _heading(page, 3, _MEANING, "What the setting is; not read", _HEAD_COMPUTED)
    page.column_dimensions["A"].width = 34
    page.column_dimensions["B"].width = 36
    page.column_dimensions["C"].width = 90
    page.column_dimensions["A"].protection = Protection(locked=True)
    for number, setting in enumerate(SETTINGS, 2):
        key = page.cell(number, 1)
        key.font = Font(name=_FONT, bold=setting.required)
        key.border = _LINE
        key.comment = _note(_told(setting))
        styles["plan", f"{setting.name} key"] = key.style_id
        value = page.cell(number, 2)
        value.number_format = _setting_format(setting)
        value.protection = _INPUT
        value.border = _LINE
        value.alignment = Alignment(horizontal="left")
        styles["plan", setting.name] = value.style_id
        meaning = page.cell(number, 3)
        meaning.fill = _COMPUTED
        meaning.border = _LINE
        styles["plan", _MEANING] = meaning.style_id
        _validate(page, f"B{number}", setting)
        if setting.required:
            page.conditional_formatting.add(
                f"B{number}",
                FormulaRule(formula=[f'TRIM($B{number})=""'], fill=_MISSING),  # type: ignore[no-untyped-call]
            )


def _make_formulas(page: Worksheet) -> str:
    """The computed columns of Targets; gives the cells of one row, @ standing for its number."""
    sheet = SHEETS["targets"]
    places = {name: f"${letters(number)}@" for number, name in enumerate(sheet.column_names, 1)}
    first = len(places) + 1
    for number, formula in enumerate(FORMULAS, first):
        places[formula.heading] = f"${letters(number)}@"
    cells = ""
    for number, formula in enumerate(FORMULAS, first):
        letter = letters(number)
        _heading(page, number, formula.heading, f"{formula.help}. Not read.", _HEAD_COMPUTED)
        page.column_dimensions[letter].width = max(14, len(formula.heading) + 2)
        sample = page.cell(2, number)
        sample.number_format = formula.format
        sample.fill = _COMPUTED
        text = escape(formula.text.format(**places))
        cells += f'<c r="{letter}@" s="{sample.style_id}"><f>{text}</f></c>'
        if formula.tolerance:
            tolerance = f"{LISTS}!${letters(1 + list(_TOLERANCES).index(formula.tolerance))}$2"
            page.conditional_formatting.add(
                f"{letter}2:{letter}{_LAST_ROW}",
                FormulaRule(  # type: ignore[no-untyped-call]
                    formula=[f"AND(ISNUMBER({letter}2),ROUND(ABS({letter}2)*100,6)>{tolerance})"],
                    fill=_RED,
                    font=Font(bold=True, color="9C0006"),
                ),
            )
    return cells


def _make_lists(page: Worksheet) -> None:
    """The hidden sheet that drop-downs and tolerances read: its headings."""
    page.sheet_state = "hidden"
    names = [*_TOLERANCES, "periods", *(f"choices_{n}" for n in range(1, len(_choice_lists()) + 1))]
    for number, name in enumerate(names, 1):
        page.cell(1, number, name)
    _protect(page)


def _heading(page: Worksheet, number: int, name: str, told: str, fill: PatternFill) -> None:
    cell = page.cell(1, number, name)
    cell.font = _HEAD_FONT
    cell.fill = fill
    cell.alignment = Alignment(vertical="center")
    cell.comment = _note(told)


def _note(text: str) -> Comment:
    return Comment(text, "tieout", width=320, height=40 + 18 * (1 + len(text) // 45))


def _fit_on_paper(page: Worksheet) -> None:
    page.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0


def _protect(page: Worksheet) -> None:
    """Against slips, not against people: no password. Widths, rows and filters stay free."""
    page.protection.enable()
    page.protection.formatColumns = False
    page.protection.formatRows = False
    page.protection.insertRows = False
    page.protection.deleteRows = False
    page.protection.sort = False
    page.protection.autoFilter = False


def _told(setting: Column) -> str:
    """What a setting is and what may stand there."""
    parts = [setting.help]
    if setting.choices:
        parts.append(f"one of {', '.join(setting.choices)}")
    if setting.kind == "list":
        parts.append("separate several by a semicolon")
    if setting.required:
        parts.append("required")
    return "; ".join(parts)


def _format(sheet: Sheet, column: Column) -> str:
    unit = _UNIT.get(column.name) if sheet.name == "targets" else None
    if unit is not None:
        return {"minor": _MONEY, "rate": _RATE, "count": _COUNT}.get(unit, _PLAIN)
    if (sheet.name, column.name) == ("promises", "value"):
        return _MONEY
    return {"date": _DATE, "integer": _PLAIN, "decimal": _PLAIN, "boolean": _PLAIN}.get(
        column.kind, _TEXT
    )


def _setting_format(setting: Column) -> str:
    if setting.name in _MONEY_SETTINGS:
        return _MONEY
    return {"date": _DATE, "integer": _PLAIN, "decimal": _PLAIN, "boolean": _PLAIN}.get(
        setting.kind, _TEXT
    )


def _width(column: Column) -> float:
    by_kind = {"scope": 28, "key": 68, "list": 30, "date": 13, "text": 28, "choice": 22}
    least = by_kind.get(column.kind, 14)
    return float(max(least, len(column.name) + 3))


@cache
def _choice_lists() -> tuple[tuple[str, ...], ...]:
    """Every set of choices once, in the order of Lists' columns."""
    found = dict.fromkeys(
        column.choices
        for column in (*SETTINGS, *(c for sheet in SHEETS.values() for c in sheet.columns))
        if column.choices and column.name != "key"
    )
    return (*found, ("yes", "no"))


def _validate(page: Worksheet, cells: str, column: Column) -> None:
    """A drop-down where a cell names something, limits where it is a number or a date.

    What a drop-down lists of other sheets may be typed before it stands there: that only warns.
    """
    is_reference = False
    if column.choices or column.kind == "boolean":
        choices = column.choices or ("yes", "no")
        letter = letters(len(_TOLERANCES) + 2 + _choice_lists().index(choices))
        source = f"{LISTS}!${letter}$2:${letter}${len(choices) + 1}"
        rule = DataValidation(type="list", formula1=source)
    elif (names := _reference(page.title, column)) is not None:
        rule = DataValidation(type="list", formula1=names)
        is_reference = True
    elif column.kind in ("integer", "decimal"):
        kind: Any = "whole" if column.kind == "integer" else "decimal"
        low = "-999999999999999" if column.minimum is None else str(column.minimum)
        if column.maximum is None:
            rule = DataValidation(type=kind, operator="greaterThanOrEqual", formula1=low)
        else:
            rule = DataValidation(
                type=kind, operator="between", formula1=low, formula2=str(column.maximum)
            )
    elif column.kind == "date":
        rule = DataValidation(type="date", operator="greaterThan", formula1="1")
    else:
        return
    rule.allowBlank = True
    rule.showErrorMessage = True
    rule.errorStyle = "warning" if is_reference else "stop"
    rule.errorTitle = column.name[:31]
    rule.error = column.help[:200]
    rule.add(cells)
    page.add_data_validation(rule)


_DEFINED = (("Scopes", "scope"), ("Curves", "curve"))


def _reference(title: str, column: Column) -> str | None:
    """The range of names that a column's cells are taken from; None where they are defined."""
    by_name = {
        "period": f"{LISTS}!${letters(len(_TOLERANCES) + 1)}$",
        "scope": "Scopes!$A$",
        "parent": "Scopes!$A$",
        "owner": "People!$A$",
        "by": "People!$A$",
        "curve": "Curves!$A$",
    }
    if column.name not in by_name or (title, column.name) in _DEFINED:
        return None
    start = by_name[column.name]
    # As long as what is filled in.
    return f"OFFSET({start}2,0,0,MAX(1,COUNTA({start}2:{start[start.index('!') + 1 :]}5000)),1)"


# --- Reading -------------------------------------------------------------------------------------


def read_workbook(path: Path) -> Plan:
    """The plan in a workbook; raises PlanError with the sheet and cell of everything wrong.

    Headings are found by their name in row 1, in any order; what a hidden row or column holds
    counts. A cell with a formula counts as the value that Excel stored for it.
    """
    problems: list[Problem] = []
    try:
        with open_book(path) as book:
            pages = _pages(book, problems)
            is_from_1904 = book.is_from_1904
    except UnreadableError as error:
        raise PlanError([Problem(str(path), str(error))]) from error
    places = {name: _places(SHEETS[name], cells, problems) for name, cells in pages.items()}
    if problems:
        raise PlanError(problems)
    reader = _CellReader(_currency(pages["plan"], places["plan"]), is_from_1904)
    texts = {
        name: _texts(SHEETS[name], cells, places[name], reader, problems)
        for name, cells in pages.items()
    }

    def locate(sheet: str, row: int | None, column: str | None) -> str:
        title = SHEETS[sheet].title
        if row is None:
            return f"sheet {title!r}"
        if column not in places[sheet]:
            return f"sheet {title!r}, row {row}"
        return _place(title, row, places[sheet][column])

    return _read(texts, locate, problems)


def _read(texts: Texts, locate: Locate, problems: list[Problem]) -> Plan:
    """The plan of these texts; a cell that has a problem already is not reported again."""
    try:
        plan = read(texts, locate)
    except PlanError as error:
        known = {problem.where for problem in problems}
        problems += [problem for problem in error.problems if problem.where not in known]
        raise PlanError(problems) from error
    if problems:
        raise PlanError(problems)
    return plan


def _place(title: str, row: int, column: int) -> str:
    return f"sheet {title!r}, cell {letters(column)}{row}"


def _pages(book: Book, problems: list[Problem]) -> dict[str, SheetCells]:
    """The cells of every sheet of a plan; a sheet too many or too few is a problem."""
    pages: dict[str, SheetCells] = {}
    for title in book.parts:
        sheet = _SHEET_OF.get(title.strip().lower())
        is_remark = title in (README, LISTS) or title.startswith(REMARK)
        if is_remark and sheet is None:
            continue
        try:
            cells = book.cells(title)
        except UnreadableError as error:
            problems.append(Problem(f"sheet {title!r}", str(error)))
            continue
        if sheet is None:
            if cells.rows:
                near = did_you_mean(title, [s.title for s in SHEETS.values()])
                hint = f"; did you mean {near!r}?" if near else "."
                problems.append(
                    Problem(
                        f"sheet {title!r}",
                        f"found a sheet that no plan has{hint} Delete it, or begin its name with"
                        f" {REMARK} to keep it as a remark",
                    )
                )
            continue
        pages[sheet.name] = cells
        problems += [
            Problem(
                f"sheet {title!r}, cells {merged}",
                "found merged cells, expected one value a cell; unmerge them",
            )
            for merged in cells.merged
        ]
    problems += [
        Problem(f"sheet {sheet.title!r}", "found no such sheet, expected it with its headings")
        for name, sheet in SHEETS.items()
        if name not in pages and not any(p.where == f"sheet {sheet.title!r}" for p in problems)
    ]
    return pages


def _places(sheet: Sheet, cells: SheetCells, problems: list[Problem]) -> dict[str, int]:
    """The column of every heading of a sheet."""
    places: dict[str, int] = {}
    shown = _SHOWN_ONLY.get(sheet.name, frozenset())
    ignored: set[int] = set()
    for number, cell in sorted(cells.rows.get(1, {}).items()):
        name = (cell.text or "").replace("\u00a0", " ").strip().lower()
        where = _place(sheet.title, 1, number)
        if name in places:
            problems.append(Problem(where, f"found the heading {name!r} twice; delete one column"))
        elif name in sheet.column_names:
            places[name] = number
        elif name in shown or name.startswith(REMARK):
            ignored.add(number)
        elif name:
            near = did_you_mean(name, sheet.column_names)
            hint = f"; did you mean {near!r}?" if near else "."
            problems.append(
                Problem(
                    where,
                    f"found the heading {cell.text!r}, which {sheet.title} lacks{hint} Delete the"
                    f" column, or begin its heading with {REMARK} to keep it as a remark",
                )
            )
            ignored.add(number)
    problems += [
        Problem(f"sheet {sheet.title!r}", f"found no heading {column.name!r} in row 1")
        for column in sheet.columns
        if column.required and column.name not in places
    ]
    known = {*places.values(), *ignored}
    strays: dict[int, int] = {}
    for row in sorted(cells.rows):
        for number, cell in cells.rows[row].items():
            if row > 1 and number not in known and (cell.text is None or cell.text.strip()):
                strays.setdefault(number, row)
    problems += [
        Problem(
            _place(sheet.title, row, number),
            "found a value in a column without a heading; give it one or delete it",
        )
        for number, row in sorted(strays.items())
    ]
    return places


def _texts(
    sheet: Sheet,
    cells: SheetCells,
    places: Mapping[str, int],
    reader: _CellReader,
    problems: list[Problem],
) -> list[tuple[int, Mapping[str, str]]]:
    """The rows below the heading, each cell as the text that `model` parses."""
    columns = [(name, sheet.column(name), number) for name, number in places.items()]
    rows: list[tuple[int, Mapping[str, str]]] = []
    for row in sorted(cells.rows):
        if row == 1:
            continue
        found = cells.rows[row]
        texts: dict[str, str] = {}
        for name, column, number in columns:
            cell = found.get(number)
            if cell is None:
                continue
            kind = column
            if sheet.name == "plan" and name == "value":
                # What belongs there is of the setting's own kind.
                key = found.get(places["key"])
                kind = _SETTING.get(((key and key.text) or "").strip().lower(), column)
            try:
                texts[name] = reader.text(cell, kind)
            except ValueError as error:
                problems.append(Problem(_place(sheet.title, row, number), str(error)))
        rows.append((row, texts))
    return rows


def _currency(cells: SheetCells, places: Mapping[str, int]) -> str | None:
    """The plan's currency as its sheet says it, before anything is read in full."""
    for row in cells.rows.values():
        key, value = row.get(places["key"]), row.get(places.get("value", 0))
        if key and value and (key.text or "").strip().lower() == "currency":
            return (value.text or "").strip() or None
    return None


#: Signs of money in number formats, with the currencies they may stand for.
_SIGNS = {
    "€": ("EUR",),
    "£": ("GBP", "EGP", "FKP", "GIP", "LBP", "SHP", "SYP", "SSP", "SDG"),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
}


@dataclass(frozen=True)
class _CellReader:
    """What a cell means in a column of a plan: its text in the form that `model` parses."""

    currency: str | None
    is_from_1904: bool

    def text(self, cell: Cell, column: Column) -> str:
        """Raises ValueError with what was found, what is expected and what to do."""
        if cell.type == "e":
            raise ValueError(
                f"found the error {cell.text or '#VALUE!'}, expected {_expected(column)}; mend its"
                " formula or what that refers to"
            )
        if cell.text is None:
            raise ValueError(
                f"found a formula without a stored value, expected {_expected(column)}; open and"
                " save the workbook in Excel, or paste the value"
            )
        if cell.type == "b":
            return "yes" if cell.text.strip() in ("1", "true") else "no"
        if cell.type == "n":
            return self._number(cell, column) if cell.text.strip() else ""
        if cell.type == "d":
            return _day(datetime.fromisoformat(cell.text.replace("Z", "")))
        text = cell.text
        if column.kind in ("integer", "decimal") and text.rstrip().endswith("%"):
            example = "0.4 for 40 %" if _is_share(column) else "5 for 5 %"
            raise ValueError(
                f"found the text {text!r}, expected a number: {example}; clear the cell's format"
                " and type it again"
            )
        return text

    def _number(self, cell: Cell, column: Column) -> str:
        stored = float(cell.text or "")
        if not math.isfinite(stored):
            raise ValueError(f"found {cell.text}, expected {_expected(column)}")
        # What Excel shows of a number, and all it keeps of one typed: 0.1 + 0.2 is 0.3.
        text = f"{Decimal(f'{stored:.{_DIGITS}g}'):f}"
        is_number = column.kind in ("integer", "decimal")
        if cell.format and is_date_format(cell.format):
            day = self._day(stored)
            if is_number:
                raise ValueError(
                    f"found the date {day}, expected {_expected(column)}; clear the cell's format"
                    " and type it again"
                )
            return day
        if column.kind == "date":
            raise ValueError(
                f"found the number {text}, expected {_expected(column)}; give the cell a date"
                " format, or write it as text"
            )
        code = re.sub(r'"[^"]*"|\\.', "", cell.format)
        if "%" in code and not _is_share(column):
            shown = f"{Decimal(text) * 100:f}"
            shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
            raise ValueError(
                f"found {shown} %, which Excel stores as {text}, expected {_expected(column)}"
                + (f": {shown}" if is_number else "")
                + "; clear the cell's format and type it again"
            )
        if is_number:
            self._demand_currency(cell.format)
        return text

    def _day(self, serial: float) -> str:
        epoch = CALENDAR_MAC_1904 if self.is_from_1904 else CALENDAR_WINDOWS_1900
        try:
            found = from_excel(serial, epoch)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"found {serial} as a date, expected one before 9999") from error
        if not isinstance(found, datetime):
            raise ValueError(f"found the time {found}, expected a day")  # noqa: TRY004 - a cell's
        return _day(found)

    def _demand_currency(self, code: str) -> None:
        """A figure shown in another currency than the plan's is taken for one of that currency."""
        if not self.currency or not code:
            return
        sign = re.search(r"\[\$([^\]-]+)[^\]]*\]", code)
        bare = sign[1].strip() if sign else ""
        others = [sign for sign in _SIGNS if sign in code and self.currency not in _SIGNS[sign]]
        if re.fullmatch("[A-Z]{3}", bare) and bare != self.currency:
            others = [bare]
        if others:
            raise ValueError(
                f"found an amount in {others[0]}, expected one in the plan's currency"
                f" {self.currency}; convert it, or correct the cell's format"
            )


def _day(moment: datetime) -> str:
    if moment.time() != datetime.min.time():
        raise ValueError(f"found {moment}, expected a day without a time")
    return moment.date().isoformat()


def _is_share(column: Column) -> bool:
    return column.kind == "decimal" and column.maximum == 1


def _expected(column: Column) -> str:
    """What belongs into a column, in a few words."""
    if _is_share(column):
        return "a share such as 0.4"
    if column.choices:
        return f"one of {', '.join(column.choices)}" if len(column.choices) < 8 else "a choice"
    return {
        "integer": "a whole number",
        "decimal": "a number",
        "date": "a date such as 2026-01-31",
        "boolean": "yes or no",
        "scope": "a scope such as company",
    }.get(column.kind, "text")
