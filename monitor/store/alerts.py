"""What alerts are, and what they did, moved on by compare-and-swap."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from monitor import failpoints
from monitor.store.engine import reading, writing
from monitor.store.schema import alerts, evaluations, transitions
from monitor.store.store import Store, insert

__all__ = ["AlertRow", "TransitionRow", "evaluated_s", "read_alerts", "read_transitions", "swap"]

_KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that is not inactive; `key` and `state` are JSON."""

    key: str
    phase: str
    severity: str
    since_s: int
    state: str


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """A change of an alert; see schema.transitions. `key` and `facts` are JSON."""

    model: str
    key: str
    at_s: int
    seen_ms: int
    before: str
    after: str
    severity: str
    why: str
    quiet: bool
    facts: str


def evaluated_s(store: Store, name: str) -> int | None:
    """How far the evaluation `name` has come, event time; None before its first."""
    with reading(store.engine) as connection:
        found: int | None = connection.scalar(sa.select(evaluations.c.at_s).where(evaluations.c.name == name))
        return found


def read_alerts(store: Store) -> list[AlertRow]:
    """All alerts that are not inactive."""
    with reading(store.engine) as connection:
        return [AlertRow(**r) for r in connection.execute(sa.select(alerts)).mappings()]


def read_transitions(
    store: Store,
    model: str | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
    limit: int | None = None,
) -> list[TransitionRow]:
    """What alerts did in [from_s, to_s), event time, the newest first, at most `limit`."""
    query = sa.select(*(transitions.c[name] for name in TransitionRow.__slots__))
    if model is not None:
        query = query.where(transitions.c.model == model)
    if from_s is not None:
        query = query.where(transitions.c.at_s >= from_s)
    if to_s is not None:
        query = query.where(transitions.c.at_s < to_s)
    query = query.order_by(transitions.c.at_s.desc(), transitions.c.id.desc()).limit(limit)
    with reading(store.engine) as connection:
        return [TransitionRow(**r) for r in connection.execute(query).mappings()]


def swap(
    store: Store,
    name: str,
    before_s: int | None,
    at_s: int,
    changed: Sequence[AlertRow],
    gone: Sequence[str],
    did: Sequence[TransitionRow],
) -> bool:
    """Moves the evaluation from `before_s` (None: its first) to `at_s`, together with what that changed:
    alerts that are `changed`, the keys of those that are `gone`, and what they `did`.

    False, and nothing is written, where another process has moved it: no moment is evaluated twice, and
    after a crash a step is either done or as if it had never begun.
    """
    with writing(store.engine) as connection:
        if not _moved(store, connection, name, before_s, at_s):
            return False
        for at in range(0, len(gone), _KEYS_AT_ONCE):
            keys = gone[at : at + _KEYS_AT_ONCE]
            connection.execute(sa.delete(alerts).where(alerts.c.key.in_(keys)))
        if changed:
            upsert = insert(store, alerts)
            names = ("phase", "severity", "since_s", "state")
            connection.execute(
                upsert.on_conflict_do_update(
                    index_elements=["key"], set_={n: upsert.excluded[n] for n in names}
                ),
                [asdict(row) for row in changed],
            )
        if did:
            connection.execute(sa.insert(transitions), [asdict(row) for row in did])
        failpoints.hit("alerts.before_commit")
    return True


def _moved(store: Store, connection: sa.Connection, name: str, before_s: int | None, at_s: int) -> bool:
    if before_s is None:
        row = insert(store, evaluations).values(name=name, at_s=at_s).on_conflict_do_nothing()
        return connection.execute(row.returning(evaluations.c.name)).first() is not None
    updated = connection.execute(
        sa.update(evaluations)
        .where(evaluations.c.name == name, evaluations.c.at_s == before_s)
        .values(at_s=at_s)
    )
    return updated.rowcount == 1
