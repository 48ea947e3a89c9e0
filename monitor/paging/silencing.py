"""When a silence is active, also one that comes again each day or week."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.paging.silence import Repeat, Silence, SilenceState

__all__ = ["active", "ends_ms", "state", "stretch"]


def active(silence: Silence, now_ms: int) -> bool:
    """Whether it silences at `now_ms`."""
    return state(silence, now_ms) is SilenceState.ACTIVE


def state(silence: Silence, now_ms: int) -> SilenceState:
    """A recurring one is pending between two of its stretches."""
    found = stretch(silence, now_ms)
    if found is None:
        return SilenceState.EXPIRED
    return SilenceState.ACTIVE if found[0] <= now_ms else SilenceState.PENDING


def ends_ms(silence: Silence, now_ms: int) -> int | None:
    """When it is over for good; None for a recurring one that nothing ends."""
    return silence.ends_ms if silence.repeat is None else silence.until_ms


def stretch(silence: Silence, now_ms: int) -> tuple[int, int] | None:
    """The stretch [from, to), ms, that is under way at `now_ms` or comes next; None after the last."""
    if silence.repeat is None:
        return (silence.starts_ms, silence.ends_ms) if now_ms < silence.ends_ms else None
    step = 1 if silence.repeat is Repeat.DAILY else 7
    # A day to spare, for days are an hour shorter or longer where clocks change.
    past = max(0, (now_ms - silence.ends_ms) // (step * 86_400_000) - 1)
    while True:
        begin_ms, end_ms = (_later(ms, past * step, silence.time_zone) for ms in _bounds(silence))
        if silence.until_ms is not None:
            if begin_ms >= silence.until_ms:
                return None
            end_ms = min(end_ms, silence.until_ms)
        if now_ms < end_ms:
            return begin_ms, end_ms
        past += 1


def _bounds(silence: Silence) -> tuple[int, int]:
    return silence.starts_ms, silence.ends_ms


def _later(ms: int, days: int, zone: str) -> int:
    """The same local time, so many days later."""
    local = datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone))
    moved = local.replace(tzinfo=None) + timedelta(days=days)
    return int(moved.replace(tzinfo=ZoneInfo(zone), fold=local.fold).timestamp() * 1000)
