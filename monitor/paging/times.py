"""Alertmanager's time intervals: whether a moment lies within times of day, weekdays, days, months, years."""

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

__all__ = [
    "Range",
    "TimeInterval",
    "contains",
    "parse_days_of_month",
    "parse_months",
    "parse_time_of_day",
    "parse_weekdays",
    "parse_years",
]

Range = tuple[int, int]

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = tuple(name.lower() for name in calendar.month_name)


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """All that is given has to hold; of each the ranges (first, last) any. `minutes` of the day have an end
    that isn't in it. Weekdays count from Sunday, 0; days of the month below 0 from the month's end."""

    minutes: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    zone: str = "UTC"

    def contains(self, at_ms: int) -> bool:
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return (
            (not self.minutes or any(a <= minute < b for a, b in self.minutes))
            and _within(self.weekdays, (local.weekday() + 1) % 7)
            and (not self.days_of_month or self._on_day(local))
            and _within(self.months, local.month)
            and _within(self.years, local.year)
        )

    def _on_day(self, local: datetime) -> bool:
        last = calendar.monthrange(local.year, local.month)[1]
        for bounds in self.days_of_month:
            begin, end = (day if day > 0 else last + day + 1 for day in bounds)
            if begin <= local.day <= end:
                return True
        return False


def contains(intervals: Sequence[TimeInterval], at_ms: int) -> bool:
    """Whether any of them has the moment."""
    return any(interval.contains(at_ms) for interval in intervals)


def _within(ranges: tuple[Range, ...], value: int) -> bool:
    return not ranges or any(a <= value <= b for a, b in ranges)


def parse_time_of_day(text: str) -> int:
    """Minutes since midnight of `HH:MM`, to 24:00. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    if colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdecimal():
        found = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and found <= 24 * 60:
            return found
    raise ValueError(f"{text!r} is no time of day; write HH:MM from 00:00 to 24:00")


def parse_weekdays(text: str) -> Range:
    """`monday` or `monday:friday`. Raises ValueError."""
    begin, end = _ends(text, lambda part: _named(part, _WEEKDAYS, "day of the week"))
    if begin > end:
        raise ValueError(f"{text!r} ends before it begins, for a week begins on Sunday; write two ranges")
    return begin, end


def parse_days_of_month(text: str) -> Range:
    """`1:5`, `-3:-1` or `31`. Raises ValueError."""
    begin, end = _ends(text, lambda part: _number(part, "day of the month"))
    if not all(0 < abs(day) <= 31 for day in (begin, end)):
        raise ValueError(f"{text!r}: days are from 1 to 31, or from -31 to -1 to count from the month's end")
    if begin < 0 < end:
        raise ValueError(f"{text!r} begins below 0 and ends above it; write both from the same side")
    if (begin > 0) == (end > 0) and begin > end:
        raise ValueError(f"{text!r} ends before it begins")
    if begin > 0 > end and begin > 28 + end + 1:
        raise ValueError(f"{text!r} ends before it begins in a month of 28 days")
    return begin, end


def parse_months(text: str) -> Range:
    """`january:march`, `5` or `5:7`. Raises ValueError."""

    def month(part: str) -> int:
        if part.lstrip("-").isdecimal():
            return _number(part, "month")
        return _named(part, _MONTHS, "month")

    begin, end = _ends(text, month)
    if not all(1 <= each <= 12 for each in (begin, end)):
        raise ValueError(f"{text!r}: months are from 1 to 12, or names")
    if begin > end:
        raise ValueError(f"{text!r} ends before it begins; write two ranges")
    return begin, end


def parse_years(text: str) -> Range:
    """`2026` or `2026:2028`. Raises ValueError."""
    begin, end = _ends(text, lambda part: _number(part, "year"))
    if begin > end:
        raise ValueError(f"{text!r} ends before it begins")
    return begin, end


def _ends(text: str, parse: Callable[[str], int]) -> Range:
    parts = text.strip().lower().split(":")
    if len(parts) > 2:
        raise ValueError(f"{text!r} is no range; write for example a:b")
    return parse(parts[0].strip()), parse(parts[-1].strip())


def _named(part: str, names: Sequence[str], what: str) -> int:
    if not part or part not in names:
        raise ValueError(f"{part!r} is no {what}; write it in full, as {names[1]}")
    return names.index(part)


def _number(part: str, what: str) -> int:
    try:
        return int(part)
    except ValueError:
        raise ValueError(f"{part!r} is no {what}") from None
