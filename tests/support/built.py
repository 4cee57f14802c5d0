"""The models built as dbt builds them, from the SQL that it compiled: a second instead of eight.

Tables take the columns, types and NOT NULLs of their contracts, and dbt's data tests judge what was
built. What is the same whatever the data are, that a query gives the columns of its contract, is
held to by every run of the project.

Belongs here: building what a test selects. Does not belong here: inputs (`dbt_fixture`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.lib.compiled import CompiledModel, compiled_models
from orchestration.settings import DBT_PROJECT
from tests.support.parsed import CATALOG, INPUTS, compiled_manifest

Node = dict[str, Any]
_NO_TESTS = ("--exclude", "test_type:data")


def build(database: Path, inputs: Path, select: Sequence[str] = ()) -> None:
    """Build into a new database what `dbt build` would; what fails is named in the error.

    Args:
        database: where; its name without the suffix is that of the warehouse.
        inputs: the folder of inputs.
        select: names or patterns of models, `+` before one for all that it reads; everything by
            default. `--exclude test_type:data` at the end leaves the data tests out.
    """
    models, nodes = _project(_version())
    select, has_tests = _without_exclusion(tuple(select))
    chosen = _chosen(select, nodes) if select else {key for key in nodes if not _is_test(key)}

    def here(sql: str) -> str:
        return sql.replace(f'"{CATALOG}"', f'"{database.stem}"').replace(INPUTS, str(inputs))

    database.unlink(missing_ok=True)
    by_name = {nodes[key]["alias"]: nodes[key] for key in chosen}
    with duckdb.connect(str(database), config=_options()) as connection:
        for model in models:
            if model.name in by_name:
                _make(connection, model.name, map(here, _statements(model, by_name[model.name])))
        if not has_tests:
            return
        failed = {}
        for key, node in nodes.items():
            if _is_test(key) and not chosen.isdisjoint(node["depends_on"]["nodes"]):
                query = f"select count(*) from ({here(node['compiled_code'])}) as offending"
                failed[node["name"]] = (connection.execute(query).fetchone() or (1,))[0]
    wrong = {name: rows for name, rows in failed.items() if rows}
    assert not wrong, f"data tests failed: {wrong}"


def _make(connection: duckdb.DuckDBPyConnection, name: str, statements: Iterable[str]) -> None:
    for statement in statements:
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            raise AssertionError(f"{name}: {error}") from error


def _statements(model: CompiledModel, node: Node) -> Iterable[str]:
    is_contract = node["config"].get("contract", {}).get("enforced", False)
    if model.materialized != "table" or not is_contract:
        yield model.statement()
        return
    columns = node["columns"].values()
    declared = ", ".join(f"{each['name']} {each['data_type']}{_not_null(each)}" for each in columns)
    names = ", ".join(each["name"] for each in columns)
    yield f"create table {model.name} ({declared})"
    yield f"insert into {model.name} ({names}) select {names} from ({model.query}) as model"


def _not_null(column: Node) -> str:
    kinds = {constraint["type"] for constraint in column["constraints"]}
    assert kinds <= {"not_null"}, f"no such constraint is known here: {kinds}"
    return " not null" if kinds else ""


def _without_exclusion(select: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    has_tests = select[-2:] != _NO_TESTS
    return (select if has_tests else select[:-2]), has_tests


def _chosen(select: Sequence[str], nodes: dict[str, Node]) -> set[str]:
    chosen: set[str] = set()
    for term in select:
        pattern = term.removeprefix("+")
        found = [
            key
            for key, node in nodes.items()
            if not _is_test(key) and fnmatchcase(node["name"], pattern)
        ]
        assert found, f"no model is meant by {term!r}"
        meant: set[str] = set()
        while found:
            key = found.pop()
            meant.add(key)
            if term.startswith("+"):
                parents = nodes[key]["depends_on"].get("nodes", [])
                found += [each for each in parents if each in nodes and each not in meant]
        chosen |= meant
    return chosen


def _is_test(key: str) -> bool:
    return key.startswith("test.")


def _version() -> tuple[Path, float]:
    manifest = compiled_manifest()
    return manifest, manifest.stat().st_mtime


@lru_cache(maxsize=1)
def _project(version: tuple[Path, float]) -> tuple[list[CompiledModel], dict[str, Node]]:
    manifest, _ = version
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return compiled_models(manifest), nodes


@lru_cache(maxsize=1)
def _options() -> dict[str, Any]:
    """What dbt's profile sets, but for what it takes from the environment."""
    profiles = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    options = profiles["tieout"]["outputs"]["local"]["config_options"]
    return {name: value for name, value in options.items() if "env_var" not in str(value)}
