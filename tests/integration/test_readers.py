"""Readers of the published file: never an error, never a torn read, never more than reading."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import remove_folder
from orchestration.lib.release.reader import open_published
from orchestration.settings import Home
from tests.support.releases import Books, marks, publish, read_until

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.releases"])
PROMOTIONS = 50


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    publish(made)
    yield made
    for folder in made.releases.glob("*"):
        remove_folder(folder)


def test_a_held_connection_keeps_its_release_and_a_new_one_sees_the_new(home: Home) -> None:
    with duckdb.connect(str(home.current_database), read_only=True) as held:
        assert marks(held) == (1, 1, 1)
        publish(home)
        assert marks(held) == (1, 1, 1)
        with duckdb.connect(str(home.current_database), read_only=True) as fresh:
            assert marks(fresh) == (2, 2, 2)
        with open_published(home) as guest:
            assert marks(guest) == (2, 2, 2)
        assert marks(held) == (1, 1, 1)


@pytest.mark.slow
def test_readers_hammer_during_fifty_promotions(home: Home, tmp_path: Path) -> None:
    stop = PROCESSES.Event()
    answers = [tmp_path / f"reader-{n}.json" for n in range(2)]
    readers = [
        PROCESSES.Process(target=read_until, args=(home.root, stop, answer)) for answer in answers
    ]
    seen: list[tuple[int, int, int]] = []
    errors: list[Exception] = []

    def read_in_this_process() -> None:
        try:
            while not stop.is_set():
                with open_published(home) as connection:
                    seen.append(marks(connection))
                stop.wait(0.005)
        except Exception as error:  # noqa: BLE001 - handed to the test, which fails on it
            errors.append(error)

    thread = threading.Thread(target=read_in_this_process)
    for reader in [*readers, thread]:
        reader.start()
    try:
        with duckdb.connect(str(home.current_database), read_only=True) as held:
            for _ in range(PROMOTIONS):
                publish(home)
            assert marks(held) == (1, 1, 1)
    finally:
        stop.set()
        for reader in [*readers, thread]:
            reader.join(timeout=60)
    assert errors == []
    assert all(one == two == three for one, two, three in seen)
    assert [one for one, _, _ in seen] == sorted(one for one, _, _ in seen)
    for reader, answer in zip(readers, answers, strict=True):
        assert reader.exitcode == 0
        found = json.loads(answer.read_text())
        assert found["reads"] > PROMOTIONS, found


def test_the_oldest_duckdb_reads_the_same_figures(home: Home, oldest_reader: Path) -> None:
    leads = [(f"L{n}", "Größe / a", "2026-03-01", "2026-03-02 10:11:12") for n in range(3000)]
    balances = [("a", "2026-03-01", "lead", 2**53 + 1, True), ("a", "2026-03-01", "won", -7, True)]
    publish(home, Books(leads=leads, balances=balances))
    script = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
answers = [connection.execute(query).fetchall() for query in json.loads(sys.argv[2])]
print(json.dumps([duckdb.__version__, answers], default=str))
"""
    queries = [
        "select count(*), min(lead_id), max(campaign_key), max(created_at) from fct_lead",
        "select sum(amount_minor), sum(hash(amount_minor, stage)) "
        "from rpt_stage_balance__campaign_cohort",
        "select number, as_of, content_sha256 from meta.publication",
        "select law, status, expected from meta.law_result order by law",
        "select * from audit.run",
    ]
    done = subprocess.run(
        [sys.executable, "-c", script, str(home.current_database), json.dumps(queries)],
        env=os.environ | {"PYTHONPATH": str(oldest_reader)},
        capture_output=True,
        text=True,
        check=True,
    )
    version, answers = json.loads(done.stdout)
    assert version.startswith("1.4.")
    with open_published(home) as connection:
        here = [connection.execute(query).fetchall() for query in queries]
    assert answers == json.loads(json.dumps(here, default=str))


def test_the_oldest_duckdb_hashes_content_alike(home: Home, oldest_reader: Path) -> None:
    script = """
import sys
sys.path.insert(0, sys.argv[2])
import duckdb
from orchestration.lib.release.content import algorithm, content_sha256, table_lines
connection = duckdb.connect()
connection.execute(f"attach '{sys.argv[1]}' as kept (read_only)")
print(duckdb.__version__, algorithm(connection), content_sha256(table_lines(connection, "kept")))
"""
    kept = publish(home)
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(kept.database), str(repository)],
        env=os.environ | {"PYTHONPATH": str(oldest_reader)},
        capture_output=True,
        text=True,
        check=True,
    )
    version, name, sha256 = done.stdout.split()
    assert version.startswith("1.4.")
    assert (name, sha256) == (kept.receipt.content_algorithm, kept.receipt.content_sha256)


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('/etc/hostname')",
        "copy fct_lead to 'stolen.csv'",
        "attach 'other.duckdb'",
        "set threads = 8",
        "set enable_external_access = true",
        "create table mine as select 1",
        "update dim_mark set mark = 0",
        "install httpfs",
    ],
)
def test_a_guest_can_only_read(home: Home, statement: str) -> None:
    with open_published(home) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


def test_limits_are_set(home: Home) -> None:
    with open_published(home, memory_limit="512MB", threads=1) as connection:
        (facts,) = connection.execute(
            "select current_setting('threads'), current_setting('memory_limit')"
        ).fetchall()
    assert facts == (1, "488.2 MiB")


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="nothing is published"):
        open_published(Home(tmp_path))
