"""The period of an objective: the last so many days, or a week, month or quarter of the calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

__all__ = ["Calendar", "Period", "Rolling", "Unit"]

_HOUR_S, _DAY_S = 3600, 86_400


class Unit(StrEnum):
    """What a calendar repeats. Weeks begin on Monday."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


_NOMINAL_DAYS = {Unit.WEEK: 7, Unit.MONTH: 30, Unit.QUARTER: 90}


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last `days` days. It begins with a whole hour, for hours are what is kept that long."""

    days: int

    @property
    def nominal_s(self) -> int:
        return self.days * _DAY_S

    def bounds(self, now_s: int) -> tuple[int, int]:
        """[from_s, to_s) of the period that is under way at `now_s`, which for this one ends there."""
        return (now_s - self.nominal_s) // _HOUR_S * _HOUR_S, now_s

    def __str__(self) -> str:
        return f"{self.days}d"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The week, month or quarter under way, by the calendar of a time zone."""

    unit: Unit
    zone: str = "UTC"

    @property
    def nominal_s(self) -> int:
        """Its usual length, which burn rates are scaled to: months of 30 days, quarters of 90."""
        return _NOMINAL_DAYS[self.unit] * _DAY_S

    def bounds(self, now_s: int) -> tuple[int, int]:
        """[from_s, to_s) of the period that is under way at `now_s`."""
        zone = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(now_s, UTC).astimezone(zone).date()
        if self.unit is Unit.WEEK:
            first = day - timedelta(days=day.weekday())
            after = first + timedelta(days=7)
        else:
            months = 1 if self.unit is Unit.MONTH else 3
            first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
            year, month = divmod(first.month - 1 + months, 12)
            after = first.replace(year=first.year + year, month=month + 1)
        begin, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, after))
        return int(begin.timestamp()), int(end.timestamp())

    def __str__(self) -> str:
        return str(self.unit)


Period: TypeAlias = Rolling | Calendar
