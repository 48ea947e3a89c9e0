"""Local dates and times as moments, and stretches of the local day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["ALL_DAYS", "Hours", "local_date", "moment_ms"]

ALL_DAYS = frozenset(range(7))


def moment_ms(day: date, at: time, zone: str) -> int:
    """The moment of a local time. One that the clocks skip is as much later as they are set forward; of one
    that comes twice, the first."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp()) * 1000


def local_date(at_ms: int, zone: str) -> date:
    """The date at a moment."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True, slots=True)
class Hours:
    """From `begin` to `end` of the local day, on weekdays `days` (Monday is 0); to the next day's `end` where
    that isn't later than `begin`: the day is then the one that it begins on."""

    zone: str
    begin: time
    end: time
    days: frozenset[int] = ALL_DAYS

    def contains(self, at_ms: int) -> bool:
        return self.until_ms(at_ms) is not None

    def until_ms(self, at_ms: int) -> int | None:
        """When the stretch that `at_ms` lies in ends; None where it lies in none."""
        return next((to for since, to in self.between(at_ms, at_ms + 1) if since <= at_ms), None)

    def between(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """The stretches [begin, end), ms, that reach into [from_ms, to_ms), in order."""
        day, last = local_date(from_ms, self.zone) - timedelta(days=2), local_date(to_ms, self.zone)
        while day <= last:
            ends = day + timedelta(days=self.end <= self.begin)
            stretch = moment_ms(day, self.begin, self.zone), moment_ms(ends, self.end, self.zone)
            if day.weekday() in self.days and stretch[0] < to_ms and stretch[1] > from_ms:
                yield stretch
            day += timedelta(days=1)
