"""Excel in, Excel out: what is written is read back, what is spoilt is refused by its cell."""

from __future__ import annotations

import os
import re
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import openpyxl
import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration.cli.plan import app
from orchestration.lib.plan import cells
from orchestration.lib.plan.folder import file_name, read_plan, sheet_bytes, write_plan
from orchestration.lib.plan.model import Plan, PlanError
from orchestration.lib.plan.sheets import SETTINGS, SHEETS, kpis
from orchestration.lib.plan.workbook import (
    FORMULAS,
    LISTS,
    README,
    SPARE_ROWS,
    read_workbook,
    template_plan,
    write_workbook,
)
from tests.support.plans import plan_of, plans, small_plan, small_sheets
from tests.support.workbooks import BOOK, STYLES, Parts, formula, number, place, text

FIRST, TARGETS = 2, "targets"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_plan()


@pytest.fixture(scope="module")
def sound(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The small plan's workbook; tests change copies of it."""
    path = tmp_path_factory.mktemp("workbook") / "plan.xlsx"
    write_workbook(plan, path, spare_rows=1)
    return Parts.of(path)


@pytest.fixture
def parts(sound: Parts) -> Parts:
    return Parts(sound)


def problems_of(path: Path) -> dict[str, str]:
    with pytest.raises(PlanError) as error:
        read_workbook(path)
    found: dict[str, str] = {}
    for problem in error.value.problems:
        found[problem.where] = f"{found.get(problem.where, '')} {problem.message}".strip()
    return found


# --- Round trips ---------------------------------------------------------------------------------


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("TIEOUT_PLANS", "200")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans(most_rows=4))
def test_any_plan_goes_through_workbook_and_folder_unchanged(tmp_path: Path, plan: Plan) -> None:
    """Plan → workbook → plan → CSV folder → plan → workbook: equal plans, equal bytes.

    `make soak` tries a thousand.
    """
    first, folder, second = tmp_path / "1.xlsx", tmp_path / "draft", tmp_path / "2.xlsx"
    write_workbook(plan, first, spare_rows=1)
    read = read_workbook(first)
    assert read == plan
    write_plan(read, folder)
    assert all(
        (folder / file_name(name)).read_bytes() == sheet_bytes(plan, name) for name in SHEETS
    )
    again = read_plan(folder)
    assert again == plan
    write_workbook(again, second, spare_rows=1)
    assert second.read_bytes() == first.read_bytes()


def test_rows_are_those_of_excel(plan: Plan, tmp_path: Path) -> None:
    """What a check says of row 3 is row 3 of the sheet, in the workbook and in the file."""
    write_workbook(plan, tmp_path / "plan.xlsx")
    read = read_workbook(tmp_path / "plan.xlsx")
    for name in SHEETS:
        if name != "plan":
            assert [row.number for row in read.rows(name)] == [
                row.number for row in plan.rows(name)
            ]


def test_numbers_that_excel_would_round_are_kept(tmp_path: Path) -> None:
    """Excel has 15 digits: 27 of them stand as text, and come back."""
    sheets = small_sheets()
    sheets[TARGETS][0]["budget"] = "123456789012345678.123456789"
    sheets[TARGETS][1]["budget"] = "0.1"
    write_workbook(plan_of(sheets), tmp_path / "plan.xlsx")
    rows = read_workbook(tmp_path / "plan.xlsx").rows(TARGETS)
    assert rows[0]["budget"] == Decimal("123456789012345678.123456789")
    assert rows[1]["budget"] == Decimal("0.1")


def test_days_before_excels_calendar_are_kept(tmp_path: Path) -> None:
    sheets = small_sheets()
    sheets["special_days"] = [
        {"first_day": day, "weight_pct": "100"}
        for day in ("0001-01-01", "1899-12-31", "1900-02-28", "1900-03-01", "9999-12-31")
    ]
    write_workbook(plan_of(sheets), tmp_path / "plan.xlsx")
    assert read_workbook(tmp_path / "plan.xlsx") == plan_of(sheets)


def test_a_text_too_long_for_a_cell_is_refused(tmp_path: Path) -> None:
    sheets = small_sheets()
    sheets["stages"][0]["definition"] = "x" * 32_768
    with pytest.raises(PlanError, match=r"sheet 'Stages', cell B2: found 32,768 characters"):
        write_workbook(plan_of(sheets), tmp_path / "plan.xlsx")
    assert not any(tmp_path.iterdir())


# --- The workbook people see ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("seen") / "plan.xlsx"
    write_workbook(plan, path)
    return openpyxl.load_workbook(path)


def test_sheets_in_order(seen: openpyxl.Workbook) -> None:
    assert seen.sheetnames == [README, *(sheet.title for sheet in SHEETS.values()), LISTS]
    assert seen[LISTS].sheet_state == "hidden"
    lines = [row[0] for row in seen[README].iter_rows(values_only=True) if row[0]]
    assert len(lines) == 11
    for command in ("tieout plan import", "tieout plan check", "tieout plan lock"):
        assert any(command in line for line in lines)


def test_every_heading_and_setting_has_a_note(seen: openpyxl.Workbook) -> None:
    for sheet in SHEETS.values():
        page = seen[sheet.title]
        assert page.freeze_panes is not None
        for cell, column in zip(page[1], sheet.columns, strict=False):
            assert cell.value == column.name
            assert cell.comment.text.startswith(column.help)
    for row, setting in enumerate(SETTINGS, 2):
        assert seen["Plan"].cell(row, 1).value == setting.name
        assert seen["Plan"].cell(row, 1).comment.text.startswith(setting.help)


def test_only_input_cells_are_unlocked_and_no_password_keeps_anyone_out(
    seen: openpyxl.Workbook,
) -> None:
    for page in seen.worksheets:
        assert page.protection.sheet
        assert page.protection.password is None
    targets = seen["Targets"]
    assert not targets.column_dimensions["C"].protection.locked
    assert targets["C1"].protection.locked
    formulas = targets.cell(FIRST, len(SHEETS[TARGETS].columns) + 1)
    assert formulas.protection.locked
    assert formulas.value.startswith("=")


def test_formats(seen: openpyxl.Workbook) -> None:
    units = {row["metric"]: row["unit"] for row in kpis()}
    wanted = {"minor": "#,##0.00", "rate": "0.0%"}
    for column in SHEETS[TARGETS].columns:
        unit = units.get(column.name)
        if unit in wanted:
            cell = seen["Targets"][place(TARGETS, column.name)]
            assert cell.number_format == wanted[unit]
    day = seen["Special days"][place("special_days", "first_day")]
    assert (day.is_date, day.value.date()) == (True, date(2026, 12, 24))
    assert seen["Plan"][place("plan", "effective_from")].is_date


def drop_down(seen: openpyxl.Workbook, sheet: str, cell: str) -> str:
    (found,) = [
        rule
        for rule in seen[SHEETS[sheet].title].data_validations.dataValidation
        if cell in rule.sqref
    ]
    return str(found.formula1)


def test_drop_downs(seen: openpyxl.Workbook) -> None:
    for sheet in SHEETS.values():
        for column in sheet.columns:
            if sheet.name != "plan" and (column.choices or column.kind == "boolean"):
                source = drop_down(seen, sheet.name, place(sheet.name, column.name, 999))
                start, end = re.findall(r"\$([A-Z]+\$\d+)", source)
                values = [
                    row[0].value
                    for row in seen[LISTS][f"{start.replace('$', '')}:{end.replace('$', '')}"]
                ]
                assert values == list(column.choices or ("yes", "no"))
    assert "Scopes!" in drop_down(seen, TARGETS, "B500")
    assert "People!" in drop_down(seen, "kpis", place("kpis", "owner"))
    assert "Curves!" in drop_down(seen, "kpis", place("kpis", "curve"))
    periods = [cell.value for cell in seen[LISTS]["C"]][1:18]
    assert (periods[0], periods[-1]) == ("FY2026", "FY2026-M12")
    assert "Lists!" in drop_down(seen, "plan", place("plan", "calendar"))


def test_formulas_stand_beside_two_hundred_rows_more(plan: Plan, seen: openpyxl.Workbook) -> None:
    page = seen["Targets"]
    first = len(SHEETS[TARGETS].columns) + 1
    last = len(plan.rows(TARGETS)) + 1 + SPARE_ROWS
    assert [cell.value for cell in page[1]][first - 1 :] == [each.heading for each in FORMULAS]
    for row in (FIRST, last):
        leads = page.cell(row, first).value
        assert leads == f'=IF(COUNT($C{row},$D{row})<2,"",IF($D{row}=0,"",$C{row}/$D{row}))'
        assert all(str(page.cell(row, first + n).value)[0] == "=" for n in range(len(FORMULAS)))
    assert page.cell(last + 1, first).value is None
    promised = page.cell(FIRST, first + [f.heading for f in FORMULAS].index("promised_pipeline"))
    assert 'Promises!$A$2:$A$20000,"sales"' in promised.value


def test_the_same_plan_gives_the_same_bytes(plan: Plan, tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(plan, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as file:
        assert {info.date_time[0] for info in file.infolist()} == {1980}
        assert b"2000-01-01T00:00:00Z" in file.read("docProps/core.xml")
    assert {path.name for path in tmp_path.iterdir()} == {"a.xlsx", "b.xlsx"}


def test_a_template_says_what_is_still_to_be_filled_in(tmp_path: Path) -> None:
    blank = template_plan(
        company=None,
        currency=None,
        fiscal_year=2026,
        calendar="4-4-5",
        first_day=date(2026, 2, 1),
    )
    assert [row["owner"] for row in blank.rows("kpis")] == [None] * len(kpis())
    write_workbook(blank, tmp_path / "t.xlsx")
    found = problems_of(tmp_path / "t.xlsx")
    assert set(found) == {
        *(f"sheet 'Plan', cell {place('plan', name)}" for name in ("company", "currency")),
        f"sheet 'Plan', cell {place('plan', 'effective_from')}",
        "sheet 'Targets'",
    }
    filled = Parts.of(tmp_path / "t.xlsx")
    filled.put("plan", place("plan", "company"), text("Example Ltd"))
    filled.put("plan", place("plan", "currency"), text("USD"))
    filled.put("plan", place("plan", "effective_from"), text("2026-02-01"))
    filled.put(TARGETS, "A2", text("FY2026-Q1"))
    filled.put(TARGETS, "B2", text("company"))
    filled.put(TARGETS, "E2", number("100"))
    (row,) = read_workbook(filled.write(tmp_path / "filled.xlsx")).rows(TARGETS)
    assert row["leads"] == 100


# --- What a workbook may look like ---------------------------------------------------------------


def cell_of(
    sheet: str, column: str, inside: str, code: str | None = None
) -> Callable[[Parts], None]:
    return lambda parts: parts.put(sheet, place(sheet, column), inside, code)


LIVES: dict[str, Callable[[Parts], None]] = {
    "number as text": cell_of(TARGETS, "leads", text(" 2500 ")),
    "number as text with no-break space": cell_of(TARGETS, "leads", text("\u00a02500\u00a0")),
    "number with too many zeros": cell_of(TARGETS, "leads", number("2500.000")),
    "number with an exponent": cell_of(TARGETS, "leads", number("2.5E3")),
    "float that is not exact": cell_of(TARGETS, "rate_lead_mql", number("0.20000000000000001")),
    "sum of floats": cell_of(TARGETS, "rate_lead_mql", number(repr(0.1 + 0.1 + 0.3 - 0.3))),
    "share shown as percent": cell_of(TARGETS, "rate_lead_mql", number("0.2"), "0.00%"),
    "formula with its value": cell_of(TARGETS, "leads", formula("2500")),
    "formula with its text": cell_of(TARGETS, "scope", formula("company", "str")),
    "formula that gives no text": cell_of("stages", "stage", formula("mql", "str")),
    "date as text": cell_of("special_days", "first_day", text("2026-12-24")),
    "date-time at midnight": cell_of("special_days", "first_day", number("46380"), "d/m/yy h:mm"),
    "date of type d": cell_of("special_days", "first_day", 't="d"><v>2026-12-24T00:00:00</v>'),
    "boolean": cell_of("people", "signs", 't="b"><v>1</v>'),
    "boolean in words": cell_of("people", "signs", text("TRUE")),
    "choice in capitals": cell_of("people", "department", text(" Marketing\u00a0")),
    "year as a number": cell_of("plan", "fiscal_years", number("2026")),
    "amount in the plan's currency": cell_of(TARGETS, "budget", number("50000"), "[$USD] #,##0"),
    "amount in dollars": cell_of(TARGETS, "budget", number("50000"), '"$"#,##0.00'),
    "sheet that is a remark": lambda parts: parts.edit(
        BOOK, lambda xml: xml.replace('name="Lists"', 'name="_my notes"')
    ),
    "heading that is a remark": lambda parts: parts.put("rates", "C1", text("_source")),
    "value under a remark": lambda parts: (
        parts.put("rates", "C1", text("_source")),
        parts.put("rates", "C2", text("ECB")),
    )[-1],
    "heading in capitals": lambda parts: parts.put("rates", "B1", text(" Rate\u00a0")),
    "title in capitals": lambda parts: parts.retitle("rates", "RATES"),
    "hidden row": lambda parts: parts.edit(
        parts.part(TARGETS), lambda xml: xml.replace('<row r="3">', '<row r="3" hidden="1">')
    ),
    "rows that hold blanks": lambda parts: parts.put(TARGETS, "C900", text(" \u00a0 ")),
    "rows without numbers": lambda parts: parts.edit(
        parts.part("rates"), lambda xml: re.sub(r'(<row|<c) r="[A-Z]?\d+"', r"\1", xml)
    ),
    "comment in the file": lambda parts: parts.edit(
        parts.part("rates"), lambda xml: xml.replace("<sheetData>", "<!-- x --><sheetData>")
    ),
    "text in pieces": cell_of(
        "people", "name", 't="inlineStr"><is><r><t>Mi</t></r><r><t>a</t></r>'
        "<rPh><t>guide</t></rPh></is>",
    ),
    "style that is not there": cell_of(TARGETS, "leads", 's="9999"><v>2500</v>'),
    "column that is not required is gone": lambda parts: parts.edit(
        parts.part("rates"), lambda xml: xml.replace("<cols>", "<cols>")  + " "
    ),
    "prefix of its own": lambda parts: parts.edit(
        parts.part("rates"),
        lambda xml: re.sub(r"<(/?)(?!\?)(\w)", r"<\1x:\2", xml).replace("xmlns=", "xmlns:x="),
    ),
    "strict form": lambda parts: parts.edit(
        parts.part("rates"),
        lambda xml: xml.replace(
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_it_means_the_same(name: str, parts: Parts, plan: Plan, tmp_path: Path) -> None:
    LIVES[name](parts)
    assert read_workbook(parts.write(tmp_path / "plan.xlsx")) == plan


def test_columns_may_be_moved(parts: Parts, plan: Plan, tmp_path: Path) -> None:
    swapped = {"A": "B", "B": "A"}

    def swap(xml: str) -> str:
        before, rest = xml.split("<sheetData>")
        return (
            before
            + "<sheetData>"
            + re.sub(r'<c r="([AB])(\d+)"', lambda m: f'<c r="{swapped[m[1]]}{m[2]}"', rest)
        )

    for name in ("rates", "plan", "scopes", TARGETS):
        parts.edit(parts.part(name), swap)
    parts.put("rates", "B2", text("EURO"))
    assert [*problems_of(parts.write(tmp_path / "plan.xlsx"))] == ["sheet 'Rates', cell B2"]
    parts.put("rates", "B2", text("EUR"))
    assert read_workbook(parts.write(tmp_path / "plan.xlsx")) == plan


def test_dates_count_from_1904_where_the_workbook_says_so(
    parts: Parts, plan: Plan, tmp_path: Path
) -> None:
    for name in ("effective_from", "fiscal_year_first_day"):
        parts.put("plan", place("plan", name), text("2026-01-01"))
    for name in ("first_day", "last_day"):
        parts.put("special_days", place("special_days", name), number("44918"), "d/m/yy")
    parts.edit(BOOK, lambda xml: re.sub(r"<workbookPr\b", '<workbookPr date1904="1"', xml))
    read = read_workbook(parts.write(tmp_path / "plan.xlsx"))
    assert read.rows("special_days")[0]["first_day"] == date(2026, 12, 24)


def test_another_program_may_have_saved_it(plan: Plan, tmp_path: Path) -> None:
    """openpyxl writes shared strings and no stored values; LibreOffice was tried by hand."""
    path = tmp_path / "plan.xlsx"
    write_workbook(plan, path)
    book = openpyxl.load_workbook(path)
    book.save(path)
    assert read_workbook(path) == plan


@pytest.mark.slow
@pytest.mark.parametrize("cells", [0, 19])
def test_a_million_empty_rows_take_seconds(
    parts: Parts, plan: Plan, tmp_path: Path, cells: int
) -> None:
    """A format dragged down to the last row; seen in every second planning workbook."""
    xml = parts.pop(parts.part(TARGETS)).decode()
    before, after = xml.split("</sheetData>")
    row = "".join(f'<c r="{chr(65 + number)}@" s="3"/>' for number in range(cells))
    line = f'<row r="@" s="3" customFormat="1">{row}</row>'
    path = tmp_path / "plan.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in parts.items():
            file.writestr(name, content)
        with file.open(parts.part(TARGETS), "w", force_zip64=True) as part:
            part.write(before.encode())
            for start in range(1000, 1_001_000, 10_000):
                part.write("".join(line.replace("@", str(n)) for n in range(start, start + 10_000))
                           .encode())  # fmt: skip
            part.write(f"</sheetData>{after}".encode())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    assert read_workbook(path) == plan
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 100_000


# --- What is refused -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Damage:
    """One way to spoil the workbook, where that is told and with which words."""

    name: str
    spoil: Callable[[Parts], None]
    where: str
    told: str


def spoilt_cell(
    what: str, sheet: str, column: str, inside: str | None, told: str,
    code: str | None = None, row: int = FIRST,
) -> Damage:  # fmt: skip
    cell = place(sheet, column, row)
    return Damage(
        f"{what} in {sheet}.{column}",
        lambda parts: parts.put(sheet, cell, inside, code),
        f"sheet {SHEETS[sheet].title!r}, cell {cell}",
        told,
    )


def in_cells() -> Iterator[Damage]:
    """Damage of one cell."""
    metrics = [column.name for column in SHEETS[TARGETS].columns[2:]]
    rates = [name for name in metrics if name.startswith("rate_")]
    for name in metrics:
        yield spoilt_cell("text", TARGETS, name, text("tbd"), "found 'tbd', expected a number")
    for name in metrics[:6]:
        yield spoilt_cell("amount as text", TARGETS, name, text("$1,000"), "without separators")
        yield spoilt_cell("boolean", TARGETS, name, 't="b"><v>1</v>', "expected a number")
        yield spoilt_cell("date", TARGETS, name, number("46023"), "the date 2026-01-01", "d/m/yy")
        yield spoilt_cell("negative", TARGETS, name, number("-1"), "found '-1', expected")
        yield spoilt_cell("too many digits", TARGETS, name, number(repr(1 / 3)), "9 digits")
        yield spoilt_cell("too large", TARGETS, name, number("1E+30"), "expected a number")
        yield spoilt_cell("endless", TARGETS, name, number("1E+999"), "expected")
        yield spoilt_cell("no number", TARGETS, name, number("12x"), "12x")
    for name in rates:
        yield spoilt_cell("percent as text", TARGETS, name, text("40%"), "0.4 for 40 %")
        yield spoilt_cell("percent as number", TARGETS, name, number("40"), "0 to 1")
    for sheet, name in (("kpis", "tolerance_pct"), ("plan", "funnel_tolerance_pct"),
                        ("plan", "variance_after_pct"),
                        ("special_days", "weight_pct")):  # fmt: skip
        yield spoilt_cell("percent", sheet, name, number("0.05"), "found 5 %, which", "0%")
    yield spoilt_cell("percent", "people", "name", number("0.4"), "found 40 %, which", "0%")
    errors = ("#REF!", "#DIV/0!", "#N/A", "#NAME?", "#VALUE!", "#NUM!", "#NULL!")
    inputs = ((TARGETS, "leads"), (TARGETS, "period"), ("promises", "value"), ("plan", "max_cac"),
              ("scopes", "scope"), ("special_days", "first_day"), ("people", "signs"))  # fmt: skip
    for error, (sheet, name) in zip(errors, inputs, strict=True):
        yield spoilt_cell(error, sheet, name, formula(error, "e"), f"found the error {error}")
        yield spoilt_cell("pasted error", sheet, name, f't="e"><v>{error}</v>', error)
        yield spoilt_cell("formula", sheet, name, formula(None), "without a stored value")
    for sheet, name in (("special_days", "first_day"), ("plan", "effective_from")):
        yield spoilt_cell("number", sheet, name, number("46380"), "the number 46380", "0")
        yield spoilt_cell("time", sheet, name, number("46380.5"), "a day without a time", "d/m/yy")
        yield spoilt_cell("hour", sheet, name, number("0.5"), "found", "h:mm")
        yield spoilt_cell("day in words", sheet, name, text("24 Dec 2026"), "such as 2026-01-31")
        yield spoilt_cell("day of no year", sheet, name, number("99999999"), "found", "d/m/yy")
        yield spoilt_cell("text as day", sheet, name, 't="d"><v>soon</v>', "soon")
    for code in ("US Dollar", "USX", "usd", "€"):
        yield spoilt_cell(code, "plan", "currency", text(code), "expected an ISO 4217 code")
    yield spoilt_cell("wrong currency", "rates", "currency", text("EURO"), "did you mean 'EUR'")
    for code in ("[$€-2] #,##0.00", "#,##0.00 [$EUR]", '"£"#,##0', "[$¥-411]#,##0"):
        yield spoilt_cell(f"amount as {code}", TARGETS, "budget", number("5"), "an amount in", code)
    named = ((TARGETS, "period", "FY2030-Q1"), (TARGETS, "period", "2026 Q1"),
             (TARGETS, "scope", "channel:serch"), ("promises", "scope", "segment:none"),
             ("promises", "by", "max"), ("kpis", "curve", "seasonal"),
             ("scopes", "parent", "channel:none"), ("special_days", "curve", "none"))  # fmt: skip
    for sheet, name, value in named:
        row = 3 if (sheet, name) == ("scopes", "parent") else FIRST
        yield spoilt_cell(
            f"unknown {value}", sheet, name, text(value), f"found '{value}', expected", row=row
        )
    for sheet, name in (("people", "department"), ("scopes", "level"), ("stages", "counts"),
                        ("kpis", "metric"), ("promises", "metric"), ("counting", "reason"),
                        ("plan", "calendar"), ("plan", "commitment_policy"),
                        ("people", "signs")):  # fmt: skip
        yield spoilt_cell("unknown choice", sheet, name, text("perhaps"), "found 'perhaps', expect")
    for sheet, name in (("people", "title"), ("stages", "definition"), ("plan", "title")):
        yield spoilt_cell("two lines", sheet, name, text("two\nlines"), "one line")
    for sheet in SHEETS.values():
        for column in sheet.columns:
            is_only = (sheet.name, column.name) in (("plan", "key"),)
            if column.required and not is_only:
                yield spoilt_cell("nothing", sheet.name, column.name, None, "found nothing")
    for setting in SETTINGS:
        if setting.required:
            yield spoilt_cell("nothing", "plan", setting.name, None, "found no value for")


def in_rows() -> Iterator[Damage]:
    """Damage of rows that are each well formed."""
    for sheet in SHEETS.values():
        if not sheet.key or sheet.name in ("plan",):
            continue
        columns = [name for name in sheet.column_names if sheet.column(name).required]
        yield Damage(
            f"a row twice in {sheet.name}",
            lambda parts, s=sheet, c=columns: repeat(parts, s.name, c),
            f"sheet {sheet.title!r}, cell {place(sheet.name, sheet.key[0], 50)}",
            "again (first in row 2), expected one row for each",
        )
    loops = {"channel:search": 3, "campaign:brand": 3, "company": 4}
    yield spoilt_cell("itself", "scopes", "parent", text("channel:search"), "circular roll-up",
                      row=loops["channel:search"])  # fmt: skip
    yield spoilt_cell("its own part", "scopes", "parent", text("campaign:brand"),
                      "channel:search → campaign:brand → channel:search", row=3)  # fmt: skip
    yield spoilt_cell("a parent", "scopes", "parent", text("channel:search"), "company is the top")
    yield spoilt_cell("no parent", "scopes", "parent", None, "adds up to", row=3)
    yield spoilt_cell("another level", "scopes", "level", text("segment"), "as the scope", row=3)
    yield spoilt_cell("an end before", "special_days", "last_day", text("2026-12-01"), "or later")
    yield Damage(
        "a year without a working day",
        lambda parts: parts.put("special_days", place("special_days", "first_day"),
                                text("2025-12-01")),
        "sheet 'Curves', cell A2",
        "found no day with a weight in FY2026-Q1 on the curve 'standard'",
    )  # fmt: skip
    yield spoilt_cell("years apart", "plan", "fiscal_years", text("2026; 2028"), "years in a row")
    yield spoilt_cell("mid-month", "plan", "fiscal_year_first_day", text("2026-01-15"), "the first")


def repeat(parts: Parts, sheet: str, columns: list[str]) -> None:
    """The key of the first row once more, in row 50."""
    xml = parts[parts.part(sheet)].decode()
    for name in columns:
        cell = place(sheet, name)
        found = re.search(rf'<c r="{cell}"[^>]*?(t="inlineStr">.*?|>.*?)</c>', xml)
        assert found
        parts.put(sheet, place(sheet, name, 50), found[1])


def in_sheets() -> Iterator[Damage]:
    """Damage of a sheet, its headings, its cells' ranges."""
    for sheet in SHEETS.values():
        where = f"sheet {sheet.title!r}"
        name, first = sheet.name, sheet.columns[0].name
        yield Damage(f"no {name}", lambda p, n=name: p.drop(n), where, "found no such sheet")
        yield Damage(
            f"{name} with another title",
            lambda p, n=name: p.retitle(n, f"{SHEETS[n].title} 2"),
            f"sheet '{sheet.title} 2'",
            f"did you mean '{sheet.title}'?",
        )
        yield Damage(
            f"{name} with another heading",
            lambda p, n=name, f=first: p.put(n, "A1", text(f"{f}s")),
            f"{where}, cell A1",
            f"did you mean '{first}'?",
        )
        needed = next(column.name for column in sheet.columns if column.required)
        yield Damage(
            f"{name} without a heading",
            lambda p, n=name, c=needed: p.put(n, place(n, c, 1), None),
            where,
            f"found no heading '{needed}' in row 1",
        )
        if sheet.name != "plan":
            yield Damage(
                f"{name} with a value of no column",
                lambda p, n=name: p.put(n, "BZ9", text("?")),
                f"{where}, cell BZ9",
                "a column without a heading",
            )
        yield Damage(
            f"{name} with merged cells",
            lambda p, n=name: p.merge(n, "A2:B3"),
            f"{where}, cells A2:B3",
            "found merged cells",
        )
        yield Damage(
            f"{name} with a heading twice",
            lambda p, n=name, f=first: p.put(n, "BZ1", text(f.upper())),
            f"{where}, cell BZ1",
            "twice; delete one column",
        )
        yield Damage(
            f"{name} cut off",
            lambda p, n=name: p.edit(p.part(n), lambda xml: xml[: len(xml) // 2]),
            where,
            "found a damaged workbook",
        )
        yield Damage(
            f"{name} with a document type",
            lambda p, n=name: p.edit(
                p.part(n), lambda xml: f'<!DOCTYPE x [<!ENTITY a "aaaa">]>{xml}'
            ),
            where,
            "document type declaration",
        )  # fmt: skip
        yield Damage(
            f"{name} with a cell twice",
            lambda p, n=name: add_cell(p, n, "A1"),
            where,
            "found the cell A1 twice",
        )  # fmt: skip
        yield Damage(
            f"{name} with a cell nowhere",
            lambda p, n=name: add_cell(p, n, "1A"),
            where,
            "found a cell '1A'",
        )  # fmt: skip
        yield Damage(
            f"{name} with a text that is not there",
            lambda p, n=name: p.put(n, "A2", 't="s"><v>99999</v>'),
            where,
            "found no text of number 99999",
        )


def add_cell(parts: Parts, sheet: str, cell: str) -> None:
    row = f'<row r="1"><c r="{cell}"><v>1</v></c></row></sheetData>'
    parts.edit(parts.part(sheet), lambda xml: xml.replace("</sheetData>", row))


DAMAGES = [*in_cells(), *in_rows(), *in_sheets()]


def test_two_hundred_kinds_and_places_are_spoilt() -> None:
    kinds = {re.sub(r" in \w+\.\w+$|^\w+ (?=with|cut)", "", damage.name) for damage in DAMAGES}
    assert len(DAMAGES) >= 200, len(DAMAGES)
    assert len(kinds) >= 25, kinds
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_spoilt_workbook_is_refused_by_its_cell(
    damage: Damage, parts: Parts, tmp_path: Path
) -> None:
    damage.spoil(parts)
    found = problems_of(parts.write(tmp_path / "plan.xlsx"))
    assert all(re.match(r"sheet '[^']+'(, (cell|cells|row) [A-Z\d:]+)?$", place) for place in found)
    assert damage.where in found, found
    assert damage.told in found[damage.where], found
    assert all("\n" not in message for message in found.values())


# --- Files that are none -------------------------------------------------------------------------

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def relations(target: str) -> str:
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    return (
        f'<Relationships xmlns="{namespace}"><Relationship Id="a" Target="{target}"'
        ' Type="http://x/officeDocument"/></Relationships>'
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "found an empty file"),
        (b"period,leads\nFY2026-Q1,5\n", "found text such as CSV"),
        ("period;leads\n".encode("utf-8-sig"), "found text such as CSV"),
        (b"<html><table></table></html>", "found a web page or XML"),
        (b'<?xml version="1.0"?><Workbook/>', "found a web page or XML"),
        (OLE + bytes(5000), "found an old workbook (.xls)"),
        (OLE + bytes(5000) + ENCRYPTED, "found a password"),
        (bytes(100), "found no Excel workbook"),
        (b"%PDF-1.7", "found no Excel workbook"),
        (b"PK", "found a damaged workbook"),
        (Parts({"a": b"b"}).bytes(), "found a zip archive"),
        (Parts({"content.xml": b"x"}).bytes(), "found an OpenDocument file"),
        (Parts({"_rels/.rels": relations("xl/workbook.bin").encode(), "xl/workbook.bin": b"x"})
         .bytes(), "(.xlsb)"),
        (Parts({"_rels/.rels": relations("word/document.xml").encode(),
                "word/document.xml": b"x"}).bytes(), "found a Word document"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_workbook_is_told_as_what_it_is(
    content: bytes, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(content)
    found = problems_of(path)
    assert [*found] == [str(path)]
    assert told in found[str(path)]


def test_a_workbook_with_a_password_in_its_archive(parts: Parts, tmp_path: Path) -> None:
    content = bytearray(parts.bytes())
    for start, place_of_flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(start), bytes(content)):
            content[match.start() + place_of_flags] |= 1
    path = tmp_path / "plan.xlsx"
    path.write_bytes(content)
    assert "found a password" in problems_of(path)[str(path)]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    assert problems_of(path)[str(path)].startswith("cannot be read")
    assert problems_of(tmp_path)[str(tmp_path)].startswith("cannot be read")


@pytest.mark.parametrize("part", [BOOK, STYLES, "xl/_rels/workbook.xml.rels", "_rels/.rels"])
def test_a_damaged_frame_is_no_traceback(part: str, parts: Parts, tmp_path: Path) -> None:
    whole = parts[part]
    for content in (b"", whole[: len(whole) // 2], whole + b"<", b"\xff" * 50):
        parts[part] = content
        assert "damaged" in str(problems_of(parts.write(tmp_path / "plan.xlsx")))
    del parts[part]
    path = parts.write(tmp_path / "plan.xlsx")
    if part == STYLES:
        # Without its formats a date is a number.
        assert "found the number" in str(problems_of(path))
    else:
        assert problems_of(path)


def test_a_bomb_is_not_unpacked(parts: Parts, tmp_path: Path) -> None:
    """Ten thousand times its size: said by the archive itself, before anything is read."""
    path = tmp_path / "plan.xlsx"
    content = bytearray(parts.bytes())
    with zipfile.ZipFile(parts.write(path)) as file:
        info = file.getinfo(parts.part(TARGETS))
    entry = content.index(b"PK\x01\x02", content.rindex(info.filename.encode()) - 60)
    content[entry + 24 : entry + 28] = (4_000_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    assert "4,000,000,000 bytes" in problems_of(path)["sheet 'Targets'"]


def test_a_sheet_of_a_million_values_is_no_plan(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MOST_CELLS", 500)
    for row in range(10, 520):
        parts.put("rates", f"B{row}", number("1"))
    found = problems_of(parts.write(tmp_path / "plan.xlsx"))
    assert "found more than 500 cells" in found["sheet 'Rates'"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_flipped_bytes_are_never_a_traceback(sound: Parts, tmp_path: Path, seed: int) -> None:
    """In the XML, where no checksum of the archive catches them: a plan, or PlanError."""
    random = Random(seed)
    parts = Parts(sound)
    part = random.choice([name for name in parts if name.endswith((".xml", ".rels"))])
    content = bytearray(parts[part])
    for _ in range(random.randint(1, 3)):
        content[random.randrange(len(content))] = random.choice(b"<>/\"'= &;0A\x00\xff")
    parts[part] = bytes(content)
    try:
        read_workbook(parts.write(tmp_path / "plan.xlsx"))
    except PlanError as error:
        assert all(problem.where and problem.message for problem in error.problems)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_damaged_archive_is_never_a_traceback(sound: Parts, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    content = bytearray(sound.bytes())
    if random.random() < 0.5:
        del content[random.randrange(len(content)) :]
    for _ in range(random.randint(1, 20)):
        content[random.randrange(len(content))] = random.randrange(256)
    path = tmp_path / "plan.xlsx"
    path.write_bytes(content)
    try:
        read_workbook(path)
    except PlanError as error:
        assert all(problem.where and problem.message for problem in error.problems)


# --- The commands --------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_template_then_import_then_export(
    run: Callable[..., Result], tmp_path: Path, plan: Plan
) -> None:
    result = run(
        *("template", "t.xlsx", "--company", "Example Ltd", "--currency", "EUR"),
        *("--fiscal-year", "2027", "--calendar", "4-4-5", "--starts", "2026-12-28"),
    )
    assert result.exit_code == 0, result.output
    assert "`tieout plan import t.xlsx`" in result.stdout
    result = run("import", "t.xlsx")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "sheet 'Plan', cell B5: found no value for 'effective_from', expected first day on which"
        " this version counts",
        "sheet 'Targets': found no row, expected at least one",
    ]
    write_workbook(plan, tmp_path / "filled.xlsx")
    result = run("import", "filled.xlsx")
    assert result.exit_code == 0, result.output
    assert "next: `tieout plan check plan/draft`" in result.stdout
    assert read_plan(tmp_path / "plan" / "draft") == plan
    result = run("export", "plan/draft", "again.xlsx")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "again.xlsx").read_bytes() == (tmp_path / "filled.xlsx").read_bytes()


def test_what_somebody_filled_in_is_not_overwritten(
    run: Callable[..., Result], tmp_path: Path, plan: Plan
) -> None:
    write_plan(plan, tmp_path / "draft")
    (tmp_path / "t.xlsx").write_text("mine")
    for arguments in (("template", "t.xlsx"), ("export", "draft", "t.xlsx")):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "--overwrite replaces it" in result.stderr
        assert (tmp_path / "t.xlsx").read_text() == "mine"
        assert run(*arguments, "--overwrite").exit_code == 0
        (tmp_path / "t.xlsx").write_text("mine")


def test_a_locked_version_is_not_imported_into(
    run: Callable[..., Result], tmp_path: Path, plan: Plan
) -> None:
    write_workbook(plan, tmp_path / "plan.xlsx")
    write_plan(plan, tmp_path / "v1")
    (tmp_path / "v1" / "lock.json").touch()
    result = run("import", "plan.xlsx", "--into", "v1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "found a locked version" in result.stderr


def test_a_thousand_problems_are_told_by_the_first(
    run: Callable[..., Result], parts: Parts, tmp_path: Path
) -> None:
    for row in range(100, 200):
        parts.put("rates", f"A{row}", text(f"X{row}"))
    parts.write(tmp_path / "plan.xlsx")
    lines = run("import", "plan.xlsx").stderr.splitlines()
    assert len(lines) == 51
    assert lines[0].startswith("sheet 'Rates', cell B100: found nothing")
    assert lines[-1] == "… and 50 more"
    assert not (tmp_path / "plan").exists()


TARGETS_FILE = """month,leads,mqls,new_arr,comment
2021-02-01,1687,415,39619.5,x
2021-03-01,1601,394,,
"""
OPTIONS = ("--company", "Example Ltd", "--currency", "USD", "--fiscal-year", "2022",
           "--starts", "2021-02-01")  # fmt: skip
RENAMES = ("--rename", "month=period", "--rename", "new_arr=bookings", "--rename", "comment=-")


def test_a_csv_of_targets_becomes_a_draft(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TARGETS_FILE)
    result = run("import", "t.csv", *OPTIONS, *RENAMES, "--scope", "channel:search",
                 "--effective-from", "2021-03-01")  # fmt: skip
    assert result.exit_code == 0, result.output
    plan = read_plan(tmp_path / "plan" / "draft")
    assert plan.settings["fiscal_year_first_day"] == date(2021, 2, 1)
    assert plan.settings["effective_from"] == date(2021, 3, 1)
    assert [row["scope"] for row in plan.rows("scopes")] == ["company", "channel:search"]
    first, second = plan.rows(TARGETS)
    assert (first["period"], first["scope"]) == ("FY2022-M01", "channel:search")
    assert (first["leads"], first["bookings"]) == (1687, Decimal("39619.5"))
    assert (second["period"], second["bookings"]) == ("FY2022-M02", None)
    assert not plan.rows("people")


def test_a_csv_may_name_periods_and_scopes(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "scope,Period,leads\ncompany,FY2022,5\nsegment:smb,FY2022-Q1,3\n,FY2022-Q2,1\n\n"
    )
    result = run("import", "t.csv", *OPTIONS, "--rename", "Period=period")
    assert result.exit_code == 0, result.output
    plan = read_plan(tmp_path / "plan" / "draft")
    assert [(row["period"], row["scope"]) for row in plan.rows(TARGETS)] == [
        ("FY2022", "company"),
        ("FY2022-Q1", "segment:smb"),
        ("FY2022-Q2", "company"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("comment", "note", ["t.csv:1: found no column 'comment' to rename; there are: month,"
                             " leads, mqls, new_arr, note",
                             "t.csv:1: found the column 'note', which is no metric (--rename"
                             " note=NAME, or --rename note=- to leave it out)"]),
        ("mqls", "mql", ["t.csv:1: found the column 'mql', which is no metric; did you mean 'mqls'?"
                         " (--rename mql=NAME, or --rename mql=- to leave it out)"]),
        ("mqls", "leads", ["t.csv:1: found two columns for 'leads', expected one"]),
        ("2021-02-01", "2021-02-02", ["t.csv:2: column month: found 2021-02-02, expected the first"
                                      " day of a period of FY2022, which begins on 2021-02-01"]),
        ("2021-02-01", "Feb", ["t.csv:2: column month: found 'Feb', expected a period of the plan's"
                               " calendar, such as FY2022"]),
        ("2021-02-01", "", ["t.csv:2: column month: found nothing, expected period of the fiscal"
                            " calendar, e.g. FY2026-Q1"]),
        ("2021-03-01", "2021-02-01", ["t.csv:3: column month: found FY2022-M01, company again"
                                      " (first in row 2), expected one row for each; delete one"]),
        ("1687", "1.687,00", ["t.csv:2: found 6 cells, expected 5; quote a cell that holds a"
                              " comma"]),
        ("1687", "many", ["t.csv:2: column leads: found 'many', expected a number such as 1234.56,"
                          " without separators, signs of currency or %"]),
        ("1687", '"1', ["t.csv:3: found no CSV: unexpected end of data"]),
        ("1687", "caf\udce9", ["t.csv: found bytes that are no UTF-8; save it as UTF-8"]),
    ],
)  # fmt: skip
def test_a_csv_is_refused_by_line_and_column(
    run: Callable[..., Result], tmp_path: Path, old: str, new: str, lines: list[str]
) -> None:
    content = TARGETS_FILE.replace(old, new, 1)
    (tmp_path / "t.csv").write_text(content, errors="surrogateescape")
    result = run("import", "t.csv", *OPTIONS, *RENAMES)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == lines


def test_a_day_on_which_several_periods_begin(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("when,leads\n2021-05-01,5\n")
    renames = ("--rename", "when=period")
    result = run("import", "t.csv", *OPTIONS, *renames)
    assert result.exit_code == 1
    assert "found 2021-05-01, on which FY2022-Q2, FY2022-M04 begin" in result.stderr
    (tmp_path / "t.csv").write_text("quarter,leads\n2021-05-01,5\n")
    assert run("import", "t.csv", *OPTIONS, "--rename", "quarter=period").exit_code == 0
    (row,) = read_plan(tmp_path / "plan" / "draft").rows(TARGETS)
    assert row["period"] == "FY2022-Q2"


def test_a_csv_without_periods_or_commas(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("month;leads\n2021-02-01;5\n")
    result = run("import", "t.csv", *OPTIONS)
    assert result.exit_code == 1
    assert "found no column for the period, separated by commas" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("template", "t.xls"), ".xlsx"),
        (("template", "t.xlsx", "--calendar", "weeks"), "--calendar"),
        (("template", "t.xlsx", "--starts", "1.1.2026"), "--starts"),
        (("template", "t.xlsx", "--starts", "2026-01-15"), "first of a month"),
        (("template", "t.xlsx", "--currency", "EURO"), "EUR"),
        (("template", "t.xlsx", "--fiscal-year", "26"), "--fiscal-year"),
        (("import", "none.xlsx"), "none.xlsx"),
        (("import", "t.csv", "--company", "Example Ltd"), "--currency"),
        (("import", "t.csv", *OPTIONS, "--rename", "month"), "OLD=NEW"),
        (("import", "t.csv", *OPTIONS, "--rename", "a=b", "--rename", "a=c"), "OLD=NEW"),
        (("import", "plan.xlsx", "--rename", "a=b"), "--rename"),
        (("import", "plan.xlsx", "--company", "Example Ltd"), "--company"),
        (("export", "none", "t.xlsx"), "none"),
        (("export", ".", "t.csv"), ".xlsx"),
    ],
)
def test_wrong_usage_is_2(
    run: Callable[..., Result], tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "t.csv").write_text(TARGETS_FILE)
    (tmp_path / "plan.xlsx").touch()
    before = sorted(tmp_path.iterdir())
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert sorted(tmp_path.iterdir()) == before
