"""`python -m benchmarks`: our whole run beside the same work by hand, in one go.

Belongs here: arguments and the order of what is measured. The meaning is in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import report as reports
from benchmarks.processes import BenchmarkError, watch
from benchmarks.sides import (
    Company,
    Outcome,
    bare_scan,
    company,
    compiled,
    demand_same_work,
    environment,
    tieout,
    whole_run,
    work_by_hand,
)
from orchestration.settings import REPO, SAMPLE_SOURCES

_QUICK_REPEATS = 5


def main(arguments: list[str] | None = None) -> int:
    """Measure, prove that all sides did the same, print."""
    chosen = _parser().parse_args(arguments)
    cache = chosen.home.expanduser().resolve()
    try:
        _say(f"the company: {chosen.leads:,} leads")
        made = company(cache, chosen.format, chosen.leads, chosen.touches_per_lead)
        report = measure(made, cache, chosen.memory, chosen.repeat, answers=not chosen.no_answers)
    except BenchmarkError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    body = (
        json.dumps(report.as_dict(), indent=1, ensure_ascii=False)
        if chosen.json
        else reports.text(report)
    )
    sys.stdout.write(body + "\n")
    return 0


def measure(
    made: Company, cache: Path, memory: str, repeat: int, *, answers: bool = True
) -> reports.Report:
    """All sides, in alternating order; whatever they write is removed again."""
    machine = reports.machine()
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache) as scratch:
        work = Path(scratch)
        _say("compiling the models for the work by hand")
        manifest = compiled(work / "compiled")
        _say("bare scan")
        # Once unmeasured: all sides then find the files in the system's cache.
        bare_scan(made, work / "warm", memory)
        scan = bare_scan(made, work / "scan", memory)
        pairs: list[tuple[Outcome, Outcome]] = []
        for number in range(1, repeat + 1):
            _say(f"whole run ({number} of {repeat})")
            ours = whole_run(made, work / "ours")
            _say(f"by hand ({number} of {repeat}); the whole run took {ours.whole.seconds:.1f} s")
            theirs = work_by_hand(made, work / "theirs", manifest, memory)
            demand_same_work([ours, theirs, scan])
            pairs.append((ours, theirs))
            for folder in ("ours", "theirs"):
                _remove(work / folder)
        found = _answers(work / "answers") if answers else []
    return reports.Report(made, memory, pairs, scan, found, machine)


def _answers(folder: Path) -> list[reports.Answer]:
    """What people wait for: a run of the bundled sample, the second one, and small commands."""
    folder.mkdir(parents=True)
    variables = environment(TIEOUT_HOME=str(folder / "home"))
    _say("the bundled sample, twice, and small commands")

    def seconds(*arguments: str) -> float:
        return watch(tieout(*arguments), variables, folder).seconds

    run = ("run", "--sources", str(SAMPLE_SOURCES), "--json")
    found = [
        reports.Answer("tieout run, bundled sample, first", [seconds(*run)], None),
        reports.Answer("tieout run, bundled sample, second", [seconds(*run)], 15.0),
    ]
    for arguments in (("--help",), ("status",)):
        times = [seconds(*arguments) for _ in range(_QUICK_REPEATS)]
        found.append(reports.Answer(f"tieout {' '.join(arguments)}", times, 0.5))
    _remove(folder)
    return found


def _remove(folder: Path) -> None:
    """Releases are read-only folders."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _say(what: str) -> None:
    sys.stderr.write(f"benchmarks: {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Our whole run, the same work by hand and a bare scan, side by side.",
        epilog="What is compared and what the figures mean: docs/benchmarks.md",
    )
    parser.add_argument("--leads", type=int, default=1_000_000, help="leads of the company")
    parser.add_argument("--touches-per-lead", type=int, default=3, help="on average")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument(
        "--memory", default="8GiB", help="DuckDB's limit by hand and in the scan (8GiB)"
    )
    parser.add_argument("--repeat", type=int, default=1, help="pairs; the median counts")
    parser.add_argument(
        "--home",
        type=Path,
        default=REPO / "build" / "benchmarks",
        help="folder that keeps generated companies and holds scratch files (build/benchmarks)",
    )
    parser.add_argument("--no-answers", action="store_true", help="leave out the small commands")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
