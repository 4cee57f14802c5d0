"""`python -m benchmarks.credit`: credit by all rule-based models beside `channelattribution`.

Both sides start from the same files of touches and opportunities, alternate in one run, each in a
process of its own, and must agree on what every channel gets by the three models that both know.
The meaning of the figures is in docs/benchmarks.md. Does not belong here: the work of the sides
(`credit_sides`), watching processes (`processes`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.credit_sides import MEMORY, PACKAGE_MODELS, Totals
from benchmarks.processes import BenchmarkError, Use, module, watch
from benchmarks.report import machine
from benchmarks.sides import compiled, environment
from orchestration.lib.compiled import compiled_models
from orchestration.settings import REPO

#: What a channel gets may differ by one minor unit a path: the package shares without rounding.
_UNITS_PER_PATH = 1.0
_PATHS = ("int_credit__campaign", "int_credit__path_touch", "int_credit__path_shape")
_TITLES = ("ours, all models", "ours, the package's models", "channelattribution")
_RULES = ("int_credit__milestone", "int_credit__decay")


@dataclass(frozen=True)
class Side:
    """One side, once."""

    name: str
    whole: Use
    steps: dict[str, Use]
    totals: Totals
    #: Credits that it gave, one for each model and touch; the package gives totals only.
    credits: int


@dataclass(frozen=True)
class Round:
    """All sides, one after the other: all our models, those that both know, the package."""

    ours: Side
    same: Side
    theirs: Side


@dataclass(frozen=True)
class Ratios:
    """One side of ours over the package: wall time, processor time, peak memory; medians."""

    seconds: float
    processor_seconds: float
    peak_bytes: float

    @classmethod
    def of(cls, pairs: list[tuple[Side, Side]]) -> Ratios:
        """From both sides of each round."""
        return cls(
            *(
                statistics.median(
                    getattr(ours.whole, each.name) / getattr(theirs.whole, each.name)
                    for ours, theirs in pairs
                )
                for each in fields(cls)
            )
        )


@dataclass(frozen=True)
class Report:
    """Everything that was measured."""

    touches: int
    paths: int
    rounds: list[Round]
    machine: dict[str, Any]

    @property
    def ratios(self) -> Ratios:
        """All our models over the package's three."""
        return Ratios.of([(each.ours, each.theirs) for each in self.rounds])

    @property
    def same_ratios(self) -> Ratios:
        """The same three models on both sides."""
        return Ratios.of([(each.same, each.theirs) for each in self.rounds])

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "format": 1,
            "touches": self.touches,
            "paths": self.paths,
            "memory_limit": MEMORY,
            "rounds": [asdict(each) for each in self.rounds],
            "ratios": asdict(self.ratios),
            "same_ratios": asdict(self.same_ratios),
            "machine": self.machine,
        }


def main(arguments: list[str] | None = None) -> int:
    """Measure, prove that both sides agree, print."""
    chosen = _parser().parse_args(arguments)
    cache = chosen.home.expanduser().resolve()
    reports = []
    try:
        for touches in chosen.touches:
            _say(f"{touches:,} touches")
            reports.append(measure(made(cache, touches), cache, touches, chosen.repeat))
    except BenchmarkError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    body = (
        json.dumps([report.as_dict() for report in reports], indent=1)
        if chosen.json
        else "\n\n".join(text(report) for report in reports)
    )
    sys.stdout.write(body + "\n")
    return 0


def made(cache: Path, touches: int) -> Path:
    """Touches, five to an opportunity on average, and what else both sides read; made once."""
    folder = cache / f"touches-{touches}"
    if (folder / "models.parquet").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    people = max(touches // 5, 1)
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'; set TimeZone = 'UTC'")
        for name, query in _tables(touches, people).items():
            connection.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet)")
    return folder


def _tables(touches: int, people: int) -> dict[str, str]:
    # `hash` of the number is the seed: the same rows on every machine with this DuckDB.
    def chance(salt: int) -> str:
        return f"(hash(i * 1000 + {salt}) % 1000000007) / 1000000007.0"

    return {
        "touches": f"""
            select
                'T' || i as touch_id,
                'P' || floor(pow({chance(1)}, 1.3) * {people})::bigint as person_id,
                'Source ' || floor(pow({chance(2)}, 2) * 12)::int || ' / Campaign '
                || floor({chance(3)} * 8)::int as campaign_key,
                timestamp '2026-01-01' + to_seconds(floor({chance(4)} * 15000000)::bigint)
                as occurred_at
            from range({touches}) as numbers (i)""",
        "opportunities": f"""
            select
                'O' || i as opportunity_id,
                'P' || i as person_id,
                floor({chance(5)} * 10000000)::bigint as amount_minor,
                timestamp '2026-01-01' + to_seconds(floor({chance(6)} * 9000000)::bigint)
                as lead_created_at,
                timestamp '2026-01-01' + to_seconds(floor({chance(7)} * 15000000)::bigint)
                as opened_at,
                timestamp '2026-01-01' + to_seconds(15000000) as anchor_at
            from range({people}) as numbers (i)""",
        "campaigns": """
            select
                'Source ' || source || ' / Campaign ' || number as campaign_key,
                'Source ' || source as source,
                'channel ' || source as channel
            from range(12) as sources (source), range(8) as numbers (number)""",
        # Last: a folder that has it is whole.
        "models": f"""
            select
                model,
                ordinal,
                family,
                (first_pct * 100)::bigint as first_weight,
                (lead_pct * 100)::bigint as lead_weight,
                (opportunity_pct * 100)::bigint as opportunity_weight,
                (last_pct * 100)::bigint as last_weight,
                (rest_pct * 100)::bigint as rest_weight
            from read_csv('{REPO / "seeds" / "reference" / "credit_models.csv"}')""",
    }


def measure(folder: Path, cache: Path, touches: int, repeat: int) -> Report:
    """Both sides, alternating; whatever they write is removed again."""
    facts = machine()
    with duckdb.connect() as connection:
        row = connection.execute(
            f"select count(distinct person_id) from '{folder}/touches.parquet'"
        ).fetchone()
    paths = int(row[0]) if row else 0
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="credit-", dir=cache) as scratch:
        work = Path(scratch)
        _say("compiling the models")
        manifest = compiled(work / "compiled")
        queries = {model.name: model.query for model in compiled_models(manifest)}
        for number in range(1, repeat + 1):
            _say(f"round {number} of {repeat}: ours")
            ours = _ours("ours", folder, work / "ours", queries)
            _say(f"round {number} of {repeat}: the package's models ({ours.whole.seconds:.1f} s)")
            same = _ours("same models", folder, work / "same", queries, tuple(PACKAGE_MODELS))
            _say(f"round {number} of {repeat}: the package ({same.whole.seconds:.1f} s)")
            theirs = _side("channelattribution", "package", folder, work)
            for side in (ours, same):
                demand_agreement(side, theirs, paths)
            rounds.append(Round(ours, same, theirs))
    return Report(touches, paths, rounds, facts)


def _ours(
    name: str, folder: Path, work: Path, queries: dict[str, str], models: tuple[str, ...] = ()
) -> Side:
    """The models as they are (or some of them); only the tables of a run are made."""
    work.mkdir()
    tables = [f"create table {each} as\n{queries[each]};" for each in _PATHS]
    (work / "paths.sql").write_text("\n".join(tables), "utf-8")
    rules = _RULES if not models else _RULES[:1]
    credits = "\nunion all\n".join(f"select * from (\n{queries[each]}\n)" for each in rules)
    chosen = ", ".join(f"'{model}'" for model in models)
    # The package gives totals per channel, so these are asked for here too.
    (work / "credit.sql").write_text(
        "select model, channel, sum(credits)::bigint, sum(credit_minor)::bigint from (\n"
        "select model, campaign_number, count(*) as credits, sum(credit_minor) as credit_minor\n"
        f"from (\n{credits}\n)\n{f'where model in ({chosen})' if models else ''}\n"
        "group by model, campaign_number)\n"
        "join int_credit__campaign using (campaign_number)\ngroup by model, channel",
        "utf-8",
    )
    side = _side(name, "ours", folder, work)
    shutil.rmtree(work)
    return side


def _side(name: str, command: str, folder: Path, work: Path) -> Side:
    arguments = [folder, work] if command == "ours" else [folder]
    watched = watch(module("benchmarks.credit_sides", command, *arguments), environment(), work)
    lines = [json.loads(line) for line in watched.out.splitlines() if line.startswith("{")]
    return Side(
        name=name,
        whole=watched.whole,
        steps={
            line["step"]: watched.between(line["began"], line["ended"])
            for line in lines
            if "step" in line
        },
        totals=next(line["totals"] for line in lines if "totals" in line),
        credits=sum(line.get("credits", 0) for line in lines),
    )


def demand_agreement(ours: Side, theirs: Side, paths: int) -> None:
    """What every channel gets, by every model that both know.

    Raises:
        BenchmarkError: They differ by more than rounding.
    """
    for model, channels in theirs.totals.items():
        mine = ours.totals[model]
        if set(mine) != set(channels):
            raise BenchmarkError(f"{model}: the sides know different channels")
        for channel, value in channels.items():
            if abs(mine[channel] - value) > _UNITS_PER_PATH * paths:
                raise BenchmarkError(f"{model}, {channel}: {mine[channel]} here, {value} there")


def text(report: Report) -> str:
    """The report for people."""
    facts = report.machine
    first = report.rounds[0]
    lines = [
        f"{report.touches:,} touches on {report.paths:,} paths; DuckDB's limit in ours: {MEMORY}",
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_bytes'] / 2**30:.0f} GiB, "
        f"Python {facts['python']}, DuckDB {facts['duckdb']}, "
        f"load before {facts['load_before'][0]}",
        "",
        f"{'':<10}" + "".join(f"  {title:^29}" for title in _TITLES),
    ]
    sides = [[each.ours, each.same, each.theirs] for each in report.rounds]
    for name in ("import", "paths", "credit"):
        found = [_use([each[at].steps.get(name) for each in sides]) for at in range(3)]
        lines.append(_row(name, found))
    lines.append(_row("all", [_use([each[at].whole for each in sides]) for at in range(3)]))
    lines += [
        "",
        f"ours: {len(first.ours.totals)} models, {first.ours.credits:,} credits to the cent, one "
        f"for each model and touch; the package: {len(first.theirs.totals)} models, totals only",
        _ratio_line("all our models", report.ratios),
        _ratio_line("the same models", report.same_ratios),
    ]
    return "\n".join(lines)


def _ratio_line(what: str, ratios: Ratios) -> str:
    return (
        f"{what}: {ratios.seconds:.2f} × the time, {ratios.processor_seconds:.2f} × the processor "
        f"time, {ratios.peak_bytes:.2f} × the memory of the package"
    )


def _use(found: list[Use | None]) -> Use | None:
    uses = [use for use in found if use is not None]
    if not uses:
        return None
    return Use(
        statistics.median(use.seconds for use in uses),
        statistics.median(use.processor_seconds for use in uses),
        max(use.peak_bytes for use in uses),
    )


def _row(name: str, uses: list[Use | None]) -> str:
    return (f"{name:<10}" + "".join(f"  {_cells(use)}" for use in uses)).rstrip()


def _cells(use: Use | None) -> str:
    if use is None:
        return " " * 29
    peak = f"{use.peak_bytes / 2**20:,.0f} M"
    return f"{use.seconds:7.1f} s{use.processor_seconds:9.1f} s{peak:>9}"


def _say(what: str) -> None:
    sys.stderr.write(f"benchmarks: {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.credit",
        description="Credit by all rule-based models beside the package channelattribution.",
        epilog="What is compared and what the figures mean: docs/benchmarks.md",
    )
    parser.add_argument(
        "--touches", type=int, nargs="+", default=[1_000_000, 10_000_000], help="one run each"
    )
    parser.add_argument("--repeat", type=int, default=1, help="rounds; the median counts")
    parser.add_argument(
        "--home",
        type=Path,
        default=REPO / "build" / "benchmarks",
        help="folder that keeps generated touches and holds scratch files (build/benchmarks)",
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
