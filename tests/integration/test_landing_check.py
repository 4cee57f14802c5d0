"""`tieout sources check`: what is told before any run, and that nothing is changed by telling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli.sources import app
from orchestration.lib.landing.check import Finding, check
from orchestration.settings import SAMPLE_SOURCES

HEAD = "version: 1\ncompany: {name: T, reporting_currency: USD}\nsources:\n  crm:\n"
MAPPED = (
    HEAD
    + """\
    adapter: mapped
    path: data
    stages: {lead: {New: lead}}
    tables:
      leads:
        files: leads.csv
        columns: {lead_id: Id, created_at: Created, status: Status}
"""
)


@pytest.fixture
def yml(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    path = tmp_path / "sources.yml"
    path.write_text(MAPPED)
    return path


def data(yml: Path, name: str, content: str) -> None:
    (yml.parent / "data" / name).write_text(content, encoding="utf-8")


def only(findings: list[Finding], severity: str) -> list[Finding]:
    return [finding for finding in findings if finding.severity == severity]


def test_the_sample_has_nothing_wrong() -> None:
    assert only(check(SAMPLE_SOURCES), "error") == []


def test_a_wrong_configuration_is_told_with_its_lines(yml: Path) -> None:
    yml.write_text(MAPPED.replace("adapter: mapped", "adapter: maped"))
    [finding] = check(yml)
    assert (finding.severity, finding.line, finding.column) == ("error", 5, "sources.crm.adapter")


def test_a_missing_file_is_told(yml: Path) -> None:
    [finding] = check(yml)
    assert (finding.severity, finding.place) == ("error", f"crm.leads {yml}:10")
    assert "matches 'leads.csv'" in finding.message


def test_a_missing_column_is_told_with_a_mapping_that_fits(yml: Path) -> None:
    data(yml, "leads.csv", "id;createdate;lifecyclestage\n1;21.06.2024 15:30;New\n")
    yml.write_text(MAPPED.replace("files: leads.csv", "files: leads.csv\n        delimiter: ';'"))
    [finding] = check(yml)
    assert "no column 'Id' in the header; did you mean 'id'?" in finding.message
    assert yaml.safe_load(finding.suggestion or "") == {
        "leads": {
            "files": "leads.csv",
            "delimiter": ";",
            "columns": {
                "lead_id": "id",
                "created_at": {"column": "createdate", "format": "%d.%m.%Y %H:%M"},
                "status": "lifecyclestage",
            },
        }
    }


def test_bad_cells_statuses_and_unused_columns_are_told(yml: Path) -> None:
    rows = [f"{i},soon,New,x" for i in range(4)]
    rows += ['5,2025-01-01,"Ne\nw",x', "6,never,New,x", "7,2025-01-01", "8,2025-01-01,Old,x"]
    data(yml, "leads.csv", "Id,Created,Status,Note\n" + "\n".join(rows) + "\n")
    findings = check(yml)
    assert only(findings, "error") == []
    cells, ragged, statuses = only(findings, "warning")
    assert (cells.column, cells.line) == ("Created", 2)
    assert cells.message.startswith("5 cells would be quarantined: is not an instant")
    assert "line 2: 'soon'; line 3: 'soon'; line 4: 'soon'" in cells.message
    assert (ragged.line, ragged.column) == (9, None)
    assert "fewer cells than the header (2 of 4)" in ragged.message
    assert "Ne\nw (1), Old (1)" in statuses.message
    [unused] = only(findings, "info")
    assert unused.message == "columns that nobody mapped: Note"


def test_a_currency_without_rate_is_told(yml: Path) -> None:
    yml.write_text(HEAD + "    adapter: canonical\n    path: data\n")
    data(yml, "spend.csv", "source,day,currency,cost\nAds,2025-01-01,EUR,1\nAds,2025-01-01,USD,1\n")
    [finding] = check(yml)
    assert finding.message.startswith("1 rows in EUR, for which fx_rates has no rate to USD")
    data(yml, "fx_rates.csv", "day,currency,rate\n2025-01-01,EUR,1.1\n")
    assert check(yml) == []


def test_a_column_that_is_not_canonical_is_told(yml: Path) -> None:
    yml.write_text(HEAD + "    adapter: canonical\n    path: data\n")
    data(yml, "spend.csv", "source,day,currency,costs\n")
    [finding] = check(yml)
    assert "'costs' is no column of spend; did you mean 'cost'?" in finding.message


def test_a_file_that_nobody_reads_gets_a_mapping(yml: Path) -> None:
    data(yml, "leads.csv", "Id,Created,Status\n")
    data(
        yml,
        "report.csv",
        "Platform;Campaign name;Date;Amount spent (EUR);Impr.\nMeta;a, b;21.06.2024;€ 2.900,50;7\n",
    )
    [finding] = check(yml)
    assert (finding.severity, finding.file) == ("info", "report.csv")
    proposed = yaml.safe_load(finding.suggestion or "")["spend"]
    assert proposed["delimiter"] == ";"
    assert proposed["columns"] == {
        "source": "Platform",
        "campaign": "Campaign name",
        "day": {"column": "Date", "format": "%d.%m.%Y"},
        "currency": {"constant": "TODO"},
        "cost": {
            "column": "Amount spent (EUR)",
            "decimal": ",",
            "thousands": ".",
            "symbols": ["€"],
        },
        "impressions": "Impr.",
    }


@pytest.mark.parametrize(
    ("header", "row", "table", "expected"),
    [
        ("segments.date,campaign.name,metrics.cost_micros", "2025-01-01,a,1", "spend",
         {"column": "metrics.cost_micros", "scale": "micros"}),
        ("TimePeriod,CampaignId,Spend,CurrencyCode", "2025-01-01,a,1.5,EUR", "spend", "Spend"),
        ("date_start,campaign_name,spend,account_currency", "2025-01-01,a,1,EUR", "spend", "spend"),
    ],
)  # fmt: skip
def test_connectors_are_recognised(
    yml: Path, header: str, row: str, table: str, expected: object
) -> None:
    data(yml, "leads.csv", "Id,Created,Status\n")
    data(yml, "other.csv", f"{header}\n{row}\n")
    [finding] = check(yml)
    assert yaml.safe_load(finding.suggestion or "")[table]["columns"]["cost"] == expected


def test_nothing_is_written(yml: Path) -> None:
    data(yml, "leads.csv", "Id,Created,Status\r\n1,2025-01-01,New\n")
    before = sorted(yml.parent.rglob("*"))
    check(yml)
    assert sorted(yml.parent.rglob("*")) == before


def test_the_command_prints_and_exits(yml: Path) -> None:
    runner = CliRunner()
    missing = runner.invoke(app, ["check", "--sources", str(yml)])
    assert missing.exit_code == 1
    assert "no file in" in missing.stdout
    data(yml, "leads.csv", "Id,Created,Status\n1,2025-01-01,[New]\n")
    told = runner.invoke(app, ["check", "--sources", str(yml), "--json"])
    assert told.exit_code == 0
    [finding] = json.loads(told.stdout)["findings"]
    assert finding["severity"] == "warning"
    assert "[New] (1)" in finding["message"]


def test_a_lookup_file_is_read(yml: Path) -> None:
    data(yml, "leads.csv", "Id,Created,Status\n1,2025-01-01,New\n")
    data(yml, "names.csv", "id,name\n1,New\n")
    assert [finding.file for finding in check(yml)] == ["names.csv"]
    lookup = "{column: Id, lookup_file: {file: names.csv, key: id, value: name}}"
    yml.write_text(MAPPED.replace("status: Status", f"status: {lookup}"))
    assert [f.message for f in check(yml)] == ["columns that nobody mapped: Status"]


def test_channel_whose_variable_is_not_set_is_told(
    yml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data(yml, "leads.csv", "Id,Created,Status\nL1,2026-01-01,New\n")
    yml.write_text(MAPPED + "notify: {channels: {ops: {url_env: OPS_URL}}}\n")
    [finding] = only(check(yml), "warning")
    assert "channel ops: the environment variable OPS_URL is not set here" in finding.message
    assert finding.line == len(MAPPED.splitlines()) + 1
    monkeypatch.setenv("OPS_URL", "json://127.0.0.1/s3cr3t")
    assert "s3cr3t" not in str(check(yml))
    assert only(check(yml), "warning") == []
