"""What the pager keeps, written in one transaction by whoever has its epoch, and by nobody else."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa

from monitor import failpoints
from monitor.store.engine import reading, writing
from monitor.store.incidents import EntryRow, IncidentRow, write_entries, write_incidents
from monitor.store.schema import outbox, pager_inbox, pager_state, pagers, silences
from monitor.store.store import Store, insert

__all__ = [
    "Inbound",
    "OutboxRow",
    "Written",
    "add_inbox",
    "append_inbox",
    "claim",
    "commit",
    "drop_ended",
    "holds",
    "open_outbox",
    "read_inbox",
    "read_outbox",
    "read_state",
]

_NAME = "pager"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Inbound:
    """A batch of reports as it came."""

    id: int
    received_ms: int
    document: bytes


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """See schema.outbox; `document` is the message."""

    id: str
    receiver: str
    integration: int
    state: str
    attempts: int
    created_ms: int
    next_ms: int
    ended_ms: int | None
    doubtful: bool
    detail: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What a turn of the pager changed: `taken` are the reports that it has now in its own state, `changed`
    and `gone` its documents by (kind, key), `outbox` rows that are new or moved,
    `incidents` likewise, and `entries` of their timelines."""

    taken: Sequence[int] = ()
    changed: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    gone: Iterable[tuple[str, str]] = ()
    outbox: Sequence[OutboxRow] = ()
    incidents: Sequence[IncidentRow] = ()
    entries: Sequence[EntryRow] = ()


def append_inbox(store: Store, received_ms: int, document: bytes) -> None:
    """Keeps reports until the pager takes them. Raises StoreBusy, and then nothing is kept."""
    with writing(store.engine) as connection:
        add_inbox(connection, received_ms, document)


def add_inbox(connection: sa.Connection, received_ms: int, document: bytes) -> None:
    """The same inside a transaction."""
    connection.execute(sa.insert(pager_inbox).values(received_ms=received_ms, document=document))


def read_inbox(store: Store, limit: int) -> list[Inbound]:
    """The oldest reports that were not taken yet."""
    query = sa.select(pager_inbox).order_by(pager_inbox.c.id).limit(limit)
    with reading(store.engine) as connection:
        return [Inbound(**row) for row in connection.execute(query).mappings()]


def claim(store: Store, holder: str) -> int:
    """Takes the pager over: the epoch that its new holder writes with. Whoever had it writes no more."""
    upsert = insert(store, pagers).values(name=_NAME, epoch=1, turn=0, holder=holder)
    with writing(store.engine) as connection:
        found: int = connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["name"], set_={"epoch": pagers.c.epoch + 1, "turn": 0, "holder": holder}
            ).returning(pagers.c.epoch)
        ).scalar_one()
        return found


def read_state(store: Store) -> list[tuple[str, bytes]]:
    """All documents of the pager, each with its kind."""
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(pager_state.c.kind, pager_state.c.document))
        return [(kind, document) for kind, document in rows]


def holds(store: Store, epoch: int) -> bool:
    """Whether nobody has taken the pager over since. Raises StoreBusy."""
    with reading(store.engine) as connection:
        found = connection.scalar(sa.select(pagers.c.epoch).where(pagers.c.name == _NAME))
        return bool(found == epoch)


def commit(store: Store, epoch: int, turn: int, written: Written) -> bool:
    """Writes the turn of that number, counted from 1 in each epoch; again changes nothing. False, and
    nothing is written, where another has taken the pager over."""
    with writing(store.engine) as connection:
        mine = sa.and_(pagers.c.name == _NAME, pagers.c.epoch == epoch)
        next_one = sa.update(pagers).where(mine, pagers.c.turn == turn - 1).values(turn=turn)
        if connection.execute(next_one).rowcount != 1:
            # Its answer was lost, and it is written; or it is no longer ours to write.
            return connection.scalar(sa.select(pagers.c.turn).where(mine)) == turn
        for ids in _runs(list(written.taken)):
            connection.execute(sa.delete(pager_inbox).where(pager_inbox.c.id.in_(ids)))
        _write_documents(store, connection, written)
        _write_outbox(store, connection, written.outbox)
        write_incidents(store, connection, written.incidents)
        write_entries(connection, written.entries)
        failpoints.hit("pager.before_commit")
    failpoints.hit("pager.after_commit")
    return True


def _runs(ids: list[int]) -> Iterable[list[int]]:
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))


def _write_documents(store: Store, connection: sa.Connection, written: Written) -> None:
    gone = [{"of": kind, "by": _hashed(key)} for kind, key in written.gone]
    if gone:
        c = pager_state.c
        each = sa.delete(pager_state).where(c.kind == sa.bindparam("of"), c.key == sa.bindparam("by"))
        connection.execute(each, gone)
    rows = [
        {"kind": kind, "key": _hashed(key), "document": document}
        for (kind, key), document in written.changed.items()
    ]
    if rows:
        upsert = insert(store, pager_state)
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["kind", "key"], set_={"document": upsert.excluded.document}
            ),
            rows,
        )


def _write_outbox(store: Store, connection: sa.Connection, rows: Sequence[OutboxRow]) -> None:
    if rows:
        upsert = insert(store, outbox)
        moved = ("state", "attempts", "next_ms", "ended_ms", "doubtful", "detail", "document")
        connection.execute(
            upsert.on_conflict_do_update(index_elements=["id"], set_={n: upsert.excluded[n] for n in moved}),
            [asdict(row) for row in rows],
        )


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_outbox(store: Store) -> list[OutboxRow]:
    """What is not over yet, the oldest first."""
    query = sa.select(outbox).where(outbox.c.ended_ms.is_(None)).order_by(outbox.c.created_ms)
    with reading(store.engine) as connection:
        return [OutboxRow(**row) for row in connection.execute(query).mappings()]


def read_outbox(store: Store, limit: int) -> list[OutboxRow]:
    """The newest rows, over or not."""
    query = sa.select(outbox).order_by(outbox.c.created_ms.desc()).limit(limit)
    with reading(store.engine) as connection:
        return [OutboxRow(**row) for row in connection.execute(query).mappings()]


def drop_ended(store: Store, before_ms: int) -> None:
    """Forgets what was over by then: messages, and silences."""
    with writing(store.engine) as connection:
        connection.execute(sa.delete(outbox).where(outbox.c.ended_ms < before_ms))
        connection.execute(sa.delete(silences).where(silences.c.ends_ms < before_ms))
