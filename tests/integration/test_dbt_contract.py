"""What the project's own macros put in dbt's place: contracts are held to, events are heard."""

from __future__ import annotations

import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from orchestration.lib.transform import only_events_heard
from tests.integration.dbt_fixture import Warehouse, parsed

MODEL = "model.tieout.dim_stage"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """With one model, built as the project has it: its columns are those of its contract."""
    books = Warehouse(tmp_path_factory.mktemp("contract"))
    books.build({}, "+dim_stage", "--exclude", "test_type:data")
    assert books.rows("from dim_stage")
    return books


def _spoil(manifest: Manifest, change: str) -> None:
    columns = manifest.nodes[MODEL].columns
    name, column = next(iter(columns.items()))
    if change == "another type":
        column.data_type = "date"
    elif change == "another name":
        columns["renamed"] = columns.pop(name)
        columns["renamed"].name = "renamed"
    else:
        del columns[name]


@pytest.mark.parametrize("change", ["another type", "another name", "a column less"])
def test_a_model_that_breaks_its_contract_is_not_built(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    manifest = parsed()
    _spoil(manifest, change)
    monkeypatch.setattr("tests.integration.dbt_fixture.parsed", lambda: manifest)
    with pytest.raises(AssertionError, match="enforced contract that failed"):
        warehouse.dbt("run", "--select", "dim_stage")


def test_an_alias_of_a_type_keeps_a_contract(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = parsed()
    texts = [each for each in manifest.nodes[MODEL].columns.values() if each.data_type == "varchar"]
    texts[0].data_type = "text"
    monkeypatch.setattr("tests.integration.dbt_fixture.parsed", lambda: manifest)
    warehouse.dbt("run", "--select", "dim_stage")


def test_warnings_and_results_are_heard_and_the_rest_ends_where_it_begins() -> None:
    before = get_event_manager()
    heard: list[str] = []
    with only_events_heard():
        get_event_manager().add_callback(lambda event: heard.append(event.info.msg))
        for level in (EventLevel.DEBUG, EventLevel.INFO, EventLevel.WARN, EventLevel.ERROR):
            fire_event(Note(msg=level.value), level=level)
    assert heard == ["info", "warn", "error"]
    assert get_event_manager() is before
