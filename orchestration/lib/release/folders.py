"""Where releases lie, and the few file operations whose order makes a kill harmless.

Belongs here: folder names of a release and durable file operations. Does not belong here: what is
in the files. No DuckDB.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from orchestration.settings import Home

DATABASE = "tieout.duckdb"
RECEIPT = "receipt.json"
#: The page that people read, made from the file before it is shown.
SCORECARD = "scorecard.html"
#: What `freeze` found, until `seal` has put it into the receipt.
FROZEN = "frozen.json"

FILE_MODE = 0o444
FOLDER_MODE = 0o555


def history_file(home: Home) -> Path:
    """The append-only record of what readers were shown, and when."""
    return home.published / "history.jsonl"


def blocked_folder(home: Home) -> Path:
    """The newest candidate that the gate blocked; no reader is ever pointed here."""
    return home.work / "blocked"


def release_folder(home: Home, number: int) -> Path:
    """The folder of a kept release."""
    return home.releases / str(number)


def release_numbers(home: Home) -> list[int]:
    """The releases on disk, ascending."""
    if not home.releases.is_dir():
        return []
    return sorted(int(entry.name) for entry in home.releases.iterdir() if entry.name.isdigit())


def current_number(home: Home) -> int | None:
    """The release that readers see, or None before the first publication."""
    if not home.current.is_symlink():
        return None
    return int(home.current.readlink().name)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have the system write a file, or a folder's entries, to the disk now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, text: str) -> None:
    """Write a small file whole: after a kill there is the old one, the new one or none."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours, also when it was made read-only already."""
    if not folder.is_dir():
        return
    folder.chmod(0o755)
    shutil.rmtree(folder)


def point_current_at(home: Home, number: int) -> None:
    """Show readers another release in one step: a fresh symlink takes the place of the old.

    Connections that are open keep the file they have; new ones get the new file. The symlink is
    relative, so that the state folder can be moved.
    """
    fresh = home.published / f".current.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / str(number))
    os.replace(fresh, home.current)  # noqa: PTH105 - the one step that publishes, in plain sight
    sync(home.published)


def sweep_symlinks(home: Home) -> None:
    """Remove symlinks that a killed promotion had made and not yet put in place."""
    for leftover in home.published.glob(".current.*"):
        leftover.unlink()
