"""`tieout run`: close the books once, with progress, and tell what came of it.

Belongs here: arguments, progress, the tables at the end, exit codes. Does not belong here: the run
(`orchestration.lib.run`, `orchestration.defs`). Everything heavy is imported inside functions, and
the judge is started before all of it: Great Expectations takes 5 s to import on a core of its own.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration import settings
from orchestration.cli.output import parse_instant, print_json, titled_table
from orchestration.lib.lock import AnotherRunError, run_lock
from orchestration.lib.run import EXIT_CODE, Run
from orchestration.settings import Home

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.table import Table

    from expectations.verdict import Verdict
    from orchestration.lib.after_run import AfterRun
    from orchestration.lib.explain import Money
    from orchestration.lib.release.promote import Publication

_LOG_BYTES = 5_000_000
_ROWS_SHOWN = 5
#: Of a process that SIGINT ended, as shells count.
INTERRUPTED = 130
_ENDING = (signal.SIGINT, signal.SIGTERM)


def run(
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources",
            metavar="FILE",
            envvar="TIEOUT_SOURCES",
            dir_okay=False,
            exists=True,
            help="The sources.yml of a company; the bundled sample by default.",
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="ISO",
            help="Close the books as of this instant (UTC unless it says otherwise), such as "
            "2026-03-31 or 2026-03-31T18:00:00+02:00; by default that of sources.yml, or now.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer as JSON on standard output.")
    ] = False,
) -> None:
    """Close the books: ingest, transform, freeze, check every law, publish.

    Exits 0 when published, 1 on an error, 2 on wrong usage, 3 when a law blocked; then readers keep
    the last publication. 130: ended by Ctrl-C or SIGTERM. State is in TIEOUT_HOME (.tieout by
    default). Files that have not changed are not taken in again.
    """
    instant = None if as_of is None else parse_as_of(as_of)
    home = Home.from_environment()
    context = Run(
        home, (sources or settings.SAMPLE_SOURCES).resolve(), as_of=instant, listener=Progress()
    )
    try:
        code = close_once(context)
    except AnotherRunError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    follow_up(context)
    if as_json:
        print_json(context.as_dict())
    else:
        show(context)
    if context.record.failure is not None:
        _tell_failure(context, context.record.failure)
    raise typer.Exit(code)


def parse_as_of(text: str) -> datetime:
    """An instant; a day stands for its first moment, and no zone for UTC."""
    return parse_instant(text, "--as-of")


def close_once(context: Run) -> int:
    """Run the job under the lock, with its log in a file; the exit code."""
    with (
        run_lock(context.home),
        _log_to_file(context.home),
        _interruptible() as was_asked_to_end,
    ):
        from expectations.client import Judge

        with Judge.start() as judge:
            try:
                _load_and_run(context, judge)
            except KeyboardInterrupt as error:
                context.record.failure = error
            except Exception as error:
                # Told to the person below, in words; the log has where it came from.
                if context.record.failure is None:
                    context.record.failure = error
                logging.getLogger("tieout").exception("the run ended")
        if was_asked_to_end() and not _is_interrupt(context.record.failure):
            context.record.failure = KeyboardInterrupt()
    if _is_interrupt(context.record.failure):
        return INTERRUPTED
    return EXIT_CODE[context.record.outcome]


def follow_up(context: Run) -> None:
    """Audits of new alarms, and word to those who must know; the lock is free again."""
    from orchestration.lib.after_run import after_run

    with _log_to_file(context.home):
        try:
            # No daemon need be running: what its sensor would start is done here.
            context.record.after = after_run(context, makes_packs=True)
        except KeyboardInterrupt:
            typer.echo("interrupted while telling people; the run's outcome stands", err=True)


def _is_interrupt(failure: BaseException | None) -> bool:
    """Whether somebody ended the run; Dagster raises an exception of its own for Ctrl-C."""
    return failure is not None and not isinstance(failure, Exception)


def _load_and_run(context: Run, judge: Any) -> None:
    with context.step("load the configuration") as step:
        step.note = context.sources.company.name
    with context.step("load Dagster and dbt"), _nothing_to_collect():
        from orchestration.defs.in_process import close_the_books
    close_the_books(context, judge)


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """What is loaded here stays: the collector is off meanwhile, and leaves it alone afterwards.

    By default it looks at all that Dagster and dbt have loaded again and again: 1,600 collections
    and 1.9 of 15 processor seconds (2026-11-22). The data is DuckDB's, the process is short.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(1_000_000, 50, 100)
        gc.enable()


# --- Logging and signals -------------------------------------------------------------------------


def log_path(home: Home) -> Path:
    """Where everything goes that the terminal is spared."""
    return home.work / "logs" / "tieout.log"


@contextmanager
def _log_to_file(home: Home) -> Iterator[None]:
    """Every logger and every warning of this process to one file, none to the terminal."""
    path = log_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
        handler.close()


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """SIGTERM ends a run as Ctrl-C does: in order, with the judge ended and the lock freed.

    Yields whether that was asked for. The exception does not tell: Dagster puts handlers of its own
    in place while it executes, and DuckDB and dbt turn what they raise into other exceptions. The
    wake-up descriptor hears of every signal, whoever handles it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    ear, mouth = os.pipe()
    os.set_blocking(ear, False)
    os.set_blocking(mouth, False)
    heard: set[int] = set()

    def was_asked() -> bool:
        with suppress(BlockingIOError):
            heard.update(os.read(ear, 4096))
        return not heard.isdisjoint(_ENDING)

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    descriptor = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield was_asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)
        os.close(mouth)
        os.close(ear)


# --- Progress ------------------------------------------------------------------------------------


class Progress:
    """One line per step on standard error; on a terminal also what the step is at."""

    def __init__(self) -> None:
        self._status: Status | None = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.status import Status

            self._console = Console(stderr=True, highlight=False)
            self._status = Status("", console=self._console)

    def began(self, step: str) -> None:
        """Shows the step."""
        if self._status is not None:
            self._status.update(step)
            self._status.start()

    def detail(self, step: str, text: str) -> None:
        """Shows what the step is at, on a terminal only."""
        if self._status is not None:
            from rich.markup import escape

            self._status.update(f"{step}  [dim]{escape(text)}[/dim]")

    def ended(self, step: str, seconds: float, note: str) -> None:
        """Writes the step's line."""
        if self._status is not None:
            self._status.stop()
        typer.echo(f"{seconds:6.1f} s  {step:<24}{note}".rstrip(), err=True)


# --- The end -------------------------------------------------------------------------------------


def show(run: Run) -> None:
    """Tell people what came of the run."""
    from rich.console import Console

    from orchestration.lib.explain import Money

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    record = run.record
    if record.ingested:
        console.print(_ingested(run))
    if record.verdict is not None:
        console.print(_laws(record.verdict, Money.of_the_world()))
    if record.steps:
        console.print(_steps(run))
    if record.outcome == "published" and record.publication is not None:
        _show_published(console, run, record.publication)
    elif record.outcome == "blocked" and record.verdict is not None:
        _show_blocked(console, run.home, record.verdict, Money.of_the_world())
    if record.after is not None:
        _show_after(console, record.after)


def _ingested(run: Run) -> Table:
    counts = ("files", "unchanged", "rows", "new rows", "quarantined", "excluded")
    table = titled_table("Ingested", "feed", "table", *counts, "until", right=counts)
    for item in run.record.ingested:
        table.add_row(
            item.feed,
            item.table,
            str(item.files),
            str(item.files_unchanged),
            f"{item.landed_rows:,}",
            _count(item.new_rows),
            _count(item.quarantined_rows),
            _count(item.excluded_rows),
            (item.data_to or "")[:10],
        )
    return table


def _count(rows: int) -> str:
    return f"{rows:,}" if rows else "–"


def _laws(verdict: Verdict, money: Money) -> Table:
    from rich.markup import escape

    figures = ("expected", "actual", "difference", "tolerated")
    table = titled_table("Laws", "law", "", "status", *figures, right=figures)
    colours = {"held": "green", "not applicable": "dim"}
    for result in verdict.results:
        colour = colours.get(result.status, "bold red" if result.blocks else "yellow")
        status = f"[{colour}]{result.status}[/]"
        if result.status == "not applicable" and result.reason:
            status += f"[dim]: {escape(result.reason)}[/dim]"
        table.add_row(
            result.law,
            escape(result.title),
            status,
            *(
                "–"
                if value is None
                else money.text(value, result.currency)
                if result.unit == "minor"
                else f"{value:,}"
                for value in (result.expected, result.actual, result.difference)
            ),
            _count(result.tolerated),
        )
    return table


def _steps(run: Run) -> Table:
    table = titled_table("Time", "step", "seconds", "", right=("seconds",))
    for step in run.record.steps:
        table.add_row(step.name, f"{step.seconds:.1f}", step.note)
    table.add_section()
    table.add_row("all", f"{run.seconds:.1f}", "")
    return table


def _show_published(console: Console, run: Run, publication: Publication) -> None:
    from rich.markup import escape

    from orchestration.lib.release.folders import SCORECARD

    receipt = publication.receipt
    rows = sum(line.rows for line in receipt.tables)
    console.print(
        f"[bold green]Published #{publication.number}[/] as of {receipt.as_of}: "
        f"{len(receipt.tables)} tables, {rows:,} rows, content {receipt.content_sha256[:12]}"
    )
    if run.record.same_content_as_before:
        console.print("The content is that of the publication before it, row for row.")
    elif receipt.changes:
        changes = ", ".join(f"{cause} {count:,}" for cause, count in receipt.changes.items())
        console.print(f"Changed for periods already reported: {changes} (meta.change)")
    for line in receipt.waived:
        console.print(f"[bold yellow]Waived {line.law}[/] {escape(line.reason or '')}")
    warned = [line.law for line in receipt.laws if line.status == "broken"]
    if warned:
        explained = ", ".join(f"tieout explain {law}" for law in warned)
        console.print(f"[bold yellow]Warned by {', '.join(warned)}[/]: {explained}")
    console.print(f"Readers open {escape(str(run.home.current_database))}", soft_wrap=True)
    console.print(f"Scorecard    {escape(str(run.home.current / SCORECARD))}", soft_wrap=True)


def _show_blocked(console: Console, home: Home, verdict: Verdict, money: Money) -> None:
    from expectations.laws import load_laws
    from orchestration.cli.explain import show as show_explanation
    from orchestration.lib.explain import explain

    blocking = verdict.blocking
    names = ", ".join(result.law for result in blocking) or "the gate"
    console.print(f"[bold red]Blocked by {names}[/]")
    if verdict.error:
        console.print(verdict.error, markup=False)
    laws = load_laws()
    for result in blocking:
        console.print()
        show_explanation(console, explain(home, laws[result.law]), money, _ROWS_SHOWN)
    console.print()
    console.print(_what_readers_keep(home))
    for result in blocking:
        console.print(f"All rows: tieout explain {result.law}")
    console.print(f"Scorecard with a banner: {home.scorecard}", markup=False, soft_wrap=True)


def _show_after(console: Console, after: AfterRun) -> None:
    """New alarms with their packs, and channels that could not be reached."""
    from rich.markup import escape

    from orchestration.lib.audit.page import what

    for pack in after.audits:
        console.print(f"[bold red]Alarm[/] {escape(what(pack.alarm))}: {pack.alarm.key}")
        console.print(f"  {escape(str(pack.page))}", soft_wrap=True)
    if after.audits_left:
        console.print(f"{after.audits_left} more alarms have no pack yet: tieout audit handoff")
    for line in after.told.channels:
        if line.told:
            console.print(f"Told {escape(line.channel)}: {escape('; '.join(line.told))}")
    for line in after.told.failed:
        console.print(
            f"[bold yellow]Not told[/] {escape(line.channel)}: {escape(line.reason or '')};"
            f" {line.waiting} waiting for the next run"
        )
    for problem in (after.problem, after.told.problem):
        if problem:
            console.print(f"[bold yellow]After the run[/] {escape(problem)}")


def _what_readers_keep(home: Home) -> str:
    from orchestration.lib.release.folders import current_number
    from orchestration.lib.release.promote import publication

    number = current_number(home)
    if number is None:
        return "Nothing was published; readers have no publication yet."
    return f"Readers keep #{number} as of {publication(home, number).receipt.as_of}."


def _tell_failure(run: Run, failure: BaseException) -> None:
    """The error in a person's words; where it came from is in the log."""
    log = log_path(run.home)
    if _is_interrupt(failure):
        message = "interrupted"
    elif type(failure).__module__.startswith(("orchestration.", "expectations.")):
        message = f"error: {failure}"
    else:
        message = f"internal error: {type(failure).__name__}: {failure}"
    typer.echo(f"{message}\n{_what_readers_keep(run.home)} Log: {log}", err=True)
