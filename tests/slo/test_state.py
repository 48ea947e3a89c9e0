"""The one word for how an objective stands."""

from typing import Any

import pytest

from monitor.slo.objective import Action, Policy
from monitor.slo.rule import Severity
from monitor.slo.standing import AlertState, Phase
from monitor.slo.state import State, state_of
from tests.slo.standings import alert, objective, standing

EARLY_FREEZE = (Policy("early", 0.9, Action.FREEZE),)


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (State.OK, {}),
        (State.PAGE, {"alerts": (alert(),)}),
        (State.PAGE, {"alerts": (alert(phase=Phase.RESOLVING),), "left": -1.0}),
        (State.TICKET, {"alerts": (alert(severity=Severity.TICKET),)}),
        (State.PENDING, {"alerts": (alert(phase=Phase.PENDING),)}),
        (State.SPENT, {"left": 0.0}),
        (State.SPENT, {"left": -3.0, "alerts": (alert(severity=Severity.TICKET),)}),
        (State.LOW, {"left": 0.5}),
        (State.OK, {"left": 0.51}),
        (State.NO_DATA, {"total": 0.0, "left": None, "compliance": None}),
        (State.PAGE, {"total": 0.0, "left": None, "alerts": (alert(),)}),
    ],
)
def test_the_worst_thing_gives_the_word(wanted: State, changes: dict[str, Any]) -> None:
    assert state_of(objective(), standing(**changes)) is wanted


def test_a_policy_may_freeze_before_the_budget_is_spent() -> None:
    frozen = objective(policies=EARLY_FREEZE)
    ticket: tuple[AlertState, ...] = (alert(severity=Severity.TICKET),)
    assert state_of(frozen, standing(frozen, alerts=ticket)) is State.FREEZE


def test_states_go_from_the_worst_to_the_best() -> None:
    assert [state.rank for state in State] == list(range(len(State)))
    assert State.PAGE.rank < State.SPENT.rank < State.TICKET.rank < State.OK.rank
