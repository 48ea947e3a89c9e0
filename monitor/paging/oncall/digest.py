"""When what isn't urgent is told together."""

from dataclasses import dataclass
from datetime import time, timedelta

from monitor.paging.oncall.local_time import ALL_DAYS, local_date, moment_ms

__all__ = ["Digest", "due_ms"]


@dataclass(frozen=True, slots=True)
class Digest:
    """`receiver` is told at the local time `at`, on weekdays `days` (Monday is 0)."""

    receiver: str
    zone: str
    at: time
    days: frozenset[int] = ALL_DAYS


def due_ms(digest: Digest, after_ms: int) -> int:
    """The first time of the digest after `after_ms`."""
    day = local_date(after_ms, digest.zone)
    while True:
        found = moment_ms(day, digest.at, digest.zone)
        if found > after_ms and day.weekday() in digest.days:
            return found
        day += timedelta(days=1)
