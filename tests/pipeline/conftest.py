"""One small company, and what became of it in a row of runs: the whole job, in this process.

A run costs seconds, so the runs are made once and every test looks at one of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.lib.lock import run_lock
from orchestration.lib.sample import CompanySpec, generate
from orchestration.settings import Home
from tests.support.webhook import webhook

#: Part of the address that the story's runs tell: it must be nowhere below the home.
SECRET = "c4n4ryS3cr3t"


@dataclass(frozen=True)
class Ran:
    """One `tieout run --json`: its exit code, its answer, its progress, the published bytes."""

    exit_code: int
    answer: dict[str, Any]
    told: str
    published_sha256: str | None
    current: str | None


@dataclass(frozen=True)
class Story:
    """The runs, in order, on one home; `sources` is as it was in the beginning again.

    `heard` is what a channel was told meanwhile, as (title, text).
    """

    home: Home
    sources: Path
    first: Ran
    second: Ran
    blocked: Ran
    blocked_text: str
    broken: Ran
    while_another: Ran
    heard: tuple[tuple[str, str], ...]


def sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def invoke(home: Home, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command line."""
    result = CliRunner().invoke(app, list(arguments), env={"TIEOUT_HOME": str(home.root)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def close_the_books(home: Home, sources: Path) -> Ran:
    code, out, err = invoke(home, "run", "--json", "--sources", str(sources))
    return Ran(
        code,
        json.loads(out) if out else {},
        err,
        sha256(home.current_database),
        str(home.current.readlink()) if home.current.is_symlink() else None,
    )


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy company of 150 leads; its sources.yml."""
    spec = CompanySpec(leads=150, months=3, campaigns=4)
    return generate(spec, tmp_path_factory.mktemp("company"), with_truth=False).sources


@pytest.fixture(scope="session")
def story(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = Home(tmp_path_factory.mktemp("home"))
    with webhook() as hook, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORY_CHANNEL", hook.url(SECRET))
        with changed(company, with_channel):
            first = close_the_books(home, company)
            second = close_the_books(home, company)
            with changed(company.parent / "data" / "control_totals.csv", cost_plus_one):
                blocked = close_the_books(home, company)
                _, blocked_text, _ = invoke(home, "explain", "B1")
            shutil.copytree(home.work / "blocked", home.work / "kept_for_test")
            spend = home.landing / "crm" / "spend" / "000001" / "data.parquet"
            with changed(spend, lambda _: "this is no Parquet"):
                broken = close_the_books(home, company)
            with run_lock(home, "a test"):
                while_another = close_the_books(home, company)
        heard = tuple((each["title"], each["message"]) for each in hook.heard)
    yield Story(home, company, first, second, blocked, blocked_text, broken, while_another, heard)


def with_channel(text: str) -> str:
    return f"{text}\nnotify: {{channels: {{ops: {{url_env: STORY_CHANNEL}}}}}}\n"


class changed:
    """The file with other text, for the length of a block."""

    def __init__(self, path: Path, change: Callable[[str], str]) -> None:
        self.path, self.change = path, change

    def __enter__(self) -> None:
        self.before = self.path.read_bytes()
        self.path.write_text(self.change(self.before.decode(errors="replace")))

    def __exit__(self, *_: object) -> None:
        self.path.write_bytes(self.before)


def cost_plus_one(text: str) -> str:
    header, first, *rest = text.splitlines()
    fields = first.split(",")
    position = header.split(",").index("cost")
    fields[position] = f"{float(fields[position]) + 1:.2f}"
    return "\n".join([header, ",".join(fields), *rest]) + "\n"


@pytest.fixture(scope="session")
def closed_once(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the company and a home with one publication of it, made by the first worker.

    For copying only.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "closed_once"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            made = tmp_path_factory.mktemp("closing")
            shutil.copytree(company.parent, made / "company")
            ran = close_the_books(Home(made / "home"), made / "company" / "sources.yml")
            assert ran.exit_code == 0, ran.told
            made.rename(shared)
    return shared


@pytest.fixture(scope="module")
def published(
    closed_once: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, Path]]:
    """A home with one publication, and the company's sources.yml; a module's own."""
    folder = tmp_path_factory.mktemp("spoilt") / "of_this_module"
    shutil.copytree(closed_once, folder, symlinks=True)
    yield Home(folder / "home"), folder / "company" / "sources.yml"


def assert_blocked(home: Home, sources: Path, law: str, told: str) -> None:
    """The run is blocked by the law, says so, and leaves readers what they had."""
    before = sha256(home.current_database), home.current.readlink()
    ran = close_the_books(home, sources)
    assert ran.exit_code == 3, ran.told
    assert (sha256(home.current_database), home.current.readlink()) == before
    assert_told(home, ran, law, told)


def assert_told(home: Home, ran: Ran, law: str, told: str) -> None:
    """The run's answer, `explain` and `status` name the law, and the first its rows."""
    results = {each["law"]: each for each in ran.answer["verdict"]["results"]}
    assert (results[law]["status"], results[law]["severity"]) == ("broken", "block")
    assert results[law]["offending_count"] >= 1
    assert told in str(results[law]["offending_rows"])
    code, explained, _ = invoke(home, "explain", law)
    assert code == 0
    assert f"{law}:" in explained and "broken" in explained
    code, status, _ = invoke(home, "status")
    assert law in status
