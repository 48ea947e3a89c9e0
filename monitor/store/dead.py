"""Dead letters: messages that are no records, kept with place and reason, within a cap."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.records import DeadLetter, Partition
from monitor.store.engine import reading
from monitor.store.schema import counts, dead_letters
from monitor.store.store import Store, insert

__all__ = ["Cap", "Kept", "list_kept", "mark_replayed", "totals", "write"]


@dataclass(frozen=True, slots=True)
class Cap:
    """How many dead letters are kept, and how many bytes of them; the rest are counted only."""

    rows: int = 10_000
    payload_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter as it is kept."""

    id: int
    topic: str
    partition: int
    position: int
    place: str
    reason: str
    detail: str
    payload: bytes
    at_ms: int
    replayed_ms: int | None


def write(
    store: Store,
    connection: sa.Connection,
    partition: Partition,
    letters: Sequence[DeadLetter],
    now_ms: int,
    cap: Cap,
) -> int:
    """Keeps what the cap has room for, in the caller's transaction; returns how many it dropped."""
    if not letters:
        return 0
    n, size = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(dead_letters.c.payload)), 0))
    ).one()
    kept: list[dict[str, object]] = []
    for letter in letters:
        if n + len(kept) >= cap.rows or size + len(letter.payload) > cap.payload_bytes:
            break
        size += len(letter.payload)
        kept.append(
            {
                "topic": partition.topic,
                "part": partition.number,
                "position": letter.position,
                "place": letter.where,
                "reason": letter.reason,
                "detail": letter.detail,
                "payload": letter.payload,
                "at_ms": now_ms,
            }
        )
    if kept:
        connection.execute(insert(store, dead_letters).on_conflict_do_nothing(), kept)
    return len(letters) - len(kept)


def mark_replayed(connection: sa.Connection, ids: Sequence[int], now_ms: int) -> None:
    """Marks kept letters as replayed, in the caller's transaction."""
    if ids:
        connection.execute(
            sa.update(dead_letters).where(dead_letters.c.id.in_(ids)).values(replayed_ms=now_ms)
        )


def list_kept(
    store: Store,
    *,
    reason: str | None = None,
    topic: str | None = None,
    pending: bool = False,
    after_id: int = 0,
    limit: int = 100,
) -> list[Kept]:
    """Kept letters in the order they were kept. `pending` leaves out those that were replayed."""
    query = (
        sa.select(dead_letters).where(dead_letters.c.id > after_id).order_by(dead_letters.c.id).limit(limit)
    )
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    if topic is not None:
        query = query.where(dead_letters.c.topic == topic)
    if pending:
        query = query.where(dead_letters.c.replayed_ms.is_(None))
    with reading(store.engine) as connection:
        return [
            Kept(
                r.id,
                r.topic,
                r.part,
                r.position,
                r.place,
                r.reason,
                r.detail,
                r.payload,
                r.at_ms,
                r.replayed_ms,
            )
            for r in connection.execute(query)
        ]


def totals(store: Store) -> dict[tuple[str, str], int]:
    """Counts by (kind, name): kinds `dead_letter` by reason, `dead_letter_dropped`, `unknown_field`, and of
    pairs `orphan_label` and `crowded_out` by half."""
    query = sa.select(counts.c.kind, counts.c.name, sa.func.sum(counts.c.n)).group_by(
        counts.c.kind, counts.c.name
    )
    with reading(store.engine) as connection:
        return {(kind, name): int(n) for kind, name, n in connection.execute(query)}
