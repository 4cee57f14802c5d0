"""Declared formats: what a cell becomes, and that nothing else is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.sources.canonical import SQL_TYPE, Column, Type
from orchestration.lib.sources.config import ColumnSpec
from orchestration.lib.sources.values import TypeClash, from_file

BAD = "(bad)"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    yield connection
    connection.close()


def read(
    con: duckdb.DuckDBPyConnection,
    kind: Type,
    cells: list[Any],
    *,
    name: str = "x",
    source_type: str = "VARCHAR",
    is_excel: bool = False,
    **options: Any,
) -> list[Any]:
    """The values that a column with these cells becomes; BAD where a cell is quarantined."""
    spec = ColumnSpec(column="X", **options)
    cell = from_file(
        Column(name, kind, ""), spec, "X", "c0", source_type, "spend", ("",),
        is_excel=is_excel, reporting_zone="America/New_York",
    )  # fmt: skip
    rows = con.execute(
        f"select {cell.bad}, {cell.value_alias} from (select *, ({cell.value})::{SQL_TYPE[kind]}"
        f" as {cell.value_alias} from (select {cell.cleaned} as {cell.text_alias}, i"
        f" from (select unnest(?::{source_type}[]) as c0, generate_subscripts(?, 1) as i)))"
        " order by i",
        [cells, cells],
    ).fetchall()
    return [BAD if bad else value for bad, value in rows]


def money(con: duckdb.DuckDBPyConnection, cells: list[str], **options: Any) -> list[Any]:
    found = read(con, "decimal", cells, **options)
    return [item if item in (BAD, None) else f"{item.normalize():f}" for item in found]


def test_text_keeps_ids_and_na(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["5805028000023883360", "007", "NA", "  a b  ", "\u00a0x\u00a0", "", " ", "#REF!", "#1"]
    expected = ["5805028000023883360", "007", "NA", "a b", "x", None, None, BAD, "#1"]
    assert read(con, "text", cells) == expected


def test_text_trim_and_case_are_declared(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "text", [" A "], trim=False) == [" A "]
    assert read(con, "text", [" A "], case="lower") == ["a"]
    assert read(con, "text", ["-", "n/a", "NA"], nulls=["-", "n/a"]) == [None, None, "NA"]


def test_lookup_keeps_or_quarantines(con: duckdb.DuckDBPyConnection) -> None:
    lookup = {"GTXPro": "GTX Pro"}
    assert read(con, "text", ["GTXPro ", "MG"], lookup=lookup) == ["GTX Pro", "MG"]
    strict = read(con, "text", ["GTXPro", "GTX Pro", "MG", ""], lookup=lookup,
                  otherwise="quarantine")  # fmt: skip
    assert strict == ["GTX Pro", "GTX Pro", BAD, None]


def test_a_quote_in_a_lookup_is_text(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "text", ["O'Neil"], lookup={"O'Neil": "d'or"}) == ["d'or"]


def test_currency_is_iso(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "text", ["EUR", "eur", "€"], name="currency") == ["EUR", BAD, BAD]


def test_plain_money(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["2000", "-2e-18", "99.99999999999996", "-0.5", "+1", "1e3", "12345678901234567890.12"]
    expected = ["2000", "0", "100", "-0.5", "1", "1000", "12345678901234567890.12"]
    assert money(con, cells) == expected
    bad = ["1,000", "€ 1", "1_000", "0x10", "nan", "inf", "1 000", "abc", "-", "1e40", "--1"]
    assert money(con, bad) == [BAD] * len(bad)


def test_european_money(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["€ 2.900,00", "€ 11398,00", "146536,25", "50.000", "-1.234.567,89", "€-5,5", "-€ 5,5",
             "−7,0"]  # fmt: skip
    options: dict[str, Any] = {"decimal": ",", "thousands": ".", "symbols": ["€"]}
    expected = ["2900", "11398", "146536.25", "50000", "-1234567.89", "-5.5", "-5.5", "-7"]
    assert money(con, cells, **options) == expected
    # A point that does not group thousands is another format; it is never taken for one.
    bad = ["1.5", "12.34,00", "1.0000", "$ 5", "2,900.00", "1 000,00", "€", ","]
    assert money(con, bad, **options) == [BAD] * len(bad)


def test_reais_with_no_break_space(con: duckdb.DuckDBPyConnection) -> None:
    for symbol in ("R$", "R$\u00a0"):
        found = money(con, ["R$\u00a0100.000", "R$ 7"], decimal=",", thousands=".",
                      symbols=[symbol, "R$"])  # fmt: skip
        assert found == ["100000", "7"]


def test_dollars_with_suffixes(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["$342.09K", "$1.5M", "$7", "$-2K", "K", "$3G"]
    found = money(con, cells, symbols=["$"], suffixes={"K": 1000, "M": 1_000_000})
    assert found == ["342090", "1500000", "7", "-2000", BAD, BAD]


def test_blanks_and_apostrophes_as_thousands(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["1 234,5", "1\u00a0234,5", "1\u202f234,5", "12 34,5"]
    assert money(con, cells, decimal=",", thousands=" ") == ["1234.5"] * 3 + [BAD]
    assert money(con, ["1'234.5", "1’234.5"], thousands="'") == ["1234.5"] * 2


def test_micros_and_cents(con: duckdb.DuckDBPyConnection) -> None:
    assert money(con, ["1234567", "-1", "0"], scale="micros") == ["1.234567", "-0.000001", "0"]
    assert money(con, ["1234", "-5"], scale="cents") == ["12.34", "-0.05"]


def test_whole_numbers(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["12", "12.0", "-3", "12.5", ".5", "0x1F", "1_000", "1e3", ""]
    assert read(con, "integer", cells) == [12, 12, -3, BAD, BAD, BAD, BAD, BAD, None]
    assert read(con, "integer", ["1.234", "1234"], thousands=".", decimal=",") == [1234, 1234]
    assert read(con, "integer", ["20,770,860"], thousands=",") == [20770860]


@settings(max_examples=50)
@given(amount=st.decimals(-(10**12), 10**12, places=9, allow_nan=False))
def test_written_money_reads_back(con: duckdb.DuckDBPyConnection, amount: Decimal) -> None:
    assert read(con, "decimal", [f"{amount:f}"]) == [amount]
    german = f"{amount:,f}".translate(str.maketrans(",.", ".,"))
    symbols = {"decimal": ",", "thousands": ".", "symbols": ["€"]}
    assert read(con, "decimal", [f"€ {german}"], **symbols) == [amount]


@settings(max_examples=50)
@given(value=st.floats(-1e9, 1e9, allow_nan=False))
def test_floats_round_to_nine_decimals(con: duckdb.DuckDBPyConnection, value: float) -> None:
    exact = Decimal(repr(value)).quantize(Decimal("1e-9"), ROUND_HALF_UP)
    [found] = read(con, "decimal", [repr(value)])
    assert abs(found - exact) <= Decimal("1e-9")


def test_days(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["2024-06-21", "2024-02-30", "21.06.2024", "2024-06-21 10:00", "24-06-21", "infinity"]
    assert read(con, "date", cells) == [date(2024, 6, 21), *[BAD] * 5]
    dotted = read(con, "date", ["21.06.2024", "1.6.2024", "31.02.2024", "21.06.24", "2024-06-21"],
                  format="%d.%m.%Y")  # fmt: skip
    assert dotted == [date(2024, 6, 21), date(2024, 6, 1), BAD, BAD, BAD]


def test_a_day_of_an_instant_is_in_the_reporting_zone(con: duckdb.DuckDBPyConnection) -> None:
    found = read(con, "date", ["2024-06-21 03:00:00"], time_zone="UTC", format="%Y-%m-%d %H:%M:%S")
    assert found == [date(2024, 6, 20)]


def test_declared_instants(con: duckdb.DuckDBPyConnection) -> None:
    for cell, form, expected in (
        ("21.06.2024 15:30", "%d.%m.%Y %H:%M", datetime(2024, 6, 21, 15, 30)),
        ("15 Apr, 2021 00:03:00", "%d %b, %Y %H:%M:%S", datetime(2021, 4, 15, 0, 3)),
        ("1/23/2023 12:00 AM", "%m/%d/%Y %I:%M %p", datetime(2023, 1, 23)),
        ("2024-06-21T15:30:00+0200", "%Y-%m-%dT%H:%M:%S%z", datetime(2024, 6, 21, 13, 30)),
        ("1718983800", "epoch_seconds", datetime(2024, 6, 21, 15, 30)),
        ("1718983800000", "epoch_millis", datetime(2024, 6, 21, 15, 30)),
        ("1718983800000000", "epoch_micros", datetime(2024, 6, 21, 15, 30)),
        ("45464.645833333336", "excel", datetime(2024, 6, 21, 15, 30)),
    ):
        assert read(con, "instant", [cell, "x"], format=form) == [expected, BAD], form


def test_iso_instants_honour_offsets(con: duckdb.DuckDBPyConnection) -> None:
    cells = {
        "2024-01-02 03:04:05": datetime(2024, 1, 2, 3, 4, 5),
        "2024-01-02T03:04:05Z": datetime(2024, 1, 2, 3, 4, 5),
        "2024-01-02 03:04:05+02": datetime(2024, 1, 2, 1, 4, 5),
        "2024-01-02 03:04+02": BAD,  # an offset needs seconds
        "2024-01-02 03:04-05": BAD,
        "2024-01-02T03:04:05.250-05:30": datetime(2024, 1, 2, 8, 34, 5, 250000),
        "2024-01-02T03:04:05.000+0000": datetime(2024, 1, 2, 3, 4, 5),
        "2024-01-02": datetime(2024, 1, 2),
        "infinity": BAD,
        "epoch": BAD,
        "0024-01-02 03:04:05": BAD,
        "21.06.2024 15:30": BAD,
        "2024-01-02 25:00:00": BAD,
    }
    assert read(con, "instant", list(cells)) == list(cells.values())
    berlin = read(con, "instant", list(cells), time_zone="Europe/Berlin")
    hour = timedelta(hours=1)
    naive = {"2024-01-02 03:04:05", "2024-01-02"}
    expected = [cells[k] - hour if k in naive else cells[k] for k in cells]
    assert berlin == expected


def test_times_that_the_clock_skips_or_repeats(con: duckdb.DuckDBPyConnection) -> None:
    form = {"format": "%d.%m.%Y %H:%M", "time_zone": "Europe/Berlin"}
    skipped, repeated = "31.03.2024 02:30", "27.10.2024 02:30"
    # Skipped: the offset from before the change, so 02:30 is 03:30 summer time.
    # Repeated: the second time, standard time.
    assert read(con, "instant", [skipped, repeated], **form) == [
        datetime(2024, 3, 31, 1, 30),
        datetime(2024, 10, 27, 1, 30),
    ]


@settings(max_examples=50)
@given(
    wall=st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]),
)
def test_wall_clocks_become_utc(con: duckdb.DuckDBPyConnection, wall: datetime, zone: str) -> None:
    wall = wall.replace(microsecond=0)
    info = ZoneInfo(zone)
    first, second = wall.replace(tzinfo=info), wall.replace(tzinfo=info, fold=1)
    is_gap = first.utcoffset() != second.utcoffset() and (
        first.astimezone(ZoneInfo("UTC")).astimezone(info).replace(tzinfo=None) != wall
    )
    meant = first if is_gap else second
    expected = meant.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    assert read(con, "instant", [f"{wall}"], time_zone=zone) == [expected]


@settings(max_examples=50)
@given(day=st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_written_days_read_back(con: duckdb.DuckDBPyConnection, day: date) -> None:
    assert read(con, "date", [day.isoformat()]) == [day]
    assert read(con, "date", [f"{day:%d.%m.%Y}"], format="%d.%m.%Y") == [day]
    assert read(con, "date", [f"{day.month}/{day.day}/{day:%Y}"], format="%m/%d/%Y") == [day]


def test_booleans(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "boolean", ["TRUE", "f", "Yes", "0", "", "ja"]) == [
        True, False, True, False, None, BAD,
    ]  # fmt: skip
    found = read(con, "boolean", ["ja", "nein", "true"], true_values=["ja"], false_values=["nein"])
    assert found == [True, False, BAD]


def test_typed_columns(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "decimal", [99.99999999999996, -2e-18], source_type="DOUBLE") == [
        Decimal(100), Decimal(0),
    ]  # fmt: skip
    assert read(con, "decimal", [1_234_567], source_type="BIGINT", scale="micros") == [
        Decimal("1.234567")
    ]
    assert read(con, "text", [5805028000023883360], source_type="BIGINT") == ["5805028000023883360"]
    assert read(con, "integer", [2.0, 2.5], source_type="DOUBLE") == [2, BAD]
    stamp = datetime(2024, 7, 1, 12)
    assert read(con, "instant", [stamp], source_type="TIMESTAMP", time_zone="Europe/Berlin") == [
        datetime(2024, 7, 1, 10)
    ]
    assert read(con, "date", [stamp], source_type="TIMESTAMP") == [stamp.date()]


def test_an_id_as_floating_point_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(TypeClash, match="lose digits"):
        read(con, "text", [1.0], source_type="DOUBLE")


def test_workbook_ids_that_lost_digits(con: duckdb.DuckDBPyConnection) -> None:
    cells = ["5.805028000023884e+18", "5805028000023883360"]
    assert read(con, "text", cells, is_excel=True) == [BAD, "5805028000023883360"]
