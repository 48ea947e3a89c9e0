"""Shares, burn rates and times of objectives as people read them."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.config.durations import format_duration

__all__ = [
    "burn_rate",
    "compliance",
    "events",
    "left",
    "length",
    "moment",
    "part",
    "span",
    "target",
    "within",
]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def target(share: float) -> str:
    """A target as it was written: 99.9 %."""
    return f"{round(share * 100, 9):.10g} %"


def compliance(share: float | None, of: float) -> str | None:
    """A share in percent, with two digits more than the budget of the target `of` needs.

    Cut and not rounded: nothing looks better than it is, neither 100 % with a failure nor a target just
    missed.
    """
    if share is None:
        return None
    digits = max(1, math.ceil(-math.log10(1 - of) - 1e-9)) if 0 < of < 1 else 2
    scale = 10**digits
    # Floats end just below the decimals that they stand for: a part in 10**12 is no failure.
    return f"{math.floor(share * 100 * scale + 1e-9 * scale) / scale:.{digits}f} %"


def left(share: float | None) -> str | None:
    """What is left of a budget, cut to whole percents; below 0 it is overspent."""
    if share is None:
        return None
    percent = share * 100
    return (
        f"{math.floor(round(percent, 6))} %" if percent == 100 or abs(percent) >= 10 else f"{percent:.1f} %"
    )


def burn_rate(rate: float | None) -> str | None:
    """A burn rate: 1 spends the budget just by the end of the period."""
    if rate is None:
        return None
    if 0 < rate < 0.1:
        return "<0.1"
    return f"{rate:.1f}" if 0 < rate < 99.95 else f"{rate:.0f}"


def events(count: float) -> str:
    """A number of events; that of sampled ones need not be whole."""
    return f"{count:,.0f}" if count == int(count) or count >= 1000 else f"{count:,.1f}"


def length(seconds: int) -> str:
    """The length of a window: 5m, 6h, 3d, 1h 24m."""
    return format_duration(seconds * 1000) if seconds < _HOUR_S or seconds % _HOUR_S == 0 else within(seconds)


def within(seconds: float) -> str:
    """How long something takes, to two units at most: 3d 4h, 25m."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // _DAY_S, whole % _DAY_S // _HOUR_S, whole % _HOUR_S // _MINUTE_S
    if days >= 10:
        return f"{days}d"
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else f"{whole}s"


def moment(time: str | None) -> str | None:
    """RFC 3339 without its letters, to the second."""
    return None if time is None else time[:19].replace("T", " ")


def span(begin: str, end: str) -> str:
    """Two times of RFC 3339, the day of the second left out where it is that of the first."""
    first, last = str(moment(begin)), str(moment(end))
    return f"{first} to {last[11:] if last[:10] == first[:10] else last}"


def part(row: Mapping[str, Any]) -> str:
    """What of a model a figure is about, beside its name: version 2, country=DE; empty for the whole."""
    parts = [f"version {row['version']}"] if row["version"] is not None else []
    parts += [str(row["endpoint"])] if row["endpoint"] is not None else []
    return " ".join((*parts, *(f"{label}={value}" for label, value in row["segment"].items())))


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one time of RFC 3339 to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
