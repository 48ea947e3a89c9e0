"""Alerts over time: minute by minute is all at once, and people are woken when they should be."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.slo.alerting import Conditions, advance, conditions, fresh
from monitor.slo.objective import Subject
from monitor.slo.period import Rolling
from monitor.slo.rule import TABLE, Clause, Escalation, Rule, Severity, burn_rules
from monitor.slo.standing import AlertKey, AlertState, Phase, Transition, Why
from monitor.slo.tally import Tally

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
T0_S = 1_700_000_040
KEY = AlertKey("availability", "burn", Subject("fraud"))
FAST, SLOW, DAILY, WEEKLY = burn_rules(TABLE, Rolling(30), 0.001, 60)


def minutes(*parts: tuple[int, float, float]) -> Tally:
    """A tally from T0_S on: (minutes, requests a minute, share of them bad) each."""
    slots = []
    at_s = T0_S
    for n, per_minute, bad in parts:
        for _ in range(n):
            if per_minute:
                slots.append((at_s, at_s + 60, per_minute * (1 - bad), per_minute))
            at_s += 60
    return Tally.of(slots)


def run(tally: Tally, rule: Rule, n: int) -> list[Transition]:
    at_s = T0_S + 60 * np.arange(1, n + 1)
    return advance(fresh(KEY, rule, T0_S), rule, at_s, conditions(tally, rule, at_s))[1]


def minute_of(transition: Transition) -> int:
    return (transition.at_s - T0_S) // 60


def fired(found: Sequence[Transition]) -> list[int]:
    return [minute_of(t) for t in found if t.after is Phase.FIRING and not t.before.fires]


def test_a_total_outage_at_100_requests_a_second_pages_within_two_minutes() -> None:
    day = 24 * 60
    tally = minutes((day, 6000, 0), (30, 6000, 1))
    (at,) = fired(run(tally, FAST, day + 30))
    assert at - day <= 2


def test_a_total_outage_right_after_the_start_pages_within_two_minutes() -> None:
    found = run(minutes((30, 6000, 1)), FAST, 30)
    assert fired(found)[0] <= 2


def test_a_cold_start_does_not_page_for_a_few_errors() -> None:
    """2 % of errors burn at 20, but a minute of that is nothing of the budget."""
    rules = [FAST, SLOW]
    assert [fired(run(minutes((20, 6000, 0.02)), rule, 20)) for rule in rules] == [[], []]
    at_s = np.array([T0_S + 600])
    met = conditions(minutes((20, 6000, 0.02)), FAST, at_s)
    assert met.why.tolist() == [list(Why).index(Why.COLD_START)]
    assert met.coverage[0].tolist() == [600 / 3600]


def test_a_single_failure_at_night_pages_nobody() -> None:
    tally = minutes((600, 1, 0), (1, 1, 1), (600, 1, 0))
    assert [fired(run(tally, rule, 1201)) for rule in (FAST, SLOW, DAILY, WEEKLY)] == [[], [], [], []]


def test_a_quiet_night_is_no_outage_and_no_recovery() -> None:
    tally = minutes((300, 600, 0), (600, 0, 0), (60, 600, 0))
    at_s = T0_S + 60 * np.arange(1, 961)
    met = conditions(tally, FAST, at_s)
    assert not met.holds.any()
    assert not np.isnan(met.bad).any()
    assert set(met.why.tolist()) == {list(Why).index(Why.BELOW), list(Why).index(Why.NO_EVENTS)}


def test_what_flaps_around_the_limit_is_one_alert() -> None:
    flapping = [(1, 6000, 0.0165 if i % 2 else 0.0135) for i in range(120)]
    tally = minutes((120, 6000, 0.0144), *flapping, (120, 6000, 0))
    rule = Rule("flap", Severity.PAGE, (Clause(60, 0.0144),))
    found = run(tally, rule, 360)
    assert len(fired(found)) == 1
    assert found[-1].after is Phase.INACTIVE
    assert found[-1].why is Why.ENDED


def test_the_alert_ends_soon_after_the_trouble() -> None:
    """The short window ends it, and then it keeps firing for ten minutes."""
    tally = minutes((240, 6000, 0), (30, 6000, 1), (240, 6000, 0))
    found = run(tally, FAST, 510)
    assert [t.after for t in found] == [Phase.FIRING, Phase.RESOLVING, Phase.INACTIVE]
    assert [minute_of(t) - 270 for t in found[1:]] == [5, 15]


def test_it_waits_for_its_time_and_starts_anew_where_it_broke_off() -> None:
    rule = Rule("wait", Severity.PAGE, (Clause(60, 0.5),), for_s=300, keep_firing_s=0)
    tally = minutes((4, 100, 1), (1, 100, 0), (8, 100, 1), (2, 100, 0))
    found = run(tally, rule, 15)
    assert [(minute_of(t), t.after) for t in found] == [
        (1, Phase.PENDING),
        (5, Phase.INACTIVE),
        (6, Phase.PENDING),
        (11, Phase.FIRING),
        (14, Phase.INACTIVE),
    ]
    assert found[3].why is Why.HELD


def test_a_ticket_that_goes_on_burning_becomes_a_page() -> None:
    rule = replace(DAILY, escalation=Escalation(6 * HOUR_S, 0.002, 2 * HOUR_S))
    tally = minutes((4 * 24 * 60, 600, 0), (24 * 60, 600, 0.005))
    found = run(tally, rule, 5 * 24 * 60)
    firing, escalated = found[:2]
    assert (firing.severity, firing.why) == (Severity.TICKET, Why.BURNS)
    assert (escalated.severity, escalated.why) == (Severity.PAGE, Why.ESCALATED)
    # 0.005 over 0.002 of 6 h: above from 144 min on, and two hours more; the day's window comes later.
    assert minute_of(firing) - 4 * 24 * 60 == pytest.approx(0.6 * 24 * 60, abs=2)
    assert escalated.at_s == firing.at_s


def test_the_facts_are_burn_rates_over_exact_windows() -> None:
    (found, *_) = run(minutes((240, 1000, 0), (30, 1000, 1)), FAST, 270)
    assert found.facts["bad_3600s"] == 1000
    assert found.facts["total_3600s"] == 60_000
    assert found.facts["burn_3600s"] == pytest.approx(1000 / 60)
    assert found.facts["burn_300s"] == pytest.approx(200)


def test_slots_longer_than_a_window_never_count_in_part() -> None:
    hours = Tally.of([(T0_S, T0_S + 3600, 0, 1000)])
    met = conditions(hours, FAST, np.array([T0_S + 1800, T0_S + 3600]))
    assert met.total[0].tolist() == [0, 1000]


class _Model:
    """Prometheus's own way: one moment after the other."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.firing = rule, False
        self.active_s: int | None = None
        self.ended_s: int | None = None

    def step(self, holds: bool, now_s: int) -> bool:
        if holds:
            self.active_s = now_s if self.active_s is None else self.active_s
            self.ended_s = None
            self.firing = self.firing or now_s - self.active_s >= self.rule.for_s
            return self.firing
        self.active_s = None
        if self.firing:
            self.ended_s = now_s if self.ended_s is None else self.ended_s
            self.firing = now_s - self.ended_s < self.rule.keep_firing_s
        return self.firing


TIMES = st.integers(0, 6).map(lambda n: 60 * n)


@given(st.lists(st.booleans(), min_size=1, max_size=60), TIMES, TIMES)
def test_it_fires_when_prometheus_would(holds: list[bool], for_s: int, keep_s: int) -> None:
    rule = Rule("any", Severity.PAGE, (Clause(60, 0.5),), for_s=for_s, keep_firing_s=keep_s)
    at_s = T0_S + 60 * np.arange(1, len(holds) + 1)
    met = _given(holds, [False] * len(holds))
    model, state = _Model(rule), fresh(KEY, rule, T0_S)
    for i, moment in enumerate(at_s.tolist()):
        state, _ = advance(state, rule, at_s[i : i + 1], _part(met, i, i + 1))
        assert state.phase.fires == model.step(holds[i], moment)


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80),
    TIMES,
    TIMES,
    st.lists(st.integers(0, 80), max_size=6),
)
def test_all_at_once_is_part_by_part(
    moments: list[tuple[bool, bool]], for_s: int, keep_s: int, cuts: list[int]
) -> None:
    rule = Rule(
        "any",
        Severity.TICKET,
        (Clause(60, 0.5),),
        for_s=for_s,
        keep_firing_s=keep_s,
        escalation=Escalation(60, 0.5, 180),
    )
    met = _given([h for h, _ in moments], [e for _, e in moments])
    at_s = T0_S + 60 * np.arange(1, len(moments) + 1)
    whole = advance(fresh(KEY, rule, T0_S), rule, at_s, met)
    for bounds in (
        sorted({0, len(moments), *(c for c in cuts if c < len(moments))}),
        range(len(moments) + 1),
    ):
        state: AlertState = fresh(KEY, rule, T0_S)
        found: list[Transition] = []
        for begin, end in zip(list(bounds)[:-1], list(bounds)[1:], strict=True):
            state, some = advance(state, rule, at_s[begin:end], _part(met, begin, end))
            found += some
        assert (state, found) == whole


def _given(holds: Sequence[bool], escalates: Sequence[bool]) -> Conditions:
    why = [list(Why).index(Why.BURNS if h else Why.BELOW) for h in holds]
    figures = np.ones((1, len(holds)))
    return Conditions(np.array(holds), np.array(escalates), np.array(why), figures, figures, figures)


def _part(met: Conditions, begin: int, end: int) -> Conditions:
    part = slice(begin, end)
    return Conditions(
        met.holds[part],
        met.escalates[part],
        met.why[part],
        met.bad[:, part],
        met.total[:, part],
        met.coverage[:, part],
    )
