"""Time intervals: from their texts to a predicate of the moment."""

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from monitor.config.document import Location
from monitor.config.validating import Notes
from monitor.paging.document.sections import IntervalSection, TimesSection
from monitor.paging.times import (
    Range,
    TimeInterval,
    contains,
    parse_days_of_month,
    parse_months,
    parse_time_of_day,
    parse_weekdays,
    parse_years,
)

__all__ = ["time_intervals"]

_PARSERS: tuple[tuple[str, Callable[[str], Range]], ...] = (
    ("weekdays", parse_weekdays),
    ("days_of_month", parse_days_of_month),
    ("months", parse_months),
    ("years", parse_years),
)


def time_intervals(
    sections: Sequence[tuple[Location, IntervalSection]], found: Notes
) -> dict[str, Callable[[int], bool]]:
    """The predicates by name; mistakes are noted in `found`."""
    known: dict[str, Callable[[int], bool]] = {}
    for place, section in sections:
        if section.name in known:
            found.add((*place, "name"), f"the time interval {section.name!r} is defined twice")
        some = [
            _interval(times, (*place, "time_intervals", i), found)
            for i, times in enumerate(section.time_intervals)
        ]
        known[section.name] = partial(contains, some)
    return known


def _interval(section: TimesSection, place: Location, found: Notes) -> TimeInterval:
    ranges: dict[str, tuple[Range, ...]] = {}
    for field, parse in _PARSERS:
        some = []
        for i, text in enumerate(getattr(section, field)):
            try:
                some.append(parse(text))
            except ValueError as e:
                found.add((*place, field, i), str(e))
        ranges[field] = tuple(some)
    return TimeInterval(
        minutes=tuple(_minutes(section, place, found)), zone=_zone(section, place, found), **ranges
    )


def _minutes(section: TimesSection, place: Location, found: Notes) -> list[Range]:
    some = []
    for i, times in enumerate(section.times):
        try:
            begin, end = parse_time_of_day(times.start_time), parse_time_of_day(times.end_time)
        except ValueError as e:
            found.add((*place, "times", i), str(e))
            continue
        if begin >= end:
            found.add((*place, "times", i), "must begin before it ends; write two for a time over midnight")
        some.append((begin, end))
    return some


def _zone(section: TimesSection, place: Location, found: Notes) -> str:
    name = section.location or "UTC"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        found.add((*place, "location"), f"there is no time zone {name!r}; write for example Europe/Berlin")
        return "UTC"
    return name
