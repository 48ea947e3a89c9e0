"""Spans of time as OpenSLO writes them: `5m`, `30d`, `1M`."""

import re
from datetime import datetime

from monitor.slo.period import Unit

__all__ = ["START", "begins_with", "seconds_of", "shorthand", "unit_of", "window_of"]

# A Monday, and the first of a quarter: where any calendar window may start.
START = "2024-01-01 00:00:00"
_SHORT = re.compile(r"(\d+)([mhdwMQY])", re.ASCII)
_SECONDS = {
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "M": 30 * 86_400,
    "Q": 90 * 86_400,
    "Y": 365 * 86_400,
}
_UNITS = {"1w": Unit.WEEK, "1M": Unit.MONTH, "1Q": Unit.QUARTER}


def seconds_of(text: str) -> int:
    """The seconds of a span, months of 30 days and so on; a bare number counts minutes. Raises ValueError."""
    match = _SHORT.fullmatch(text.strip())
    if match:
        return int(match[1]) * _SECONDS[match[2]]
    if text.strip().isdecimal():
        return int(text) * 60
    raise ValueError(f"{text!r} is no span of time: write a number and m, h, d, w, M, Q or Y, as 5m or 30d")


def shorthand(seconds: int) -> str:
    """The span in the largest unit that it is a whole number of. Raises ValueError for parts of a minute."""
    for unit in ("d", "h", "m"):
        if seconds % _SECONDS[unit] == 0 and (seconds or unit == "m"):
            return f"{seconds // _SECONDS[unit]}{unit}"
    raise ValueError(f"{seconds} s are no whole minutes, which is the finest that OpenSLO can say")


def window_of(duration: str) -> str:
    """The rolling window of that duration, as a configuration has it. Raises ValueError."""
    days, rest = divmod(seconds_of(duration), 86_400)
    if rest or not days:
        raise ValueError(f"{duration!r} is no whole number of days, which is what windows are here")
    return f"{days}d"


def unit_of(duration: str) -> Unit:
    """What of the calendar it is. Raises ValueError."""
    unit = _UNITS.get(duration.strip())
    if unit is None:
        hint = "; 1m is a minute, 1M a month" if duration.strip() == "1m" else ""
        raise ValueError(f"{duration!r} of the calendar is none of 1w, 1M and 1Q{hint}")
    return unit


def begins_with(unit: Unit, start: str) -> bool:
    """Whether a calendar window that starts so begins where ours do: at midnight of a Monday, of the first of
    a month, or of the first of a quarter. Raises ValueError where it is no time."""
    try:
        at = datetime.fromisoformat(start.strip())
    except ValueError:
        raise ValueError(f"{start!r} is no time; write it as 2024-01-01 00:00:00") from None
    if (at.hour, at.minute, at.second) != (0, 0, 0):
        return False
    if unit is Unit.WEEK:
        return at.weekday() == 0
    return at.day == 1 and (unit is Unit.MONTH or at.month % 3 == 1)
