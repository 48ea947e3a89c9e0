"""Error budgets: ratios of sums, burn over exact windows, and when a budget ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.slo.budget import burning, standing
from monitor.slo.objective import Subject
from monitor.slo.period import Calendar, Unit
from monitor.slo.tally import Tally
from tests.slo.standings import excluded, objective

HOUR_S, DAY_S = 3600, 86_400
NOW_S = 1_700_006_400  # the 15th of November 2023, midnight
OBJECTIVE = objective()
SUBJECT = Subject("fraud")


def steady(hours: int, bad: float, total: float = 1000.0, until_s: int = NOW_S) -> Tally:
    """The last hours, each in minutes, with as many bad and all events an hour."""
    n = hours * 60
    begin = [until_s - (n - i) * 60 for i in range(n)]
    return Tally.of([(b, b + 60, (total - bad) / 60, total / 60) for b in begin])


def test_compliance_is_a_ratio_of_sums() -> None:
    tally = Tally.of([(NOW_S - 7200, NOW_S - 3600, 10.0, 10.0), (NOW_S - 3600, NOW_S, 900.0, 990.0)])
    found = standing(OBJECTIVE, SUBJECT, tally, tally, NOW_S)
    assert (found.bad, found.total) == (90.0, 1000.0)
    assert found.compliance == pytest.approx(0.91)
    assert found.left == pytest.approx(1 - 90)
    assert found.missing == pytest.approx(1 - 7200 / (30 * DAY_S))


def test_without_events_there_is_no_figure_and_a_reason() -> None:
    found = standing(OBJECTIVE, SUBJECT, Tally.empty(), Tally.empty(), NOW_S)
    assert (found.compliance, found.left, found.exhausted_s) == (None, None, None)
    assert found.why == "nothing to count in the period"
    assert all(b.burn is None and b.coverage == 0 for b in found.burning)


def test_it_says_that_nothing_came_and_what_is_excluded() -> None:
    found = standing(OBJECTIVE, SUBJECT, Tally.empty(), Tally.empty(), NOW_S)
    assert found.why == "nothing to count in the period"
    found = standing(OBJECTIVE, SUBJECT, Tally.empty(), Tally.empty(), NOW_S, [excluded()])
    assert found.why == "all that the period has is excluded"


def test_burn_is_the_bad_share_over_the_budget_in_each_window() -> None:
    # 2 % bad in the last hour, nothing in the five before.
    tally = Tally.of(
        [(NOW_S - 6 * HOUR_S, NOW_S - HOUR_S, 5000.0, 5000.0), (NOW_S - HOUR_S, NOW_S, 980.0, 1000.0)]
    )
    by_window = {b.window_s: b for b in burning(OBJECTIVE, tally, NOW_S)}
    assert by_window[HOUR_S].burn == pytest.approx(20)
    assert by_window[6 * HOUR_S].burn == pytest.approx(20 / 6000 / 0.001)
    assert by_window[3 * DAY_S].coverage == pytest.approx(6 / 72)
    assert by_window[HOUR_S].seen == 1.0


def test_a_quiet_stretch_is_seen() -> None:
    tally = Tally.of([(NOW_S - DAY_S, NOW_S - DAY_S + HOUR_S, 1.0, 1.0), (NOW_S - HOUR_S, NOW_S, 1.0, 1.0)])
    day = next(b for b in burning(OBJECTIVE, tally, NOW_S) if b.window_s == DAY_S)
    assert (day.coverage, day.seen) == (1.0, pytest.approx(2 / 24))


def test_quality_burns_by_what_was_learnt_and_is_reported_by_the_prediction() -> None:
    found = standing(OBJECTIVE, SUBJECT, steady(24, 0), steady(24, 100), NOW_S)
    assert found.compliance == 1.0
    assert all(b.burn == pytest.approx(100) for b in found.burning)


def test_the_end_of_the_budget_at_the_rate_of_now() -> None:
    # 24 days without a failure, then three at a burn rate of 2: 144 bad of the 648 that 648,000 events bear.
    begin = [NOW_S - (27 * 24 - i) * HOUR_S for i in range(27 * 24)]
    slots = [(b, b + HOUR_S, 1000.0 if b < NOW_S - 3 * DAY_S else 998.0, 1000.0) for b in begin]
    found = standing(OBJECTIVE, SUBJECT, Tally.of(slots), steady(73, 2.0), NOW_S)
    assert found.left == pytest.approx(1 - 144 / 648)
    assert found.exhausted_s is not None
    # In three days the period is full: 48 more a day, until the 720 of 720,000 events are spent.
    assert (found.exhausted_s - NOW_S) / DAY_S == pytest.approx((720 - 144) / 48, abs=0.1)


def test_trouble_that_is_over_is_not_projected() -> None:
    over = Tally.of(
        [(NOW_S - 5 * HOUR_S, NOW_S - 4 * HOUR_S, 900.0, 1000.0), (NOW_S - 4 * HOUR_S, NOW_S, 4e5, 4e5)]
    )
    assert standing(OBJECTIVE, SUBJECT, over, over, NOW_S).exhausted_s is None


def test_a_calendar_period_ends_with_itself() -> None:
    month = objective(period=Calendar(Unit.MONTH))
    slow = steady(14 * 24, 1.01)
    found = standing(month, SUBJECT, steady(14 * 24, 0.9), slow, NOW_S)
    assert (found.from_s, found.to_s) == (1_698_796_800, 1_701_388_800)
    assert found.exhausted_s is None
    fast = standing(month, SUBJECT, steady(14 * 24, 0.9), steady(14 * 24, 10.0), NOW_S)
    assert fast.exhausted_s is not None
    assert NOW_S < fast.exhausted_s < month.period.bounds(NOW_S)[1]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=48),
    st.integers(1, 47),
)
def test_windows_are_exact_whatever_the_slots(events: list[tuple[int, int]], cut: int) -> None:
    """Each window's figures are the sums over its hours, however these are cut into slots."""
    n = len(events)
    hours = [(NOW_S - (n - i) * HOUR_S, g, g + b) for i, (g, b) in enumerate(events)]
    tally = Tally.of([(at, at + HOUR_S, float(good), float(total)) for at, good, total in hours])
    for one in burning(OBJECTIVE, tally, NOW_S):
        inside = [(g, t) for at, g, t in hours if at >= NOW_S - one.window_s]
        total = sum(t for _, t in inside)
        assert (one.bad, one.total) == (total - sum(g for g, _ in inside), total)
        assert (one.burn is None) == (total == 0)
