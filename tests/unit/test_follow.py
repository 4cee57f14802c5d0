"""scripts/follow.py, which runs the tutorial and the cookbook, sees what is not as shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.follow import NotAsShown, first_missing, follow, steps


def page(*blocks: tuple[str, str]) -> str:
    return "\n".join(f"Then:\n\n```{kind}\n{body}\n```\n" for kind, body in blocks)


def test_blocks_are_followed_in_one_shell(tmp_path: Path) -> None:
    told = follow(
        page(
            ("sh", "word=hello\ncd ."),
            ("yaml", "not: run"),
            ("sh", "echo $word; echo and more; echo bye"),
            ("text", "hello\n…\nbye"),
            ("console", "$ exit 1"),
        ),
        tmp_path,
        dict(os.environ),
    )
    assert [printed for _, printed in told] == ["", "hello\nand more\nbye\n"]
    assert [step.line for step, _ in told] == [3, 16]


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ([("sh", "true"), ("sh", "false; echo on")], "line 9: exit code 1"),
        ([("sh", "echo $unset_in_any_case")], "exit code 1"),
        ([("sh", "false | cat")], "exit code 1"),
        ([("sh", "echo one"), ("text", "two")], "did not print 'two'"),
        ([("sh", "echo a; echo b"), ("text", "b\na")], "did not print 'a'"),
        ([("sh", 'false ; echo "exit code $?"')], "does not show which exit code"),
        ([("sh", 'false ; echo "exit code $?"'), ("text", "exit code 3")], "did not print"),
    ],
)
def test_what_is_not_as_shown_is_told(
    tmp_path: Path, blocks: list[tuple[str, str]], fault: str
) -> None:
    with pytest.raises(NotAsShown, match=fault):
        follow(page(*blocks), tmp_path, dict(os.environ))


def test_a_command_that_may_fail_goes_on(tmp_path: Path) -> None:
    shown = page(("sh", '(exit 3) ; echo "exit code $?"\necho on'), ("text", "exit code 3\non"))
    assert follow(shown, tmp_path, dict(os.environ))


def test_blanks_do_not_count() -> None:
    assert first_missing(("a  b",), "x   a b c\n") is None
    assert first_missing(("ab",), "a b\n") == "ab"


def test_an_ellipsis_stands_for_anything_on_its_line() -> None:
    assert first_missing(("made … ago (…)",), "made  9 seconds ago (12:00)\n") is None
    assert first_missing(("made … ago", "on"), "made 9 seconds\nago\non\n") == "made … ago"
    assert first_missing(("a.c …",), "abc d\n") == "a.c …", "nothing else is a pattern"


def test_only_shell_blocks_are_steps() -> None:
    assert [step.commands for step in steps(page(("sh", "a"), ("sql", "b"), ("sh", "c")))] == [
        "a\n",
        "c\n",
    ]
