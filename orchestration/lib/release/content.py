"""The content hash: equal for equal tables, however their rows lie in the file.

Belongs here: one digest per table and one for all. Does not belong here: the file's own SHA-256
(`folders.file_sha256`), which is the proof against tampering. The content hash is the proof of
equality: same inputs and versions, same hash, whatever the threads, the order of rows or the time.

Per table, every row is hashed twice to 64 bits, the second time behind a constant that gives other
values throughout; rows, sums and exclusive-ors of both are independent of order. That and the
schema (names and types, in order) go through SHA-256. Two different tables agree by accident with a
chance of about 2^-64 per pair of differing texts and far less for differing rows. It is not meant
to withstand someone who constructs a collision; neither would sums of MD5.

Row hashes are DuckDB's `hash`, not MD5: measured on 10 million rows of ten columns, 0.8 s of
processor time against 8 s, which is what writing the table costs. Its values are the same in DuckDB
1.4, 1.5 and 2.0, but no promise is made of them, so they are probed on every use: an engine that
hashes otherwise signs with another algorithm's name and is never compared with this one.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import duckdb

from orchestration.lib.release.receipt import TableLine

ALGORITHM = "tieout-rows-1"

_PROBE = """
select
    hash(
        1::bigint, 'a', 'longer than twelve bytes é', null::varchar, date '2025-01-01',
        timestamp '2025-01-01 10:00:00', 1.50::decimal(38, 9), true, 1.5::double, 3::hugeint
    )
"""
_PROBE_ANSWER = 994537240399212565


def algorithm(connection: duckdb.DuckDBPyConnection) -> str:
    """The name under which this engine's hashes may be compared with others."""
    row = connection.execute(_PROBE).fetchone()
    if row == (_PROBE_ANSWER,):
        return ALGORITHM
    return f"{ALGORITHM} of duckdb {duckdb.__version__}"


def quoted(*names: str) -> str:
    """A qualified identifier."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(value: str | int | float | datetime | None) -> str:
    """A value as SQL writes it.

    A release is made without binding values: the first value that is bound makes DuckDB import
    pandas, if it is installed, to ask whether it is one of pandas' own (0.6 processor seconds).
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, float):
        # Not the digits: those would be a decimal first.
        return f"'{value!r}'::double"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def table_lines(connection: duckdb.DuckDBPyConnection, catalog: str) -> tuple[TableLine, ...]:
    """Size and digest of every table of an attached release, `meta` left out."""
    columns = connection.execute(
        f"""
        select schema_name, table_name, list([column_name, data_type] order by column_index)
        from duckdb_columns()
        where database_name = {literal(catalog)} and schema_name in ('main', 'audit')
        group by schema_name, table_name
        order by schema_name, table_name
        """
    ).fetchall()
    return tuple(
        _table_line(connection, catalog, schema, name, pairs) for schema, name, pairs in columns
    )


def content_sha256(tables: tuple[TableLine, ...]) -> str:
    """One digest for all tables."""
    parts = sorted([line.schema, line.name, line.sha256] for line in tables)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _table_line(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    schema: str,
    name: str,
    columns: list[list[str]],
) -> TableLine:
    row_of = ", ".join(quoted(column) for column, _ in columns)
    facts = connection.execute(
        f"""
        with

        hashed as (

            select
                hash({row_of}) as one,
                hash('tieout', {row_of}) as two
            from {quoted(catalog, schema, name)}

        )

        select count(*), sum(one), bit_xor(one), sum(two), bit_xor(two) from hashed
        """
    ).fetchone()
    if facts is None:
        raise RuntimeError(f"{name}: an aggregate gave no row")
    text = json.dumps([schema, name, columns, *(None if f is None else int(f) for f in facts)])
    return TableLine(
        schema=schema,
        name=name,
        rows=int(facts[0]),
        columns=len(columns),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
