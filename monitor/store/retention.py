"""Dropping what is past its time, a bounded amount at a time, outside the flush."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.clock import DAY_S
from monitor.profiles.layout import Kind
from monitor.store.engine import reading, writing
from monitor.store.schema import (
    additions,
    bindings,
    counts,
    dead_letters,
    measured,
    peaks,
    profiles,
    samples,
    transitions,
)
from monitor.store.store import Store

__all__ = ["Retention", "drop_expired", "oldest_start_s"]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each tier is kept, in days; tiers below an hour share `minute_days`."""

    minute_days: int = 14
    hour_days: int = 400
    day_days: int = 1826
    dead_letter_days: int = 30
    pair_days: int = 90
    sample_days: int = 14

    def of(self, tier_s: int) -> int:
        """Seconds that windows of this length are kept."""
        days = self.minute_days if tier_s < 3600 else self.hour_days if tier_s < DAY_S else self.day_days
        return days * DAY_S


def drop_expired(
    store: Store, retention: Retention, tiers_s: Mapping[int, tuple[int, ...]], now_ms: int
) -> dict[str, int]:
    """Deletes what has expired, up to a day's windows a tier and call; returns rows deleted by table.

    Each tier is a transaction of its own, so that no flush waits long. Call it until it deletes nothing.
    """
    deleted: dict[str, int] = {}
    for kind, tiers in tiers_s.items():
        for tier_s in tiers:
            until_s = now_ms // 1000 - retention.of(tier_s)
            n = _drop_windows(store, kind, tier_s, until_s)
            deleted["profiles"] = deleted.get("profiles", 0) + n
    features_s = tiers_s[Kind.FEATURES][0] if Kind.FEATURES in tiers_s else DAY_S
    bound_s = now_ms // 1000 - retention.of(features_s)
    letters_ms = now_ms - retention.dead_letter_days * DAY_S * 1000
    with writing(store.engine) as connection:
        for table, where in (
            (dead_letters, dead_letters.c.at_ms < letters_ms),
            (transitions, transitions.c.at_s < now_ms // 1000 - retention.hour_days * DAY_S),
            (samples, samples.c.start_s < now_ms // 1000 - retention.sample_days * DAY_S),
            (bindings, bindings.c.start_s + features_s <= bound_s),
            (additions, additions.c.day < now_ms // 1000 // DAY_S - retention.hour_days),
            (measured, measured.c.start_s < now_ms // 1000 - retention.hour_days * DAY_S),
            (counts, counts.c.hour_s < now_ms // 1000 - retention.hour_days * DAY_S),
            (peaks, sa.and_(peaks.c.model != "", peaks.c.start_s < now_ms // 1000 - retention.of(DAY_S))),
        ):
            deleted[table.name] = connection.execute(sa.delete(table).where(where)).rowcount
    return deleted


def _drop_windows(store: Store, kind: int, tier_s: int, until_s: int) -> int:
    of_tier = sa.and_(profiles.c.kind == kind, profiles.c.tier_s == tier_s)
    with reading(store.engine) as connection:
        oldest = connection.scalar(sa.select(sa.func.min(profiles.c.start_s)).where(of_tier))
    if oldest is None or oldest + tier_s > until_s:
        return 0
    until_s = min(until_s, oldest + max(DAY_S, tier_s))
    with writing(store.engine) as connection:
        gone = connection.execute(sa.delete(profiles).where(of_tier, profiles.c.start_s + tier_s <= until_s))
        return int(gone.rowcount)


def oldest_start_s(store: Store, kind: int = Kind.SERVICE) -> int | None:
    """When the oldest stored hour of a kind begins, None in an empty store."""
    with reading(store.engine) as connection:
        start: int | None = connection.scalar(
            sa.select(sa.func.min(profiles.c.start_s)).where(
                profiles.c.kind == kind, profiles.c.tier_s == 3600
            )
        )
        return start
