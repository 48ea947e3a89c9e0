"""Moments and spans as a message tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from monitor.paging.alert import Status
from monitor.paging.message import Message
from monitor.paging.message import Told as ToldAlert

__all__ = ["Told", "length", "moment", "told_times"]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Told:
    """Since when something has been so, for how long, and when it ended ("": it has not)."""

    since: str
    lasted: str
    ended: str


def told_times(
    message: Message,
    zone: str,
    alerts: Sequence[ToldAlert] | None = None,
    at_ms: int | None = None,
) -> Told | None:
    """The times of some of a message's alerts together, all unless given; of `at_ms` alone where that is
    given. None without an alert."""
    if at_ms is not None:
        return Told(moment(at_ms, zone, message.at_ms), length(message.at_ms - at_ms), "")
    some = message.alerts if alerts is None else alerts
    if not some:
        return None
    # What has ended tells nothing of since when the rest fires.
    firing = [told for told in some if told.status is Status.FIRING]
    starts_ms = min(told.alert.starts_ms for told in firing or some)
    ends_ms = None if firing else max(told.alert.ends_ms for told in some)
    lasted = length((message.at_ms if ends_ms is None else ends_ms) - starts_ms)
    ended = "" if ends_ms is None else moment(ends_ms, zone, message.at_ms)
    return Told(moment(starts_ms, zone, message.at_ms), lasted, ended)


def moment(ms: int, zone: str, now_ms: int) -> str:
    """`14:03 CET` of today, `2026-11-20 14:03 CET` of another day; UTC where nobody knows the zone."""
    place = _zone(zone)
    try:
        at = datetime.fromtimestamp(ms / 1000, UTC).astimezone(place)
        today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(place).date()
    except (ValueError, OverflowError, OSError):
        return "an impossible time"
    name = at.tzname() or "UTC"
    # Zones without a name of their own have `+03`, which reads as part of the time.
    name = f"UTC{name}" if name[:1] in "+-" else name
    return f"{at:%H:%M} {name}" if at.date() == today else f"{at:%Y-%m-%d %H:%M} {name}"


def length(ms: int) -> str:
    """The two largest units: `2 d 3 h`, `12 min`, `45 s`; below a second `0 s`."""
    left, words = max(0, ms) // 1000, list[str]()
    for seconds, unit in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            words.append(f"{count} {unit}")
        elif words:
            break
    shown = words[:2] if len(words) < 2 or not words[0].endswith("min") else words[:1]
    return " ".join(shown) or "0 s"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
