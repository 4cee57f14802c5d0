"""The page that people open: the last publication's, with a banner while runs are blocked.

Belongs here: `reports/scorecard.html` and its banner. The publication's own page is never touched.
No DuckDB unless a publication is older than pages are. Does not belong here: making a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from orchestration.lib.release import history
from orchestration.lib.release.folders import (
    RECEIPT,
    SCORECARD,
    blocked_folder,
    current_number,
    file_sha256,
    release_folder,
    write_durably,
)
from orchestration.lib.release.receipt import Receipt, read_receipt
from orchestration.settings import Home

#: The place in a finished page where the banner of a blocked run goes.
BANNER = "<!-- banner -->"
_TEMPLATES = Path(__file__).parent / "templates"


class LawText(Protocol):
    """What people are told of a law (`expectations.laws.Law` is one)."""

    @property
    def what_to_do(self) -> str: ...  # noqa: D102


def show(home: Home, laws: Mapping[str, LawText]) -> Path:
    """Write `reports/scorecard.html` as things stand now, and say where it is."""
    number = current_number(home)
    page = _nothing() if number is None else page_of(release_folder(home, number))
    page = page.replace(BANNER, banner_of(home, laws) or BANNER, 1)
    home.reports.mkdir(parents=True, exist_ok=True)
    write_durably(home.scorecard, page)
    return home.scorecard


def page_of(folder: Path) -> str:
    """The page of a kept release; a release older than pages gets one from its file, unkept."""
    kept = folder / SCORECARD
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    from orchestration.lib.release.folders import DATABASE
    from orchestration.lib.scorecard.page import render

    return render(folder / DATABASE)


def _nothing() -> str:
    """The page before there is any publication: only a banner can stand on it."""
    return filled_template("nothing.html.jinja", style=style(), banner=BANNER)


def banner_of(home: Home, laws: Mapping[str, LawText]) -> str:
    """What stands above a page while runs are blocked; nothing otherwise."""
    blocked = history.blocked_row(history.read_history(home))
    if not blocked:
        return ""
    newest = blocked[-1]
    receipt = _receipt_of(home, newest)
    return filled_template(
        "banner.html.jinja",
        number=current_number(home),
        since=_words(blocked[0].at),
        last=_words(newest.at),
        runs=len(blocked),
        reason=newest.reason,
        laws=[
            {
                "id": line.law,
                "title": line.title,
                "status": line.status,
                "rows": line.offending_count,
                "owner": line.owner,
                "what_to_do": laws[line.law].what_to_do if line.law in laws else None,
            }
            for line in (receipt.blocking if receipt is not None else [])
        ],
    )


def _receipt_of(home: Home, event: history.Event) -> Receipt | None:
    """The receipt of the candidate that this event is about, if it is still there."""
    path = blocked_folder(home) / RECEIPT
    if not path.exists() or file_sha256(path) != event.receipt_sha256:
        return None
    return read_receipt(path)


def _words(instant: str) -> str:
    return instant[:16].replace("T", " ") + " UTC"


def style() -> str:
    """The style of every page."""
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


def filled_template(name: str, **facts: Any) -> str:
    """A template with its facts; whatever comes from data is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**facts)
