"""What BI tools are given: Superset's definitions, recipes, exposures, held against the file.

On a publication that has every published table and next to nothing in them. The real Superset is
in test_superset.py, the mirror in test_mirror.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import duckdb
import pytest
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from orchestration.lib.lock import run_lock
from orchestration.lib.release.folders import remove_folder
from orchestration.lib.release.promote import rollback
from orchestration.settings import REPO, Home
from tests.support.guests import FORBIDDEN
from tests.support.hollow import publish_hollow

PAGE = (REPO / "docs" / "bi.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"(?ms)^```(python|sh|js)\n(.*?)^```", PAGE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Two publications, the second current, in a folder where the recipes find them."""
    made = Home(tmp_path_factory.mktemp("bi") / ".tieout")
    for _ in range(2):
        publish_hollow(made)
    yield made
    for folder in made.releases.glob("*"):
        remove_folder(folder)


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    """bi/superset/prepare.py; Superset itself is not asked for until it is imported."""
    spec = importlib.util.spec_from_file_location("prepare", REPO / "bi/superset/prepare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def definitions(home: Home, prepare: ModuleType) -> dict[str, list[dict[str, Any]]]:
    """The definitions as they are imported, by folder."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, body in prepare.definitions(home.current_database).items():
        found.setdefault(name.partition("/")[0], []).append(yaml.safe_load(body))
    return found


def engine_of(definitions: dict[str, list[dict[str, Any]]]) -> Any:
    """A connection as Superset makes it: its address, its arguments, no pool."""
    (database,) = definitions["databases"]
    engine_params = database["extra"]["engine_params"]
    return create_engine(database["sqlalchemy_uri"], poolclass=NullPool, **engine_params)


def test_what_datasets_and_charts_ask_for_is_published(
    home: Home, definitions: dict[str, list[dict[str, Any]]]
) -> None:
    (database,) = definitions["databases"]
    with duckdb.connect(str(home.current_database), read_only=True) as books:
        published = {
            (schema, table, column): kind
            for schema, table, column, kind in books.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            ).fetchall()
        }
    datasets = {each["uuid"]: each for each in definitions["datasets"]}
    with engine_of(definitions).connect() as connection:
        for each in datasets.values():
            place = each["schema"], each["table_name"]
            stated = {column["column_name"]: column["type"] for column in each["columns"]}
            assert stated == {name: published[(*place, name)] for name in stated}
            for metric in each["metrics"]:
                query = f"select {metric['expression']} from {'.'.join(place)}"
                assert connection.execute(text(query)).scalar_one() is not None, query
    for chart in definitions["charts"]:
        dataset = datasets[chart["dataset_uuid"]]
        columns = {column["column_name"] for column in dataset["columns"]}
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        (query,) = json.loads(chart["query_context"])["queries"]
        asked = [*query["columns"], *(each["col"] for each in query["filters"])]
        assert set(asked) <= columns and set(query["metrics"] or ()) <= metrics, chart["slice_name"]
        assert set(chart["params"].get("metrics", ())) <= metrics
    assert {each["database_uuid"] for each in datasets.values()} == {database["uuid"]}
    (dashboard,) = definitions["dashboards"]
    placed = {
        each["meta"]["uuid"]
        for key, each in dashboard["position"].items()
        if key.startswith("CHART-")
    }
    assert placed == {chart["uuid"] for chart in definitions["charts"]}


def test_the_connection_closes_the_machine(
    definitions: dict[str, list[dict[str, Any]]],
) -> None:
    engine = engine_of(definitions)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from dim_campaign")).scalar_one() == 1
    for statement in FORBIDDEN:
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement)).fetchall()
    # The statements are ones that an open connection would carry out.
    with duckdb.connect() as connection:
        assert connection.execute(FORBIDDEN[0] + " limit 1").fetchall()


def test_a_new_connection_sees_a_swap_while_an_old_one_keeps_its_release(
    home: Home, definitions: dict[str, list[dict[str, Any]]]
) -> None:
    engine, number = engine_of(definitions), text("select number from meta.publication")
    with engine.connect() as held:
        assert held.execute(number).scalar_one() == 2
        for shown in (1, 2, 1, 2):
            with run_lock(home, "a test"):
                rollback(home, shown, "a test")
            with engine.connect() as fresh:
                assert fresh.execute(number).scalar_one() == shown
        assert held.execute(number).scalar_one() == 2


def test_money_is_shown_in_units_of_its_currency(home: Home, prepare: ModuleType) -> None:
    bodies = "".join(prepare.definitions(home.current_database).values())
    assert "sum(amount_minor) / 100.0" in bodies
    assert "MINOR_UNITS" not in bodies and "DATABASE_URI" not in bodies


@pytest.mark.parametrize(
    ("language", "recipe"),
    RECIPES,
    ids=[f"{language}-{number}" for number, (language, _) in enumerate(RECIPES)],
)
def test_a_recipe_of_the_page_runs(home: Home, language: str, recipe: str) -> None:
    command = {"python": [sys.executable, "-c"], "sh": ["sh", "-ec"], "js": ["node", "-e"]}[
        language
    ]
    if language == "sh" and not shutil.which("duckdb"):
        pytest.skip("no duckdb on PATH: pip install duckdb-cli")
    if language == "js" and not _has_node_package():
        pytest.skip("no node with @duckdb/node-api (npm; NODE_PATH)")
    done = subprocess.run(
        [*command, recipe], cwd=home.root.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = {"python": r"stage|\(2, ", "sh": r"company|metric", "js": r"law: 'B1'"}[language]
    assert re.search(expected, done.stdout), done.stdout


def _has_node_package() -> bool:
    if not shutil.which("node"):
        return False
    probe = ["node", "-e", "require('@duckdb/node-api')"]
    return subprocess.run(probe, env=os.environ, capture_output=True, check=False).returncode == 0


def test_the_page_has_a_recipe_for_each_way_to_the_file() -> None:
    assert [language for language, _ in RECIPES] == ["python", "python", "sh", "js"]


def test_every_reader_is_an_exposure(definitions: dict[str, list[dict[str, Any]]]) -> None:
    """With an owner; the dashboard's tables are those that its definitions read."""
    file = REPO / "dbt_project" / "models" / "exposures.yml"
    exposures = {each["name"]: each for each in yaml.safe_load(file.read_text())["exposures"]}
    assert set(exposures) >= {"superset_dashboard", "postgres_mirror", "metrics"}
    for each in exposures.values():
        assert each["owner"]["name"] and each["description"] and each["depends_on"], each["name"]
    read = {each["table_name"] for each in definitions["datasets"] if each["schema"] == "main"}
    assert exposures["superset_dashboard"]["depends_on"] == [f"ref('{t}')" for t in sorted(read)]
    folder = REPO / "dbt_project" / "models"
    asked = {
        model
        for path in (folder / "metrics").glob("*.yml")
        for model in re.findall(r"model: (ref\('\w+'\))", path.read_text())
    }
    assert set(exposures["metrics"]["depends_on"]) == asked | {"ref('dim_date')"}
