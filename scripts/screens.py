"""Photograph the first screen of three companies' scorecards for docs/images, in a real browser.

`.venv/bin/python scripts/screens.py`, after a change of the page or of the invented companies. It
takes some minutes, and Chromium on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

from orchestration.lib.sample import CompanySpec, generate
from orchestration.lib.sample.spec import Scenario

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
_WIDTH, _HEIGHT = 1280, 660


def page_of(story: Scenario, folder: Path) -> Path:
    """The scorecard of an invented company whose books are closed here."""
    sources = generate(
        CompanySpec.for_scenario(story), folder / "company", with_truth=False
    ).sources
    subprocess.run(
        [Path(sys.executable).parent / "tieout", "run", "--sources", sources],
        env=os.environ | {"TIEOUT_HOME": str(folder / "books")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return (folder / "books/published/current/scorecard.html").resolve()


def photograph(page: Path, picture: Path, profile: Path) -> None:
    """The first screen, light, as a PNG."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no Chromium on PATH")
    subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={_WIDTH},{_HEIGHT}",
            f"--screenshot={picture}",
            page.as_uri(),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name in get_args(Scenario):
            made = page_of(name, Path(scratch) / name)
            photograph(made, IMAGES / f"scorecard-{name}.png", Path(scratch) / "profile")
        for folder in Path(scratch).glob("*/books/published/releases/*"):
            folder.chmod(0o755)
