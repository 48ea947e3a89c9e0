"""Silences, each as a document."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.store.engine import reading, writing
from monitor.store.incidents import EntryRow, write_entries
from monitor.store.schema import silences
from monitor.store.store import Store, insert

__all__ = ["SilenceRow", "list_silences", "put_silences"]


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """See schema.silences."""

    id: str
    ends_ms: int | None
    document: bytes


def put_silences(store: Store, *rows: SilenceRow, entries: Sequence[EntryRow] = ()) -> None:
    """Keeps silences, each in the place of one of the same id, and who did that; all of it or nothing."""
    upsert = insert(store, silences)
    with writing(store.engine) as connection:
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["id"],
                set_={"ends_ms": upsert.excluded.ends_ms, "document": upsert.excluded.document},
            ),
            [{"id": row.id, "ends_ms": row.ends_ms, "document": row.document} for row in rows],
        )
        write_entries(connection, entries)


def list_silences(store: Store) -> list[SilenceRow]:
    """All that are kept, in order of their ids."""
    with reading(store.engine) as connection:
        return [
            SilenceRow(**r)
            for r in connection.execute(sa.select(silences).order_by(silences.c.id)).mappings()
        ]
