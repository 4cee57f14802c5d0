"""The site's build refuses what leads nowhere, and draws diagrams itself.

It needs the documentation's own environment (`make docs` makes it): skipped on a desk without it,
never in CI.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import IN_CI
from tests.conventions.tree import REPO

PYTHON = REPO / ".venv" / "docs" / "bin" / "python"
pytestmark = pytest.mark.skipif(
    not PYTHON.exists() and not IN_CI, reason="no .venv/docs: run `make docs` once"
)
HOME = """\
# Home

See [the plan](docs/plan.md#a-part) and [a law](expectations/laws/B1.sql).

```mermaid
flowchart LR
    accDescr: One thing leads to another.
    a --> b
```
"""


def build(folder: Path, pages: dict[str, str]) -> tuple[int, str]:
    """Exit code and what was said, of a site with these pages and this project's settings."""
    shutil.copytree(REPO / "scripts" / "site", folder / "scripts" / "site")
    shutil.copy(REPO / "pyproject.toml", folder)
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = subprocess.run(
        [
            PYTHON, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env",
            "--builder", "html", "--conf-dir", "scripts/site", ".", "site",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_sound_site_is_built_with_its_diagrams(tmp_path: Path) -> None:
    plan = "# The plan\n\n## A part\n\nSee [home](../README.md).\n"
    code, told = build(
        tmp_path,
        {"README.md": HOME, "docs/plan.md": plan, "expectations/laws/B1.sql": "select 1"},
    )
    assert code == 0, told
    home = (tmp_path / "site" / "README.html").read_text()
    assert home.count('aria-label="One thing leads to another."') == 2
    assert 'class="diagram only-dark"' in home and '<script src="http' not in home
    assert 'href="docs/plan.html#a-part"' in home
    assert "The joint plan" in home, "the list at the left"


def test_what_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    """A file, an anchor, a page in no list."""
    pages = {"README.md": HOME + "\n[gone](docs/gone.md)\n", "docs/plan.md": "# The plan\n"}
    code, told = build(tmp_path, pages | {"docs/stray.md": "# Stray\n"})
    assert code != 0
    for what in ("docs/gone.md", "a-part", "expectations/laws/B1.sql", "stray.md"):
        assert any(what in line and "WARNING" in line for line in told.splitlines()), told


def test_a_diagram_that_cannot_be_drawn_fails_the_build(tmp_path: Path) -> None:
    code, told = build(tmp_path, {"README.md": "# Home\n\n```mermaid\nflowchart LR\n a --\n```\n"})
    assert code != 0, told
