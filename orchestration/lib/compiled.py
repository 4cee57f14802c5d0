"""The models as plain SQL: what dbt compiled, in the order in which it has to run.

For whoever needs the books without dbt running: property tests over hundreds of companies, and the
benchmark that does the same work by hand. dbt is asked once, for the manifest; it is imported then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from orchestration import settings
from orchestration.lib.environment import environment
from orchestration.lib.transform import let_go


@dataclass(frozen=True)
class CompiledModel:
    """One relation: its name, `view` or `table`, and the query that makes it."""

    name: str
    materialized: str
    query: str

    def statement(self) -> str:
        """The statement that creates it."""
        return f"create or replace {self.materialized} {self.name} as {self.query}"


def compile_project(
    folder: Path, *, inputs: str, catalog: str, project: Path = settings.DBT_PROJECT
) -> Path:
    """Have dbt compile the project; nothing is read or built.

    Args:
        folder: where the manifest and dbt's own files go.
        inputs: what stands in the SQL as the folder of inputs.
        catalog: what stands in every reference as the name of the warehouse.
        project: the dbt project.

    Returns:
        The manifest, for `compiled_models`.

    Raises:
        RuntimeError: dbt could not; the message has its words.
    """
    from dbt.cli.main import dbtRunner

    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        "TIEOUT_INPUTS": inputs,
        "TIEOUT_WAREHOUSE": str(folder / f"{catalog}.duckdb"),
        "DBT_TARGET_PATH": str(folder),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    arguments = ["--quiet", "compile", "--no-introspect"]
    arguments += ["--project-dir", str(project), "--profiles-dir", str(project)]
    try:
        with environment(variables):
            result = dbtRunner().invoke(arguments)
    finally:
        let_go()
    if not result.success:
        raise RuntimeError(f"dbt could not compile the project:\n{result.exception}")
    return folder / "manifest.json"


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
