"""The mirror: a publication's tables in PostgreSQL, for tools that speak ODBC or JDBC.

Belongs here: what is copied, how readers are moved from one publication to the next, what is
refused. Does not belong here: who may read it (roles are the database's) and the command line.

One transaction does everything: it makes fresh schemas beside those that are read, fills them,
counts and adds up what arrived, then takes the place of the old ones. A process that is killed, or
a network that fails, leaves what readers had, because the server rolls back.

Three things make that true for a reader at any moment, each of them tried with readers at work
(tests/integration/test_mirror.py):

- *Never a mix.* A statement resolves its tables one after the other, so a mere rename between two
  of them would show it both publications. The swap therefore needs an exclusive lock on every old
  table, which waits for each transaction that has read one.
- *Never an error.* While the swap waits, new readers wait behind it, and two who wait for each
  other are a deadlock after `deadlock_timeout`, of which a reader may be the victim. So a try to
  lock ends before that, lets the readers through and is made again.
- *Never an empty table.* To a transaction that began before the swap and reads after it, rows of
  later commits do not exist. Rows are copied frozen, so they exist for everybody.

Nothing is logged here. The address holds a password: no message repeats any part of it.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.lib.release.content import quoted
from orchestration.lib.release.errors import ReleaseError
from orchestration.lib.release.promote import Publication, damages
from orchestration.lib.release.reader import CATALOG, open_release
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb
    import psycopg

#: Written into the comment of every schema: whose it is, and what is in it. A change of types or of
#: names is another format, which is copied again although the publication is the same.
FORMAT = 1
MARK = f"Tieout mirror {FORMAT}"
SCHEMAS = ("main", "audit", "meta")
_BATCH_ROWS = 50_000
_PAUSE_SECONDS = 0.2
#: How much of the server's `deadlock_timeout` a try to lock may take.
_LOCK_SHARE = 0.6

_TYPES = {
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "HUGEINT": "numeric(39, 0)",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


class DriverMissingError(ReleaseError):
    """psycopg is an option of its own and not installed."""


@dataclass(frozen=True)
class Mirrored:
    """What the mirror shows now; `is_unchanged` where it showed that already."""

    number: int
    schema: str
    tables: int
    rows: int
    is_unchanged: bool
    seconds: float


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str
    is_nullable: bool
    comment: str | None


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    comment: str | None
    columns: tuple[_Column, ...]


def names(schema: str) -> dict[str, str]:
    """What the schemas of the file are called in the mirror."""
    return {"main": schema, "audit": f"{schema}_audit", "meta": f"{schema}_meta"}


def mirror(
    home: Home, kept: Publication, address: str, *, schema: str = "tieout", wait: float = 60.0
) -> Mirrored:
    """Have the PostgreSQL database at `address` show this publication, or leave it as it is.

    Args:
        home: the state folder of the publication.
        kept: the publication; a file that is not what was published is refused.
        address: a connection string of libpq; it holds a password and is never repeated.
        schema: the schema of the figures; `audit` and `meta` are named after it.
        wait: seconds that readers of the old tables are waited for.
    """
    began = time.monotonic()
    if damage := damages(home, kept):
        raise ReleaseError(
            f"publication {kept.number} cannot be mirrored",
            why="; ".join(damage),
            next_step="`tieout publications verify` shows which are whole",
        )
    with (
        _connected(address) as postgres,
        open_release(kept.database) as books,
        _errors_told(),
    ):
        tables = _tables(books)
        rows = _rows(books, tables)
        held = _hold(postgres, schema)
        marks = _marks(kept, tables)
        if held == {names(schema)[each]: mark for each, mark in marks.items()}:
            postgres.rollback()
            return _mirrored(kept, schema, tables, rows, began, is_unchanged=True)
        for each in SCHEMAS:
            _run(postgres, f"create schema {quoted(_next(schema, each))}")
            _say(postgres, f"schema {quoted(_next(schema, each))}", marks[each])
        for table in tables:
            _copy(books, postgres, table, _next(schema, table.schema))
            _reconcile(books, postgres, table, _next(schema, table.schema))
        _grant(postgres, schema)
        _swap(postgres, schema, held, wait)
        postgres.commit()
    return _mirrored(kept, schema, tables, rows, began, is_unchanged=False)


def _mirrored(
    kept: Publication,
    schema: str,
    tables: Sequence[_Table],
    rows: int,
    began: float,
    *,
    is_unchanged: bool,
) -> Mirrored:
    seconds = round(time.monotonic() - began, 2)
    return Mirrored(kept.number, schema, len(tables), rows, is_unchanged, seconds)


def _next(schema: str, each: str) -> str:
    """The schema that is being filled; no transaction but ours ever sees it."""
    return f"{names(schema)[each]}__next"


def _marks(kept: Publication, tables: Sequence[_Table]) -> dict[str, str]:
    return {
        each: f"{MARK}: publication {kept.number} as of {kept.receipt.as_of},"
        f" {sum(table.schema == each for table in tables)} tables,"
        f" SHA-256 {kept.receipt.file_sha256}"
        for each in SCHEMAS
    }


# --- The server ----------------------------------------------------------------------------------


@contextmanager
def _connected(address: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        import psycopg
    except ImportError as error:
        raise DriverMissingError(
            "the mirror needs psycopg, which is not installed",
            why="it is an option: no run needs it",
            next_step="pip install 'tieout[mirror]'",
        ) from error
    try:
        postgres = psycopg.connect(
            address, application_name="tieout mirror", options="-c timezone=UTC -c datestyle=ISO"
        )
    except psycopg.Error as error:
        # libpq repeats what it could not parse, and a host or user may hold what should not be
        # shown: only the kind of trouble is told.
        kind = "it is no connection string" if isinstance(error, psycopg.ProgrammingError) else ""
        raise ReleaseError(
            "the PostgreSQL server of the mirror cannot be reached",
            why=kind or "it does not answer, or does not let this user in",
            next_step="try the same address with psql; readers still see what they saw",
        ) from None
    with postgres:
        yield postgres


@contextmanager
def _errors_told() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        message = error.diag.message_primary or type(error).__name__
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        raise ReleaseError(
            "the mirror was not changed",
            why=f"PostgreSQL: {message}{detail}",
            next_step="readers still see what they saw; put that right and try again",
        ) from error


def _run(
    postgres: psycopg.Connection[Any], statement: str, values: Sequence[object] | None = None
) -> psycopg.Cursor[Any]:
    return postgres.execute(statement, values)


def _say(postgres: psycopg.Connection[Any], what: str, comment: str | None) -> None:
    if comment:
        text = comment.replace("'", "''")
        _run(postgres, f"comment on {what} is '{text}'")


def _hold(postgres: psycopg.Connection[Any], schema: str) -> dict[str, str]:
    """Make sure that nobody else mirrors there; the marks of what is there.

    A schema of that name that is not a mirror, or that holds what the mirror did not put there, is
    somebody's work and is refused.
    """
    mine = f"tieout mirror {schema}"
    if not _answer(postgres, "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [mine]):
        raise ReleaseError(
            "another mirror of the same schema is under way",
            why="two at once would wait for each other",
            next_step="try again when it has ended",
        )
    found = _run(
        postgres,
        """
        select
            nspname,
            coalesce(obj_description(oid, 'pg_namespace'), ''),
            (select count(*) from pg_class where relnamespace = pg_namespace.oid and relkind = 'r'),
            (
                select string_agg(relname, ', ' order by relname)
                from pg_class
                where relnamespace = pg_namespace.oid and relkind not in ('r', 'i', 't')
            )
        from pg_namespace
        where nspname = any(%s)
        """,
        [list(names(schema).values())],
    ).fetchall()
    for name, mark, tables, others in found:
        if not mark.startswith("Tieout mirror "):
            raise ReleaseError(
                f"the database has a schema {name} that is not a mirror",
                why="it would be replaced with everything in it",
                next_step="choose another name: --schema NAME",
            )
        if others or f", {tables} tables, " not in mark:
            raise ReleaseError(
                f"schema {name} holds what the mirror did not put there",
                why=f"it would be lost with the old publication: {others or 'a table'}",
                next_step="move it to a schema of your own; the mirror's are its own",
            )
    return {name: mark for name, mark, _, _ in found}


def _grant(postgres: psycopg.Connection[Any], schema: str) -> None:
    """Whoever may use the old schema may use and read the new one."""
    for each in SCHEMAS:
        roles = _run(
            postgres,
            """
            select distinct case when grantee = 0 then 'public' else quote_ident(rolname) end
            from pg_namespace
            cross join aclexplode(nspacl)
            left join pg_roles on pg_roles.oid = grantee
            where nspname = %s and privilege_type = 'USAGE' and grantee <> nspowner
            """,
            [names(schema)[each]],
        ).fetchall()
        target = quoted(_next(schema, each))
        for (role,) in roles:
            _run(postgres, f"grant usage on schema {target} to {role}")
            _run(postgres, f"grant select on all tables in schema {target} to {role}")


def _swap(
    postgres: psycopg.Connection[Any], schema: str, held: dict[str, str], wait: float
) -> None:
    """Drop the old tables and give the new ones their names, when no transaction reads the old."""
    old = [
        quoted(*row)
        for row in _run(
            postgres,
            "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2",
            [list(held)],
        ).fetchall()
    ]
    if old:
        _lock(postgres, old, wait)
        # Not `cascade`: a view that somebody made on them stops the mirror; it is not lost.
        _run(postgres, f"drop table {', '.join(old)}")
    for name in held:
        _run(postgres, f"drop schema {quoted(name)}")
    for each in SCHEMAS:
        target = quoted(names(schema)[each])
        _run(postgres, f"alter schema {quoted(_next(schema, each))} rename to {target}")


def _lock(postgres: psycopg.Connection[Any], tables: Sequence[str], wait: float) -> None:
    import psycopg

    milliseconds = _answer(
        postgres, "select setting::int from pg_settings where name = 'deadlock_timeout'"
    )
    _run(postgres, f"set local statement_timeout = {max(int(milliseconds * _LOCK_SHARE), 1)}")
    until = time.monotonic() + wait
    while True:
        _run(postgres, "savepoint unlocked")
        try:
            _run(postgres, f"lock table {', '.join(tables)} in access exclusive mode")
        except psycopg.errors.QueryCanceled:
            _run(postgres, "rollback to savepoint unlocked")
            if time.monotonic() >= until:
                raise ReleaseError(
                    f"the mirror was not changed: its readers were waited for {wait:.0f} s",
                    why=f"a transaction that has read it stays open: {_readers(postgres, tables)}",
                    next_step="end it, or give more time: --wait SECONDS",
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            _run(postgres, "set local statement_timeout = 0")
            return


def _readers(postgres: psycopg.Connection[Any], tables: Sequence[str]) -> str:
    found = _run(
        postgres,
        """
        select string_agg(distinct format('process %%s of %%s', activity.pid, usename), ', ')
        from pg_locks
        inner join pg_stat_activity as activity on activity.pid = pg_locks.pid
        where relation = any(%s::regclass[]) and activity.pid <> pg_backend_pid()
        """,
        [list(tables)],
    ).fetchone()
    return (found and found[0]) or "it has ended just now"


def _answer(
    postgres: psycopg.Connection[Any], query: str, values: Sequence[object] | None = None
) -> Any:
    row = _run(postgres, query, values).fetchone()
    if row is None:
        raise RuntimeError(f"no row: {query}")
    return row[0]


# --- The tables ----------------------------------------------------------------------------------


def _tables(books: duckdb.DuckDBPyConnection) -> list[_Table]:
    found = books.execute(
        """
        select
            columns.schema_name,
            columns.table_name,
            any_value(tables.comment),
            list(
                [columns.column_name, data_type, is_nullable::varchar, columns.comment]
                order by column_index
            )
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where database_name = ?
        group by columns.schema_name, columns.table_name
        order by columns.schema_name, columns.table_name
        """,
        [CATALOG],
    ).fetchall()
    return [
        _Table(
            schema,
            name,
            comment,
            tuple(
                _Column(column, kind, is_nullable == "true", text)
                for column, kind, is_nullable, text in columns
            ),
        )
        for schema, name, comment, columns in found
    ]


def _rows(books: duckdb.DuckDBPyConnection, tables: Sequence[_Table]) -> int:
    parts = (f"select count(*) as n from {quoted(table.schema, table.name)}" for table in tables)
    counted = books.execute(f"select sum(n) from ({' union all '.join(parts)})").fetchone()
    return 0 if counted is None else int(counted[0])


def postgres_type(kind: str) -> str | None:
    """What a type of the file is in PostgreSQL without any loss; None where there is none."""
    if found := _DECIMAL.fullmatch(kind):
        return f"numeric({found[1]}, {found[2]})"
    return _TYPES.get(kind)


def _copy(
    books: duckdb.DuckDBPyConnection,
    postgres: psycopg.Connection[Any],
    table: _Table,
    schema: str,
) -> None:
    """One table: its columns with NOT NULL and comments, then its rows, frozen."""
    from pyarrow import csv

    declared = []
    for column in table.columns:
        kind = postgres_type(column.kind)
        if kind is None:
            raise ReleaseError(
                f"{table.schema}.{table.name}.{column.name} has the type {column.kind}",
                why="PostgreSQL has none that holds all of it",
                next_step="give the column another type in its model",
            )
        declared.append(f"{quoted(column.name)} {kind}{'' if column.is_nullable else ' not null'}")
    target = quoted(schema, table.name)
    _run(postgres, f"create table {target} ({', '.join(declared)})")
    # Arrow writes text in quotation marks and leaves null empty: the two stay apart.
    options = csv.WriteOptions(include_header=False)
    listed = ", ".join(quoted(column.name) for column in table.columns)
    batches = books.execute(
        f"select {listed} from {quoted(table.schema, table.name)}"
    ).to_arrow_reader(_BATCH_ROWS)
    statement = f"copy {target} ({listed}) from stdin with (format csv, freeze true)"
    with postgres.cursor() as cursor, cursor.copy(statement) as stream:
        for batch in batches:
            text = io.BytesIO()
            csv.write_csv(batch, text, options)
            stream.write(text.getbuffer())
    _say(postgres, f"table {target}", table.comment)
    for column in table.columns:
        _say(postgres, f"column {target}.{quoted(column.name)}", column.comment)
    _run(postgres, f"analyze {target}")


def _reconcile(
    books: duckdb.DuckDBPyConnection,
    postgres: psycopg.Connection[Any],
    table: _Table,
    schema: str,
) -> None:
    """What arrived is what was sent: rows, values that are not null, and the sum of each number."""
    facts = ["count(*)"]
    for column in table.columns:
        name = quoted(column.name)
        facts.append(f"count({name})")
        if column.kind.endswith("INT") or _DECIMAL.fullmatch(column.kind):
            facts.append(f"sum({name})")
    listed = ", ".join(facts)
    sent = books.execute(f"select {listed} from {quoted(table.schema, table.name)}").fetchone()
    came = _run(postgres, f"select {listed} from {quoted(schema, table.name)}").fetchone()
    if _exact(sent) != _exact(came):
        raise ReleaseError(
            f"{table.schema}.{table.name} arrived otherwise than it was sent",
            why=f"rows, values and sums sent: {sent}, arrived: {came}",
            next_step="try again; if it stays so, tell us with the types of its columns",
        )


def _exact(row: Sequence[Any] | None) -> list[Decimal | None]:
    return [None if value is None else Decimal(value) for value in row or ()]
