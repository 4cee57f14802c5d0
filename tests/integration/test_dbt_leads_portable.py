"""The portable macros of dbt_project/macros/portable, against Python's own arithmetic.

Each engine difference has one macro; when a second engine runs in the tests, these cases run on it.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration.lib.landing.calendar import COLUMNS, Fiscal, calendar_days
from tests.integration.dbt_fixture import Warehouse

#: What is asked, and what must come out.
CASES: dict[str, tuple[str, Any]] = {
    "the day before midnight in New York": (
        "local_date(\"timestamp '2026-01-01 04:59:59'\", \"'America/New_York'\")",
        date(2025, 12, 31),
    ),
    "the day after midnight in New York": (
        "local_date(\"timestamp '2026-01-01 05:00:00'\", \"'America/New_York'\")",
        date(2026, 1, 1),
    ),
    "a zone of half an hour": (
        "local_date(\"timestamp '2026-01-01 18:30:00'\", \"'Asia/Kolkata'\")",
        date(2026, 1, 2),
    ),
    "a summer midnight in UTC": (
        "local_to_utc(\"timestamp '2026-07-01 00:00:00'\", \"'Europe/Berlin'\")",
        datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC).replace(tzinfo=None),
    ),
    "whole seconds": (
        "seconds_between(\"timestamp '2026-01-01 00:00:00'\", \"timestamp '2026-01-01 01:29:59'\")",
        5399,
    ),
    "89 minutes across two hours are one hour": (
        "hours_between(\"timestamp '2026-01-01 00:31:00'\", \"timestamp '2026-01-01 02:00:00'\")",
        1,
    ),
    "a minute too early is an hour less": (
        "hours_between(\"timestamp '2026-01-01 01:00:00'\", \"timestamp '2026-01-01 00:59:00'\")",
        -1,
    ),
    "days over a leap day": (
        "days_between(\"date '2024-02-28'\", \"date '2024-03-01'\")",
        2,
    ),
    "every run of separators": ("match_key(\"' Brand - US++2026.Q1%20 '\")", "brand_us_2026_q1"),
    "nothing but separators": ("match_key(\"' - '\")", None),
    "letters of other alphabets stay": ("match_key(\"'Été/ÜBER'\")", "été/über"),
    "a domain": ("email_domain(\"' Jo@Example.COM '\")", "example.com"),
    "no domain": ("email_domain(\"'jo'\")", None),
    "nobody has no hash": ("person_hash(\"'key'\", \"' '\")", None),
    "a hash keeps its case": (
        "keyed_hash(\"'key'\", \"'contact:C1'\")",
        sha256(b"key" + sha256(b"keycontact:C1").hexdigest().encode()).hexdigest(),
    ),
    "an address as it identifies": ("email_key(\"' Jo+News@Example.COM '\")", "jo@example.com"),
    "a plus in the domain is left alone": ("email_key(\"'jo@a+b'\")", "jo@a+b"),
    "no mailbox before the plus": ("email_key(\"'+news@example.com'\")", None),
    "no mailbox at all": ("email_key(\"'@example.com'\")", None),
    "no domain behind it": ("email_key(\"'jo@'\")", None),
    "two addresses are none": ("email_key(\"'jo@example.com,al@example.com'\")", None),
    "a mailbox": ("address_mailbox(\"'jo@example.com'\")", "jo"),
    "its domain": ("address_domain(\"'jo@example.com'\")", "example.com"),
    "an account": ("account_key(\"' ACME, Inc. / Köln '\")", "acme_inc_köln"),
    "no account": ("account_key(\"' - '\")", None),
    "no legal form": ("company_key(\"'the_acme_gmbh_co_kg'\")", "acme"),
    "a legal form within the name stays": ("company_key(\"'ag_tools'\")", "ag_tools"),
    "nothing but a legal form stays": ("company_key(\"'limited'\")", "limited"),
    "a text at the start": ("rule_fits(\"'qa test'\", \"'starts_with'\", \"'qa'\")", True),
    "not at the start": ("rule_fits(\"'a qa'\", \"'starts_with'\", \"'qa'\")", False),
    "a text at the end": ("rule_fits(\"'my qa'\", \"'ends_with'\", \"'qa'\")", True),
    "a text within": ("rule_fits(\"'a qa b'\", \"'contains'\", \"'qa'\")", True),
    "a text as it stands": ("rule_fits(\"'a%'\", \"'equals'\", \"'a%'\")", True),
}


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All cases compiled by dbt at once, then run."""
    books = Warehouse(tmp_path_factory.mktemp("portable"))
    books.inputs.mkdir()
    columns = ",\n".join(f"{{{{ {call} }}}} as c{i}" for i, (call, _) in enumerate(CASES.values()))
    result = books.dbt("compile", "--inline", f"select\n{columns}")
    sql = result.results[0].node.compiled_code
    found = duckdb.sql(sql).fetchone()
    assert found is not None, json.dumps(sql)
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_macro_agrees_with_python(render: dict[str, Any], case: str) -> None:
    assert render[case] == CASES[case][1]


ZONES = ("America/New_York", "Pacific/Chatham", "Asia/Kolkata", "Pacific/Apia", "UTC")


def test_the_calendar_knows_the_day_as_well_as_the_zone_does(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Every quarter of an hour around clocks that change, a day that Samoa left out, and days that
    are in no calendar."""
    books = Warehouse(tmp_path_factory.mktemp("calendar"))
    books.inputs.mkdir()
    asked = (
        "select instant, {{ local_date('instant', 'zone') }} as expected,"
        " {{ calendar_date('instant', 'zone', 'days') }} as found"
        " from instants left join days on cast(instant as date) = days.day"
    )
    sql = books.dbt("compile", "--inline", asked).results[0].node.compiled_code
    marks = ", ".join("?" for _ in COLUMNS)
    for zone in ZONES:
        rows = list(calendar_days(Fiscal("monday", "calendar", (date(2026, 1, 1),)), zone))
        near = [row for row in rows if date(2011, 12, 20) < row[0] < date(2012, 4, 10)]
        with duckdb.connect() as connection:
            columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
            connection.execute(f"create table days ({columns})")
            connection.executemany(f"insert into days values ({marks})", near)
            connection.execute(
                "create table instants as select unnest(generate_series(timestamp '2011-12-15',"
                f" timestamp '2012-04-15', interval 15 minute)) as instant, '{zone}' as zone"
            )
            wrong = connection.execute(f"select * from ({sql}) where expected <> found").fetchall()
        assert wrong == [], zone


def test_what_was_last_known(tmp_path_factory: pytest.TempPathFactory) -> None:
    books = Warehouse(tmp_path_factory.mktemp("known"))
    books.inputs.mkdir()
    asked = (
        "select {{ last_known('value') }} over (order by number) as value"
        " from (values (1, null), (2, 7), (3, null), (4, 8)) as rows (number, value)"
        " order by number"
    )
    sql = books.dbt("compile", "--inline", asked).results[0].node.compiled_code
    assert duckdb.sql(sql).fetchall() == [(None,), (7,), (7,), (8,)]
