"""Lookup files: another file of a feed, as the relation `key, value`.

Belongs here: reading such a file and refusing one that gives two answers.
Does not belong here: how a looked-up text is read on (`values`).
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.lib.sources.config import LookupFile, TableSource
from orchestration.lib.sources.files import SetupError, SourceFile
from orchestration.lib.sources.values import quoted, trimmed

if TYPE_CHECKING:
    import duckdb


def open_lookup(con: duckdb.DuckDBPyConnection, source: TableSource, lookup: LookupFile) -> str:
    """The name of a temporary table with the file's keys and values, made if it is not there.

    Raises:
        SetupError: There is no such file or column, or one key stands for several values.
    """
    path = source.root / lookup.file
    if not path.is_file():
        raise SetupError(
            f"{source.declared_at}: lookup_file.file: there is no file {path}; correct the name, or"
            " deliver the file"
        )
    own = replace(source, columns=None, format=None, skip_lines=0, sheet=None, exclude=())
    with tempfile.TemporaryDirectory() as scratch:
        file = SourceFile(con, own, path, Path(scratch))
        file.read_header()
        if file.must_be_copied or (file.is_text and file.scan().has_mixed_ends):
            file.copy_readable()
        identity = str((path, lookup.key, lookup.value)).encode()
        name = f"lookup_{hashlib.sha256(identity).hexdigest()[:16]}"
        columns = [f"c{file.index(column)}::varchar" for column in (lookup.key, lookup.value)]
        key, value = (_cell(source, column) for column in columns)
        con.execute(
            f"create or replace temp table {name} as"
            f" select {key} as key, any_value({value}) as value, count(distinct {value}) as answers"
            f" from ({file.relation()}) group by all having key is not null"
        )
        _refuse_torn(con, file)
    ambiguous = con.execute(
        f"select key from {name} where answers > 1 order by key limit 3"
    ).fetchall()
    if ambiguous:
        raise SetupError(
            f"{path}: {lookup.key} {ambiguous[0][0]!r} stands for several values of {lookup.value};"
            f" a lookup needs one. Correct the file, or look up by another column"
            f" ({source.declared_at})"
        )
    return name


def _cell(source: TableSource, column: str) -> str:
    """The cell as text, cleaned as the table's own cells are."""
    text = trimmed(column)
    nulls = ", ".join(quoted(item) for item in source.nulls if item)
    return f"case when {text} not in ({nulls}) then {text} end" if nulls else text


def _refuse_torn(con: duckdb.DuckDBPyConnection, file: SourceFile) -> None:
    """A record that cannot be split is an answer that is missing: the file must be mended."""
    if not file.is_text:
        return
    positions = file.refused_positions()
    file.forget_refused()
    if positions:
        raise SetupError(
            f"{file.path}: {len(positions)} rows of the lookup file cannot be read (ragged or badly"
            f" quoted), the first at byte {positions[0]}; correct the file"
        )
