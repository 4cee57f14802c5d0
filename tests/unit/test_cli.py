"""The command line without a run: help, wrong usage, errors in a person's words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from orchestration import __version__
from orchestration.cli import app
from orchestration.cli.run import parse_as_of
from orchestration.lib.lock import run_lock
from orchestration.settings import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def test_help_names_every_command_and_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    commands = ("run", "status", "report", "explain", "sources", "publications", "audit", "notify")
    for name in (*commands, "ui"):
        assert name in result.stdout
    assert "3 blocked by a law" in result.stdout


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"tieout {__version__}\n"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31T23:00:00Z", datetime(2026, 3, 31, 23, tzinfo=UTC)),
        ("2026-04-01T01:00:00+02:00", datetime(2026, 3, 31, 23, tzinfo=UTC)),
    ],
)
def test_as_of_is_an_instant(text: str, moment: datetime) -> None:
    assert parse_as_of(text) == moment


def test_as_of_that_is_none_is_wrong_usage(home: Home) -> None:
    with pytest.raises(typer.BadParameter, match="ISO 8601"):
        parse_as_of("31.03.2026")
    assert CliRunner().invoke(app, ["run", "--as-of", "yesterday"]).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [["run", "--sources", "no-such-file.yml"], ["walk"], ["run", "--fast"], ["ui", "--port", "0"]],
)
def test_wrong_usage_is_2(home: Home, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_error_in_sources_yml_names_file_and_line(home: Home, tmp_path: Path) -> None:
    sources = tmp_path / "sources.yml"
    sources.write_text("version: 1\ncompany:\n  nam: X\n")
    result = CliRunner().invoke(app, ["run", "--sources", str(sources)])
    assert result.exit_code == 1
    assert f"{sources}:3: company.nam: " in result.stderr
    assert "Traceback" not in result.output
    assert "readers have no publication yet" in result.stderr


def test_run_beside_another_is_refused_and_says_whose_it_is(home: Home) -> None:
    with run_lock(home, "somebody's run"):
        result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 1
    assert "somebody's run" in result.stderr
