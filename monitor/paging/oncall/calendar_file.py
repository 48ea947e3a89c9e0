"""Shifts as an iCalendar file (RFC 5545), for people's own calendars."""

from collections.abc import Sequence
from datetime import UTC, datetime

from icalendar import Calendar, Event

from monitor.paging.oncall.rotation import Shift

__all__ = ["calendar_file"]


def calendar_file(rotation: str, shifts: Sequence[Shift], made_ms: int) -> bytes:
    """One event for each shift that somebody has. An event keeps its id for as long as it begins at the same
    moment, so that a calendar that reads the file again moves nothing twice."""
    calendar = Calendar()
    calendar.add("prodid", "-//monitor//on call//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"on call: {rotation}")
    for shift in shifts:
        if shift.person is None:
            continue
        event = Event()
        event.add("uid", f"{rotation}-{shift.from_ms // 1000}@on-call.monitor")
        event.add("dtstamp", _time(made_ms))
        event.add("dtstart", _time(shift.from_ms))
        event.add("dtend", _time(shift.to_ms))
        event.add("summary", f"{shift.person} is on call ({rotation})")
        calendar.add_component(event)
    found: bytes = calendar.to_ical()
    return found


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
