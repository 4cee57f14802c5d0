"""Dagster's SQLite event log, with its connections kept.

Belongs here: this one class, named in `dagster.yaml`. The log's format is Dagster's own: taking the
class out of `dagster.yaml` is the way back, and the files stay readable either way.

Dagster 1.13.27 makes an SQLAlchemy engine, a connection and freshly compiled statements for every
event it stores. A run of 60 models and 180 checks cost 8 to 10 processor seconds that way, and 2.3
with the engine kept (two cores, 2026-11-22). The seam is `_connect`, private to Dagster, whose
version is pinned; tests/pipeline reads back with Dagster's own class what this one wrote.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

#: One file per run and the index: a run needs two, the UI reads a few at a time.
_KEPT = 8
_BUSY_SECONDS = 30


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that opens each file once."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> KeptSqliteEventLogStorage:
        """Dagster's own makes its own class, whatever the class is."""
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Asked for every event; a table that is there stays."""
        if table_name not in self._tables:
            if not super().has_table(table_name):
                return False
            self._tables.add(table_name)
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard in self._engines:
            self._engines.move_to_end(shard)
            return self._engines[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            # The lock of `_connect` gives the connection to one thread at a time.
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _do_not_wait_for_the_disk)
        self._engines[shard] = engine
        while len(self._engines) > _KEPT:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def dispose(self) -> None:
        """Close the files."""
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
        super().dispose()


def _do_not_wait_for_the_disk(connection: Any, _record: Any) -> None:
    """In WAL mode NORMAL cannot damage the file; a power cut may lose the last events."""
    connection.execute("pragma synchronous=normal")
