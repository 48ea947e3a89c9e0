"""Times, steps and shares as people write them, on a command line or in a URL."""

import re
from datetime import UTC, datetime, timedelta

from monitor.config.durations import parse_duration_ms
from monitor.errors import QueryError

__all__ = ["parse_share", "parse_step_s", "parse_time_ms"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RELATIVE = re.compile(r"now(?:\s*([+-])\s*(\S+))?")
_ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?)?")
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(%?)")
# Before March 1973 in milliseconds, but up to the year 5138 in seconds.
_SURELY_SECONDS = 100_000_000_000


def parse_time_ms(option: str, text: str, now_ms: int) -> int:
    """Milliseconds since the epoch of `now`, `now-1h`, `2026-11-23`, RFC 3339 or epoch milliseconds.

    Without an offset a time is UTC. Raises QueryError that names `option`.
    """
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        sign, duration = relative.groups()
        return now_ms if sign is None else now_ms + int(f"{sign}{_duration_ms(option, duration)}")
    if text.isascii() and text.isdecimal():
        if int(text) < _SURELY_SECONDS:
            raise QueryError(f"{option}: {text} looks like seconds; give milliseconds: {text}000")
        return int(text)
    if _ABSOLUTE.fullmatch(text) is None:
        raise QueryError(
            f"{option}: {text!r} is no time; write now, now-1h, 2026-11-23, "
            "2026-11-23T10:00:00Z or milliseconds since the epoch"
        )
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError as e:
        raise QueryError(f"{option}: {text!r} is no time: {e}") from None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


def parse_step_s(option: str, text: str) -> int:
    """Whole seconds of a duration such as `5m`, at least one. Raises QueryError that names `option`."""
    ms = _duration_ms(option, text)
    if ms < 1000 or ms % 1000:
        raise QueryError(f"{option}: {text!r} must be whole seconds, such as 30s, 5m or 1h")
    return ms // 1000


def parse_share(option: str, text: str) -> float:
    """A share from 0 to 1, of `5%` or `0.05`. Raises QueryError that names `option`."""
    found = _SHARE.fullmatch(text.strip())
    share = float(found[1]) / (100 if found[2] else 1) if found is not None else -1.0
    if not 0 <= share <= 1:
        raise QueryError(f"{option}: {text[:100]!r} is no share; write 5% or 0.05, 100% at most")
    return share


def _duration_ms(option: str, text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as e:
        raise QueryError(f"{option}: {e}") from None
