"""Transitions told as episodes."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.slo.alert_log import KeptTransition
from monitor.slo.episodes import episodes
from monitor.slo.rule import Severity
from monitor.slo.standing import Phase
from tests.slo.standings import alert, transition

IDLE, PENDING, FIRING, RESOLVING = Phase.INACTIVE, Phase.PENDING, Phase.FIRING, Phase.RESOLVING


def kept(
    at_s: int, before: Phase, after: Phase, rule: str = "a", quiet: bool = False, **changes: Any
) -> KeptTransition:
    key = replace(alert().key, rule=rule)
    return KeptTransition(transition(before, after, at_s, key=key, **changes), at_s * 1000, quiet)


def told(*steps: tuple[int, Phase, Phase]) -> list[tuple[int, int | None]]:
    return [(e.from_s, e.to_s) for e in episodes(kept(*step) for step in steps)]


def test_from_firing_to_inactive_whatever_lies_between() -> None:
    steps = [(0, IDLE, PENDING), (60, PENDING, FIRING), (120, FIRING, RESOLVING)]
    steps += [(180, RESOLVING, FIRING), (240, FIRING, RESOLVING), (900, RESOLVING, IDLE)]
    assert told(*steps) == [(60, 900)]


def test_what_still_fires_has_no_end() -> None:
    assert told((60, IDLE, FIRING)) == [(60, None)]


def test_what_only_was_pending_did_not_fire() -> None:
    assert told((0, IDLE, PENDING), (60, PENDING, IDLE)) == []


def test_an_episode_whose_begin_is_not_known_is_left_out() -> None:
    assert told((0, FIRING, RESOLVING), (60, RESOLVING, IDLE), (120, IDLE, FIRING)) == [(120, None)]


def test_the_rules_of_an_objective_are_one_episode_while_one_of_them_fires() -> None:
    ticket = Severity.TICKET
    (one, two) = episodes(
        [
            kept(0, IDLE, FIRING, "slow", severity=ticket),
            kept(60, IDLE, FIRING, "fast"),
            kept(120, FIRING, IDLE, "slow", severity=ticket),
            kept(180, FIRING, IDLE, "fast"),
            kept(240, IDLE, FIRING, "slow", severity=ticket),
        ]
    )
    assert (one.from_s, one.to_s, one.rules, one.severity) == (0, 180, ["slow", "fast"], Severity.PAGE)
    assert (two.from_s, two.to_s, two.rules, two.severity) == (240, None, ["slow"], ticket)


def test_an_escalation_makes_it_a_page() -> None:
    steps = [kept(0, IDLE, FIRING, severity=Severity.TICKET), kept(60, FIRING, FIRING)]
    assert [e.severity for e in episodes(steps)] == [Severity.PAGE]


def test_it_is_quiet_until_somebody_was_told() -> None:
    late = [kept(0, IDLE, FIRING, quiet=True)]
    assert [e.quiet for e in episodes(late)] == [True]
    assert [e.quiet for e in episodes([*late, kept(60, FIRING, FIRING)])] == [False]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y"]), st.sampled_from(list(Phase))),
        max_size=30,
    )
)
def test_episodes_of_one_objective_never_overlap(steps: list[tuple[str, str, Phase]]) -> None:
    phases = {(objective, rule): IDLE for objective in "ab" for rule in "xy"}
    given: list[KeptTransition] = []
    for i, (objective, rule, after) in enumerate(steps):
        key = replace(alert().key, objective=objective, rule=rule)
        did = transition(phases[objective, rule], after, i, key=key)
        given.append(KeptTransition(did, 0, False))
        phases[objective, rule] = after
    found = episodes(given)
    for objective in "ab":
        mine = [e for e in found if e.objective == objective]
        assert all(a.to_s is not None and a.to_s <= b.from_s for a, b in pairwise(mine))
        fires = any(phases[objective, rule].fires for rule in "xy")
        assert bool(mine and mine[-1].to_s is None) == fires
