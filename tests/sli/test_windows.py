"""Which windows are asked for, and which tiers they are read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.sli.windows import Part, Windows, cover, stored_range, tiers, windows

HOUR_S, DAY_S = 3600, 86_400
D0_S = 19_675 * DAY_S


def test_a_range_is_widened_to_whole_steps() -> None:
    assert windows(D0_S + 61, D0_S + 301, 300, 60) == Windows(D0_S, 300, 2)
    assert windows(D0_S + 61, D0_S + 301, None, 60) == Windows(D0_S + 60, 300, 1)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((0, 600, 90, 60), "step: 90 s is no whole multiple of the base window of 60 s"),
        ((0, 600, 0, 60), "step: 0 s is no whole multiple of the base window of 60 s"),
        ((600, 600, 60, 60), "range: it ends before it begins; give an end that is later"),
        ((-600, 600, 60, 60), "range: times must lie between the years 1970 and 9999"),
        ((0, 10**10, 60, 60), "are more than 50000: take a longer step or a shorter range"),
    ],
)
def test_what_can_not_be_asked_is_said(asked: tuple[int, int, int, int], sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        windows(*asked)


@pytest.mark.parametrize(
    ("step_s", "tier_s"),
    [(60, 60), (300, 60), (5400, 60), (HOUR_S, HOUR_S), (6 * HOUR_S, HOUR_S), (DAY_S, DAY_S)],
)
def test_windows_are_read_from_the_coarsest_tier_that_fits(step_s: int, tier_s: int) -> None:
    asked = windows(D0_S, D0_S + 30 * DAY_S, step_s, 60)
    assert {part.tier_s for part in cover(asked, tiers(60))} == {tier_s}


def test_one_window_is_read_coarse_within_and_fine_at_its_ends() -> None:
    asked = windows(D0_S - HOUR_S - 120, D0_S + DAY_S + 60, None, 60)
    assert cover(asked, tiers(60)) == [
        Part(60, D0_S - HOUR_S - 120, D0_S - HOUR_S),
        Part(HOUR_S, D0_S - HOUR_S, D0_S),
        Part(DAY_S, D0_S, D0_S + DAY_S),
        Part(60, D0_S + DAY_S, D0_S + DAY_S + 60),
    ]


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.sampled_from([None, 60, 300, 3600, 7200, 86_400]))
def test_the_parts_are_the_range_without_gap_or_overlap(from_s: int, length: int, step_s: int | None) -> None:
    asked = windows(from_s, from_s + length, step_s, 60)
    at = asked.from_s
    for part in cover(asked, tiers(60)):
        assert part.from_s == at
        assert part.from_s % part.tier_s == part.to_s % part.tier_s == 0
        at = part.to_s
    assert at == asked.to_s >= from_s + length


def test_what_is_stored_begins_in_a_coarser_tier_where_the_finer_was_dropped() -> None:
    kept = {60: (D0_S + 7260, D0_S + 7320), HOUR_S: (D0_S + 7200, D0_S + 7200), DAY_S: (D0_S, D0_S)}
    assert stored_range(kept) == (D0_S + 7260, D0_S + 7380)
    assert stored_range({**kept, DAY_S: (D0_S - DAY_S, D0_S)}) == (D0_S - DAY_S, D0_S + 7380)
    assert stored_range({}) is None
