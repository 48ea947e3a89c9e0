"""Dropping incidents that are long over, a bounded amount at a time; what people did is kept for longer."""

from dataclasses import dataclass

import sqlalchemy as sa

from monitor.clock import DAY_MS
from monitor.store.engine import reading, writing
from monitor.store.schema import incidents, timeline
from monitor.store.store import Store

__all__ = ["MONITOR", "IncidentRetention", "drop_incidents"]

# Who is named where no person did something.
MONITOR = "monitor"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class IncidentRetention:
    """How long an incident and its timeline are kept after its end, in days, and what people did: never
    shorter."""

    incident_days: int = 400
    audit_days: int = 5 * 365


def drop_incidents(store: Store, retention: IncidentRetention, now_ms: int) -> int:
    """Deletes what has expired, some of it a call; returns how many rows. Call it until that is none.

    Open incidents stay, and the newest, after which the next is numbered. Ages are held against the newest
    that has happened: incidents of an old log that is replayed today are not old yet.
    """
    with reading(store.engine) as connection:
        newest_ms = connection.scalar(sa.select(sa.func.max(timeline.c.at_ms)))
        if newest_ms is None:
            return 0
        until_ms = min(now_ms, newest_ms)
        over_ms = until_ms - retention.incident_days * DAY_MS
        audit_ms = until_ms - max(retention.audit_days, retention.incident_days) * DAY_MS
        newest_id = sa.select(sa.func.max(incidents.c.id)).scalar_subquery()
        over = sa.select(incidents.c.id).where(incidents.c.resolved_ms < over_ms, incidents.c.id < newest_id)
        gone = list(connection.scalars(over.order_by(incidents.c.id).limit(_AT_ONCE)))
    kept = sa.select(incidents.c.id)
    of_none = sa.or_(timeline.c.incident.is_(None), timeline.c.incident.not_in(kept))
    old = sa.or_(timeline.c.at_ms < audit_ms, sa.and_(timeline.c.who == MONITOR, timeline.c.at_ms < over_ms))
    with writing(store.engine) as connection:
        deleted = connection.execute(
            sa.delete(timeline).where(timeline.c.incident.in_(gone), timeline.c.who == MONITOR)
        ).rowcount
        deleted += connection.execute(sa.delete(incidents).where(incidents.c.id.in_(gone))).rowcount
        some = sa.select(timeline.c.id).where(of_none, old).order_by(timeline.c.id).limit(_AT_ONCE)
        found = list(connection.scalars(some))
        deleted += connection.execute(sa.delete(timeline).where(timeline.c.id.in_(found))).rowcount
    return int(deleted)
