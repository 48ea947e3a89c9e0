"""Escalation, and the calendar file."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from monitor.clock import DAY_MS
from monitor.paging.oncall.calendar_file import calendar_file
from monitor.paging.oncall.escalation import Because, Level, Step, due, next_ms
from monitor.paging.oncall.rotation import Shift

MINUTE_MS = 60_000
LEVELS = (Level("lead", 15 * MINUTE_MS, above_burn=10), Level("head", 30 * MINUTE_MS))
NONE: frozenset[int] = frozenset()


def steps(
    minutes: float, told: frozenset[int] = NONE, acknowledged: bool = False, burn: float | None = None
) -> list[Step]:
    return due(LEVELS, told, 0, acknowledged, burn, int(minutes * MINUTE_MS))


def test_a_level_is_due_once_its_time_is_up() -> None:
    assert steps(14.9) == []
    assert steps(15) == [Step(0, "lead", Because.UNACKNOWLEDGED)]
    assert steps(20, frozenset({0})) == []
    assert [s.receiver for s in steps(31)] == ["lead", "head"]


def test_an_acknowledgement_ends_it() -> None:
    assert steps(60, acknowledged=True) == []


def test_a_fast_burn_does_not_wait() -> None:
    assert steps(1, burn=10) == []
    assert steps(1, burn=10.1) == [Step(0, "lead", Because.BURNS)]
    assert steps(1, frozenset({0}), burn=100) == []


@given(st.integers(0, 3_000_000), st.sets(st.integers(0, 1)))
def test_the_next_level_is_due_when_it_says(now_ms: int, told: set[int]) -> None:
    when = next_ms(LEVELS, frozenset(told), 0)
    found = due(LEVELS, frozenset(told), 0, False, None, now_ms)
    assert bool(found) == (when is not None and now_ms >= when)


def test_a_calendar_holds_every_shift_of_a_person() -> None:
    some = [Shift("ana", 0, DAY_MS), Shift(None, DAY_MS, 2 * DAY_MS), Shift("ben", 2 * DAY_MS, 3 * DAY_MS)]
    read = Calendar.from_ical(calendar_file("risk", some, 0))
    events = list(read.walk("VEVENT"))
    assert [str(e["summary"]) for e in events] == ["ana is on call (risk)", "ben is on call (risk)"]
    assert [e.decoded("dtstart") for e in events] == [datetime.fromtimestamp(s, UTC) for s in (0, 2 * 86_400)]
    assert len({str(e["uid"]) for e in events}) == 2
