"""The contract's files: the one form in which each is written, read whole and replaced whole.

Belongs here: canonical JSON, hashes, lines and instants; reading a file that anybody may have put
there; replacing one so that a reader sees the old or the new. Does not belong here: what the files
say (`locking`, `registers`).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from orchestration.lib.plan.contract import ContractError

#: Every version with the SHA-256 of its lock.
CHAIN = "chain.json"
#: Every register with its number of rows and the SHA-256 of the last.
HEADS = "registers.json"
#: Of chain.json, lock.json and registers.json.
FORMAT = 1
REGISTERS = ("commitments", "notes", "waivers", "explanations")
#: Longer files are no plan; reading one must not take the machine's memory.
MOST_BYTES = 64 * 1024 * 1024
#: Seconds that a writer waits for another one.
PATIENCE_SECONDS = 10.0

_SHA256 = re.compile(r"[0-9a-f]{64}")


class FormError(ValueError):
    """What is wrong with a JSON file, and in which line."""

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.line = line


def sha256(content: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def is_sha256(value: Any) -> bool:
    """Whether it is a text of 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def canonical_json(value: Any) -> bytes:
    """The one way a value is written: keys sorted, one a line, UTF-8, a line feed at the end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def read_canonical(content: bytes) -> Any:
    """The value of a JSON file in the one form it is written in; raises FormError."""
    try:
        value = json.loads(content.decode())
        expected = canonical_json(value)
    except json.JSONDecodeError as error:
        raise FormError(f"found no JSON: {error.msg}", error.lineno) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FormError("found bytes that are no UTF-8", line) from error
    except (ValueError, RecursionError) as error:
        raise FormError(f"found no JSON that Tieout writes: {error}", None) from error
    if expected != content:
        pairs = enumerate(zip_longest(lines_of(expected), lines_of(content)), start=1)
        line = next(number for number, (ours, theirs) in pairs if ours != theirs)
        raise FormError("found another form than Tieout writes, so it was changed", line)
    return value


def told_instant(moment: datetime) -> str:
    """`2026-01-31T09:30:00Z`; a moment without a zone is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> datetime:
    """The moment in UTC, without a zone; raises ValueError for any other form."""
    moment = datetime.fromisoformat(text.removesuffix("Z"))
    if moment.tzinfo is not None or told_instant(moment) != text:
        raise ValueError(text)
    return moment


def lines_of(content: bytes) -> list[bytes]:
    """The physical lines, each with its line feed; only the last may lack it."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + (
        [content.rpartition(b"\n")[2]] if not content.endswith(b"\n") and content else []
    )


def line_hashes(content: bytes) -> list[str]:
    """16 hexadecimal digits of each line's SHA-256: they say where a change is, no more."""
    return [sha256(line)[:16] for line in lines_of(content)]


def shown(line: bytes, most: int = 160) -> str:
    """A line for people, cut where it is long."""
    text = line.decode(errors="backslashreplace").rstrip("\n")
    return repr(text if len(text) <= most else f"{text[:most]}…")


def read_whole(path: Path) -> bytes:
    """The bytes of a regular file; raises ValueError, in words, for anything else."""
    try:
        # Neither follows a link nor waits for the other end of a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise ValueError("found no file, expected the one that was written here") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise ValueError("found a link, expected the file itself") from error
        raise ValueError(f"cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("found no regular file, expected one")
        if status.st_size > MOST_BYTES:
            raise ValueError(f"found {status.st_size:,} bytes, expected at most {MOST_BYTES:,}")
        chunks = []
        while chunk := os.read(descriptor, 1 << 20):
            chunks.append(chunk)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return b"".join(chunks)


def read_heads(root: Path) -> dict[str, tuple[int, str]]:
    """Rows and hash of the last row of each register, as registers.json has them."""
    try:
        value = read_canonical(read_whole(root / HEADS))
    except FormError:
        raise
    except ValueError as error:
        raise FormError(str(error), None) from error
    if not (isinstance(value, dict) and value.keys() == {"format", "heads"}):
        raise FormError("found other keys, expected format and heads", None)
    if type(value["format"]) is not int or value["format"] != FORMAT:
        raise FormError(f"found the format {value['format']!r}, expected {FORMAT}", None)
    heads = value["heads"]
    if not isinstance(heads, dict) or not heads.keys() <= set(REGISTERS):
        raise FormError(f"found other registers than {', '.join(REGISTERS)}", None)
    for name, head in heads.items():
        if not (
            isinstance(head, dict)
            and head.keys() == {"rows", "sha256"}
            and type(head["rows"]) is int
            and head["rows"] > 0
            and is_sha256(head["sha256"])
        ):
            raise FormError(f"found no rows and SHA-256 of {name}", None)
    return {name: (head["rows"], head["sha256"]) for name, head in heads.items()}


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """One writer at a time below a plan's root; raises ContractError if another takes too long.

    `flock` on the folder itself: it leaves no file in a folder that is kept under version control,
    and ends with its holder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > give_up_at:
                    raise ContractError(
                        f"{root}: somebody else is writing there; try again when they are done"
                    ) from error
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step: its readers see the old or the new one, whatever ends us."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as fresh:
        try:
            fresh.write(content)
            fresh.flush()
            os.fchmod(fresh.fileno(), 0o644)
            os.fsync(fresh.fileno())
            Path(fresh.name).replace(path)
        except BaseException:
            Path(fresh.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
