"""The models must run on a second engine and give the same rows on any day.

What is DuckDB's own stands in dbt_project/macros/portable, one macro a difference, dispatched.
The laws (expectations/) judge a DuckDB file and may use all of DuckDB; so may the landing.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conventions.tree import bare_sql, relative, under

PORTABLE = "dbt_project/macros/portable"
SQL = [
    path
    for path in under("dbt_project", suffix=".sql")
    if not relative(path).startswith((f"{PORTABLE}/", "dbt_project/target"))
]
MODELS = [path for path in SQL if relative(path).startswith("dbt_project/models/")]
MOST_COLUMNS = 100

#: The clock makes a build unrepeatable: a run passes `as_of` (stg_landed__run_parameter).
CLOCK = (
    r"\b(?:current_date|current_time(?:stamp)?|localtime(?:stamp)?)\b|\b(?:now|today|getdate"
    r"|sysdate|get_current_time(?:stamp)?|transaction_timestamp|random|uuid|gen_random_uuid)\s*\("
)
#: What only DuckDB has, or what other engines read in another way without a word.
DUCKDB_ONLY: dict[str, str] = {
    "select * exclude / replace / columns()": (
        r"\*\s*(?:exclude|replace)\b|\bexclude\s*\(|\bcolumns\s*\("
    ),
    "distinct on": r"\bdistinct\s+on\b",
    "arg_max, arg_min (use max_by, min_by)": (r"\barg_?(?:max|min)(?:_null)?\s*\("),
    "asof or positional join": r"\b(?:asof|positional)\s+(?:left\s+)?join\b",
    "integer division //": r"//",
    "div": r"\bdiv\b",
    "ordered string_agg": (
        r"\b(?:string_agg|listagg|group_concat)\s*\([^()]*(?:\([^()]*\)[^()]*)*\border\s+by\b"
    ),
    "lists": (r"\b(?:list(?:_\w+)?|array_(?:agg|to_string|length)|unnest|flatten)\s*\("),
    "lambda": r"\blambda\b|\w\s*->\s*\w",
    "strftime, strptime": r"\b(?:try_)?str[fp]time\s*\(",
    "epoch": r"\b(?:epoch(?:_\w+)?|make_timestamp(?:_\w+)?|make_date)\s*\(",
    "hash (use md5)": r"\b(?:hash|md5_number(?:_\w+)?|bit_xor)\s*\(",
    "reading files": r"\b(?:read_\w+|glob|parquet_\w+)\s*\(",
    "series": r"\b(?:generate_series|range)\s*\(",
    "date arithmetic that engines count apart": (
        r"\bdate_?(?:diff|sub|add|part)\s*\(|\btime_bucket\s*\(|\bage\s*\("
    ),
    # Of a date it is a date here and a timestamp there.
    "date_trunc without a cast": (
        r"(?<!cast\()\bdate_trunc\s*\((?:[^()]|\([^()]*\))*\)(?=\s+as\b)"
    ),
    "time zones": r"\bat\s+time\s+zone\b|\btimezone\s*\(",
    "group by all, order by all": r"\b(?:group|order)\s+by\s+all\b",
    "regular expressions": r"\bregexp_\w+\s*\(|\bsimilar\s+to\b|!?~~?\*?\s",
    "types": r"\b(?:u?hugeint|u(?:big|small|tiny)?int(?:eger)?|struct|map\s*\()\b",
    "structs": r"\bstruct_\w+\s*\(|\brow\s*\(|->>",
    "duckdb statements": r"\b(?:pivot|unpivot|summarize|using\s+sample|tablesample)\b",
    "substring from 0": r"\bsubstr(?:ing)?\s*\([^,()]+,\s*0\b",
    "unaccent": r"\bstrip_accents\s*\(",
}


def violations(path: Path, patterns: dict[str, str]) -> list[str]:
    """Lines of a file on which a pattern stands in SQL (not in comments, strings, Jinja)."""
    body = bare_sql(path.read_text(encoding="utf-8"))
    return [
        f"{relative(path)}:{body.count(chr(10), 0, match.start()) + 1}: {what}: {match.group()!r}"
        for what, pattern in patterns.items()
        for match in re.finditer(pattern, body, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", SQL, ids=relative)
def test_no_model_reads_the_clock(path: Path) -> None:
    found = violations(path, {"the clock or chance": CLOCK})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", SQL, ids=relative)
def test_no_duckdb_outside_the_portable_macros(path: Path) -> None:
    found = violations(path, DUCKDB_ONLY)
    assert not found, f"put it behind a macro in {PORTABLE}:\n" + "\n".join(found)


def too_long(sql: str) -> list[int]:
    """Numbers of the lines that are wider than 100 columns."""
    return [
        number for number, line in enumerate(sql.splitlines(), start=1) if len(line) > MOST_COLUMNS
    ]


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_no_line_is_wider_than_a_hundred_columns(path: Path) -> None:
    found = too_long(path.read_text(encoding="utf-8"))
    assert not found, f"{relative(path)}: lines {found}"


def test_a_line_of_a_hundred_and_one_columns_is_seen() -> None:
    assert too_long("select 1\n" + 100 * "a" + "\n" + 101 * "a") == [3]


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_model_has_the_form_of_the_house(path: Path) -> None:
    """Its last line is `select * from final`, and it is named for its folder."""
    lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    prefix = {
        "staging": "stg_", "intermediate": "int_", "reports": "rpt_", "audit": "audit_",
        "marts": ("dim_", "fct_"),
    }[path.parts[path.parts.index("models") + 1]]  # fmt: skip
    assert path.name.startswith(prefix)
    assert lines[-1] == "select * from final"


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        ("select * exclude / replace / columns()", "select * exclude (a) from t"),
        ("distinct on", "select distinct on (a) b"),
        ("arg_max, arg_min (use max_by, min_by)", "select arg_max(a, b)"),
        ("asof or positional join", "from a asof left join b"),
        ("integer division //", "select a // b"),
        ("ordered string_agg", "string_agg(cast(a as varchar), ',' order by a)"),
        ("lists", "select list_sort(a)"),
        ("strftime, strptime", "strftime(a, '%Y')"),
        ("epoch", "epoch_ms(a)"),
        ("hash (use md5)", "select hash(a)"),
        ("reading files", "from read_parquet('x')"),
        ("date arithmetic that engines count apart", "date_diff('day', a, b)"),
        ("date_trunc without a cast", "select date_trunc('month', min(a)) as b"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, sql: str) -> None:
    assert re.search(DUCKDB_ONLY[what], bare_sql(sql))


def test_a_cast_date_trunc_is_portable() -> None:
    pattern = DUCKDB_ONLY["date_trunc without a cast"]
    assert not re.search(pattern, "select cast(date_trunc(a, min(b)) as date)")
    assert not re.search(pattern, "select date_trunc(a, b)::date as c")
    assert not re.search(pattern, "sum(a) over (partition by date_trunc(a, b))")


def test_comments_strings_and_jinja_are_not_sql() -> None:
    sql = "-- list_sort(x)\nselect '//' as a, {{ hash(1) }} /* now() */ {# epoch(2) #}"
    assert "list_sort" not in (bare := bare_sql(sql))
    assert not re.search(CLOCK, bare) and not any(re.search(p, bare) for p in DUCKDB_ONLY.values())
