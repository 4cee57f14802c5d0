"""The models as plain SQL: what dbt compiled, in the order in which it has to run.

For whoever needs the books without dbt running: property tests over hundreds of companies, and the
benchmark that does the same work by hand. Knows dbt through its manifest only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class CompiledModel:
    """One relation: its name, `view` or `table`, and the query that makes it."""

    name: str
    materialized: str
    query: str

    def statement(self) -> str:
        """The statement that creates it."""
        return f"create or replace {self.materialized} {self.name} as {self.query}"


def compiled_models(manifest_path: Path) -> list[CompiledModel]:
    """All seeds and models of a compiled manifest, each after those it reads.

    Args:
        manifest_path: `manifest.json` as `dbt compile` writes it.

    Raises:
        ValueError: A model of the manifest was parsed but not compiled.
    """
    manifest = json.loads(manifest_path.read_text())
    nodes = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
    }
    order = TopologicalSorter(
        {
            key: [parent for parent in node["depends_on"].get("nodes", []) if parent in nodes]
            for key, node in sorted(nodes.items())
        }
    ).static_order()
    return [_compiled(nodes[key]) for key in order]


def _compiled(node: dict[str, object]) -> CompiledModel:
    name = str(node["alias"])
    if node["resource_type"] == "seed":
        path = Path(str(node["root_path"])) / str(node["original_file_path"])
        # dbt makes whole numbers of a seed `integer`; DuckDB by itself makes them `bigint`.
        types = "auto_type_candidates = ['boolean', 'integer', 'date', 'varchar']"
        return CompiledModel(name, "table", f"select * from read_csv('{path}', {types})")
    query = node.get("compiled_code")
    if not query:
        raise ValueError(f"model {name} is not compiled: run `dbt compile` first")
    config = node["config"]
    materialized = config["materialized"] if isinstance(config, dict) else "table"
    return CompiledModel(name, str(materialized), str(query))


def build(connection: duckdb.DuckDBPyConnection, models: list[CompiledModel]) -> None:
    """Create every relation in the connection's database."""
    for model in models:
        connection.execute(model.statement())
