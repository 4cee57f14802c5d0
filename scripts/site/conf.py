"""The documentation as a site: the repository's own Markdown, in the reader's order.

Belongs here: what Sphinx needs to know, the order of the pages, diagrams. Does not belong here: any
text of a page; it has its one home in the Markdown that code hosts show too.

`make docs` runs it (scripts/docs) with warnings as errors: a link or an anchor that leads nowhere,
a page that stands in no list and a diagram that cannot be drawn each fail the build.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import tomllib
from pathlib import Path
from typing import ClassVar

import mermaidx
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

REPO = Path(__file__).resolve().parent.parent.parent

#: The pages below each heading of the list at the left, in order. A page that is not there yet may
#: be named already; a page that is there and not named fails the build.
NAVIGATION: dict[str, tuple[str, ...]] = {
    "Begin": ("docs/tutorial", "docs/bring-your-own-data", "examples/README"),
    "The joint plan": ("docs/plan", "docs/plan-cookbook"),
    "Keep it running": ("docs/runbook", "docs/laws", "docs/early-warning", "docs/how-a-run-goes"),
    "Look at it": (
        "docs/scorecard",
        "docs/live-pages",
        "docs/bi",
        "docs/contract",
        "docs/identity",
        "docs/cli",
    ),
    "Why it is so": ("docs/decisions", "docs/pitfalls", "docs/benchmarks"),
    "The project": ("CONTRIBUTING", "CHANGELOG"),
}
#: Pages that hang below another page.
BELOW: dict[str, tuple[str, ...]] = {
    "examples/README": (
        "examples/it_school_2023h2/README",
        "examples/olist/README",
        "examples/maven_crm/README",
    ),
}

# --- Sphinx --------------------------------------------------------------------------------------

project = "Tieout"
version = release = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
root_doc = "README"
extensions = ["myst_parser"]
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md", "examples/**.md"]
# Not to be walked: they are large, and hold no page.
exclude_patterns = [".*", "build", "dbt_project", "logs", "seeds", "tests"]
nitpicky = True

#: Anchors as code hosts make them, down to the smallest heading.
myst_heading_anchors = 6
myst_fence_as_directive = ["mermaid"]

html_theme = "furo"
html_title = "Tieout"
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
# No copy of the sources, no index of terms: nothing stands in them that a page has not.
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_theme_options = {"top_of_page_buttons": []}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "dbt.html",
        "sidebar/scroll-end.html",
    ]
}

# --- The order of the pages ----------------------------------------------------------------------


def _toctree(caption: str, pages: tuple[str, ...]) -> str:
    there = [f"/{page}" for page in pages if (REPO / f"{page}.md").is_file()]
    heading = [f":caption: {caption}"] if caption else []
    return "\n".join(["", "```{toctree}", ":hidden:", *heading, *there, "```", ""])


def _add_lists(app: Sphinx, page: str, source: list[str]) -> None:
    """Sphinx wants the order inside a page; the Markdown need not know of it."""
    del app
    if page == root_doc:
        source[0] += "".join(_toctree(caption, pages) for caption, pages in NAVIGATION.items())
    elif page in BELOW:
        source[0] += _toctree("", BELOW[page])


# --- Diagrams ------------------------------------------------------------------------------------


class Diagram(Directive):
    """A Mermaid fence, drawn while the site is built, once for light and once for dark pages."""

    has_content = True
    #: How it looks where it is shown: as near as the page's width asks, in the page's own letters.
    looks: ClassVar[dict[str, str]] = {
        shown: json.dumps(
            {
                "theme": theme,
                "themeVariables": {"edgeLabelBackground": background, "fontSize": "18px"},
                "themeCSS": f".edgeLabel p, .edgeLabel span {{ color: {ink}; }}",
                "flowchart": {"rankSpacing": 28, "nodeSpacing": 28, "padding": 10},
            }
        )
        for shown, theme, background, ink in (
            ("only-light", "neutral", "#ffffff", "#333333"),
            ("only-dark", "dark", "#131416", "#cccccc"),
        )
    }

    def run(self) -> list[nodes.Node]:
        """The pictures, as a part of the page."""
        source = "\n".join(self.content)
        drawn = "".join(
            f'<div class="diagram {shown}">{_svg(source, look)}</div>'
            for shown, look in self.looks.items()
        )
        return [nodes.raw("", drawn, format="html")]


def _svg(source: str, look: str) -> str:
    """One picture; its ids are its own, so that several can stand on one page."""
    svg = mermaidx.render(f"%%{{init: {look}}}%%\n{source}").svg()
    label = re.search(r"(?m)^\s*accDescr: (.*)$", source)
    own = f"d{hashlib.sha256((look + source).encode()).hexdigest()[:8]}"
    named = f'<svg role="img" aria-label="{html.escape(label.group(1) if label else "Diagram")}"'
    return (
        re.sub(r' role="graphics-document document"| aria-\w+="[^"]*"', "", svg)
        .replace("<svg", named, 1)
        .replace("my-svg", own)
    )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("mermaid", Diagram)
    app.connect("source-read", _add_lists)
