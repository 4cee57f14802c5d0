"""docs/contract.md, made from what the code itself reads: canonical inputs and dbt's manifest.

`python -m orchestration.lib.contract MANIFEST > docs/contract.md`; a test says when it is out of
date. Does not belong here: what the columns mean (`canonical.py`, the models' yml).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from orchestration.lib.sources.canonical import TABLES, Table

HEAD = """\
# The contract

What you may rely on. Made by `python -m orchestration.lib.contract`: change the models or
`canonical.py`, not this page. A change of any table or column here is a new version and an entry in
the [changelog](../CHANGELOG.md).

- [Published tables](#published-tables): what BI tools read from `published/current/tieout.duckdb`.
- [Canonical inputs](#canonical-inputs): what the adapter `canonical` takes, and what every other
  source is mapped to.

Money columns end in `_minor` and are whole minor units (cents; the yen has none). Times end in
`_at` and are UTC without a zone; dates are days in the reporting time zone. E-mail addresses and
names of leads and contacts are never published; `person_key` is a keyed hash. Owners and reasons
are published as the CRM has them.

## Published tables
"""

META = """\
### Schema `meta`

Written when the gate has spoken; outside the content hash.

| table | one row per | holds |
| --- | --- | --- |
| `meta.publication` | file | number, as_of, plan and code version, content hash, verdict |
| `meta.law_result` | law | status, expected, actual, difference, rows, what was tolerated |
| `meta.law_row` | offending row | law, number of the row, the row as JSON |
| `meta.change` | changed figure | before, after, difference, cause, against the last one |
| `meta.freshness` | feed and table | newest data, age, cadence |
"""

INPUTS = """\
## Canonical inputs

A folder for the adapter `canonical` holds files named after these tables, `<table>.csv` or
`<table>.parquet`, with exactly these columns (a column that is not required may be left out). CSV:
comma, UTF-8, first line names the columns; instants as `2026-03-01T12:34:56Z`, dates as
`2026-03-01`, decimals with a point, booleans `true` and `false`. [Bring your own data](
bring-your-own-data.md) shows how any other file is mapped to them.
"""


def contract(manifest: dict[str, Any]) -> str:
    """The page, from dbt's manifest as `json.load` gives it."""
    published = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("meta", {}).get("publish")
    ]
    parts = [HEAD]
    for schema, title in (("main", "the figures"), ("audit", "what the laws were judged by")):
        parts.append(f"### Schema `{schema}`: {title}\n")
        parts += [
            _model(node, schema)
            for node in sorted(published, key=lambda node: str(node["name"]))
            if node["config"]["meta"]["publish"] == schema
        ]
    parts += [META, INPUTS, *(_input(table) for table in TABLES.values())]
    return "\n".join(parts)


def _model(node: dict[str, Any], schema: str) -> str:
    name = str(node["name"]).removeprefix("audit_") if schema == "audit" else node["name"]
    key = node["config"]["meta"].get("primary_key")
    lines = [f"#### `{schema}.{name}`\n", _text(node["description"])]
    if key:
        lines.append(f"Key: {', '.join(f'`{column}`' for column in key)}.")
    lines += ["", "| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    for column in node["columns"].values():
        required = any(each["type"] == "not_null" for each in column.get("constraints", []))
        null = "no" if required else "yes"
        lines.append(
            f"| `{column['name']}` | {column['data_type']} | {null} | "
            f"{_text(column['description'])} |"
        )
    return "\n".join(lines) + "\n"


def _input(table: Table) -> str:
    lines = [
        f"### `{table.name}`\n",
        f"Grain: {table.grain}.\n",
        "| column | type | required | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for column in table.columns:
        required = "yes" if column.required else ""
        lines.append(f"| `{column.name}` | {column.type} | {required} | {column.description} |")
    return "\n".join(lines) + "\n"


def _text(description: str) -> str:
    return " ".join(description.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(contract(json.loads(Path(sys.argv[1]).read_text())))
