"""The one clock. Whatever needs `now` is given a Clock; nothing below asks the operating system."""

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = [
    "DAY_MS",
    "DAY_S",
    "HOUR_MS",
    "HOUR_S",
    "Clock",
    "StreamClock",
    "WallClock",
    "rfc3339",
    "rfc3339_or_none",
]

HOUR_S, DAY_S = 3600, 86_400
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class Clock(Protocol):
    """Tells the time in integer milliseconds since the epoch, UTC."""

    def now_ms(self) -> int: ...


class WallClock:
    """The machine's clock: what a service runs on."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class StreamClock:
    """A clock that stands where it was last set: what replays, backtests and tests run on."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance_to(self, now_ms: int) -> None:
        """Moves forward to `now_ms`; an earlier time is ignored, for time never runs backwards."""
        self._now_ms = max(self._now_ms, now_ms)


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC; whole seconds without a fraction.

    Raises ValueError or OverflowError for what no calendar has.
    """
    fraction = "milliseconds" if ms % 1000 else "seconds"
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec=fraction).replace("+00:00", "Z")


def rfc3339_or_none(ms: int | None) -> str | None:
    """As `rfc3339`; None for None, and for what no calendar has."""
    try:
        return None if ms is None else rfc3339(ms)
    except (OverflowError, ValueError, OSError):
        return None
