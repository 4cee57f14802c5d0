"""docs/plan-cookbook.md: every recipe, as a reader types it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.follow import follow
from tests.conventions.tree import REPO

PAGE = REPO / "docs" / "plan-cookbook.md"


def test_every_recipe_does_what_it_shows(tmp_path: Path) -> None:
    """In a folder that has of the repository only what the page names."""
    shutil.copytree(REPO / "examples" / "plan", tmp_path / "examples" / "plan")
    (tmp_path / ".venv").symlink_to(REPO / ".venv")
    told = follow(PAGE.read_text("utf-8"), tmp_path, os.environ | {"COLUMNS": "100"})
    assert len(told) > 12
