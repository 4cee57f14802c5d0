"""docs/pitfalls.md: every pitfall has an answer, and everything it names is there.

An answer names what shows it: a law, a test or a dbt unit test; or it says `Limit:` and what the
limit is. A renamed test must not leave the page behind.
"""

from __future__ import annotations

import re

import pytest

from tests.conventions.tree import REPO, files

PAGE = REPO / "docs" / "pitfalls.md"
PITFALLS = 64
_ROW = re.compile(
    r"^\| (?P<number>\d+) \| (?P<pitfall>.+?) \| (?P<answer>.+?) \| (?P<shown>.+?) \|$"
)


def rows() -> list[re.Match[str]]:
    """The lines of all tables of the page."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [match for match in map(_ROW.match, lines) if match]


def known_names() -> set[str]:
    """Every test function, dbt unit test and law."""
    names = {path.stem for path in files() if path.parent.name == "laws"}
    for path in files():
        if path.suffix == ".py" and "tests" in path.parts:
            names |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
        elif path.name.endswith("unit_tests.yml"):
            names |= set(re.findall(r"^  - name: (\w+)$", path.read_text(encoding="utf-8"), re.M))
    return names


def test_every_pitfall_has_a_line() -> None:
    assert [int(row["number"]) for row in rows()] == list(range(1, PITFALLS + 1))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["number"])
def test_what_an_answer_names_is_there(row: re.Match[str]) -> None:
    named = re.findall(r"`(\w+)`", row["shown"])
    assert named or row["shown"].startswith("Limit:"), "an answer that nothing shows"
    assert set(named) <= known_names()
