"""`python -m benchmarks.drift`: false alarms and delay of drift, by the compiled SQL of its models.

Seeded simulations, at least 10,000 cohorts a cell. The SQL that a run executes judges them; beside
it what people use judges the same leads. The meaning of the figures is in docs/benchmarks.md. Does
not belong here: drawing the cohorts (`drift_streams`), the others (`drift_rivals`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks import drift_rivals as rivals
from benchmarks import drift_streams as streams
from benchmarks.drift_streams import DAY, SCENARIOS, YEAR, Streams
from orchestration.lib.compiled import CompiledModel, compile_project, compiled_models

ALPHA = 0.01
SEED = 20261128
CATALOG = "books"
MODELS = ("int_drift__evidence", "int_drift__alarm")
#: Planned rates and what is left of them.
RATES = (0.1, 0.2, 0.4, 0.6)
LEFT = (0.7, 0.5, 0.2)
#: A cohort of the grid has so many times the leads that theory asks for.
_LENGTH = 1.8


@dataclass(frozen=True)
class Alarms:
    """Of each cohort the leads and seconds until its first alarm; infinity: none."""

    leads: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @property
    def share(self) -> float:
        """Of the cohorts."""
        return float(np.isfinite(self.leads).mean())


@dataclass
class Judge:
    """The compiled models in a database of their own."""

    models: list[CompiledModel]
    threads: int = 2
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(
            f"attach ':memory:' as {CATALOG}; use {CATALOG}; set threads = {self.threads};"
            "set preserve_insertion_order = false; set TimeZone = 'UTC'"
        )

    def judge(self, cohorts: Streams, as_of: float, direction: str = "behind") -> Alarms:
        """As the books stand at a time, in seconds since the start."""
        cohorts.load(self.connection, as_of)
        self.run()
        found = self.connection.execute(
            f"""
            select cohort_number - 1 as place, matured,
                epoch(alarmed_at - timestamp '{streams.START}') as seconds
            from int_drift__alarm where direction = '{direction}'
            """
        ).fetchnumpy()
        leads = np.full(len(cohorts.entered), np.inf)
        seconds = leads.copy()
        leads[found["place"]] = found["matured"]
        seconds[found["place"]] = found["seconds"]
        return Alarms(leads, seconds)

    def run(self) -> None:
        """The models, one after the other."""
        for model in self.models:
            self.connection.execute(model.statement())


def drift_models(folder: Path, names: Sequence[str] = MODELS) -> list[CompiledModel]:
    """What a run executes once outcomes are known, or others of its models."""
    manifest = compile_project(folder, inputs=str(folder / "inputs"), catalog=CATALOG)
    return [model for model in compiled_models(manifest) if model.name in names]


def divergence(true: float, rate: float) -> float:
    """KL(true || rate) of two Bernoulli distributions, in nats."""
    return true * log(true / rate) + (1 - true) * log((1 - true) / (1 - rate))


def fewest(true: float, rate: float) -> float:
    """The leads that no test at ALPHA can do without, on average."""
    return log(1 / ALPHA) / divergence(true, rate)


def false_alarms(judge: Judge, cohorts: int, leads: int) -> list[tuple[str, float, float, float]]:
    """Scenario, rate, share of cohorts with an alarm in a year: behind and ahead."""
    found = []
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        for rate in (0.1, 0.4):
            rng = np.random.default_rng([SEED, 1, number, round(rate * 100)])
            drawn = scenario(rng, cohorts, leads, rate)
            behind = judge.judge(drawn, YEAR).share
            (ahead,) = judge.connection.execute(
                "select count(*) from int_drift__alarm where direction = 'ahead'"
            ).fetchone() or (0,)
            found.append((name, rate, behind, ahead / cohorts))
    return found


def looked_at(judge: Judge, cohorts: int, leads: int, looks: int) -> tuple[set[int], set[int]]:
    """Cohorts with an alarm at any of many looks, and those that one look at the end names."""
    drawn = SCENARIOS["failures told fast"](np.random.default_rng([SEED, 2]), cohorts, leads, 0.4)
    # A worse rate than planned, so that there are alarms to be seen.
    drawn = Streams(0.5, drawn.entered, drawn.settled, drawn.converted)
    seen: dict[int, float] = {}
    last: set[int] = set()
    for as_of in np.linspace(YEAR / looks, YEAR, looks):
        alarms = judge.judge(drawn, float(as_of))
        last = {int(place) for place in np.flatnonzero(np.isfinite(alarms.leads))}
        for place in last:
            first = seen.setdefault(place, float(alarms.seconds[place]))
            if first != alarms.seconds[place]:
                raise AssertionError(f"cohort {place}: {first} became {alarms.seconds[place]}")
    return set(seen), last


@dataclass(frozen=True)
class Cell:
    """One planned and true rate: leads to the alarm of each side, false alarms under the plan."""

    rate: float
    true: float
    fewest: float
    ours: float
    ours_false: float
    others: dict[str, tuple[float, float]]

    @property
    def ratio(self) -> float:
        """Of what theory asks for."""
        return self.ours / self.fewest


def delay(
    judge: Judge,
    cohorts: int,
    rates: Sequence[float] = RATES,
    shares_left: Sequence[float] = LEFT,
) -> list[Cell]:
    """The grid: medians of leads to the first alarm."""
    found = []
    for rate in rates:
        for left in shares_left:
            true = rate * left
            least = fewest(true, rate)
            leads = max(round(_LENGTH * least), 40)
            rng = np.random.default_rng([SEED, 3, round(rate * 100), round(left * 100)])
            broken = streams.at_once(rng, cohorts, leads, rate, true)
            sound = streams.at_once(rng, cohorts, leads, rate, rate)
            end = (leads + 1) * streams.HOUR
            tuned = rivals.cusum(ALPHA, sound.converted)
            others = {
                name: (
                    float(np.median(test(broken.converted, rate))),
                    float(np.isfinite(test(sound.converted, rate)).mean()),
                )
                for name, test in (
                    ("quarter-end test", rivals.quarter_end),
                    ("weekly 3-sigma chart", rivals.chart),
                    ("tuned CUSUM", tuned),
                    ("test peeked at daily", rivals.peeked),
                )
            }
            ours = judge.judge(broken, end)
            found.append(
                Cell(
                    rate, true, least, float(np.median(ours.leads)),
                    judge.judge(sound, end).share, others,
                )
            )  # fmt: skip
    return found


@dataclass(frozen=True)
class Story:
    """Medians of a story: settled leads and days to the alarm, and what was spent by then."""

    name: str
    leads: float
    days: float
    spent: float
    budget: float


def stories(judge: Judge, cohorts: int) -> list[Story]:
    """The mirage and the quality trap."""
    rng = np.random.default_rng([SEED, 4])
    mirage = streams.within(rng, cohorts, 500, 0.4, 0.08, days=90, decided_within=2)
    trap = streams.within(rng, cohorts, 900, 0.4, 0.28, days=90, decided_within=5)
    found = []
    for name, drawn, budget in (
        ("mirage: 40 % planned, 8 % true, 500 leads in 90 days", mirage, 200_000),
        ("quality trap: 40 % planned, 28 % true, 900 leads in 90 days", trap, 90_000),
    ):
        # The first part says it: who has not raised an alarm by then counts as never.
        part = drawn.part(slice(None), slice(300))
        alarms = judge.judge(part, float(part.entered[:, -1].min()))
        days = float(np.median(alarms.seconds)) / DAY
        found.append(Story(name, float(np.median(alarms.leads)), days, budget * days / 90, budget))
    return found


def million(judge: Judge, cohorts: int, leads: int) -> tuple[float, float, int]:
    """Seconds and processor seconds for all cohorts, and how many alarms there were."""
    judge.connection.execute(
        f"""
        create or replace table stg_landed__run_parameter as
        select timestamp '2027-01-01' as as_of;
        create or replace table int_drift__outcome as
        select
            1 + i // {leads} as cohort_number, 1::bigint as version,
            0.4::decimal(10, 9) as rate, false as is_committed,
            hash(i * 3 + 1) % 1000 < 400 as is_converted, false as is_awaited_late,
            timestamp '{streams.START}' + to_seconds((hash(i * 3) % 7776000)::bigint)
                as entered_at,
            timestamp '{streams.START}'
            + to_seconds((hash(i * 3) % 7776000 + hash(i * 3 + 2) % 172800)::bigint) as settled_at
        from range({cohorts * leads}) as numbers (i)
        """
    )
    wall, used = time.perf_counter(), time.process_time()
    judge.run()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    (alarms,) = judge.connection.execute("select count(*) from int_drift__alarm").fetchone() or (0,)
    return wall, used, alarms


def main(arguments: list[str] | None = None) -> int:
    """Simulate, judge, print the tables of docs/benchmarks.md."""
    chosen = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        judge = Judge(drift_models(Path(scratch)))
    write = sys.stdout.write
    cohorts = chosen.cohorts
    _say("false alarms")
    write(
        "| met rate, a year, every hour | planned | behind | ahead |\n| --- | --- | --- | --- |\n"
    )
    for name, rate, behind, ahead in false_alarms(judge, cohorts, chosen.leads):
        write(f"| {name} | {rate:.0%} | {behind:.2%} | {ahead:.2%} |\n")
    _say("looked at again and again")
    ever, at_the_end = looked_at(judge, min(cohorts, 500), chosen.leads, 52)
    write(f"\nalarms at any of 52 looks: {len(ever)}; at the last look: {len(at_the_end)}\n\n")
    _say("delay")
    cells = delay(judge, cohorts)
    names = list(cells[0].others)
    write(f"| planned → true | theory | drift | × | {' | '.join(names)} |\n")
    write("| --- " * (4 + len(names)) + "|\n")
    for cell in cells:
        sides = " | ".join(f"{_leads(cell.others[name][0])}" for name in names)
        write(
            f"| {cell.rate:.0%} → {cell.true:.3g} | {cell.fewest:.1f} | {_leads(cell.ours)} |"
            f" {cell.ratio:.2f} | {sides} |\n"
        )
    worst = {name: max(cell.others[name][1] for cell in cells) for name in names}
    write(
        f"| false alarms, at most | | {max(cell.ours_false for cell in cells):.2%} | |"
        f" {' | '.join(f'{worst[name]:.2%}' for name in names)} |\n\n"
    )
    _say("stories")
    for story in stories(judge, cohorts):
        write(
            f"- {story.name}: {story.leads:.0f} settled leads, day {story.days:.1f},"
            f" ${story.spent:,.0f} of ${story.budget:,.0f} spent\n"
        )
    if not chosen.no_million:
        _say("a million cohorts")
        wall, used, alarms = million(judge, 1_000_000, 10)
        write(
            f"- 1,000,000 cohorts of 10 leads: {wall:.1f} s, {used:.1f} processor seconds on"
            f" {judge.threads} threads, {alarms} alarms\n"
        )
    return 0


def _leads(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else "never"


def _say(what: str) -> None:
    sys.stderr.write(f"benchmarks: {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drift",
        description="False alarms and delay of drift, beside what people use.",
        epilog="What is simulated and what the figures mean: docs/benchmarks.md",
    )
    parser.add_argument("--cohorts", type=int, default=10_000, help="cohorts of a cell")
    parser.add_argument("--leads", type=int, default=150, help="leads of a cohort in a year")
    parser.add_argument("--no-million", action="store_true", help="leave out the million cohorts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
