"""Backup and restore, while the service runs: one consistent snapshot as a SQLite file.

SQLite's own backup copies a SQLite store; from PostgreSQL every table is read in one snapshot into
a SQLite file. Either file restores into either database.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.store.engine import open_engine, reading, schema_version, writing
from monitor.store.schema import metadata
from monitor.store.store import Store

__all__ = ["backup", "restore"]

_ROWS_AT_ONCE = 2000
_log = logging.getLogger(__name__)


def backup(store: Store, path: Path) -> int:
    """Writes the store as it is now to `path`, whole or not at all; returns the file's size in bytes.

    Raises StoreError where `path` exists already.
    """
    if path.exists():
        raise StoreError(f"{path} exists: name a new file, or move it away first")
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        if store.is_sqlite:
            with (
                closing(sqlite3.connect(str(store.engine.url.database))) as live,
                closing(sqlite3.connect(partial)) as copy,
            ):
                live.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        else:
            target = Store.open(f"sqlite:///{partial}")
            try:
                with reading(store.engine) as source, writing(target.engine) as sink:
                    _copy(source, sink)
            finally:
                target.close()
            with closing(sqlite3.connect(partial)) as copy:
                copy.execute("PRAGMA journal_mode=DELETE")
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def restore(store: Store, path: Path) -> None:
    """Fills an empty store from a backup. Every partition then has a new epoch: older owners are fenced.

    Raises StoreError where the store is not empty, or the backup is of another schema.
    """
    if not path.is_file():
        raise StoreError(f"{path} is no file")
    source = open_engine(f"sqlite:///{path}")
    try:
        have, wanted = schema_version(source)
        if have != wanted:
            raise StoreError(
                f"{path} has schema {have}, this program wants {wanted}: restore with its version"
            )
        with reading(source) as backed_up, writing(store.engine) as sink:
            for table in metadata.sorted_tables:
                if sink.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                    raise StoreError(f"the store is not empty (table {table.name}): restore into a new one")
            _copy(backed_up, sink)
            progress = metadata.tables["progress"]
            sink.execute(sa.update(progress).values(epoch=progress.c.epoch + 1, owner="restored"))
            _reset_sequences(sink)
    finally:
        source.dispose()


def _copy(source: sa.Connection, sink: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        n = 0
        for rows in _chunks(source, table):
            sink.execute(sa.insert(table), rows)
            n += len(rows)
        _log.info("table copied", extra={"table": table.name, "rows": n})


def _chunks(source: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    result = source.execution_options(stream_results=True).execute(sa.select(table))
    while rows := result.mappings().fetchmany(_ROWS_AT_ONCE):
        yield [dict(row) for row in rows]


def _reset_sequences(connection: sa.Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True:
                sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
                highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(sequence, highest, False)))
