"""scripts/site/finish.py: a site that would ask a host for anything is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.site import finish

DBT = "<!doctype html><html><head><title>dbt</title></head><body>models</body></html>"


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/mermaid.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img src="http://img.example/badge.svg">',
        '<p style="background: url(https://img.example/x.png)">x</p>',
        "<style>@import 'https://fonts.example/css';</style>",
        '<style>body { background: url( "https://img.example/x.png" ) }</style>',
        '<svg><image xlink:href="https://img.example/x.png"/></svg>',
    ],
)
def test_what_a_browser_would_fetch_is_found(page: str) -> None:
    assert finish.fetched_from_hosts(page)


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://semver.org">a link that a person follows</a>',
        '<link rel="canonical" href="https://docs.example/x.html">',
        '<script src="_static/x.js"></script><img src="data:image/png;base64,AA==">',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>',
        "<style>a { background: url(local.png) }</style>",
    ],
)
def test_what_asks_nobody_is_not(page: str) -> None:
    assert not finish.fetched_from_hosts(page)


def test_a_site_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, site = tmp_path / "dbt.html", tmp_path / "site"
    page.write_text(DBT)
    site.mkdir()
    (site / "README.html").write_text("<p>home</p>")
    assert finish.main(page, site) == 0
    assert "default-src 'none'" in (site / "dbt" / "index.html").read_text()
    assert "url=README.html" in (site / "index.html").read_text()

    (site / "late.css").write_text("@import 'https://fonts.example/css';")
    (site / "README.html").write_text('<script src="https://cdn.example/x.js"></script>')
    assert finish.main(page, site) == 1
    told = capsys.readouterr().err
    assert "README.html: <script src=https://cdn.example/x.js>" in told
    assert "late.css: https://fonts.example/css" in told


def test_a_page_of_dbt_without_a_head_is_no_page_of_dbt() -> None:
    with pytest.raises(SystemExit, match="no <head>"):
        finish.with_policy("<p>")
