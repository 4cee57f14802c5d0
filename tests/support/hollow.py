"""Publications with every published table and next to nothing in them, for what reads the file.

Belongs here: tables as docs/contract.md has them, one row each, made in a second without dbt. Every
whole number of publication n is n, so that a reader can tell a torn or a stale answer. Does not
belong here: figures that mean anything.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import duckdb

from orchestration.lib.release.freeze import freeze, published_tables
from orchestration.lib.release.promote import Publication, next_number, promote
from orchestration.lib.release.seal import Facts, seal
from orchestration.settings import REPO, Home
from tests.support.releases import LAWS, verdict

AS_OF = "2026-07-01 12:00:00"
#: Text that somebody filters by, per column; any other text is the column's name.
_TEXTS = {
    "company": "Hollow Inc",
    "reporting_currency": "USD",
    "time_zone": "UTC",
    "scope": "company",
    "scope_kind": "company",
    "view_kind": "cohort",
    "model": "w_shaped",
}
#: The same for a table's column that would be another's word.
_OF_TABLE = {
    ("rpt_plan_vs_actual__kpi_period", "period_kind"): "quarter",
    ("rpt_pipeline_waterfall__period", "period_kind"): "month",
}


def contract_columns() -> dict[tuple[str, str], list[tuple[str, str, bool]]]:
    """Column, type and whether it may be null, of every table of main and audit."""
    text = (REPO / "docs" / "contract.md").read_text(encoding="utf-8")
    tables = {}
    for schema, name, body in re.findall(r"(?ms)^#### `(main|audit)\.(\w+)`\n(.*?)(?=^#|\Z)", text):
        rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]+?) \| (yes|no) \|", body)
        tables[schema, name] = [(column, kind, null == "yes") for column, kind, null in rows]
    return tables


def publish_hollow(home: Home) -> Publication:
    """Freeze, seal and promote the next publication."""
    number = next_number(home)
    home.work.mkdir(parents=True, exist_ok=True)
    home.dbt_target.mkdir(exist_ok=True)
    home.warehouse.unlink(missing_ok=True)
    nodes = {}
    with duckdb.connect(str(home.warehouse)) as connection:
        for (schema, name), columns in contract_columns().items():
            alias = f"audit_{name}" if schema == "audit" else name
            declared = ", ".join(
                f'"{column}" {kind}{"" if null else " not null"}' for column, kind, null in columns
            )
            connection.execute(f"create table {alias} ({declared})")
            connection.execute(
                f"insert into {alias} values ({', '.join('?' * len(columns))})",
                [_value(name, column, kind, number) for column, kind, _ in columns],
            )
            nodes[f"model.tieout.{alias}"] = _node(alias, schema)
    manifest = home.dbt_target / "manifest.json"
    manifest.write_text(json.dumps({"nodes": nodes}))
    candidate = freeze(home, published_tables(manifest), number, threads=1)
    seal(home, candidate, verdict(), Facts("code-1"), lambda _: "<!doctype html>\n")
    return promote(home, candidate.folder, LAWS)


def _value(table: str, column: str, kind: str, number: int) -> object:
    if kind in {"bigint", "integer", "double", "hugeint"}:
        return number
    if kind.startswith("decimal"):
        return 1
    if kind == "boolean":
        return True
    if kind == "date":
        return date(2026, 6, 1)
    if kind == "timestamp":
        return AS_OF
    return _OF_TABLE.get((table, column)) or _TEXTS.get(column, column)


def _node(alias: str, schema: str) -> dict[str, object]:
    return {
        "name": alias,
        "resource_type": "model",
        "alias": alias,
        "schema": "main",
        "original_file_path": str(Path("models") / f"{alias}.sql"),
        "description": "",
        "columns": {},
        "config": {"meta": {"publish": schema}},
    }
