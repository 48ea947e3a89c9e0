"""Events of operations in the store: each once by its source and id, in whatever order they come."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from monitor.ingest.events.decode import Event, data_of
from monitor.ingest.events.kinds import Data, Deployment
from monitor.store.engine import reading
from monitor.store.schema import events, series
from monitor.store.store import Store, insert

__all__ = [
    "DUPLICATE",
    "INTRODUCE",
    "Came",
    "Stored",
    "came_after",
    "has_events",
    "known_models",
    "list_events",
    "named_models",
    "shares_at",
    "write",
]

# The counter of events that came again.
DUPLICATE = "duplicate_event"
_AT_ONCE = 500
# Kinds that say that there is such a model.
INTRODUCE = ("registry", "training_run")


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is kept. `number` rises in the order in which events were committed."""

    number: int
    source: str
    id: str
    kind: str
    ts_ms: int
    seen_ms: int
    data: Data


def write(store: Store, connection: sa.Connection, taken: Sequence[Event]) -> int:
    """Keeps what is new, in the caller's transaction; returns how many were there already."""
    before = 0
    for at in range(0, len(taken), _AT_ONCE):
        rows = {(e.source, e.id): _row(e) for e in reversed(taken[at : at + _AT_ONCE])}
        upsert = insert(store, events).on_conflict_do_nothing(index_elements=["source", "event"])
        # In one order everywhere, so that two writers of the same events can't wait for each other.
        values = [rows[key] for key in sorted(rows)]
        kept = connection.execute(upsert.values(values).returning(events.c.id)).all()
        before += len(taken[at : at + _AT_ONCE]) - len(kept)
    return before


def _row(event: Event) -> dict[str, object]:
    data = event.data
    return {
        "source": event.source,
        "event": event.id,
        "kind": event.kind,
        "model": data.text("model")[:200],
        "version": data.text("version"),
        "subject": data.subject,
        "ts_ms": event.ts_ms,
        "seen_ms": event.seen_ms,
        "document": event.document,
    }


def list_events(
    store: Store,
    *,
    kinds: Collection[str] = (),
    model: str | None = None,
    shared: bool = False,
    from_ms: int | None = None,
    to_ms: int | None = None,
    newest: int | None = None,
) -> list[Stored]:
    """Events that happened in [from_ms, to_ms), in the order in which they happened; of those the `newest`
    ones where there are more. `kinds` empty: of every kind; `shared`: besides those of the model those of
    none."""
    query = sa.select(events)
    if kinds:
        query = query.where(events.c.kind.in_(sorted(kinds)))
    if model is not None:
        query = query.where(events.c.model.in_((model, "") if shared else (model,)))
    if from_ms is not None:
        query = query.where(events.c.ts_ms >= from_ms)
    if to_ms is not None:
        query = query.where(events.c.ts_ms < to_ms)
    query = query.order_by(events.c.ts_ms.desc(), events.c.id.desc()).limit(newest)
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return [
        Stored(r.id, r.source, r.event, r.kind, r.ts_ms, r.seen_ms, data_of(r.kind, r.document))
        for r in reversed(rows)
    ]


def known_models(store: Store, names: Iterable[str]) -> set[str]:
    """Those of the names that have records, or an event that introduces a model."""
    wanted = sorted(set(names))
    introduced = events.c.kind.in_(INTRODUCE)
    query = sa.union(
        sa.select(series.c.model).where(series.c.model.in_(wanted)),
        sa.select(events.c.model).where(introduced, events.c.model.in_(wanted)),
    )
    with reading(store.engine) as connection:
        return set(connection.scalars(query))


class Came(NamedTuple):
    """That an event came: `number` as in Stored, of which model ('': none), and when it happened."""

    number: int
    model: str
    kind: str
    ts_ms: int


def came_after(connection: sa.Connection, after: int | None, last: int) -> list[Came]:
    """The events with a number above `after`, or the `last` ones without one, in the caller's transaction."""
    query = sa.select(events.c.id, events.c.model, events.c.kind, events.c.ts_ms).order_by(events.c.id.desc())
    query = query.limit(last) if after is None else query.where(events.c.id > after)
    return [Came(*row) for row in connection.execute(query)]


def named_models(store: Store, kinds: Collection[str]) -> set[str]:
    """The models that events of these kinds are about."""
    with reading(store.engine) as connection:
        found = sa.select(events.c.model).where(events.c.kind.in_(sorted(kinds))).distinct()
        return set(connection.scalars(found)) - {""}


def has_events(store: Store, model: str) -> bool:
    """Whether any event is about the model."""
    with reading(store.engine) as connection:
        return connection.scalar(sa.select(events.c.id).where(events.c.model == model).limit(1)) is not None


def shares_at(store: Store, model: str, stage: str, ts_ms: int) -> dict[str, float]:
    """The shares of traffic that versions were given in the same moment, each by an event of its own."""
    at = list_events(store, kinds=("deployment",), model=model, from_ms=ts_ms, to_ms=ts_ms + 1)
    found = (stored.data for stored in at)
    return {
        str(data.version): data.traffic_share
        for data in found
        if isinstance(data, Deployment) and data.stage == stage and data.traffic_share is not None
    }
