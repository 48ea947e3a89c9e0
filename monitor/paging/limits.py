"""How much an alert that comes in may say: far above what anybody means, and low enough that a mistake in a
loop does no harm."""

from collections.abc import Sequence

from monitor.paging.alert import Alert
from monitor.paging.api_times import shown

__all__ = ["MAX_AHEAD_MS", "MAX_PAIRS", "ahead", "problem"]

MAX_PAIRS = 100
MAX_AHEAD_MS = 3_600_000
_MAX_BYTES = {"labels": 16_384, "annotations": 65_536}
_MAX_URL_BYTES = 8_192


def ahead(starts_ms: int | None, now_ms: int) -> str | None:
    """What to say of a start that somebody gave, if it is too far ahead: nothing has begun tomorrow."""
    if starts_ms is None or starts_ms <= now_ms + MAX_AHEAD_MS:
        return None
    return f"start time {shown(starts_ms)} is more than an hour ahead; correct the clock that gave it"


def problem(alert: Alert) -> str | None:
    """Why the alert can't be taken; Alertmanager's own words where it refuses it too."""
    if alert.ends_ms < alert.starts_ms:
        return "start time must be before end time"
    if any(not name for name, _ in alert.labels):
        return 'invalid label set: invalid name ""'
    if not alert.labels:
        return "at least one label pair required"
    if any(not name for name, _ in alert.annotations):
        return 'invalid annotations: invalid name ""'
    for what, pairs in (("labels", alert.labels), ("annotations", alert.annotations)):
        if len(pairs) > MAX_PAIRS:
            return f"{len(pairs):,} {what} are too many; {MAX_PAIRS} at most"
        if (size := _size(pairs)) > _MAX_BYTES[what]:
            return f"{what} of {size:,} bytes are too long; {_MAX_BYTES[what]:,} at most"
        # No text of PostgreSQL may hold one, and timelines quote alerts.
        if any("\0" in name or "\0" in value for name, value in pairs):
            return f"{what} hold a NUL character"
    if len(alert.generator_url.encode()) > _MAX_URL_BYTES:
        return f"the generatorURL is too long; {_MAX_URL_BYTES:,} bytes at most"
    return None


def _size(pairs: Sequence[tuple[str, str]]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in pairs)
