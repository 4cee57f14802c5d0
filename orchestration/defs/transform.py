"""The dbt project as assets and checks, run by dbt within this process.

Asset keys, lineage and checks come from dbt's manifest (dagster-dbt); running and its records from
`orchestration.lib.transform`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# No `from __future__ import annotations` here: Dagster reads the type of `context` at run time.
import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import DAGSTER_DBT_UNIQUE_ID_METADATA_KEY

from orchestration.defs.ingest import landed_key
from orchestration.defs.resources import BOOKS
from orchestration.lib.run import Run
from orchestration.lib.transform import (
    NodeResult,
    TableFacts,
    TransformError,
    table_facts,
)

Manifest = Mapping[str, Any]
Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


class Translator(DagsterDbtTranslator):
    """Sources are the landed assets, models are named as readers know them."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`landed/<table>`, `reference/<seed>` or the model's name."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            return landed_key(name)
        if dbt_resource_props["resource_type"] == "seed":
            return dg.AssetKey(["reference", name])
        return dg.AssetKey(name)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: the first folder below models/."""
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return str(dbt_resource_props["fqn"][1])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The yml's; the SQL is in the repository."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])


TRANSLATOR = Translator()


def model_key(manifest: Manifest, name: str) -> dg.AssetKey:
    """The asset of a model; a mistyped name is an error here, where Dagster would load silently."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["name"] == name:
            return TRANSLATOR.get_asset_key(node)
    raise dg.DagsterInvalidDefinitionError(f"dbt's manifest has no model {name!r}")


def source_tables(manifest: Manifest) -> list[str]:
    """The tables of dbt's source `landed`."""
    return sorted(source["name"] for source in manifest["sources"].values())


def transform_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """All models and seeds as one step; their data tests are checks on them."""
    nodes = manifest["nodes"]
    by_key = {
        TRANSLATOR.get_asset_key(node): node
        for node in nodes.values()
        if node["resource_type"] in ("model", "seed")
    }
    published = {
        node["alias"] for node in by_key.values() if "publish" in node["config"].get("meta", {})
    }

    @dbt_assets(
        manifest=manifest,
        name="dbt",
        dagster_dbt_translator=TRANSLATOR,
        required_resource_keys={BOOKS},
    )
    def dbt(context: dg.AssetExecutionContext) -> Iterator[Event]:
        run: Run = context.resources.books
        select = []
        if context.is_subset:
            select = [".".join(by_key[key]["fqn"]) for key in context.selected_asset_keys]
        with run.step("transform") as step:
            run.project.prepare()
            results = run.project.build(
                select=select,
                on_node=lambda name, _seconds: run.listener.detail("transform", name),
            )
            step.note = _note(results)
        run.record.nodes += results
        facts = _facts(run, nodes, results, published)
        checks = {
            spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY]: spec.key
            for spec in context.assets_def.check_specs
        }
        for result in results:
            node = nodes.get(result.unique_id)
            if node is None:
                # The project changed after Dagster loaded it: built all the same, not yet an asset.
                context.log.warning(f"{result.unique_id} has no asset yet; reload the location")
            elif result.resource_type == "test":
                key = checks.get(result.unique_id)
                if key is not None and key in context.selected_asset_check_keys:
                    yield _check_result(key, node, result)
            elif result.status == "success":
                key = TRANSLATOR.get_asset_key(node)
                yield _materialization(key, result, facts.get(node["alias"]))
        failed = [result for result in results if result.failed]
        if failed:
            run.record.failure = error = _failure(failed)
            raise dg.Failure(description=str(error), allow_retries=False)

    return dbt


def _facts(
    run: Run, nodes: Manifest, results: list[NodeResult], published: set[str]
) -> dict[str, TableFacts]:
    built = [
        nodes[result.unique_id]["alias"]
        for result in results
        if result.status == "success" and result.unique_id in nodes
    ]
    return table_facts(run.home.warehouse, built, published) if built else {}


def _note(results: list[NodeResult]) -> str:
    tests = [result for result in results if result.resource_type == "test"]
    failed = sum(result.failed for result in results)
    warned = sum(result.status == "warn" for result in tests)
    return (
        f"{len(results) - len(tests)} models, {len(tests)} tests"
        + (f", {failed} failed" if failed else "")
        + (f", {warned} warned" if warned else "")
    )


def _materialization(
    key: dg.AssetKey, result: NodeResult, facts: TableFacts | None
) -> dg.MaterializeResult[Any]:
    metadata: dict[str, Any] = {"seconds": round(result.seconds, 3)}
    if facts is not None:
        metadata["dagster/row_count"] = facts.rows
        metadata |= {f"total_{name}": total for name, total in facts.totals.items()}
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def _check_result(key: dg.AssetCheckKey, node: Manifest, result: NodeResult) -> Event:
    severity = str(node["config"].get("severity") or "error").lower()
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.ERROR if severity == "error" else dg.AssetCheckSeverity.WARN,
        metadata={
            "seconds": round(result.seconds, 3),
            "offending_rows": result.failures or 0,
            "file": result.path,
            **({"message": result.message} if result.message else {}),
        },
    )


def _failure(failed: list[NodeResult]) -> TransformError:
    shown = "\n".join(result.explain() for result in failed[:5])
    more = f"\n… and {len(failed) - 5} more" if len(failed) > 5 else ""
    return TransformError(f"{len(failed)} of dbt's models and tests failed:\n{shown}{more}")
