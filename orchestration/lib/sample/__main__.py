"""Generate a company from the command line: `python -m orchestration.lib.sample --help`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from orchestration.lib.sample import SCENARIOS, CompanySpec, generate


def main(arguments: list[str] | None = None) -> int:
    """Write the company into `--out`; without further options, the bundled sample."""
    parser = argparse.ArgumentParser(
        prog="python -m orchestration.lib.sample",
        description="Generate an invented company: sources.yml, data/ and truth/.",
        epilog="The bundled sample: --out seeds/sample --plan seeds/plan --no-truth",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--scenario", choices=SCENARIOS, default="healthy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leads", type=int, help="leads in the CRM")
    parser.add_argument("--months", type=int, help="calendar months of history")
    parser.add_argument("--campaigns", type=int, help="campaigns that spend")
    parser.add_argument("--touches-per-lead", type=int, help="touches per lead, on average")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's, e.g. 4GB")
    parser.add_argument("--plan", type=Path, help="folder of the joint plan (OUT/plan)")
    parser.add_argument("--no-truth", action="store_true", help="do not write truth/")
    chosen = parser.parse_args(arguments)
    changes = {
        name: getattr(chosen, name)
        for name in ("leads", "months", "campaigns", "touches_per_lead")
        if getattr(chosen, name) is not None
    }
    started = time.perf_counter()
    try:
        spec = CompanySpec.for_scenario(chosen.scenario, seed=chosen.seed, **changes)
        truth = generate(
            spec,
            chosen.out,
            chosen.format,
            with_truth=not chosen.no_truth,
            plan=chosen.plan,
            memory_limit=chosen.memory_limit,
        )
    except ValueError as error:
        parser.error(str(error))
    written = sum(path.stat().st_size for path in truth.files)
    sys.stdout.write(
        f"{len(truth.files)} files, {written:,} bytes, in {chosen.out} "
        f"({time.perf_counter() - started:.1f} s)\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
