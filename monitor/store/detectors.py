"""What the detectors of concept drift hold of each version, and the alarms that they gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from monitor import failpoints
from monitor.store.engine import reading, writing
from monitor.store.schema import concept_alarms, detectors
from monitor.store.store import Store, insert

__all__ = ["ConceptAlarm", "Held", "held", "list_alarms", "swap"]


@dataclass(frozen=True, slots=True)
class Held:
    """The state (JSON) after the window from `last_s`."""

    last_s: int
    state: str


@dataclass(frozen=True, slots=True)
class ConceptAlarm:
    """`detector` found in the window from `start_s` that the mean loss, `before` until then, is `after`."""

    model: str
    version: str
    detector: str
    start_s: int
    before: float
    after: float


def held(store: Store, model: str) -> dict[str, Held]:
    """What is held of each version of a model."""
    query = sa.select(detectors).where(detectors.c.model == model)
    with reading(store.engine) as connection:
        return {r.version: Held(r.last_s, r.state) for r in connection.execute(query)}


def swap(
    store: Store,
    model: str,
    version: str,
    before: Held | None,
    after: Held,
    alarms: Sequence[ConceptAlarm],
    now_ms: int,
) -> bool:
    """Puts `after` in the place of `before` (None: nothing), together with the alarms on the way.

    False, and nothing is written, where another process has moved on from `before` already: no window is
    taken twice, and after a crash the step is either done or as if it had never begun.
    """
    with writing(store.engine) as connection:
        if not _swapped(store, connection, model, version, before, after):
            return False
        if alarms:
            connection.execute(
                sa.insert(concept_alarms),
                [
                    {**{name: getattr(a, name) for name in ConceptAlarm.__slots__}, "at_ms": now_ms}
                    for a in alarms
                ],
            )
        failpoints.hit("detectors.before_commit")
    return True


def _swapped(
    store: Store, connection: sa.Connection, model: str, version: str, before: Held | None, after: Held
) -> bool:
    values = {"last_s": after.last_s, "state": after.state}
    if before is None:
        row = insert(store, detectors).values(model=model, version=version, **values)
        inserted = connection.execute(row.on_conflict_do_nothing().returning(detectors.c.last_s)).first()
        return inserted is not None
    updated = connection.execute(
        sa.update(detectors)
        .where(
            detectors.c.model == model,
            detectors.c.version == version,
            detectors.c.last_s == before.last_s,
            detectors.c.state == before.state,
        )
        .values(values)
    )
    return updated.rowcount == 1


def list_alarms(store: Store, model: str, from_s: int, to_s: int) -> list[ConceptAlarm]:
    """The alarms in windows that begin in [from_s, to_s), in order."""
    query = (
        sa.select(*(concept_alarms.c[name] for name in ConceptAlarm.__slots__))
        .where(
            concept_alarms.c.model == model,
            concept_alarms.c.start_s >= from_s,
            concept_alarms.c.start_s < to_s,
        )
        .order_by(concept_alarms.c.start_s, concept_alarms.c.id)
    )
    with reading(store.engine) as connection:
        return [ConceptAlarm(*row) for row in connection.execute(query)]
