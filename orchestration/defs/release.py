"""Freeze, check, promote as Dagster shows them: the candidate, the laws, the published file.

Belongs here: which asset each law is a check of, and the order of the steps. Does not belong here:
the laws (`expectations`), the release itself (`orchestration.lib.release`).

Promotion does not trust this order: it demands a receipt that proves that exactly this file has
passed, so that materialising `release/published` alone cannot publish what was not judged.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# No `from __future__ import annotations` here: Dagster reads the type of `context` at run time.
import dagster as dg

from expectations.client import Judge
from expectations.laws import Law
from expectations.verdict import LawResult, Verdict
from orchestration import __version__
from orchestration.defs.instance import table
from orchestration.defs.resources import BOOKS, JUDGE
from orchestration.defs.transform import Manifest, model_key
from orchestration.lib.release.folders import SCORECARD, write_durably
from orchestration.lib.release.freeze import freeze, load_candidate, published_tables
from orchestration.lib.release.promote import next_number, promote, publications, set_aside
from orchestration.lib.release.seal import (
    facts_of,
    seal,
    without_personal_data,
)
from orchestration.lib.run import Run
from orchestration.lib.scorecard.shown import show
from orchestration.lib.transform import table_facts

CANDIDATE = dg.AssetKey(["release", "candidate"])
PUBLISHED = dg.AssetKey(["release", "published"])
#: A check shows this many offending rows as text; the table beside it holds more.
_ROWS_IN_WORDS = 5

#: The asset that each law is shown on: the one whose readers it protects.
LAW_ON: dict[str, str] = {
    "B1": "fct_spend__campaign_daily",
    "B2": "rpt_stage_balance__campaign_cohort",
    "B3": "fct_dollar_journal__entry",
    "B4": "rpt_pipeline_waterfall__period",
    "B5": "fct_credit__opportunity_touch",
    "B6": "audit_row",
    "B7": "rpt_claims_bridge__period",
    "B8": "fct_lead_stage__interval",
    "B9": "dim_fx_rate",
    "B10": "audit_reference",
    "B11": "audit_freshness",
    "B12": "audit_volume_shrunk",
    "B13": "audit_unmapped",
    "G1": "rpt_commitment__campaign_cohort",
    "G2": "rpt_variance_item",
    "G3": "rpt_handoff_sla__metric_period",
    "P1": "audit_plan_target",
    "P2": "audit_plan_promise",
    "P3": "audit_plan_scope",
    "P4": "audit_plan_kpi",
    "P5": "audit_plan_version",
    "P6": "audit_plan_capacity",
    "P7": "audit_plan_policy",
}

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


def published_models(manifest: Manifest) -> list[str]:
    """The models that a release holds."""
    return sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "publish" in node["config"].get("meta", {})
    )


def law_keys(manifest: Manifest, laws: Mapping[str, Law]) -> dict[str, dg.AssetKey]:
    """Each law's asset; a law without one, or one on a model that is not published, is an error."""
    published = set(published_models(manifest))
    for law in laws:
        if LAW_ON.get(law) not in published:
            raise dg.DagsterInvalidDefinitionError(
                f"law {law} is shown on {LAW_ON.get(law)!r}, which is no published model: correct"
                " LAW_ON in orchestration/defs/release.py"
            )
    return {law: model_key(manifest, LAW_ON[law]) for law in laws}


def candidate_asset(
    manifest: Manifest, manifest_path: Path, laws: Mapping[str, Law]
) -> dg.AssetsDefinition:
    """The frozen tables, in a file that no reader knows.

    The candidate follows the models that the laws are checks on, and the laws follow the candidate.
    Dagster lets a step that makes a check of its own on an asset pass that asset's other blocking
    checks; the check here is `frozen`: as many rows in the candidate as dbt built.
    """
    gated = {key: LAW_ON[law] for law, key in law_keys(manifest, laws).items()}

    @dg.multi_asset(
        name="freeze",
        specs=[
            dg.AssetSpec(
                CANDIDATE,
                deps=[model_key(manifest, name) for name in published_models(manifest)],
                description="The published tables in a file that no reader knows yet.",
                group_name="release",
                kinds={"duckdb"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "frozen",
                asset=key,
                description="The candidate holds as many rows of it as the warehouse.",
            )
            for key in gated
        ],
        required_resource_keys={BOOKS},
        allow_arbitrary_check_specs=True,
    )
    def freeze_candidate(context: dg.AssetExecutionContext) -> Iterator[Event]:
        run: Run = context.resources.books
        with run.step("freeze") as step:
            tables = published_tables(manifest_path)
            candidate = freeze(run.home, tables, next_number(run.home))
            step.note = f"{len(candidate.tables)} tables, {candidate.rows:,} rows"
        yield dg.MaterializeResult(
            asset_key=CANDIDATE,
            metadata={
                "number": candidate.number,
                "content_sha256": candidate.content_sha256,
                "file_sha256": candidate.file_sha256,
                "dagster/row_count": candidate.rows,
                "bytes": candidate.database.stat().st_size,
                "tables": table(
                    [
                        {"table": f"{line.schema}.{line.name}", "rows": line.rows}
                        for line in candidate.tables
                    ],
                    limit=100,
                ),
            },
        )
        frozen = {
            found.source_name: line.rows
            for found in tables
            for line in candidate.tables
            if (line.schema, line.name) == (found.schema, found.name)
        }
        models = list(gated.values())
        built = table_facts(run.home.warehouse, models, models)
        for key, model in gated.items():
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name="frozen",
                passed=frozen[model] == built[model].rows,
                metadata={"built": built[model].rows, "frozen": frozen[model]},
            )

    return freeze_candidate


def law_checks(manifest: Manifest, laws: Mapping[str, Law]) -> dg.AssetChecksDefinition:
    """Every law as a check on its asset, all judged at once on the candidate's bytes."""
    keys = law_keys(manifest, laws)

    @dg.multi_asset_check(
        name="laws",
        specs=[
            dg.AssetCheckSpec(
                law.id,
                asset=keys[law.id],
                description=f"{law.title}. {law.meaning}",
                # A law of severity warn yields WARN, which never blocks; an error always does.
                blocking=True,
                additional_deps=[CANDIDATE],
                metadata={"owner": law.owner, "severity": law.severity},
            )
            for law in laws.values()
        ],
        required_resource_keys={BOOKS, JUDGE},
    )
    def judge_laws(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        run: Run = context.resources.books
        judge: Judge = context.resources.judge
        candidate = load_candidate(run.home)
        with run.step("check") as step:
            verdict = judge.verdict(
                candidate.database, on_law=lambda law: run.listener.detail("check", law)
            )
            step.note = _note(verdict)
        run.record.verdict = verdict
        with run.step("seal") as step:
            facts = facts_of(candidate.database, __version__)
            seal(run.home, candidate, verdict, facts, lambda database: _drawn(run, database))
            if not verdict.passed:
                set_aside(run.home, candidate.folder)
                step.note = "set aside: blocked"
            write_verdict(run, verdict, number=None)
            if not verdict.passed:
                show(run.home, laws)
        if verdict.error is not None:
            raise dg.Failure(description=verdict.error, allow_retries=False)
        for result in verdict.results:
            yield _check_result(keys[result.law], laws[result.law], result)

    return judge_laws


def published_asset(manifest: Manifest, laws: Mapping[str, Law]) -> dg.AssetsDefinition:
    """The file that readers open: sealed, proved, swapped in in one step."""

    @dg.asset(
        key=PUBLISHED,
        deps=[CANDIDATE, *(model_key(manifest, name) for name in published_models(manifest))],
        description="published/current/tieout.duckdb: what readers see.",
        group_name="release",
        kinds={"duckdb"},
        required_resource_keys={BOOKS},
        # The schedule is hourly; two missed publications in a row are worth somebody's look.
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=3), warn_window=timedelta(hours=2)
        ),
    )
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        run: Run = context.resources.books
        with run.step("publish") as step:
            before = [kept for kept in publications(run.home) if kept.is_current]
            publication = promote(run.home, run.home.candidate, sorted(laws))
            receipt = publication.receipt
            hashes = {kept.receipt.content_sha256 for kept in before}
            run.record.same_content_as_before = receipt.content_sha256 in hashes
            if run.record.verdict is not None:
                write_verdict(run, run.record.verdict, number=publication.number)
            show(run.home, laws)
            step.note = f"#{publication.number}"
        run.record.publication = publication
        return dg.MaterializeResult(
            metadata={
                "number": publication.number,
                "path": dg.MetadataValue.path(run.home.current_database),
                "scorecard": dg.MetadataValue.path(run.home.current / SCORECARD),
                "as_of": receipt.as_of,
                "content_sha256": receipt.content_sha256,
                "file_sha256": receipt.file_sha256,
                "bytes": receipt.file_bytes,
                "dagster/row_count": sum(line.rows for line in receipt.tables),
                **{f"changed: {cause}": rows for cause, rows in receipt.changes.items()},
            }
        )

    return publish


def _drawn(run: Run, database: Path) -> str:
    """The scorecard of a closed candidate; the library that draws is loaded here, not before."""
    from orchestration.lib.scorecard.page import render

    with run.step("scorecard") as step:
        page = render(database)
        step.note = f"{len(page.encode()) / 1000:,.0f} kB"
    return page


def write_verdict(run: Run, verdict: Verdict, *, number: int | None) -> None:
    """The last verdict, for `tieout explain`; its number is null until it is published."""
    run.home.reports.mkdir(parents=True, exist_ok=True)
    created_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = verdict.document(number=number, created_at=created_at)
    write_durably(run.home.verdict, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _note(verdict: Verdict) -> str:
    if verdict.error is not None:
        return "no verdict"
    counts: dict[str, int] = {}
    for result in verdict.results:
        counts[result.status] = counts.get(result.status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _check_result(key: dg.AssetKey, law: Law, result: LawResult) -> dg.AssetCheckResult:
    is_fine = result.status in ("held", "not applicable")
    # A waived law is no pass, and stops nothing.
    weighs = result.blocks or (result.severity == "block" and result.status != "waived")
    metadata: dict[str, Any] = {
        "status": result.status,
        "unit": result.unit,
        "offending": result.offending_count,
        "tolerated": result.tolerated,
        "waived": result.waived,
        "owner": result.owner,
        "seconds": round(result.seconds, 3),
    }
    for name in ("expected", "actual", "difference"):
        value = getattr(result, name)
        if value is not None:
            metadata[name] = int(value)
    if result.reason:
        metadata["reason"] = result.reason
    if result.offending_rows:
        rows = [without_personal_data(row) for row in result.offending_rows]
        metadata["rows"] = table(rows)
        metadata["what to do"] = law.what_to_do
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=result.law,
        passed=is_fine,
        severity=dg.AssetCheckSeverity.ERROR if weighs else dg.AssetCheckSeverity.WARN,
        description=". ".join([f"{result.title}: {result.status}", *_first_rows(result)]),
        metadata=metadata,
    )


def _first_rows(result: LawResult) -> list[str]:
    """The first offending rows as text: the page shows tables only after a click."""
    shown = [without_personal_data(row) for row in result.offending_rows[:_ROWS_IN_WORDS]]
    return [
        f"Row {number}: "
        + ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
        for number, row in enumerate(shown, start=1)
    ]
