"""docs/runbook.md: every law and every alarm has its line, with who and a first step."""

from __future__ import annotations

import re

import pytest

from expectations.laws import load_laws
from tests.conventions.tree import REPO

PAGE = (REPO / "docs" / "runbook.md").read_text("utf-8")
LAWS = load_laws()
_LINE = re.compile(
    r"(?m)^\| \[(?P<law>\w+)\]\(laws\.md#(?P<anchor>[\w-]+)\) \| (?P<who>.+?) \| (?P<step>.+) \|$"
)
LINES = {match["law"]: match for match in _LINE.finditer(PAGE)}
#: What a run or a sensor can say besides the name of a law.
SITUATIONS = (
    "A run is blocked",
    "A run ended in an error",
    "The lock is held",
    "A run was killed",
    "The publication is stale",
    "Data is late",
    "A run published with warnings",
    "Alarm: drift",
    "Alarm: velocity",
    "Alarm: handoff",
    "Overdue",
    "Take a publication back",
)


def test_every_law_has_a_line_in_the_order_of_the_laws() -> None:
    assert list(LINES) == list(LAWS)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
def test_who_is_the_laws_owner(law: object) -> None:
    """In fewer words: the beginning of what the law itself says."""
    who, owner = LINES[law.id]["who"], law.owner  # type: ignore[attr-defined]
    assert owner.startswith(who), f"the law says {owner!r}"
    assert len(LINES[law.id]["step"]) > 20  # type: ignore[attr-defined]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_says_what_it_means_what_to_do_and_who(situation: str) -> None:
    body = PAGE.partition(f"\n## {situation}\n")[2].partition("\n## ")[0]
    assert body, "no such section"
    for part in ("*Meaning.*", "*First step.*", "*Who.*"):
        assert part in body, f"{situation}: no {part}"


def test_nothing_else_stands_in_it() -> None:
    assert set(re.findall(r"(?m)^## (.*)$", PAGE)) == set(SITUATIONS)
