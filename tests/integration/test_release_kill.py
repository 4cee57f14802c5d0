"""Killed at any instant, a run leaves the last publication whole and the next run clean."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.lock import current_holder
from orchestration.lib.release import history
from orchestration.lib.release.folders import remove_folder
from orchestration.lib.release.promote import publications
from orchestration.lib.release.verify import verify
from orchestration.settings import Home
from tests.support.releases import marks, publish, publish_forever, publish_until_step

#: Children are forked from a server that has imported everything and opened nothing.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.releases"])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    publish(made)
    yield made
    for folder in made.releases.glob("*"):
        remove_folder(folder)


def assert_readers_see_a_whole_release(home: Home) -> int:
    with duckdb.connect(str(home.current_database), read_only=True) as connection:
        one, two, three = marks(connection)
    assert one == two == three == int(home.current.readlink().name)
    return one


def assert_all_whole_and_recorded(home: Home) -> None:
    kept = publications(home)
    assert [one.number for one in kept] == list(range(1, len(kept) + 1))
    assert all(verify(home, one).is_whole for one in kept)
    shown = [event.number for event in history.read_history(home) if event.action != "blocked"]
    assert shown == [one.number for one in kept]
    assert list(home.published.glob(".current.*")) == []


@pytest.mark.slow
def test_killed_before_every_single_file_operation(home: Home) -> None:
    newest = 1
    for step in range(200):
        child = PROCESSES.Process(target=publish_until_step, args=(home.root, step))
        child.start()
        child.join()
        seen = assert_readers_see_a_whole_release(home)
        assert seen in {newest, newest + 1}
        assert current_holder(home) is None
        if child.exitcode == 0:
            assert step > 20
            break
        assert child.exitcode == -signal.SIGKILL
        newest = publish(home).number
        assert newest == seen + 1
    else:
        pytest.fail("the child never came to its end")
    assert_all_whole_and_recorded(home)


@pytest.mark.slow
def test_killed_at_random_moments(home: Home) -> None:
    moments = random.Random(20260201)
    newest = 1
    for _ in range(12):
        child = PROCESSES.Process(target=publish_forever, args=(home.root,))
        child.start()
        time.sleep(moments.uniform(0.05, 0.4))
        child.kill()
        child.join()
        seen = assert_readers_see_a_whole_release(home)
        assert seen >= newest
        newest = publish(home).number
        assert newest == seen + 1
    assert_all_whole_and_recorded(home)


def test_killed_between_a_rollback_and_its_record(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.lib.release import promote

    publish(home)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(history, "append", die)
        with pytest.raises(KeyboardInterrupt):
            promote.rollback(home, 1, "a test")
    assert assert_readers_see_a_whole_release(home) == 1
    assert publish(home).number == 3
    assert [event.action for event in history.read_history(home)] == [
        "published",
        "published",
        "recovered",
        "published",
    ]


def test_half_a_line_of_history_has_not_happened(home: Home) -> None:
    path = home.published / "history.jsonl"
    with path.open("a") as stream:
        stream.write('{"action": "publi')
    assert len(history.read_history(home)) == 1
    publish(home)
    assert [event.number for event in history.read_history(home)] == [1, 2]


def test_a_lost_history_costs_no_release(home: Home) -> None:
    publish(home)
    publish(home)
    (home.published / "history.jsonl").unlink()
    assert publish(home).number == 4
    assert [one.number for one in publications(home)] == [1, 2, 3, 4]
