"""The sides of the comparison: the whole run, the same work by hand, a bare scan.

Each is one process (with its children), each gives its steps in the same terms. Belongs here: how a
side is started, how its own records become steps, the proof that all did the same work. Does not
belong here: watching processes (`processes`), the script by hand (`by_hand`), tables (`report`).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import by_hand
from benchmarks.processes import BenchmarkError, Use, Watched, module, watch
from orchestration.lib.compiled import compile_project
from orchestration.lib.landing import LandingPlan
from orchestration.lib.landing.inputs import write_inputs
from orchestration.lib.release.content import content_sha256, table_lines
from orchestration.lib.sample import CompanySpec, generate
from orchestration.lib.sources.canonical import TABLES
from orchestration.lib.sources.config import feed_tables, load_sources, naive_utc
from orchestration.settings import REPO, Home

#: In the compiled SQL, in place of a folder of inputs.
_INPUTS = "/inputs-by-hand"
#: Persons get the same keys on both sides, so that the releases can be compared.
_PERSON_KEY = "benchmark"

#: The work that both sides do, in one order: ours and the hand's names for it.
WORK: dict[str, tuple[tuple[str, ...], str]] = {
    "read the inputs": (("look at the sources", "ingest", "link inputs"), "read"),
    "models": (("transform",), "models"),
    "release": (("freeze",), "release"),
    "laws": (("check",), "laws"),
    "seal and publish": (("seal", "publish"), ""),
}
#: What only a run has: interpreter, imports, the graph, its history, writing events.
AROUND = "start, Dagster, dbt's parsing"


@dataclass(frozen=True)
class Company:
    """A generated company on disk."""

    folder: Path
    format: by_hand.Format
    leads: int
    touches_per_lead: int

    @property
    def sources(self) -> Path:
        """Its configuration."""
        return self.folder / "sources.yml"

    @property
    def data(self) -> Path:
        """Its files."""
        return self.folder / "data"

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.data.iterdir())


@dataclass(frozen=True)
class Step:
    """One step of one side."""

    name: str
    use: Use


@dataclass(frozen=True)
class Release:
    """What a side published, to be compared: content, rows, sums of money."""

    content_sha256: str
    rows: dict[str, int]
    money: dict[str, int]
    #: SHA-256 of each table's schema and rows.
    tables: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """One side, once."""

    side: str
    whole: Use
    steps: list[Step]
    #: Finer than steps: (step, name, seconds), where the side tells them.
    parts: list[tuple[str, str, float]]
    #: Rows of the input files that it read.
    input_rows: int
    release: Release | None


def company(cache: Path, format: by_hand.Format, leads: int, touches_per_lead: int) -> Company:
    """The company of that size, generated unless the cache has it whole."""
    folder = cache / f"company-{leads}-{touches_per_lead}-{format}"
    made = Company(folder, format, leads, touches_per_lead)
    # sources.yml is written last.
    if not made.sources.exists():
        shutil.rmtree(folder, ignore_errors=True)
        spec = CompanySpec(leads=leads, touches_per_lead=touches_per_lead)
        # What is done by hand has no plan, so the other side has none either; and without a plan
        # that says how departments count, their claims cannot be reconciled (law B7).
        delivered = [name for name in TABLES if name != "claims"]
        generate(
            spec, folder, format,
            with_truth=False, with_plan=False, tables=delivered, memory_limit="4GB",
        )  # fmt: skip
    return made


def environment(**changes: str) -> dict[str, str]:
    """This environment without anybody's own books in it, with the repository importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIEOUT_", "DAGSTER_", "DBT_"))
    }
    paths = [str(REPO), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)} | changes


def tieout(*arguments: str) -> list[str]:
    """The command line as the console script starts it."""
    return module("benchmarks.command", *arguments)


# --- The whole run -------------------------------------------------------------------------------


def whole_run(company: Company, folder: Path) -> Outcome:
    """`tieout run` in a home that nobody has used."""
    home = Home(folder / "home")
    home.root.mkdir(parents=True)
    home.person_key.write_text(_PERSON_KEY, encoding="utf-8")
    watched = watch(
        tieout("run", "--sources", str(company.sources), "--json"),
        environment(TIEOUT_HOME=str(home.root)),
        folder,
    )
    told: dict[str, Any] = json.loads(watched.out)
    spans = _spans(told["steps"], watched)
    steps = []
    worked: list[tuple[float, float]] = []
    for name, (ours, _) in WORK.items():
        found = [span for span in spans if span[0].startswith(ours)]
        if not found:
            raise BenchmarkError(f"tieout run told of no step {' or '.join(ours)}")
        uses = [watched.between(start, end) for _, start, end in found]
        steps.append(Step(name, _sum(uses)))
        worked += [(start, end) for _, start, end in found]
    parts = [(name, "", end - start) for name, start, end in spans]
    return Outcome(
        side="whole run",
        whole=watched.whole,
        steps=[*steps, Step(AROUND, watched.outside(worked))],
        parts=parts,
        input_rows=sum(table["raw_rows"] for table in told["ingested"]),
        release=release_of(Path(told["published"]["database"])),
    )


def _spans(steps: list[dict[str, Any]], watched: Watched) -> list[tuple[str, float, float]]:
    """The run's steps on this process's clock.

    The run counts from its own start, later than the process's. A step's line is read right after
    the step's end, so the smallest of these differences is the start.
    """
    ends = {line.split("  ", 2)[1].strip(): at for at, line in _progress(watched)}
    offsets = [
        ends[step["name"]] - step["began_after"] - step["seconds"]
        for step in steps
        if step["name"] in ends
    ]
    if not offsets:
        raise BenchmarkError("the progress of tieout run on standard error was not understood")
    start = min(offsets)
    return [
        (
            step["name"],
            start + step["began_after"],
            start + step["began_after"] + step["seconds"],
        )
        for step in steps
    ]


def _progress(watched: Watched) -> list[tuple[float, str]]:
    """Lines such as `   7.5 s  transform               69 models`."""
    return [
        (at, line.strip())
        for at, line in watched.lines
        if line.strip().partition(" s  ")[0].replace(".", "").isdigit()
    ]


def _sum(uses: list[Use]) -> Use:
    return Use(
        sum(use.seconds for use in uses),
        sum(use.processor_seconds for use in uses),
        max((use.peak_bytes for use in uses), default=0),
    )


# --- By hand -------------------------------------------------------------------------------------


def compiled(folder: Path) -> Path:
    """dbt's manifest with compiled SQL for the database by hand; not part of what is measured."""
    try:
        return compile_project(folder, inputs=_INPUTS, catalog=by_hand.CATALOG)
    except RuntimeError as error:
        raise BenchmarkError(str(error)) from error


def work_by_hand(company: Company, folder: Path, manifest: Path, memory: str) -> Outcome:
    """One DuckDB script."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = load_sources(company.sources)
    as_of = naive_utc(sources.as_of(None))
    home = Home(folder / "configuration")
    home.root.mkdir(parents=True)
    home.person_key.write_text(_PERSON_KEY, encoding="utf-8")
    with LandingPlan(home, sources, as_of) as plan:
        write_inputs(plan.con, home, sources, as_of, {})
    (feed,) = {source.feed for source in feed_tables(sources)}
    path = folder / f"{by_hand.CATALOG}.sql"
    text = by_hand.script(
        data=company.data,
        small=home.inputs,
        inputs=_INPUTS,
        manifest=manifest,
        folder=folder,
        feed=feed,
        as_of=as_of.isoformat(sep=" "),
        memory=memory,
    )
    path.write_text(text, encoding="utf-8")
    watched = watch(module("benchmarks.by_hand", path), environment(), folder)
    told = [json.loads(line) for line in watched.out.splitlines()]
    broken = [x["name"] for x in told if x["name"].endswith("offenders") and x["rows"]]
    if broken:
        raise BenchmarkError(f"by hand, laws are broken: {', '.join(broken)}")
    files = [path.stem for path in company.data.iterdir()]
    with duckdb.connect(str(folder / f"{by_hand.CATALOG}.duckdb"), read_only=True) as connection:
        counts = [
            connection.execute(f'select count(*) from input."{name}"').fetchone() for name in files
        ]
    steps = []
    worked = []
    for name, (_, theirs) in WORK.items():
        blocks = [line for line in told if line["step"] == theirs]
        if blocks:
            worked.append((blocks[0]["began"], blocks[-1]["ended"]))
            steps.append(Step(name, watched.between(*worked[-1])))
    return Outcome(
        side="by hand",
        whole=watched.whole,
        steps=[*steps, Step(AROUND, watched.outside(worked))],
        parts=[(line["step"], line["name"], line["ended"] - line["began"]) for line in told],
        input_rows=sum(int(row[0]) for row in counts if row is not None),
        release=release_of(by_hand.release(folder)),
    )


# --- The scan ------------------------------------------------------------------------------------


def bare_scan(company: Company, folder: Path, memory: str) -> Outcome:
    """Count and hash the files."""
    folder.mkdir(parents=True, exist_ok=True)
    watched = watch(module("benchmarks.scan", company.data, memory), environment(), folder)
    told = [json.loads(line) for line in watched.out.splitlines()]
    steps = []
    for name in ("count", "hash"):
        blocks = [line for line in told if line["step"] == name]
        steps.append(Step(name, watched.between(blocks[0]["began"], blocks[-1]["ended"])))
    return Outcome(
        side="bare scan",
        whole=watched.whole,
        steps=steps,
        parts=[(line["step"], line["name"], line["ended"] - line["began"]) for line in told],
        input_rows=sum(line["rows"] for line in told),
        release=None,
    )


# --- The same work -------------------------------------------------------------------------------


def release_of(database: Path) -> Release:
    """Content hash, rows and money of a release; taken after the clock has stopped."""
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        text = str(database).replace("'", "''")
        connection.execute(f"attach '{text}' as release (read_only)")
        lines = table_lines(connection, "release")
        columns = connection.execute(
            """
            select schema_name, table_name, column_name
            from duckdb_columns()
            where database_name = 'release'
                and schema_name in ('main', 'audit')
                and ends_with(column_name, '_minor')
            order by all
            """
        ).fetchall()
        money = {}
        for schema, table, column in columns:
            query = f'select sum("{column}")::hugeint from release.{schema}."{table}"'
            row = connection.execute(query).fetchone()
            money[f"{schema}.{table}.{column}"] = int(row[0]) if row and row[0] is not None else 0
    rows = {f"{line.schema}.{line.name}": line.rows for line in lines}
    tables = {f"{line.schema}.{line.name}": line.sha256 for line in lines}
    return Release(content_sha256(lines), rows, money, tables)


def demand_same_work(outcomes: list[Outcome]) -> None:
    """Raise BenchmarkError unless all read the same rows and published the same books."""
    counts = {outcome.side: outcome.input_rows for outcome in outcomes}
    if len(set(counts.values())) != 1:
        raise BenchmarkError(f"the sides read different numbers of input rows: {counts}")
    releases = [outcome.release for outcome in outcomes if outcome.release is not None]
    for other in releases[1:]:
        first = releases[0]
        for what in ("rows", "money", "tables"):
            ours, theirs = getattr(first, what), getattr(other, what)
            differing = sorted(
                k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)
            )
            if differing:
                shown = ", ".join(f"{k}: {ours.get(k)} ≠ {theirs.get(k)}" for k in differing[:5])
                raise BenchmarkError(f"the releases differ in {what}: {shown}")
