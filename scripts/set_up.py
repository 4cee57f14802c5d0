"""Builds `.venv` from the Python that runs this and from the hashed locks.

Belongs here: environment, packages, bytecode; only the standard library, for nothing else is there
yet. Does not belong here: anything a run does. Called by `scripts/setup` with the line that marks
the finished environment, so that the next call can see it without starting Python.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
VENV = REPO / ".venv"
PYTHON = VENV / "bin" / "python"
#: Holds the line that scripts/setup compares; written last.
READY = VENV / "ready"
LOG = VENV / "setup.log"
#: The oldest DuckDB that published files must open in; tests put it on a subprocess's path.
READER = VENV / "readers" / "oldest"


class StepFailed(Exception):
    """A step's command failed; its output has been shown."""


@contextmanager
def only_one() -> Iterator[None]:
    """Waits until no other set-up of this checkout is at work."""
    with (REPO / "requirements.lock").open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up    another one is at work here: waiting", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def step(what: str, *command: str | Path, hint: str = "") -> None:
    """Runs one command quietly and prints one line; on failure shows what the command said."""
    print(f"set-up    {what:<58}", end="", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=REPO,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if LOG.parent.is_dir():
        with LOG.open("a") as log:
            log.write(f"$ {' '.join(str(part) for part in command)}\n{done.stdout}\n")
    if done.returncode:
        print("failed", flush=True)
        print("\n".join(done.stdout.splitlines()[-30:]), file=sys.stderr)
        if hint:
            print(hint, file=sys.stderr)
        raise StepFailed(what)
    print(f"{time.monotonic() - started:6.1f} s", flush=True)


def _environment() -> dict[str, str]:
    """The caller's environment without what would bend the new one's Python."""
    bending = {"PYTHONPATH", "PYTHONHOME", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER"}
    kept = {name: value for name, value in os.environ.items() if name not in bending}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def install(lock: str, *options: str | Path) -> tuple[str | Path, ...]:
    """The pip command that installs a lock: exactly its files, built by nobody on this machine.

    `--no-deps` because a lock is whole: pip need not resolve anything (`pip check` proves it).
    Bytecode is compiled afterwards on all cores; pip does it on one.
    """
    quiet = (PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:")
    return (*quiet, "--no-deps", "--no-compile", *options, "--requirement", lock)


def count(lock: str) -> int:
    """How many packages a lock pins."""
    return sum(1 for line in (REPO / lock).read_text().splitlines() if "==" in line.split("#")[0])


def main(mark: str) -> None:
    """Builds the environment; what is there is thrown away first, so that nothing stale stays."""
    if READY.is_file() and READY.read_text().strip() == mark:
        return  # the set-up that was waited for has just made it
    if VENV.exists():
        shutil.rmtree(VENV)
    version = ".".join(str(part) for part in sys.version_info[:3])
    hint = "No network, or the package index is not reachable? Then run the same command again."
    packages = f"{count('requirements.lock')} packages from requirements.lock"
    step(f"Python {version} in .venv", sys.executable, "-m", "venv", VENV)
    step(f"{packages} (a few minutes, once)", *install("requirements.lock"), hint=hint)
    step(
        "the oldest DuckDB that must read published files",
        *install("requirements-reader.lock", "--target", READER),
        hint=hint,
    )
    step(
        "tieout itself",
        *(PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--no-compile", "--editable", "."),
    )
    step("the lock is whole", PYTHON, "-m", "pip", "check")
    # Importing Great Expectations takes 9 s without bytecode. The packages' own tests and
    # templates for other Pythons are never imported; compileall says so by its exit code.
    site = subprocess.check_output(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
    ).strip()
    skip = r"[/\\](tests?|templates?|include)[/\\]"
    step("bytecode", PYTHON, "-m", "compileall", "-q", "-j", "0", "-x", skip, site)
    READY.write_text(mark + "\n")


if __name__ == "__main__":
    try:
        with only_one():
            main(sys.argv[1])
    except StepFailed:
        sys.exit(1)
