"""Policies on error budgets: a share of the budget of a whole period, however little of one there is yet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.slo.budget import policy_met, standing
from monitor.slo.objective import Action, Policy, Subject
from monitor.slo.period import Calendar, Period, Rolling, Unit
from monitor.slo.standing import Why
from monitor.slo.state import due_policies
from monitor.slo.tally import Tally
from tests.slo.standings import objective

HOUR_S, DAY_S = 3600, 86_400
MONTH_S = 1_698_796_800  # the 1st of November 2023, midnight
HALF = Policy("half", 0.5, Action.TICKET)
SPENT = Policy("spent", 0.0, Action.FREEZE)


def hours(begin_s: int, *bad: float, total: float = 10_000.0) -> Tally:
    """Hours in a row from `begin_s`, of which each has so many bad events; a thousandth of all may be."""
    slots = [(begin_s + i * HOUR_S, begin_s + (i + 1) * HOUR_S, total - b, total) for i, b in enumerate(bad)]
    return Tally.of(slots)


def due_at(tally: Tally, policy: Policy, period: Period, until_s: int) -> tuple[int | None, Why]:
    """The first hour at whose end the policy is due, from the first event on, and how it ends."""
    assert tally.first_s is not None
    at_s = np.arange(tally.first_s + HOUR_S, until_s + 1, HOUR_S, dtype=np.int64)
    met = policy_met(objective(period=period), policy, tally, at_s)
    found = np.flatnonzero(met.holds)
    return (int(found[0]) + 1 if len(found) else None), tuple(Why)[int(met.why[-1])]


def test_a_young_stream_has_to_spend_the_budget_of_a_whole_period() -> None:
    # Ten times what may be: a tenth of the 30 days spends all of it, a twentieth half of it.
    burns = hours(MONTH_S, *[101.0] * (4 * 24))
    assert due_at(burns, SPENT, Rolling(30), MONTH_S + 4 * DAY_S)[0] == 72
    assert due_at(burns, HALF, Rolling(30), MONTH_S + 4 * DAY_S)[0] == 36


def test_an_outage_of_the_first_hour_is_told_when_it_has_spent_the_share() -> None:
    # All fails: a thousand times what may be, so that 0.72 h are the budget of 30 days.
    assert due_at(hours(MONTH_S, *[10_000.0] * 3), SPENT, Rolling(30), MONTH_S + 3 * HOUR_S)[0] == 1


def test_the_first_failures_of_a_stream_are_no_ticket_and_say_why() -> None:
    assert due_at(hours(MONTH_S, 100, 0, 0), HALF, Rolling(30), MONTH_S + 3 * HOUR_S) == (
        None,
        Why.COLD_START,
    )
    assert due_at(hours(MONTH_S, 1, 0, 0), HALF, Rolling(30), MONTH_S + 3 * HOUR_S) == (None, Why.BELOW)


def test_what_was_spent_does_not_change_while_nothing_fails() -> None:
    # 3,600 bad of the 7,200 that 30 days of these hours bear, in the first hour.
    burst = hours(MONTH_S, 3601.0, *[0.0] * 24 * 20)
    assert due_at(burst, HALF, Rolling(30), MONTH_S + 20 * DAY_S) == (1, Why.BURNS)
    assert due_at(hours(MONTH_S, 3500.0, *[0.0] * 480), HALF, Rolling(30), MONTH_S + 20 * DAY_S)[0] is None


@pytest.mark.parametrize("begin_s", [MONTH_S - 90 * DAY_S, MONTH_S])
def test_a_month_of_the_calendar_is_weighed_from_its_begin(begin_s: int) -> None:
    """Whether there is a history before it or not."""
    month = Calendar(Unit.MONTH)
    before = [0.0] * ((MONTH_S - begin_s) // HOUR_S)
    found, _ = due_at(hours(begin_s, *before, *[101.0] * 80), SPENT, month, MONTH_S + 80 * HOUR_S)
    assert found == len(before) + 72


def test_a_stream_that_began_in_the_midst_of_a_month_has_to_fill_it() -> None:
    middle_s = MONTH_S + 15 * DAY_S
    burns = hours(middle_s, *[101.0] * 80)
    assert due_at(burns, SPENT, Calendar(Unit.MONTH), middle_s + 80 * HOUR_S)[0] == 72


def test_a_new_month_has_a_new_budget() -> None:
    burns = hours(MONTH_S - 10 * DAY_S, *[101.0] * 240, *[0.0] * 48)
    assert due_at(burns, SPENT, Calendar(Unit.MONTH), MONTH_S)[0] is not None
    assert due_at(burns, SPENT, Calendar(Unit.MONTH), MONTH_S + 2 * DAY_S)[1] is Why.BELOW


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=60),
    st.sampled_from([Rolling(1), Rolling(30), Calendar(Unit.WEEK), Calendar(Unit.MONTH)]),
    st.sampled_from([HALF, SPENT, Policy("quarter", 0.25, Action.TICKET)]),
    st.integers(-100, 100),
)
def test_gate_and_ticket_agree(bad: list[int], period: Period, policy: Policy, begin_h: int) -> None:
    begin_s = MONTH_S + begin_h * HOUR_S
    tally, now_s = hours(begin_s, *map(float, bad)), begin_s + len(bad) * HOUR_S
    of = objective(period=period, policies=(policy,))
    found = standing(of, Subject("fraud"), tally, tally, now_s)
    met = policy_met(of, policy, tally, np.array([now_s], np.int64))
    if found.bad >= 3:  # fewer are never a ticket
        assert bool(met.holds[0]) == bool(due_policies(of, found))
