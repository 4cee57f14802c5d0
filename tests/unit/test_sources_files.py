"""The bytes of a file: what one pass tells of them, and where records stand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.lib.sources import files
from orchestration.lib.sources.files import locate, scan_text


def is_plain(content: bytes) -> bool:
    """The rule by its own words: no line end within quotes, no empty line, no open quote."""
    is_open = spans = False
    for byte in content:
        is_open ^= byte == ord('"')
        spans |= is_open and byte == ord("\n")
    is_blank = any(line in (b"", b"\r") for line in content.split(b"\n")[:-1])
    return not (spans or is_open or is_blank)


@settings(max_examples=300)
@given(
    content=st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r"]), min_size=1).map(b"".join),
    chunk=st.sampled_from([2, 3, 5, 4096]),
)
def test_a_scan_says_whether_records_are_lines(content: bytes, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "in.csv"
        path.write_bytes(content)
        patch.setattr(files, "_CHUNK", chunk)
        scan = scan_text(path, b'"')
    assert scan.is_plain == is_plain(content)
    assert scan.lines == content.count(b"\n") + (not content.endswith(b"\n"))
    assert scan.size == len(content)
    returns, pairs, feeds = (content.count(end) for end in (b"\r", b"\r\n", b"\n"))
    assert scan.has_mixed_ends == (returns != pairs or 0 < pairs != feeds)


@given(cells=st.lists(st.text(st.sampled_from('a\n",'), max_size=5), min_size=1, max_size=12))
def test_records_are_where_they_were_written(cells: list[str]) -> None:
    written, line, expected = "h,i\n", 2, []
    for cell in cells:
        doubled = cell.replace('"', '""')
        record = f'x,"{doubled}"\n'
        expected.append(line)
        written += record
        line += record.count("\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.csv"
        path.write_text(written, newline="")
        found = locate(path, 1, b",", b'"', [])
    shifts = dict(zip(found.shifts[::2], found.shifts[1::2], strict=True))
    lines, shift = [], 0
    for record_number in range(1, found.accepted + 1):
        shift = shifts.get(record_number, shift)
        lines.append(record_number + shift)
    assert (found.records, lines) == (len(cells), expected)
