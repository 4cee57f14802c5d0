"""The mirror in PostgreSQL: exact, whole at any moment, and only of what was published.

A real server of the test's own, read as tools read it: by psycopg, ODBC (isql) and JDBC (java).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from typer.testing import CliRunner

from orchestration import cli
from orchestration.lib.release import mirror as copying
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.folders import remove_folder
from orchestration.lib.release.freeze import freeze, published_tables
from orchestration.lib.release.mirror import mirror
from orchestration.lib.release.promote import Publication, next_number, promote, publication
from orchestration.lib.release.seal import Facts, seal
from orchestration.settings import Home
from tests.conftest import IN_CI
from tests.support.postgres import Server, binaries, serving
from tests.support.releases import (
    LAWS,
    Books,
    publish,
    sealed,
    small_page,
    verdict,
    write_warehouse,
)

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.releases"])
SWAPS = 12
READER = ("reader", "reads")
MARKS = """
    select dim_mark.mark, run.mark, publication.number, (select count(*) from tieout.fct_lead)
    from tieout.dim_mark
    cross join tieout_audit.run
    cross join tieout_meta.publication
"""


def lacking(what: str) -> None:
    """Skips on a desk, fails in CI."""
    (pytest.fail if IN_CI else pytest.skip)(what)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = binaries()
    if folder is None:
        lacking("no PostgreSQL here (Debian: apt-get install postgresql)")
        raise AssertionError
    with serving(folder) as answering:
        with answering.connect() as postgres:
            postgres.execute("create role reader login password 'reads'")
        yield answering


@pytest.fixture
def home(tmp_path: Path, server: Server) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    for folder in made.releases.glob("*"):
        remove_folder(folder)
    with server.connect() as postgres:
        names = ", ".join(copying.names("tieout").values())
        postgres.execute(f"drop schema if exists {names}, elsewhere cascade")


def shown(server: Server) -> tuple[Any, ...] | None:
    """What a reader of the mirror sees; None before there is one."""
    with server.connect() as postgres:
        try:
            return postgres.execute(MARKS).fetchone()
        except psycopg.errors.UndefinedTable:
            return None


def publish_exact(home: Home) -> Publication:
    """A publication with every type that the file may have, at its edges."""
    manifest = write_warehouse(home, Books(mark=next_number(home)))
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            """
            create table dim_exact (
                id integer not null, big bigint, huge hugeint, dec decimal(38, 9), share
                decimal(10, 9), real_number double, is_so boolean, "text" varchar, day date,
                "at" timestamp
            );
            insert into dim_exact values
                (1, 9007199254740993, 170141183460469231731687303715884105727,
                 -12345678901234567890123456789.123456789, 0.000000001, 0.1, true,
                 E'Größe, "quoted"\n\\N \\t;', date '0044-03-15',
                 timestamp '2026-07-01 23:59:59.999999'),
                (2, -9223372036854775808, -1, 0, 1, 1e300, false, '', date '9999-12-31',
                 timestamp '1970-01-01 00:00:00'),
                (3, null, null, null, null, null, null, null, null, null);
            """
        )
    nodes = json.loads(manifest.read_text())["nodes"]
    node = nodes["model.tieout.dim_mark"]
    added = node | {
        "name": "dim_exact",
        "alias": "dim_exact",
        "description": "It's exact. One row per edge.",
        "columns": {"big": {"description": "More than a double holds."}},
    }
    manifest.write_text(json.dumps({"nodes": nodes | {"model.tieout.dim_exact": added}}))
    candidate = freeze(home, published_tables(manifest), next_number(home), threads=2)
    seal(home, candidate, verdict(), Facts("code-1"), small_page)
    return promote(home, candidate.folder, LAWS)


def test_every_type_arrives_exactly_with_its_comments(home: Home, server: Server) -> None:
    kept = publish_exact(home)
    done = mirror(home, kept, server.address())
    assert (done.number, done.tables, done.is_unchanged) == (1, 13, False)
    with duckdb.connect(str(kept.database), read_only=True) as connection:
        sent = connection.execute("select * from dim_exact order by id").fetchall()
    with server.connect() as postgres:
        came = postgres.execute("select * from tieout.dim_exact order by id").fetchall()
        facts = postgres.execute(
            """
            select
                string_agg(data_type || ' ' || is_nullable, ', ' order by ordinal_position)
            from information_schema.columns
            where table_name = 'dim_exact'
            """
        ).fetchone()
        comments = postgres.execute(
            """
            select obj_description('tieout.dim_exact'::regclass),
                col_description('tieout.dim_exact'::regclass, 2)
            """
        ).fetchone()
    assert came == sent
    assert came[0][1:5] == (
        2**53 + 1, 2**127 - 1, Decimal("-12345678901234567890123456789.123456789"), Decimal("1e-9"),
    )  # fmt: skip
    assert came[1][7] == "" and came[0][8:] == (
        date(44, 3, 15), datetime(2026, 7, 1, 23, 59, 59, 999999),
    )  # fmt: skip
    assert set(came[2][1:]) == {None}
    assert facts == (
        "integer NO, bigint YES, numeric YES, numeric YES, numeric YES, double precision YES,"
        " boolean YES, text YES, date YES, timestamp without time zone YES",
    )
    assert comments == ("It's exact. One row per edge.", "More than a double holds.")


def test_again_changes_nothing_and_a_rollback_is_followed(home: Home, server: Server) -> None:
    one, two = publish(home), publish(home)
    assert not mirror(home, two, server.address()).is_unchanged
    assert mirror(home, two, server.address()).is_unchanged
    assert shown(server) == (2, 2, 2, 0)
    assert not mirror(home, one, server.address()).is_unchanged
    assert shown(server) == (1, 1, 1, 0)


def test_odbc_and_jdbc_read_it(home: Home, server: Server) -> None:
    query = 'select id, big, dec, is_so, "text", day, "at" from tieout.dim_exact where id = 2'
    mirror(home, publish_exact(home), server.address())
    if not shutil.which("isql"):
        lacking("no isql (Debian: apt-get install unixodbc odbc-postgresql)")
    driver = (
        f"DRIVER=PostgreSQL Unicode;Servername=127.0.0.1;Port={server.port};Database=postgres;"
        f"Username={server.user};Password={server.password};BoolsAsChar=0"
    )
    odbc = subprocess.run(
        ["isql", "-k", driver, "-b", "-d|"],
        input=query + "\n", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert odbc.splitlines()[-1] == (
        "2|-9223372036854775808|0.000000000|0||9999-12-31|1970-01-01 00:00:00"
    )
    jar = Path("/usr/share/java/postgresql.jar")
    if not (shutil.which("java") and jar.exists()):
        lacking("no java or driver (Debian: default-jdk-headless, libpostgresql-jdbc-java)")
    jdbc = subprocess.run(
        ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar,
         Path(__file__).with_name("test_mirror_read.java"),
         f"jdbc:postgresql://127.0.0.1:{server.port}/postgres", server.user, query],
        env=os.environ | {"PGPASSWORD": server.password},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert jdbc.rstrip("\n").split("\t") == [
        "Integer:2", "Long:-9223372036854775808", "BigDecimal:0E-9", "Boolean:false",
        "String:", "Date:9999-12-31", "Timestamp:1970-01-01 00:00:00.0",
    ]  # fmt: skip


@pytest.mark.slow
def test_readers_see_one_publication_whole_while_many_are_mirrored(
    home: Home, server: Server
) -> None:
    """Fresh connections, held ones and transactions that began before: no error, no mix, no gap."""
    leads = [(f"L{n}", "a", "2026-03-01", "2026-03-02 10:11:12") for n in range(500)]
    kept = [publish(home, Books(leads=leads)) for _ in range(2)]
    mirror(home, kept[0], server.address())
    with server.connect() as postgres:
        for name in copying.names("tieout").values():
            postgres.execute(f"grant usage on schema {name} to reader")
            postgres.execute(f"grant select on all tables in schema {name} to reader")
    stop = threading.Event()
    seen: list[tuple[Any, ...]] = []
    errors: list[Exception] = []

    def read(style: str) -> None:
        held = server.connect(*READER)
        try:
            while not stop.is_set():
                if style == "fresh":
                    with server.connect(*READER) as fresh:
                        seen.extend(fresh.execute(MARKS).fetchall())
                elif style == "held":
                    seen.extend(held.execute(MARKS, prepare=True).fetchall())
                else:
                    with held.transaction():
                        held.execute("set transaction isolation level repeatable read")
                        held.execute("select 1")
                        stop.wait(0.01)
                        first = held.execute("select mark from tieout.dim_mark").fetchall()
                        seen.extend(held.execute(MARKS).fetchall())
                        assert first == [seen[-1][:1]], "a transaction saw two publications"
        except Exception as error:  # noqa: BLE001 - handed to the test, which fails on it
            errors.append(error)
        finally:
            held.close()

    readers = [
        threading.Thread(target=read, args=(style,)) for style in ("fresh", "held", "transaction")
    ]
    for reader in readers:
        reader.start()
    try:
        for n in range(SWAPS):
            assert not mirror(home, kept[(n + 1) % 2], server.address()).is_unchanged
    finally:
        stop.set()
        for reader in readers:
            reader.join(timeout=60)
    assert errors == []
    assert set(seen) == {(1, 1, 1, 500), (2, 2, 2, 500)}
    assert len(seen) > SWAPS


def test_a_reader_who_stays_is_named_and_nothing_changes(home: Home, server: Server) -> None:
    one, two = publish(home), publish(home)
    mirror(home, one, server.address())
    with server.connect() as postgres:
        postgres.execute("begin")
        postgres.execute("select mark from tieout.dim_mark")
        with pytest.raises(ReleaseError, match=rf"process {postgres.info.backend_pid} of tester"):
            mirror(home, two, server.address(), wait=0)
        began = time.monotonic()
        assert shown(server) == (1, 1, 1, 0)
        assert time.monotonic() - began < 1, "readers do not wait once the mirror has given up"
    mirror(home, two, server.address(), wait=0)
    assert shown(server) == (2, 2, 2, 0)


def test_a_reader_is_never_the_victim_of_a_deadlock(home: Home, server: Server) -> None:
    """It holds the last table and asks for the first, while the mirror does it the other way."""
    one, two = publish(home), publish(home)
    mirror(home, one, server.address())
    waiting = threading.Thread(target=mirror, args=(home, two, server.address()))
    with server.connect() as postgres, server.connect() as watching:
        postgres.execute("begin")
        postgres.execute("select number from tieout_meta.publication")
        waiting.start()
        until = time.monotonic() + 30
        while watching.execute("select 1 from pg_locks where not granted").fetchone() is None:
            assert time.monotonic() < until
        time.sleep(1.2)  # past deadlock_timeout: a wait without end would now end the reader
        assert postgres.execute("select mark from tieout.dim_mark").fetchone() == (1,)
        postgres.execute("commit")
    waiting.join(timeout=60)
    assert shown(server) == (2, 2, 2, 0)


def test_who_may_read_the_old_may_read_the_new_and_no_more(home: Home, server: Server) -> None:
    one, two = publish(home), publish(home)
    mirror(home, one, server.address())
    with server.connect() as postgres:
        postgres.execute("grant usage on schema tieout to reader")
    mirror(home, two, server.address())
    with server.connect(*READER) as postgres:
        assert postgres.execute("select mark from tieout.dim_mark").fetchone() == (2,)
        for refused in ("select * from tieout_audit.run", "delete from tieout.dim_mark"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                postgres.execute(refused)


# --- Killed --------------------------------------------------------------------------------------


def mirror_until_statement(root: Path, number: int, address: str, last: int, count: Path) -> None:
    """Mirror, and die by SIGKILL before the given statement; how many were made goes to `count`."""
    home, made = Home(root), 0
    original = psycopg.Connection.execute

    def counted(self: psycopg.Connection, *args: Any, **kwargs: Any) -> Any:
        nonlocal made
        if made == last:
            os.kill(os.getpid(), signal.SIGKILL)
        made += 1
        return original(self, *args, **kwargs)

    psycopg.Connection.execute = counted  # type: ignore[method-assign]
    mirror(home, publication(home, number), address)
    count.write_text(str(made))


def test_a_kill_leaves_readers_what_they_had_and_the_next_one_works(
    home: Home, server: Server, tmp_path: Path
) -> None:
    one, two = publish(home), publish(home)
    count = tmp_path / "count"

    def run(number: int, last: int) -> int | None:
        child = PROCESSES.Process(
            target=mirror_until_statement, args=(home.root, number, server.address(), last, count)
        )
        child.start()
        child.join(timeout=60)
        return child.exitcode

    assert run(1, 10_000) == 0  # the first mirror makes other statements than the next
    assert run(2, 10_000) == 0
    statements = int(count.read_text())
    mirror(home, one, server.address())
    for last in (3, statements // 2, statements - 4, statements - 1):
        assert run(2, last) == -signal.SIGKILL
        assert shown(server) == (1, 1, 1, 0)
    assert not mirror(home, two, server.address()).is_unchanged
    assert shown(server) == (2, 2, 2, 0)


# --- Refused -------------------------------------------------------------------------------------


def test_what_arrives_otherwise_is_not_shown(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = copying._copy

    def losing(books: Any, postgres: Any, table: Any, schema: str) -> None:
        original(books, postgres, table, schema)
        if table.name == "dim_mark":
            postgres.execute(f"update {schema}.dim_mark set mark = mark + 1")

    monkeypatch.setattr(copying, "_copy", losing)
    with pytest.raises(ReleaseError, match=r"main\.dim_mark arrived otherwise"):
        mirror(home, publish(home), server.address())
    assert shown(server) is None


def test_a_changed_file_is_refused(home: Home, server: Server) -> None:
    kept = publish(home)
    kept.folder.chmod(0o755)
    kept.database.chmod(0o644)
    with kept.database.open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ReleaseError, match="SHA-256"):
        mirror(home, kept, server.address())
    assert shown(server) is None


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ("create schema tieout_meta", "tieout_meta that is not a mirror"),
        ("create view tieout.mine as select 1 as a", "lost with the old publication: mine"),
        ("create table tieout.mine (a int)", "holds what the mirror did not put there"),
        (
            "create schema elsewhere; create view elsewhere.v as select mark from tieout.dim_mark",
            r"view elsewhere\.v depends on table tieout\.dim_mark",
        ),
    ],
)
def test_what_others_made_is_never_lost(home: Home, server: Server, theirs: str, why: str) -> None:
    one, two = publish(home), publish(home)
    if "schema tieout_meta" not in theirs:
        mirror(home, one, server.address())
    with server.connect() as postgres:
        postgres.execute(theirs)
        before = postgres.execute("select oid from pg_class order by oid").fetchall()
        with pytest.raises(ReleaseError, match=why):
            mirror(home, two, server.address())
        assert postgres.execute("select oid from pg_class order by oid").fetchall() == before


def test_the_command_refuses_the_unpublished_and_tells_no_password(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_HOME", str(home.root))

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.app, ["mirror", *words])
        return result.exit_code, result.output

    code, text = run()
    assert (code, "TIEOUT_MIRROR holds no address" in text) == (2, True)
    monkeypatch.setenv("BOOKS", server.address())
    assert run("--to", "BOOKS")[0] == 1, "nothing is published"
    publish(home)
    sealed(home, Books(mark=2))
    code, text = run("2", "--to", "BOOKS")
    assert (code, "there is no publication 2" in text) == (1, True)
    assert shown(server) is None
    for wrong in (server.address(password="s3cret-x"), f"s3cret-x {server.port}"):
        monkeypatch.setenv("TIEOUT_MIRROR", wrong)
        code, text = run()
        assert code == 1
        assert "cannot be reached" in text and "s3cret" not in text and server.user not in text
    code, text = run("--to", "BOOKS", "--json")
    assert (code, json.loads(text)["number"]) == (0, 1)
    assert run("--to", "BOOKS") == (0, "the mirror shows publication 1 already\n")
