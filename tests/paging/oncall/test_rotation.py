"""Rotations: turns, hours, overrides, changes of the clocks, and shifts that leave no gap."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import DAY_MS, HOUR_MS
from monitor.paging.oncall.local_time import Hours
from monitor.paging.oncall.rotation import Layer, Override, Rotation, on_call, shifts

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


WEEKLY = Layer(("ana", "ben", "chi"), 7, date(2026, 3, 2), time(9), BERLIN)
ROTATION = Rotation("risk", (WEEKLY,))


@pytest.mark.parametrize(
    ("when", "person"),
    [
        ("2026-03-02T08:59", None),
        ("2026-03-02T09:00", "ana"),
        ("2026-03-09T08:59", "ana"),
        ("2026-03-09T09:00", "ben"),
        ("2026-03-23T09:00", "ana"),
        ("2026-03-29T23:00", "ana"),  # the clocks went forward that night
        ("2026-03-30T08:59", "ana"),
        ("2026-03-30T09:00", "ben"),
        ("2026-10-26T08:59", "ana"),  # and back
        ("2026-10-26T09:00", "ben"),
    ],
)
def test_a_week_begins_at_its_handover_in_local_time(when: str, person: str | None) -> None:
    assert on_call(ROTATION, at(when)) == person


def test_a_turn_of_a_day_is_an_hour_shorter_when_the_clocks_go_forward() -> None:
    daily = Rotation("risk", (replace(WEEKLY, days=1),))
    found = shifts(daily, at("2026-03-28T09:00"), at("2026-03-30T09:00"))
    assert [s.to_ms - s.from_ms for s in found] == [23 * HOUR_MS, 24 * HOUR_MS]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_handover_within_a_change_of_the_clocks_happens_once(day: str) -> None:
    nightly = Rotation("risk", (replace(WEEKLY, days=1, handover=time(2, 30)),))
    found = shifts(nightly, at(f"{day}T00:00"), at(f"{day}T12:00"))
    assert len(found) == 2


def test_teams_that_follow_the_sun_cover_the_day() -> None:
    def layer(person: str, zone: str, begin: int, end: int) -> Layer:
        return Layer((person,), 7, date(2026, 1, 5), time(0), zone, Hours(zone, time(begin), time(end)))

    sun = Rotation(
        "sun",
        (
            layer("aki", "Asia/Tokyo", 9, 17),
            layer("ben", "UTC", 8, 16),
            layer("cyd", "America/Los_Angeles", 8, 16),
        ),
    )
    found = shifts(sun, at("2026-06-01T00:00", "UTC"), at("2026-06-02T00:00", "UTC"))
    assert [s.person for s in found] == ["aki", "ben", "cyd", None]


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    nights = Hours(BERLIN, time(18), time(8), frozenset({4}))  # Friday
    assert nights.contains(at("2026-06-05T23:00"))
    assert nights.contains(at("2026-06-06T07:59"))
    assert not nights.contains(at("2026-06-06T08:00"))
    assert not nights.contains(at("2026-06-05T07:00"))
    assert nights.until_ms(at("2026-06-05T23:00")) == at("2026-06-06T08:00")


def test_the_first_layer_that_has_somebody_decides() -> None:
    day = Layer(
        ("dan",), 7, date(2026, 3, 2), time(0), BERLIN, Hours(BERLIN, time(9), time(17), frozenset(range(5)))
    )
    both = Rotation("risk", (day, WEEKLY))
    assert on_call(both, at("2026-03-10T12:00")) == "dan"
    assert on_call(both, at("2026-03-10T20:00")) == "ben"
    assert on_call(both, at("2026-03-14T12:00")) == "ben"  # Saturday


def test_the_last_of_overrides_that_overlap_wins() -> None:
    first = Override("eve", at("2026-03-10T00:00"), at("2026-03-12T00:00"))
    second = Override("fay", at("2026-03-11T00:00"), at("2026-03-11T12:00"))
    rotation = replace(ROTATION, overrides=(first, second))
    found = shifts(rotation, at("2026-03-09T09:00"), at("2026-03-13T00:00"))
    assert [s.person for s in found] == ["ben", "eve", "fay", "eve", "ben"]


zones = st.sampled_from(
    [BERLIN, "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
hours = st.builds(Hours, zones, times, times, st.frozensets(st.integers(0, 6), min_size=1))
layers = st.builds(
    Layer,
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(tuple),
    st.sampled_from([1, 2, 7, 14]),
    st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    times,
    zones,
    st.none() | hours,
)
moments = st.integers(0, 400 * 24 * 4).map(
    lambda n: int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000 + n * HOUR_MS // 4
)
overrides = st.builds(
    lambda person, begin, length: Override(person, begin, begin + length * HOUR_MS),
    st.sampled_from("xyz"),
    moments,
    st.integers(1, 100),
)
rotations = st.builds(
    lambda some, over: Rotation("r", tuple(some), tuple(over)),
    st.lists(layers, min_size=1, max_size=3),
    st.lists(overrides, max_size=3),
)


@given(rotations, moments, st.integers(1, 40), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shifts_have_no_gap_and_say_who_is_on_call(
    rotation: Rotation, from_ms: int, days: int, picks: list[int]
) -> None:
    to_ms = from_ms + days * DAY_MS
    found = shifts(rotation, from_ms, to_ms)
    assert found[0].from_ms == from_ms
    assert found[-1].to_ms == to_ms
    for one, other in pairwise(found):
        assert one.to_ms == other.from_ms
        assert one.person != other.person
    for pick in picks:
        moment = from_ms + pick * 60_000 % (to_ms - from_ms)
        shift = next(s for s in found if s.from_ms <= moment < s.to_ms)
        assert shift.person == on_call(rotation, moment)


@given(layers.map(lambda layer: replace(layer, hours=None)), st.integers(0, 60))
def test_turns_rise_by_about_their_days(layer: Layer, turn: int) -> None:
    length = layer.turn_ms(turn + 1) - layer.turn_ms(turn)
    assert abs(length - timedelta(days=layer.days) / timedelta(milliseconds=1)) <= HOUR_MS
