"""What the benchmark shows: one table of steps, ratios pair by pair, facts of the machine.

Belongs here: figures for people and for programs. Does not belong here: how they were measured.
"""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.processes import Use
from benchmarks.sides import Company, Outcome

#: A model or block by hand that takes longer is listed.
_SLOW_SECONDS = 0.5


@dataclass(frozen=True)
class Answer:
    """A command that people wait for: its time, and what is aimed at."""

    command: str
    seconds: list[float]
    aim_seconds: float | None

    @property
    def median(self) -> float:
        """Of all repeats."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Report:
    """Everything that was measured."""

    company: Company
    memory: str
    #: Per pair: the whole run, then the work by hand.
    pairs: list[tuple[Outcome, Outcome]]
    scan: Outcome
    answers: list[Answer]
    machine: dict[str, Any]

    @property
    def ratios(self) -> list[float]:
        """Wall time of the whole run over that by hand, pair by pair."""
        return [ours.whole.seconds / theirs.whole.seconds for ours, theirs in self.pairs]

    @property
    def processor_ratios(self) -> list[float]:
        """The same of processor time, which other load on the machine moves less."""
        return [
            ours.whole.processor_seconds / theirs.whole.processor_seconds
            for ours, theirs in self.pairs
        ]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "format": 1,
            "company": {
                "leads": self.company.leads,
                "touches_per_lead": self.company.touches_per_lead,
                "format": self.company.format,
                "bytes": self.company.bytes,
                "rows": self.scan.input_rows,
            },
            "memory_limit": self.memory,
            "pairs": [[asdict(ours), asdict(theirs)] for ours, theirs in self.pairs],
            "scan": asdict(self.scan),
            "ratios": self.ratios,
            "processor_ratios": self.processor_ratios,
            "answers": [asdict(answer) | {"median": answer.median} for answer in self.answers],
            "machine": self.machine,
        }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "load_before": [round(each, 2) for each in os.getloadavg()],
    }


def text(report: Report) -> str:
    """The report for people."""
    company, facts = report.company, report.machine
    lines = [
        f"{company.leads:,} leads, {report.scan.input_rows:,} input rows, "
        f"{company.bytes / 1e6:,.0f} MB of {company.format}; DuckDB by hand: {report.memory}",
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_bytes'] / 2**30:.0f} GiB, "
        f"{facts['system']}, Python {facts['python']}, DuckDB {facts['duckdb']}, "
        f"load before {facts['load_before'][0]}",
        "",
        _table(report),
        "",
        _ratio_line("time", report.ratios),
        _ratio_line("processor time", report.processor_ratios),
    ]
    releases = [each.release for pair in report.pairs for each in pair if each.release]
    lines.append(
        f"Same work: content {releases[0].content_sha256[:12]}, "
        f"{sum(releases[0].rows.values()):,} rows published by every side"
    )
    slow = _slow(report)
    if slow:
        lines += ["", f"By hand, what took over {_SLOW_SECONDS} s (median):", *slow]
    if report.answers:
        lines += ["", "What people wait for:"]
        for answer in report.answers:
            aim = f"   aim {answer.aim_seconds:g} s" if answer.aim_seconds is not None else ""
            lines.append(f"  {answer.median:7.2f} s  {answer.command}{aim}")
    return "\n".join(lines)


def _ratio_line(what: str, ratios: list[float]) -> str:
    each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    middle = statistics.median(ratios)
    return f"The whole run takes {middle:.2f} × the {what} of the work by hand (pairs: {each})"


def _table(report: Report) -> str:
    """Steps of both sides next to each other, medians over the pairs, then the scan."""
    head = f"{'':<32}{'whole run':^29}  {'by hand':^29}  ratio"
    unit = f"{'time':>9}{'processor':>11}{'peak':>9}"
    rows = [head, f"{'':<32}{unit}  {unit}"]
    names = [step.name for step in report.pairs[0][0].steps]
    for name in names:
        ours, theirs = (_median_step(report, side, name) for side in (0, 1))
        rows.append(_row(name, ours, theirs))
    whole = [_median([pair[side].whole for pair in report.pairs]) for side in (0, 1)]
    rows.append(_row("all", whole[0], whole[1]))
    rows += ["", f"{'':<32}{'bare scan':^29}"]
    for step in report.scan.steps:
        rows.append(_row(f"{step.name} the files", step.use, None))
    rows.append(_row("all", report.scan.whole, None))
    return "\n".join(rows)


def _row(name: str, ours: Use | None, theirs: Use | None) -> str:
    ratio = ""
    if ours is not None and theirs is not None and theirs.seconds > 0:
        ratio = f"{ours.seconds / theirs.seconds:6.2f}"
    return f"{name:<32}{_cells(ours)}  {_cells(theirs)}  {ratio}".rstrip()


def _cells(use: Use | None) -> str:
    if use is None:
        return " " * 29
    peak = f"{use.peak_bytes / 2**20:,.0f} M"
    return f"{use.seconds:7.1f} s{use.processor_seconds:9.1f} s{peak:>9}"


def _median_step(report: Report, side: int, name: str) -> Use | None:
    found = [step.use for pair in report.pairs for step in pair[side].steps if step.name == name]
    return _median(found) if found else None


def _median(uses: list[Use]) -> Use:
    return Use(
        statistics.median(use.seconds for use in uses),
        statistics.median(use.processor_seconds for use in uses),
        max(use.peak_bytes for use in uses),
    )


def _slow(report: Report) -> list[str]:
    seconds: dict[tuple[str, str], list[float]] = {}
    for _, theirs in report.pairs:
        for step, name, taken in theirs.parts:
            seconds.setdefault((step, name), []).append(taken)
    medians = {key: statistics.median(values) for key, values in seconds.items()}
    return [
        f"  {taken:7.2f} s  {step}: {name}"
        for (step, name), taken in sorted(medians.items(), key=lambda item: -item[1])
        if taken > _SLOW_SECONDS
    ]
