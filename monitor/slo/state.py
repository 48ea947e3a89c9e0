"""The one word for how an objective stands."""

from enum import StrEnum

from monitor.slo.objective import Action, Objective, Policy
from monitor.slo.rule import Severity
from monitor.slo.standing import Phase, Standing

__all__ = ["State", "due_policies", "state_of"]


class State(StrEnum):
    """From the worst to the best. FREEZE: a policy freezes deployments; LOW: one asks for a ticket."""

    PAGE = "page"
    SPENT = "spent"
    FREEZE = "freeze"
    TICKET = "ticket"
    PENDING = "pending"
    LOW = "low"
    OK = "ok"
    NO_DATA = "no data"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(State).index(self)


def due_policies(objective: Objective, standing: Standing) -> list[Policy]:
    """The policies whose share of the budget of a whole period is reached, the strictest last."""
    left = standing.left_of_whole
    due = [p for p in objective.policies if left is not None and left <= p.left]
    return sorted(due, key=lambda p: -p.left)


def state_of(objective: Objective, standing: Standing) -> State:
    """How bad it is: by the alerts that fire, then by the policies that are due."""
    firing = {alert.severity for alert in standing.alerts if alert.phase.fires}
    left = standing.left
    due = {p.action for p in due_policies(objective, standing)}
    if Severity.PAGE in firing:
        return State.PAGE
    if left is not None and left <= 0:
        return State.SPENT
    if Action.FREEZE in due:
        return State.FREEZE
    if Severity.TICKET in firing:
        return State.TICKET
    if any(alert.phase is Phase.PENDING for alert in standing.alerts):
        return State.PENDING
    if due:
        return State.LOW
    return State.NO_DATA if standing.total == 0 else State.OK
