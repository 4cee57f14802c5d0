"""A judge that does not see the rows says so: in this process, so that it can be blinded."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from expectations import judge as judging
from expectations.judge import UnsoundJudgeError, judge
from expectations.rules import NoRows
from tests.support.books import SOUND_BOOKS


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "tieout.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SOUND_BOOKS)
    return path


def test_the_drivers_own_dialect_loses_rows_and_the_canary_notices(sound: Path) -> None:
    """Should this fail because rows now arrive, expectations/dialect.py has become needless."""
    verdict = judge(sound, scheme="duckdb")
    assert not verdict.passed
    assert "the canary that must fail" in str(verdict.error)
    assert {item.status for item in verdict.results} == {"error"}


@pytest.mark.parametrize(
    ("canary", "sql"),
    [
        (judging._MUST_FAIL, "select 1 as number, 'x' as text where false"),
        (judging._MUST_PASS, "select as_of from audit.run"),
        (judging._MUST_RAISE, "select as_of from audit.run where false"),
    ],
)
def test_a_canary_that_misbehaves_is_an_error(
    canary: tuple[str, str], sql: str, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(judging._CANARIES, canary, (NoRows, sql))
    verdict = judge(sound)
    assert not verdict.passed
    assert canary[1] in str(verdict.error)
    assert {item.status for item in verdict.results} == {"error"}


def test_with_its_own_dialect_the_same_books_pass(sound: Path) -> None:
    told: list[str] = []
    verdict = judge(sound, progress=told.append)
    assert verdict.passed
    assert told == [item.law for item in verdict.results]


@pytest.mark.parametrize(
    ("info", "raised"),
    [
        ({"raised_exception": False, "exception_message": None}, None),
        ({"raised_exception": True, "exception_message": "a\n b"}, "a b"),
        ({"raised_exception": True, "exception_message": None}, "raised, and does not say what"),
        ({"metric": {"raised_exception": True, "exception_message": "c [SQL: x]"}}, "c"),
        ({"metric": {"raised_exception": False, "exception_message": None}}, None),
    ],
)
def test_both_shapes_of_a_raised_exception_are_read(
    info: dict[str, object], raised: str | None
) -> None:
    assert judging._raised(info) == raised


@pytest.mark.parametrize("info", [None, {}, "no"])
def test_an_unknown_shape_is_not_taken_for_a_pass(info: object) -> None:
    with pytest.raises(UnsoundJudgeError):
        judging._raised(info)
