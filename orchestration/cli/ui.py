"""`tieout ui`: Dagster and the live pages on this machine's loopback, until Ctrl-C.

Belongs here: starting, waiting until it answers, stopping all that was started. Does not belong
here: what they show (`orchestration.definitions`, `orchestration.lib.pages`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration import settings
from orchestration.lib.lock import AnotherRunError, run_lock
from orchestration.settings import Home

HOST = "127.0.0.1"
START_SECONDS = 180.0
STOP_SECONDS = 10.0
PAGES_SECONDS = 30.0


class Part(StrEnum):
    """What can be opened alone."""

    pages = "pages"
    dagster = "dagster"


def ui(
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
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Dagster's port on 127.0.0.1.")
    ] = 3000,
    pages_port: Annotated[
        int, typer.Option("--pages-port", min=1, max=65535, help="The pages' port on 127.0.0.1.")
    ] = 3001,
    only: Annotated[
        Part | None, typer.Option("--only", help="Open one of the two; the pages need no sources.")
    ] = None,
) -> None:
    """Open Dagster (assets, checks, history, schedule) and the live pages, until Ctrl-C.

    The pages look closer at a publication: a campaign, a cohort, a lead, a law; read-only. While
    Dagster is open the job runs every hour and whenever a file of a source changes; both can be
    switched off on its page Automation. All is on 127.0.0.1; telemetry is off.
    """
    home = Home.from_environment()
    wanted = [("--port", port)] if only is not Part.pages else []
    wanted += [("--pages-port", pages_port)] if only is not Part.dagster else []
    if len(wanted) > 1 and port == pages_port:
        typer.echo("error: --port and --pages-port are one port; give them two", err=True)
        raise typer.Exit(2)
    for option, number in wanted:
        if is_taken(number):
            typer.echo(
                f"error: something is listening on {HOST}:{number} already; end it, or choose"
                f" another port: tieout ui {option} {number + 1}",
                err=True,
            )
            raise typer.Exit(1)
    stop = threading.Event()
    # Our own handlers also make the child start with the default ones: a script's background job
    # ignores SIGINT, its children inherit that, and `dagster dev` stops on nothing else.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    with nullcontext() if only is Part.dagster else serve_pages(home, pages_port):
        if only is Part.pages:
            stop.wait()
            typer.echo("stopped", err=True)
            raise typer.Exit(0)
        _tidy(home)
        environment = serving_environment(home, (sources or settings.SAMPLE_SOURCES).resolve())
        raise typer.Exit(_serve(home, port, environment, stop))


@contextmanager
def serve_pages(home: Home, port: int) -> Iterator[None]:
    """The live pages, answered by a thread of this process for the length of a block."""
    import uvicorn

    from expectations.laws import load_laws
    from orchestration.lib.pages.app import make_app

    server = uvicorn.Server(
        uvicorn.Config(
            make_app(home, load_laws()),
            host=HOST,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            # More than one person clicks at once; a crowd waits, and the machine stays usable.
            limit_concurrency=64,
            timeout_graceful_shutdown=int(STOP_SECONDS),
        )
    )
    thread = threading.Thread(target=server.run, name="live pages", daemon=True)
    thread.start()
    give_up_at = time.monotonic() + PAGES_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < give_up_at:
        time.sleep(0.01)
    if not server.started:
        typer.echo(f"error: the pages did not start on {HOST}:{port}", err=True)
        raise typer.Exit(1)
    typer.echo(f"The pages are at http://{HOST}:{port} (Ctrl-C ends them)")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=2 * STOP_SECONDS)


def is_taken(port: int) -> bool:
    """Whether nobody else can listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers bind: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def serving_environment(home: Home, sources: Path) -> dict[str, str]:
    """This process's environment with what the code location reads, all paths absolute."""
    path = os.pathsep.join(
        part for part in (str(settings.REPO), os.environ.get("PYTHONPATH", "")) if part
    )
    return os.environ | {
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "TIEOUT_HOME": str(home.root),
        "TIEOUT_SOURCES": str(sources),
        "PYTHONPATH": path,
    }


def _tidy(home: Home) -> None:
    """Configuration written; runs that were killed no longer hold the queue."""
    from orchestration.defs.instance import SERVED, open_instance, sweep_orphans

    try:
        with run_lock(home, "tieout ui (start)"), open_instance(home, SERVED) as instance:
            sweep_orphans(instance)
    except AnotherRunError as error:
        # A run is going: it swept, and what it does will be seen in the UI.
        typer.echo(f"note: {error}", err=True)


def _serve(home: Home, port: int, environment: dict[str, str], stop: threading.Event) -> int:
    log = home.work / "logs" / "dagster-ui.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    address = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "dagster", "dev"]
    command += ["--workspace", str(settings.REPO / "workspace.yaml")]
    command += ["--host", HOST, "--port", str(port)]
    typer.echo(f"starting Dagster at {address} (takes some seconds) …", err=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=settings.REPO,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        if _answers(address, child, stop):
            typer.echo(f"Dagster is at {address} (Ctrl-C ends it; log: {log})")
            while not stop.wait(0.2) and child.poll() is None:
                pass
    finally:
        was_asked = stop.is_set()
        _end(child)
    if was_asked:
        typer.echo("stopped", err=True)
        return 0
    tail = log.read_text(errors="replace").splitlines()[-15:]
    typer.echo("error: Dagster ended by itself:\n" + "\n".join(tail) + f"\nLog: {log}", err=True)
    return 1


def _answers(address: str, child: subprocess.Popen[bytes], stop: threading.Event) -> bool:
    """Wait until the server answers; False if it ended, or was asked to, before."""
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and child.poll() is None and not stop.wait(0.3):
        try:
            with opener.open(f"{address}/server_info", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            continue
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the server and all it started: they are a process group of their own."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    try:
        os.killpg(child.pid, signal.SIGTERM)
        time.sleep(1.0)
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
