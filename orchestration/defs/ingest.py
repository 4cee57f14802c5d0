"""From files to landed Parquet: one asset per feed and table, and the inputs that dbt reads.

`raw/<feed>/<table>` keeps every load; `landed/<table>` is what this run reads of all feeds, and is
at the same time dbt's source `landed.<table>`, so the lineage goes through. Pure work is in
`orchestration.lib.landing`.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

# No `from __future__ import annotations` here: Dagster reads the type of `context` at run time.
import dagster as dg

from orchestration.defs.resources import BOOKS
from orchestration.lib.landing import SetupError, TableReport
from orchestration.lib.run import Run
from orchestration.lib.sources.config import SourcesFile, TableSource, feed_tables

#: One step of the run that people see, whatever the number of feeds.
STEP = "ingest"


def raw_key(feed: str, table: str) -> dg.AssetKey:
    """The asset of one table of one feed."""
    return dg.AssetKey(["raw", feed, table])


def landed_key(table: str) -> dg.AssetKey:
    """The asset that dbt knows as the source `landed.<table>`."""
    return dg.AssetKey(["landed", table])


def raw_assets(sources: SourcesFile) -> list[dg.AssetsDefinition]:
    """One multi-asset per feed: a step costs more than landing an unchanged table."""
    by_feed: dict[str, list[TableSource]] = {}
    for source in feed_tables(sources):
        by_feed.setdefault(source.feed, []).append(source)
    return [_feed_assets(sources, feed, tables) for feed, tables in by_feed.items()]


def _feed_assets(
    sources: SourcesFile, feed: str, tables: Sequence[TableSource]
) -> dg.AssetsDefinition:
    by_key = {raw_key(feed, source.table.name): source for source in tables}

    @dg.multi_asset(
        name=f"land_{feed}",
        specs=[_raw_spec(sources, source) for source in tables],
        can_subset=True,
        required_resource_keys={BOOKS},
    )
    def land_feed(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        run: Run = context.resources.books
        selected = [key for key in by_key if key in context.selected_asset_keys]
        with run.step(f"{STEP} {feed}") as step:
            reports = [run.landing.land_table(*by_key[key].key) for key in selected]
            step.note = _note(reports)
        run.record.ingested += reports
        for key, report in zip(selected, reports, strict=True):
            yield dg.MaterializeResult(asset_key=key, metadata=_raw_metadata(run, report))

    return land_feed


def _raw_spec(sources: SourcesFile, source: TableSource) -> dg.AssetSpec:
    feed, table = source.key
    hours = sources.sources[feed].cadence_hours.get(table)
    window = None if hours is None else timedelta(hours=hours)
    return dg.AssetSpec(
        raw_key(feed, table),
        description=f"{source.table.name} of {feed}, one row per {source.table.grain}.",
        group_name="raw",
        kinds={"parquet", sources.sources[feed].adapter},
        metadata={"folder": dg.MetadataValue.path(source.root), "declared_at": source.declared_at},
        freshness_policy=None if window is None else dg.FreshnessPolicy.time_window(window),
    )


def _note(reports: Sequence[TableReport]) -> str:
    new = sum(report.new_rows for report in reports)
    rows = sum(report.landed_rows for report in reports)
    return f"{rows:,} rows" + (f", {new:,} of them new" if new else ", nothing new")


def _raw_metadata(run: Run, report: TableReport) -> dict[str, Any]:
    loads = run.landing.loads(run.landing.tables[report.feed, report.table])
    return {
        "dagster/row_count": report.landed_rows,
        "raw_rows": report.raw_rows,
        "new_rows": report.new_rows,
        "quarantined_rows": report.quarantined_rows,
        "excluded_rows": report.excluded_rows,
        "files": report.files,
        "files_unchanged": report.files_unchanged,
        "sha256": ", ".join(f"{load.file}: {load.sha256}" for load in loads.live[-5:]) or "(none)",
        "data_from": report.data_from or "(none)",
        "data_to": report.data_to or "(none)",
        # Exact as text; as a number too, so that Dagster draws its history.
        **{f"spend_{name}": str(cost) for name, cost in report.spend.items()},
        **{f"spend_{name}_minor": int(cost * 100) for name, cost in report.spend.items()},
    }


def landed_assets(sources: SourcesFile, tables: Sequence[str]) -> dg.AssetsDefinition:
    """The inputs of a run, one asset per dbt source; all are swapped in at once."""
    raw = [source.key for source in feed_tables(sources)]
    own = {name: [raw_key(feed, table) for feed, table in raw if table == name] for name in tables}
    canonical = {table for _, table in raw}
    # What is not a canonical table is made of all loads and of the configuration.
    every = [raw_key(feed, table) for feed, table in raw]

    @dg.multi_asset(
        name="link_inputs",
        specs=[
            dg.AssetSpec(
                landed_key(name),
                deps=own[name] if name in canonical else every,
                description=f"What a run reads of {name}, over all feeds; dbt's source.",
                group_name="landed",
                kinds={"parquet"},
            )
            for name in tables
        ],
        required_resource_keys={BOOKS},
    )
    def link_inputs(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        run: Run = context.resources.books
        with run.step("link inputs") as step:
            _demand_known(run, set(raw))
            run.landing.link_inputs()
            run.landing.close()
            step.note = f"{len(tables)} tables"
        for name in tables:
            files = len(list((run.home.inputs / name).glob("*.parquet")))
            yield dg.MaterializeResult(asset_key=landed_key(name), metadata={"files": files})

    return link_inputs


def _demand_known(run: Run, known: set[tuple[str, str]]) -> None:
    """A table whose first file came after the code location was loaded has no asset yet."""
    unknown = sorted(set(run.landing.tables) - known)
    if unknown:
        listed = ", ".join(f"{feed}.{table}" for feed, table in unknown)
        raise SetupError(
            f"{listed}: files came, or were configured, after Dagster loaded the assets; reload"
            " the code location (Deployment), or run `tieout run`"
        )
