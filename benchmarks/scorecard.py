"""`python -m benchmarks.scorecard`: what the scorecard of a large company takes, and its size.

The company's books are closed once; its page is then made again and again, each time in a process
of its own, from the published file alone. The meaning of the figures is in docs/benchmarks.md. Does
not belong here: making a page, watching processes (`processes`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import BenchmarkError, Use, module, watch
from benchmarks.report import machine
from benchmarks.sides import environment, tieout
from orchestration.lib.sample import CompanySpec, generate
from orchestration.settings import REPO, Home

#: What is aimed at.
_SECONDS, _BYTES = 5.0, 5_000_000


def main(arguments: list[str] | None = None) -> int:
    """Close the books, make the page, print; exits 1 if the page takes more than is aimed at."""
    chosen = _parser().parse_args(arguments)
    if chosen.draw is not None:
        return _draw(*chosen.draw)
    cache = chosen.home.expanduser().resolve()
    try:
        _say(f"the company: {chosen.leads:,} leads")
        sources = _company(cache, chosen.leads)
        with tempfile.TemporaryDirectory(prefix="run-", dir=cache) as scratch:
            home = Home(Path(scratch) / "home")
            variables = environment(TIEOUT_HOME=str(home.root))
            _say("closing its books")
            watch(tieout("run", "--sources", str(sources)), variables, Path(scratch))
            page = Path(scratch) / "page.html"
            command = module("benchmarks.scorecard", "--draw", home.current_database, page)
            uses = []
            for number in range(chosen.repeat):
                _say(f"its page ({number + 1} of {chosen.repeat})")
                uses.append(watch(command, variables, REPO).whole)
            size = page.stat().st_size
            for folder in home.releases.iterdir():
                folder.chmod(0o755)
    except BenchmarkError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(_told(chosen.leads, uses, size, as_json=chosen.json) + "\n")
    seconds = statistics.median(use.processor_seconds for use in uses)
    return 0 if seconds < _SECONDS and size < _BYTES else 1


def _company(cache: Path, leads: int) -> Path:
    """The configuration of a company with a plan, generated unless the cache has it whole."""
    folder = cache / f"planned-{leads}"
    if not (folder / "sources.yml").exists():
        shutil.rmtree(folder, ignore_errors=True)
        generate(CompanySpec(leads=leads), folder, with_truth=False)
    return folder / "sources.yml"


def _draw(database: Path, page: Path) -> int:
    """What one measured process does: all of it, imports included."""
    from orchestration.lib.scorecard.page import render

    page.write_text(render(database.resolve()), encoding="utf-8")
    return 0


def _told(leads: int, uses: list[Use], size: int, *, as_json: bool) -> str:
    seconds = statistics.median(use.seconds for use in uses)
    processor = statistics.median(use.processor_seconds for use in uses)
    peak = max(use.peak_bytes for use in uses)
    if as_json:
        return json.dumps(
            {
                "format": 1,
                "leads": leads,
                "repeats": len(uses),
                "seconds": seconds,
                "processor_seconds": processor,
                "peak_bytes": peak,
                "page_bytes": size,
                "machine": machine(),
            },
            indent=1,
        )
    return (
        f"{leads:,} leads: page of {size / 1000:,.0f} kB in {seconds:.1f} s (processor"
        f" {processor:.1f} s, peak {peak / 1e6:,.0f} MB; medians of {len(uses)}, imports included;"
        f" aim: {_SECONDS:.0f} s, {_BYTES / 1000:,.0f} kB)"
    )


def _say(what: str) -> None:
    sys.stderr.write(f"benchmarks: {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scorecard",
        description="The scorecard of a large company: time, memory, size.",
        epilog="What the figures mean: docs/benchmarks.md",
    )
    parser.add_argument("--leads", type=int, default=1_000_000, help="leads of the company")
    parser.add_argument("--repeat", type=int, default=3, help="how often the page is made")
    parser.add_argument("--json", action="store_true", help="for a program")
    parser.add_argument(
        "--home",
        type=Path,
        default=REPO / "build" / "benchmarks",
        help="where the company is kept (default: build/benchmarks)",
    )
    parser.add_argument("--draw", type=Path, nargs=2, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
