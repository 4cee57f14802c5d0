"""Finishes the site that Sphinx wrote: dbt's page, the way in, and the proof that it asks no host.

Belongs here: what is done to built files. Called by scripts/docs with dbt's static page and the
site's folder; only the standard library. A site that would ask a host for anything is an error:
it must open from a folder, on a machine without a network.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

HOME = "README.html"
#: dbt's page carries the code of a visitor counter. dbt arms it only where anonymous statistics are
#: on, and here they are off; a browser that heeds this line lets no version of it ask anybody.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    ' img-src data:; font-src data:">'
)
WAY_IN = f"""\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tieout</title>
<meta http-equiv="refresh" content="0; url={HOME}"><link rel="canonical" href="{HOME}"></head>
<body><a href="{HOME}">Tieout: the documentation</a></body></html>
"""
#: What a browser fetches unasked, by element. A link that a person follows (`a`) is none of these.
_FETCHES = {
    "script": ("src",), "img": ("src", "srcset"), "link": ("href",), "iframe": ("src",),
    "source": ("src", "srcset"), "video": ("src", "poster"), "audio": ("src",), "embed": ("src",),
    "object": ("data",), "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
    "input": ("src",),
}  # fmt: skip
#: Relations that say something and fetch nothing.
_SAYS_ONLY = {"canonical", "license", "author", "help", "index", "search", "next", "prev"}
_ELSEWHERE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(
    r"url\(\s*['\"]?((?:https?:)?//[^'\")]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)", re.IGNORECASE
)


class _Fetches(HTMLParser):
    """Collects what a page would fetch from a host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and values.get("rel", "") in _SAYS_ONLY:
            return
        self.found += [
            f"<{tag} {name}={values[name]}>"
            for name in _FETCHES.get(tag, ())
            if _ELSEWHERE.match(values.get(name, ""))
        ]
        self.found += in_style(values.get("style", ""))


def in_style(css: str) -> list[str]:
    """What a style sheet would fetch from a host."""
    return [first or second for first, second in _IN_STYLE.findall(css)]


def fetched_from_hosts(page: str) -> list[str]:
    """What opening the page would ask a host for."""
    reader = _Fetches()
    reader.feed(page)
    styles = re.findall(r"(?is)<style[^>]*>(.*?)</style>", page)
    return reader.found + [each for css in styles for each in in_style(css)]


def with_policy(page: str) -> str:
    """dbt's page, forbidden to ask anybody."""
    head, found, rest = page.partition("<head>")
    if not found:
        raise SystemExit("dbt's page has no <head>: the policy has no place")
    return f"{head}<head>{POLICY}{rest}"


def main(dbt_page: Path, site: Path) -> int:
    """Writes what is missing, then looks at every page and style sheet."""
    (site / "dbt").mkdir(exist_ok=True)
    (site / "dbt" / "index.html").write_text(
        with_policy(dbt_page.read_text("utf-8")), encoding="utf-8"
    )
    (site / "index.html").write_text(WAY_IN, encoding="utf-8")
    asks = [
        f"{path.relative_to(site)}: {each}"
        for path in sorted(site.rglob("*.html"))
        for each in fetched_from_hosts(path.read_text("utf-8"))
    ] + [
        f"{path.relative_to(site)}: {each}"
        for path in sorted(site.rglob("*.css"))
        for each in in_style(path.read_text("utf-8"))
    ]
    for each in asks:
        print(f"asks a host: {each}", file=sys.stderr)
    return 1 if asks else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
