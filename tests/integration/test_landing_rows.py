"""What a file's rows become: landed, quarantined with their place, or excluded; never lost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from orchestration.lib.landing import LandingReport, SetupError, TableReport, land
from orchestration.lib.sources.config import load_sources
from orchestration.settings import Home

AS_OF = datetime(2026, 1, 1)
SPEND = """
          source: {constant: Ads}
          day: Date
          currency: {constant: EUR}
          cost: Cost
          campaign: Campaign"""


@dataclass
class Landed:
    """A landing and its inputs, queried by table name."""

    home: Home
    report: LandingReport

    @property
    def table(self) -> TableReport:
        [table] = self.report.tables
        return table

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """`{name}` stands for a folder of the inputs."""

        class Inputs(dict[str, str]):
            def __missing__(inner, name: str) -> str:
                return f"read_parquet('{self.home.inputs}/{name}/*.parquet', union_by_name = true)"

        with duckdb.connect() as con:
            return con.execute(query.format_map(Inputs())).fetchall()

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.rows('select line, "column", value, reason from {quarantine} order by all')


Company = Callable[..., Landed]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    def build(
        table: str = "spend",
        columns: str = SPEND,
        options: str = "",
        content: bytes | None = None,
        file: str = "in.csv",
    ) -> Landed:
        folder = tmp_path / "exports"
        folder.mkdir(exist_ok=True)
        if content is not None:
            (folder / file).write_bytes(content)
        yml = tmp_path / "sources.yml"
        yml.write_text(
            "version: 1\ncompany: {name: T, reporting_currency: EUR}\nsources:\n  feed:\n"
            "    adapter: mapped\n    path: exports\n    tables:\n"
            f"      {table}:\n        files: '{file}'\n{options}        columns:{columns}\n",
            encoding="utf-8",
        )
        home = Home(tmp_path / "home")
        report = land(home, load_sources(yml), AS_OF)
        for entry in report.tables:
            assert entry.raw_rows == (
                entry.landed_rows + entry.quarantined_rows + entry.excluded_rows
            )
        return Landed(home, report)

    return build


def test_rows_land_typed_with_their_lineage(company: Company) -> None:
    landed = company(content=b"Date,Campaign,Cost\n2025-01-01,NA,1.50\n2025-01-02,,-2\n")
    assert landed.rows(
        "select * exclude (account, impressions, clicks, kind, level, ad_group, ad, loaded_at)"
        " from {spend} order by _line"
    ) == [
        ("Ads", "NA", date(2025, 1, 1), "EUR", Decimal("1.5"), "feed", 1, "in.csv", 2, AS_OF),
        ("Ads", None, date(2025, 1, 2), "EUR", Decimal(-2), "feed", 1, "in.csv", 3, AS_OF),
    ]
    assert landed.table.spend == {"EUR": Decimal("-0.5")}
    assert (landed.table.data_from, landed.table.data_to) == (
        "2025-01-01 00:00:00",
        "2025-01-02 00:00:00",
    )


def test_bad_cells_are_quarantined_with_their_place(company: Company) -> None:
    landed = company(
        content="Date,Campaign,Cost\n2025-01-01,ü,1\n01.02.2025,ü,x\n,c,2\n2025-01-03,#REF!,3\n"
        "2025-01-04,d,4\n".encode()
    )
    day, number = "is not a day of the form 2025-01-31", "is not a number"
    assert landed.quarantine() == [
        (3, "Cost", "x", number),
        (3, "Date", "01.02.2025", day),
        (4, "Date", None, "is empty, and day is required"),
        (5, "Campaign", "#REF!", "is a spreadsheet error"),
    ]
    table = landed.table
    assert (table.raw_rows, table.landed_rows, table.quarantined_rows) == (5, 2, 3)
    assert landed.rows("select _line from {spend} order by 1") == [(2,), (6,)]


def test_physical_lines_with_quoted_newlines_blank_lines_and_two_byte_letters(
    company: Company,
) -> None:
    content = (
        "Date,Campaign,Cost\n"
        '2025-01-01,"é\nü\n\nö",1\n'  # lines 2 to 5
        "\n"
        "2025-01-02,x,bad\n"  # 7
        '2025-01-03,"say ""hi""",3\n'
        "\n\n"
        "2025-01-04,ß\n"  # 11
        '2025-01-05,"a\nb",oops\n'  # 12 and 13
        "2025-01-06,z,6,7\n"  # 14
        '"2025-01-07,z,6"\n'
        '2025-01-08,5" pipe,8\n'
        "2025-01-09,last,9"  # 17
    ).encode()
    landed = company(content=content)
    assert [(line, column) for line, column, _, _ in landed.quarantine()] == [
        (7, "Cost"), (11, None), (12, "Cost"), (14, None), (15, None),
    ]  # fmt: skip
    reasons = {line: reason for line, _, _, reason in landed.quarantine()}
    assert reasons[11] == "the row has fewer cells than the header (2 of 3)"
    assert reasons[14] == "the row has more cells than the header (4 instead of 3)"
    assert reasons[15] == "the whole row is quoted: declare `quoted_rows: true`"
    assert landed.rows("select _line, campaign from {spend} order by 1") == [
        (2, "é\nü\n\nö"), (8, 'say "hi"'), (16, '5" pipe'), (17, "last"),
    ]  # fmt: skip
    assert landed.table.raw_rows == 9


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark(company: Company, end: str, mark: bytes) -> None:
    lines = ["Date,Campaign,Cost", "2025-01-01,a,1", "2025-01-02,b", "2025-01-03,c,x", ""]
    landed = company(content=mark + end.join(lines).encode())
    assert [row[0] for row in landed.quarantine()] == [3, 4]
    assert landed.rows("select _line, campaign from {spend}") == [(2, "a")]


def test_mixed_line_ends(company: Company) -> None:
    content = b'Date,Campaign,Cost\r\n2025-01-01,"a\nb",1\r\n2025-01-02,c,2\n2025-01-03,d,x\r\n'
    landed = company(content=content)
    assert landed.rows("select _line, campaign from {spend} order by 1") == [(2, "a\nb"), (4, "c")]
    assert [row[0] for row in landed.quarantine()] == [5]


def test_unclosed_quote_is_one_quarantined_record(company: Company) -> None:
    landed = company(
        content=b'Date,Campaign,Cost\n2025-01-01,a,1\n2025-01-02,"b,2\n2025-01-03,c,3\n'
    )
    [(line, column, value, reason)] = landed.quarantine()
    assert (line, column) == (3, None)
    assert value.startswith('2025-01-02,"b,2')
    assert "quote is not closed" in reason


def test_bytes_that_are_not_utf8(company: Company) -> None:
    content = b"Date,Campaign,Cost\n2025-01-01,a,1\n2025-01-02,\xff\xfe,2\n"
    [(line, _, _, reason)] = company(content=content).quarantine()
    assert (line, reason) == (3, "the row is not UTF-8: declare the `encoding`")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_declared_encodings(company: Company, encoding: str) -> None:
    content = "Date,Campaign,Cost\r\n2025-01-01,Größe €,1\r\n2025-01-02,x,y\r\n".encode(encoding)
    landed = company(content=content, options=f"        encoding: {encoding}\n")
    assert landed.rows("select campaign from {spend}") == [("Größe €",)]
    assert [row[0] for row in landed.quarantine()] == [3]


def test_semicolons_title_lines_and_unnamed_columns(company: Company) -> None:
    content = (
        b"Report of May\n\nDate;Campaign;Cost;;\n2025-01-01;a;2.900,00;;\n2025-01-02;b;1.5;;\n"
    )
    columns = SPEND.replace("cost: Cost", 'cost: {column: Cost, decimal: ",", thousands: "."}')
    landed = company(content=content, columns=columns,
                     options="        delimiter: ';'\n        skip_lines: 2\n")  # fmt: skip
    assert landed.rows("select _line, cost from {spend}") == [(4, Decimal(2900))]
    assert landed.quarantine()[0][:3] == (5, "Cost", "1.5")


def test_rows_quoted_whole(company: Company) -> None:
    content = b'"Date,Campaign,Cost"\n"2025-01-01,""a, b"",1"\n2025-01-02,c,2\n'
    landed = company(content=content, options="        quoted_rows: true\n")
    assert landed.rows("select campaign from {spend} order by 1") == [("a, b",), ("c",)]


def test_tabs_and_compression(company: Company) -> None:
    content = gzip.compress(b"Date\tCampaign\tCost\n2025-01-01\ta\t1\n")
    landed = company(content=content, file="in.tsv.gz")
    assert landed.rows("select campaign, _file from {spend}") == [("a", "in.tsv.gz")]


def test_exclusions_are_counted_under_their_reason(company: Company) -> None:
    content = (
        b"Id,When,Reason\n1,2025-01-01,Duplicate\n2,2025-01-01,\n,bad,#REF!\n4,2025-01-02, Spam \n"
        b"5,bad,Duplicate\n"
    )
    landed = company(
        "leads",
        "\n          lead_id: Id\n          created_at: When",
        "        exclude:\n"
        "          - {column: Id, is_null: true, reason: a spreadsheet's leftover}\n"
        "          - {column: Reason, equals: Duplicate, reason: second lead of the same person}\n"
        "          - {column: Reason, in: [Spam, Bot], reason: no person}\n",
        content,
    )
    assert landed.table.excluded == {
        "a spreadsheet's leftover": 1,
        "second lead of the same person": 2,
        "no person": 1,
    }
    assert landed.rows("select reason, rows from {disposition} order by 1") == sorted(
        landed.table.excluded.items()
    )
    assert landed.rows("select lead_id from {leads}") == [("2",)]


def test_rows_that_are_alike_are_all_kept_and_lookups_are_counted(company: Company) -> None:
    content = b"Date,Campaign,Cost\n" + b"2025-01-01,gtxpro ,1\n" * 3 + b"2025-01-01,MG,1\n"
    columns = SPEND.replace("campaign: Campaign",
                            "campaign: {column: Campaign, lookup: {gtxpro: GTX Pro}}")  # fmt: skip
    landed = company(content=content, columns=columns)
    assert landed.rows("select campaign, count(*) from {spend} group by all order by 1") == [
        ("GTX Pro", 3), ("MG", 1),
    ]  # fmt: skip
    assert landed.table.lookups == {"campaign": 3}


def test_json_lines(company: Company) -> None:
    lines = [
        '{"id": 5805028000023883360, "at": {"created": "2025-01-01T10:00:00Z"}, "n": 7.0}',
        "",
        "{broken",
        "[1]",
        '{"id": "a", "at": {"created": "2025-01-02"}, "n": "x", "more": "é"}',
        '{"at": {"created": "2025-01-02"}, "id": "b"}',
    ]
    landed = company(
        "leads",
        "\n          lead_id: id\n          created_at: at.created\n          score: n",
        content="\n".join(lines).encode(),
        file="in.jsonl",
    )
    assert landed.rows("select lead_id, created_at, score, _line from {leads} order by 4") == [
        ("5805028000023883360", datetime(2025, 1, 1, 10), 7, 1),
        ("b", datetime(2025, 1, 2), None, 6),
    ]
    assert landed.quarantine() == [
        (3, None, "{broken", "the line is not a JSON object"),
        (4, None, "[1]", "the line is not a JSON object"),
        (5, "n", "x", "is not a whole number"),
    ]


def test_parquet_keeps_exact_money_and_quarantines(company: Company, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    with duckdb.connect() as con:
        con.execute(
            "copy (select * from (values (date '2025-01-01', 99.99999999999996::double, 'a'),"
            " (null, -2e-18::double, 'b'), (date '2025-01-03', 'nan'::double, 'c'))"
            f" t(Date, Cost, Campaign)) to '{tmp_path}/exports/in.parquet'"
        )
    landed = company(file="in.parquet")
    assert landed.rows("select cost, _line from {spend}") == [(Decimal(100), 1)]
    assert [row[:3] for row in landed.quarantine()] == [(2, "Date", None), (3, "Cost", "nan")]


def test_an_id_that_is_floating_point_is_refused(company: Company, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    with duckdb.connect() as con:
        con.execute(
            "copy (select 1::double as id, timestamp '2025-01-01' as at)"
            f" to '{tmp_path}/exports/in.parquet'"
        )
    with pytest.raises(SetupError, match="lose digits"):
        company("leads", "\n          lead_id: id\n          created_at: at", file="in.parquet")


def test_excel(company: Company, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Other"
    sheet = book.create_sheet("Deals")
    sheet["B3"] = "Deals of May"
    for column, cells in {
        "B": ["Id", "007", 5805028000023883360, None, "NA", "9"],
        "C": ["When", datetime(2025, 1, 2, 15, 30), datetime(2025, 1, 3), None,
              datetime(2025, 1, 4), "soon"],
        "D": ["Amount", 0.1, 1, None, -2e-18, 3],
    }.items():  # fmt: skip
        for row, value in enumerate(cells, 4):
            sheet[f"{column}{row}"] = value
    book.save(tmp_path / "exports" / "in.xlsx")
    landed = company(
        "opportunities",
        "\n          opportunity_id: Id\n          created_at: {column: When, time_zone:"
        " Europe/Berlin}\n          amount: Amount",
        "        sheet: Deals\n        skip_lines: 3\n",
        file="in.xlsx",
    )
    assert landed.rows(
        "select opportunity_id, created_at, amount, _line from {opportunities} order by 4"
    ) == [
        ("007", datetime(2025, 1, 2, 14, 30), Decimal("0.1"), 5),
        ("NA", datetime(2025, 1, 3, 23), Decimal(0), 8),
    ]
    assert [row[:2] for row in landed.quarantine()] == [(6, "Id"), (9, "When")]


def test_control_totals_come_from_the_raw_text(company: Company) -> None:
    content = (
        "Date;Campaign;Cost\n21.01.2025;a;€ 2.900,005\n22.01.2025;b;-€ 0,01\n"
        "3.2.2025;c;€ 11398,00\nbad;d;€ 1,00\n04.02.2025;skip;€ 7,00\n05.02.2025;e;?\n"
    ).encode()
    columns = SPEND.replace(
        "cost: Cost", 'cost: {column: Cost, decimal: ",", thousands: ".", symbols: ["€"]}'
    ).replace("day: Date", 'day: {column: Date, format: "%d.%m.%Y"}')
    landed = company(
        content=content,
        columns=columns,
        options="        delimiter: ';'\n"
        "        exclude: [{column: Campaign, equals: skip, reason: test}]\n",
    )
    assert landed.rows(
        "select source, account, month, currency, cost, rows from {source_total} order by month"
    ) == [
        ("Ads", None, date(2025, 1, 1), "EUR", Decimal("2899.995"), 2),
        ("Ads", None, date(2025, 2, 1), "EUR", Decimal(11398), 2),
        ("Ads", None, None, "EUR", Decimal(1), 1),
    ]
    assert landed.table.spend == {"EUR": Decimal("14297.995")}


@pytest.mark.parametrize(
    ("option", "cells", "expected"),
    [
        ("scale: micros", ["1234567", "-3", "2.5e3"], "1.237064"),
        ("scale: cents", ["1999", "-1"], "19.98"),
        ('symbols: ["$"], suffixes: {K: 1000}', ["$342.09K", "$-1"], "342089"),
        ("", ["-2e-18", "99.99999999999996", "0.1"], "100.1"),
    ],
)
def test_control_totals_agree_with_landed_money(
    company: Company, option: str, cells: list[str], expected: str
) -> None:
    content = "Date,Campaign,Cost\n" + "".join(f"2025-01-01,c,{cell}\n" for cell in cells)
    columns = SPEND.replace("cost: Cost", f"cost: {{column: Cost, {option}}}")
    landed = company(content=content.encode(), columns=columns.replace(", }", "}"))
    [(total,)] = landed.rows("select sum(cost) from {source_total}")
    assert total == landed.table.spend["EUR"] == Decimal(expected)


@pytest.mark.parametrize(
    ("form", "cell", "month"),
    [
        ("%d %b, %Y %H:%M:%S", '"15 Apr, 2021 00:03:00"', date(2021, 4, 1)),
        ("%m/%d/%Y %I:%M %p", "1/23/2023 12:00 AM", date(2023, 1, 1)),
        ("%d.%m.%y", "03.02.25", None),
        ("epoch_seconds", "1718983800", date(2024, 6, 1)),
    ],
)
def test_months_of_control_totals(
    company: Company, form: str, cell: str, month: date | None
) -> None:
    columns = SPEND.replace("day: Date", f'day: {{column: Date, format: "{form}"}}')
    landed = company(content=f"Date,Campaign,Cost\n{cell},a,1\n".encode(), columns=columns)
    days = landed.rows("select date_trunc('month', day)::date from {spend}")
    totals = landed.rows("select month from {source_total}")
    if month is not None:
        assert days == [(month,)]
    assert totals == days or month is None


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (SPEND.replace("cost: Cost", "cost: Csot"), "no column 'Csot' in the header; did you mean"),
        (SPEND.replace("{constant: EUR}", "{constant: euro}"), "the constant 'euro' is not an ISO"),
        (SPEND.replace("day: Date", "day: {constant: soon}"), "the constant 'soon' is not a day"),
        (SPEND.replace("campaign: Campaign", "campaign: Twice"), "stands 2 times"),
    ],
)
def test_a_wrong_setup_is_told_before_anything_lands(
    company: Company, tmp_path: Path, columns: str, expected: str
) -> None:
    with pytest.raises(SetupError, match=expected):
        company(content=b"Date,Campaign,Cost,Twice,Twice\n", columns=columns)
    assert not list((tmp_path / "home").glob("landing/feed/**/*"))


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_a_wrong_setup(company: Company, content: bytes) -> None:
    with pytest.raises(SetupError, match="no header"):
        company(content=content)


def test_a_header_without_rows_lands_nothing(company: Company) -> None:
    assert company(content=b"Date,Campaign,Cost\n").table.raw_rows == 0


def test_no_file_is_a_wrong_setup(company: Company, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    with pytest.raises(SetupError, match=r"no file in .* matches 'in.csv'"):
        company()


def test_a_large_file_is_read_and_scanned_at_once(company: Company) -> None:
    """More than the size from which a file is scanned in a thread, with every oddity at its end."""
    good = b"".join(b"2025-01-01,%040d,1\n" % i for i in range(200_000))
    tail = b'2025-01-02,"a\nb",2\n2025-01-03,c\n2025-01-04,d,x\n'
    landed = company(content=b"Date,Campaign,Cost\n" + good + tail)
    assert [row[0] for row in landed.quarantine()] == [200_004, 200_005]
    [(wrong,)] = landed.rows(
        "select count(*) from {spend} where _line - 2 <> try_cast(campaign as bigint)"
    )
    assert wrong == 0
    assert landed.rows("select _line from {spend} where cost = 2") == [(200_002,)]


def test_manifest_tells_what_became_of_every_row(company: Company) -> None:
    landed = company(content=b"Date,Campaign,Cost\n2025-01-01,a,1\nx,b,2\n")
    folder = landed.home.landing / "feed" / "spend" / "000001"
    body = json.loads((folder / "manifest.json").read_text())
    assert (body["raw_rows"], body["landed_rows"], body["quarantined_rows"]) == (2, 1, 1)
    assert len(body["sha256"]) == 64
    assert sorted(path.name for path in folder.iterdir()) == [
        "data.parquet", "manifest.json", "quarantine.parquet",
    ]  # fmt: skip


def test_more_places_than_branches(company: Company) -> None:
    """Every record spans two lines, in more places than the line's expression has branches."""
    records = "".join(f'2025-01-01,"{i}\n",1\n\n' for i in range(3000))
    landed = company(content=f"Date,Campaign,Cost\n{records}".encode())
    assert landed.rows(
        "select count(*) from {spend} where _line <> 2 + 3 * try_cast(trim(campaign) as bigint)"
    ) == [(0,)]
    assert landed.table.landed_rows == 3000
