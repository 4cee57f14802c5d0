"""Promote: show readers a release that has proved itself; roll back; tidy up after a kill.

Belongs here: everything that changes `published/`. The caller holds the run lock. No DuckDB.

Publishing is one step, the `os.replace` of the `current` symlink; all before it is unseen, all
after it is bookkeeping that `recover` completes. Nothing here removes a release that readers saw:
retention is not decided yet, every publication is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from orchestration.lib.release import history
from orchestration.lib.release.errors import PromotionRefusedError, ReleaseError
from orchestration.lib.release.folders import (
    DATABASE,
    FILE_MODE,
    FOLDER_MODE,
    FROZEN,
    RECEIPT,
    SCORECARD,
    blocked_folder,
    current_number,
    file_sha256,
    point_current_at,
    release_folder,
    release_numbers,
    remove_folder,
    sweep_symlinks,
    sync,
)
from orchestration.lib.release.receipt import Receipt, missing_laws, read_receipt
from orchestration.settings import Home


@dataclass(frozen=True)
class Publication:
    """One kept release; `published_at` is None where the history does not say."""

    number: int
    folder: Path
    is_current: bool
    published_at: str | None
    receipt: Receipt

    @property
    def database(self) -> Path:
        """The file, by its lasting path."""
        return self.folder / DATABASE


def next_number(home: Home) -> int:
    """The number that the next publication gets; numbers are never used twice."""
    recover(home)
    return max([*release_numbers(home), *_published_numbers(home)], default=0) + 1


def promote(home: Home, folder: Path, laws: Collection[str]) -> Publication:
    """Publish a sealed candidate, or raise `PromotionRefusedError` and leave readers as they were.

    Args:
        home: the state folder; the caller holds its run lock.
        folder: the candidate's folder.
        laws: the ids of all laws that a release must have been judged by.
    """
    number = next_number(home)
    receipt = _demand_pass(folder, number, laws)
    receipt_sha256 = file_sha256(folder / RECEIPT)
    for name in (DATABASE, SCORECARD, RECEIPT):
        (folder / name).chmod(FILE_MODE)
        sync(folder / name)
    sync(folder)
    home.releases.mkdir(parents=True, exist_ok=True)
    release = release_folder(home, number)
    # Moved first, made read-only after: a folder that its owner may not write cannot be moved.
    folder.rename(release)
    release.chmod(FOLDER_MODE)
    sync(release)
    sync(home.releases)
    sync(folder.parent)
    sync(home.published)
    point_current_at(home, number)
    published_at = history.now()
    history.append(
        home,
        history.Event(
            action="published",
            number=number,
            at=published_at,
            file_sha256=receipt.file_sha256,
            receipt_sha256=receipt_sha256,
            reason="passed the gate",
        ),
    )
    return Publication(number, release, True, published_at, receipt)


def set_aside(home: Home, folder: Path) -> Path:
    """Keep a blocked candidate for those who must look at it; only the newest is kept."""
    receipt = read_receipt(folder / RECEIPT)
    home.published.mkdir(parents=True, exist_ok=True)
    laws = tuple(line.law for line in receipt.blocking)
    history.append(
        home,
        history.Event(
            action="blocked",
            number=receipt.number,
            at=history.now(),
            file_sha256=receipt.file_sha256,
            receipt_sha256=file_sha256(folder / RECEIPT),
            reason="; ".join(f"{line.law} {line.status}: {line.title}" for line in receipt.blocking)
            or "the gate gave no verdict",
            laws=laws,
        ),
    )
    blocked = blocked_folder(home)
    remove_folder(blocked)
    folder.rename(blocked)
    return blocked


def rollback(home: Home, number: int, reason: str) -> Publication:
    """Show readers an older release again. It is recorded; the next publication counts on.

    The release must still be what its receipt says, and its receipt what was published.
    """
    recover(home)
    if not reason.strip():
        raise ReleaseError(
            "a rollback needs a reason",
            why="it stands in the history for those who ask later",
            next_step='add --reason "…"',
        )
    target = publication(home, number)
    if target.is_current:
        raise ReleaseError(
            f"publication {number} is what readers see already",
            why="nothing would change",
            next_step="`tieout publications list` shows the others",
        )
    damage = damages(home, target)
    if damage:
        raise ReleaseError(
            f"publication {number} cannot be shown again",
            why="; ".join(damage),
            next_step="`tieout publications verify` shows which are whole",
        )
    point_current_at(home, number)
    history.append(
        home,
        history.Event(
            action="rolled back",
            number=number,
            at=history.now(),
            file_sha256=target.receipt.file_sha256,
            receipt_sha256=file_sha256(target.folder / RECEIPT),
            reason=reason,
        ),
    )
    return publication(home, number)


def recover(home: Home) -> None:
    """Complete or undo what a killed process left in `published/`; quick when there is nothing.

    A release that `current` shows but the history does not is written down. A release one past all
    others that was moved in but never shown is removed: its run died before it published.
    """
    if not home.published.is_dir():
        return
    sweep_symlinks(home)
    on_disk = release_numbers(home)
    shown = current_number(home)
    recorded = _published_numbers(home)
    if shown is not None and not recorded:
        # The very first promotion died after the swap, or the history was lost.
        for number in on_disk:
            _record_found(home, number)
        recorded = set(on_disk)
    unseen = max([*recorded, *([] if shown is None else [shown])], default=0) + 1
    if on_disk and on_disk[-1] == unseen:
        remove_folder(release_folder(home, unseen))
    last_shown = next(
        (event.number for event in reversed(history.read_history(home)) if _shows(event)), None
    )
    if shown is not None and last_shown != shown:
        _record_found(home, shown)


def publications(home: Home, newest: int | None = None) -> list[Publication]:
    """All kept releases, or so many of the newest; oldest first."""
    numbers = release_numbers(home)
    return _read(home, numbers if newest is None else numbers[-newest:])


def publication(home: Home, number: int) -> Publication:
    """One kept release, or an error that names those that exist."""
    kept = release_numbers(home)
    if number not in kept:
        raise ReleaseError(
            f"there is no publication {number}",
            why=f"kept are: {', '.join(map(str, kept)) or 'none yet'}",
            next_step="`tieout publications list`",
        )
    (found,) = _read(home, [number])
    return found


def damages(home: Home, kept: Publication) -> list[str]:
    """What is not as it was published: file against receipt, receipt against history, modes."""
    found = []
    if kept.receipt.number != kept.number:
        found.append(f"the receipt is that of publication {kept.receipt.number}")
    if not kept.database.exists():
        return [*found, f"{DATABASE} is missing"]
    sha256 = file_sha256(kept.database)
    if sha256 != kept.receipt.file_sha256:
        found.append(f"SHA-256 of {DATABASE} is {sha256}, sealed was {kept.receipt.file_sha256}")
    recorded = {
        event.receipt_sha256
        for event in history.read_history(home)
        if _shows(event) and event.number == kept.number
    }
    if recorded and file_sha256(kept.folder / RECEIPT) not in recorded:
        found.append("the receipt is not the one that was published")
    if kept.receipt.scorecard_sha256 is not None and (
        _sha256_of_page(kept.folder) != kept.receipt.scorecard_sha256
    ):
        found.append(f"{SCORECARD} is missing, or not the one that was published")
    if kept.database.with_name(DATABASE + ".wal").exists():
        found.append(f"{DATABASE}.wal lies beside it: somebody opened it for writing")
    return found


def _read(home: Home, numbers: list[int]) -> list[Publication]:
    times: dict[int, str] = {}
    for event in history.read_history(home):
        if event.action in {"published", "recovered"}:
            times.setdefault(event.number, event.at)
    shown = current_number(home)
    return [
        Publication(
            number=number,
            folder=release_folder(home, number),
            is_current=number == shown,
            published_at=times.get(number),
            receipt=read_receipt(release_folder(home, number) / RECEIPT),
        )
        for number in numbers
    ]


def _demand_pass(folder: Path, number: int, laws: Collection[str]) -> Receipt:
    """The receipt of the candidate, if it proves that exactly this file passed all laws."""

    def refused(why: str, next_step: str) -> PromotionRefusedError:
        return PromotionRefusedError(
            f"the candidate in {folder} is not published", why=why, next_step=next_step
        )

    again = "run the whole job again: `tieout run`"
    if not folder.is_dir() or not (folder / DATABASE).exists():
        raise refused("there is no candidate", again)
    if (folder / FROZEN).exists():
        raise refused("it was frozen but not sealed: the gate has not judged it", again)
    receipt = read_receipt(folder / RECEIPT)
    if missing := missing_laws(receipt, laws):
        raise refused(f"its receipt says nothing of {', '.join(missing)}", again)
    if receipt.blocking:
        lines = ", ".join(f"{line.law} ({line.status})" for line in receipt.blocking)
        raise refused(f"blocked by {lines}", "`tieout explain LAW` shows rows and owner")
    if not receipt.passed:
        raise refused("its receipt says that the gate did not pass it", again)
    if receipt.number != number:
        raise refused(
            f"it was made to be publication {receipt.number}, the next is {number}: another was "
            "published since",
            again,
        )
    if (folder / f"{DATABASE}.wal").exists():
        raise refused(f"{DATABASE}.wal lies beside it: it was opened for writing", again)
    sha256 = file_sha256(folder / DATABASE)
    if sha256 != receipt.file_sha256:
        raise refused(
            f"its SHA-256 is {sha256}, the receipt is for {receipt.file_sha256}: it was changed "
            "after it was judged, or the receipt is another file's",
            again,
        )
    if receipt.scorecard_sha256 is None:
        raise refused("it has no scorecard", again)
    if _sha256_of_page(folder) != receipt.scorecard_sha256:
        raise refused(f"its {SCORECARD} is missing, or was changed after it was made", again)
    return receipt


def _sha256_of_page(folder: Path) -> str | None:
    page = folder / SCORECARD
    return file_sha256(page) if page.exists() else None


def _published_numbers(home: Home) -> set[int]:
    return {event.number for event in history.read_history(home) if _shows(event)}


def _shows(event: history.Event) -> bool:
    return event.action != "blocked"


def _record_found(home: Home, number: int) -> None:
    folder = release_folder(home, number)
    history.append(
        home,
        history.Event(
            action="recovered",
            number=number,
            at=history.now(),
            file_sha256=read_receipt(folder / RECEIPT).file_sha256,
            receipt_sha256=file_sha256(folder / RECEIPT),
            reason="the process that published it ended before it wrote this down",
        ),
    )
