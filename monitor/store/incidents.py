"""Incidents and their timeline. They change only in a turn of the pager; see `paging.commit`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from monitor.store.engine import reading
from monitor.store.schema import incidents, timeline
from monitor.store.store import Store, insert

__all__ = [
    "EntryRow",
    "IncidentRow",
    "last_id",
    "list_entries",
    "list_incidents",
    "read_incident",
    "write_entries",
    "write_incidents",
]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """See schema.incidents."""

    id: int
    phase: str
    severity: str
    owner: str
    opened_ms: int
    resolved_ms: int | None
    document: bytes


@dataclass(frozen=True, slots=True)
class EntryRow:
    """See schema.timeline."""

    incident: int | None
    at_ms: int
    kind: str
    who: str
    text: str


def last_id(store: Store) -> int:
    """The highest id of an incident; 0 before the first."""
    with reading(store.engine) as connection:
        return int(connection.scalar(sa.select(sa.func.max(incidents.c.id))) or 0)


def list_incidents(
    store: Store, since_ms: int | None = None, limit: int | None = None, owner: str | None = None
) -> list[IncidentRow]:
    """Those that are open, and with `since_ms` those resolved since then; the newest first."""
    wanted: sa.ColumnElement[bool] = incidents.c.resolved_ms.is_(None)
    if since_ms is not None:
        wanted = sa.or_(wanted, incidents.c.resolved_ms >= since_ms)
    if owner is not None:
        wanted = sa.and_(wanted, incidents.c.owner == owner)
    query = sa.select(incidents).where(wanted).order_by(incidents.c.id.desc()).limit(limit)
    with reading(store.engine) as connection:
        return [IncidentRow(**row) for row in connection.execute(query).mappings()]


def read_incident(store: Store, id: int) -> IncidentRow | None:
    """The incident of an id; None where there is none."""
    with reading(store.engine) as connection:
        row = connection.execute(sa.select(incidents).where(incidents.c.id == id)).mappings().one_or_none()
        return None if row is None else IncidentRow(**row)


def list_entries(store: Store, incident: int | None = None, limit: int | None = None) -> list[EntryRow]:
    """The newest entries of an incident, or of everything, in the order in which they were written."""
    query = sa.select(*(timeline.c[name] for name in EntryRow.__slots__)).order_by(timeline.c.id.desc())
    if incident is not None:
        query = query.where(timeline.c.incident == incident)
    with reading(store.engine) as connection:
        found = [EntryRow(**row) for row in connection.execute(query.limit(limit)).mappings()]
    return found[::-1]


def write_incidents(store: Store, connection: sa.Connection, rows: Sequence[IncidentRow]) -> None:
    """Within the transaction of a turn: new incidents, and those that changed."""
    if rows:
        upsert = insert(store, incidents)
        moved = ("phase", "severity", "owner", "opened_ms", "resolved_ms", "document")
        connection.execute(
            upsert.on_conflict_do_update(index_elements=["id"], set_={n: upsert.excluded[n] for n in moved}),
            [asdict(row) for row in rows],
        )


def write_entries(connection: sa.Connection, rows: Sequence[EntryRow]) -> None:
    """Within the transaction of a turn: what happened in it."""
    if rows:
        connection.execute(sa.insert(timeline), [asdict(row) for row in rows])
