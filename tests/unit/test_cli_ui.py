"""What `tieout ui` decides before it starts anything."""

from __future__ import annotations

import socket
from pathlib import Path

from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.cli.ui import HOST, is_taken, serving_environment
from orchestration.settings import Home


def test_busy_port_is_refused_with_a_way_out() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        assert is_taken(port)
        result = CliRunner().invoke(app, ["ui", "--port", str(port)])
        pages = CliRunner().invoke(app, ["ui", "--only", "pages", "--pages-port", str(port)])
    assert result.exit_code == 1
    assert f"--port {port + 1}" in result.stderr
    assert pages.exit_code == 1
    assert f"--pages-port {port + 1}" in pages.stderr
    assert not is_taken(port)


def test_two_servers_need_two_ports() -> None:
    result = CliRunner().invoke(app, ["ui", "--port", "4100", "--pages-port", "4100"])
    assert result.exit_code == 2
    assert "two" in result.stderr


def test_code_location_gets_absolute_paths_and_no_telemetry(tmp_path: Path) -> None:
    environment = serving_environment(Home(tmp_path), tmp_path / "sources.yml")
    assert environment["TIEOUT_HOME"] == str(tmp_path)
    assert environment["TIEOUT_SOURCES"] == str(tmp_path / "sources.yml")
    assert environment["DAGSTER_HOME"] == str(tmp_path / "dagster")
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "1"
