"""The asset graph as a snapshot, always on: what depends on what, and which check is where.

Write it anew after a deliberate change: `python -m tests.pipeline.test_asset_graph`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import dagster as dg

from expectations.laws import load_laws
from orchestration.defs import loading, transform
from orchestration.defs.automation import JOB
from orchestration.defs.release import CANDIDATE, LAW_ON, PUBLISHED
from orchestration.defs.resources import made_per_run
from orchestration.lib.sources.config import load_sources
from orchestration.lib.transform import Project
from orchestration.settings import SAMPLE_SOURCES, Home

SNAPSHOT = Path(__file__).with_name("asset_graph.json")


def definitions(root: Path) -> dg.Definitions:
    """Those of the bundled sample."""
    home = Home(root)
    project = Project(home)
    project.prepare()
    return loading.definitions(
        load_sources(SAMPLE_SOURCES), project, made_per_run(home, SAMPLE_SOURCES)
    )


def graph(defs: dg.Definitions) -> dict[str, dict[str, list[str]]]:
    """Per asset what it reads, and the laws and freeze checks on it (dbt's tests are dbt's)."""
    resolved = defs.resolve_asset_graph()
    own = {"frozen", *load_laws()}
    found: dict[str, dict[str, list[str]]] = {}
    for key in sorted(resolved.get_all_asset_keys(), key=lambda key: key.path):
        node = resolved.get(key)
        found[key.to_user_string()] = {
            "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
            "checks": sorted(check.name for check in node.check_keys if check.name in own),
        }
    return found


def written(found: dict[str, dict[str, list[str]]]) -> str:
    return json.dumps(found, indent=1) + "\n"


def test_asset_graph_is_as_recorded(tmp_path: Path) -> None:
    defs = definitions(tmp_path)
    assert written(graph(defs)) == SNAPSHOT.read_text(), (
        "the asset graph changed; was it meant to? python -m tests.pipeline.test_asset_graph"
    )
    job = defs.resolve_job_def(JOB)
    keys = set(defs.resolve_asset_graph().get_all_asset_keys())
    assert job.asset_layer.selected_asset_keys == keys, "one job holds every asset"


def test_lineage_goes_from_every_raw_table_to_the_published_file() -> None:
    found = json.loads(SNAPSHOT.read_text())
    raw = {name for name in found if name.startswith("raw/")}
    assert raw
    assert raw <= ancestors(found, PUBLISHED.to_user_string())


def test_everything_gated_is_upstream_of_the_published_file() -> None:
    found = json.loads(SNAPSHOT.read_text())
    reads = set(found[PUBLISHED.to_user_string()]["reads"])
    assert {*LAW_ON.values(), CANDIDATE.to_user_string()} <= reads


def test_every_law_is_a_check_on_a_published_model() -> None:
    found = json.loads(SNAPSHOT.read_text())
    for law in load_laws():
        assert law in found[LAW_ON[law]]["checks"]
        assert "frozen" in found[LAW_ON[law]]["checks"]


def test_mistyped_model_is_an_error(tmp_path: Path) -> None:
    manifest = {"nodes": {"model.x": {"resource_type": "model", "name": "fct_lead"}}}
    assert transform.model_key(manifest, "fct_lead") == dg.AssetKey("fct_lead")
    try:
        transform.model_key(manifest, "fct_leads")
    except dg.DagsterInvalidDefinitionError as error:
        assert "fct_leads" in str(error)
    else:
        raise AssertionError("a check on a mistyped asset would load silently")


def ancestors(found: dict[str, dict[str, list[str]]], name: str) -> set[str]:
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        for parent in found[ahead.pop()]["reads"]:
            if parent not in seen:
                seen.add(parent)
                ahead.append(parent)
    return seen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SNAPSHOT.write_text(written(graph(definitions(Path(folder)))))
