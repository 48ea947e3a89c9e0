"""A model's health, and whether it may be deployed: what its objectives come to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.slo.objective import Action, Policy
from monitor.slo.question import Stood
from monitor.slo.rule import Severity
from monitor.slo.standing import AlertState, Health
from monitor.slo.state import due_policies

__all__ = ["Decision", "decide", "health"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a deployment may go ahead; if not, why, a sentence each. `notes` are not in its way."""

    ok: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def health(model: str, found: Sequence[Stood]) -> Health:
    """The worst state, and the mean of the budgets left (each taken from 0 to 1) by the objectives'
    weights; an objective with several subjects counts with the worst of them."""
    worst = min(found, key=lambda one: one.state.rank)
    left: dict[str, tuple[float, float]] = {}
    for one in found:
        if one.standing.left is not None:
            kept = min(1.0, max(0.0, one.standing.left))
            weight, least = left.get(one.objective.name, (one.objective.weight, kept))
            left[one.objective.name] = (weight, min(least, kept))
    weights = sum(weight for weight, _ in left.values())
    score = sum(weight * kept for weight, kept in left.values()) / weights if weights else None
    return Health(model, str(worst.state), score, worst.objective.name)


def decide(found: Sequence[Stood], watched: Sequence[AlertState] = ()) -> Decision:
    """No deployment while a page fires, of an objective or of what is `watched` besides, or while a budget
    is down to where a policy freezes."""
    reasons: list[str] = []
    notes: list[str] = []
    for alert in watched:
        _note_alert(alert, f"{alert.key.objective} of {alert.key.subject}", reasons, notes)
    for one in found:
        name = f"{one.objective.name} of {one.standing.subject}"
        for alert in one.standing.alerts:
            _note_alert(alert, name, reasons, notes)
        policies, due = one.objective.policies, due_policies(one.objective, one.standing)
        freezes = [p for p in due if p.action is Action.FREEZE]
        if freezes:
            reasons.append(f"{name}: {_low(one)}; the policy {_said(freezes[-1])} freezes deployments")
        elif due:
            notes.append(f"{name}: {_low(one)}; the policy {_said(due[-1])} asks for a ticket")
        elif one.standing.left is not None and any(one.standing.left <= p.left for p in policies):
            notes.append(f"{name}: {_low(one)}, but too little of the period is over for a policy")
        if one.standing.left is None:
            notes.append(f"{name}: {one.standing.why or 'no data'}")
        for e in one.standing.excluded:
            said = f"{e.bad:,.0f} bad of {e.total:,.0f} events are excluded"
            notes.append(f"{name}: {said}, by {e.exclusion.author}: {e.exclusion.reason}")
    return Decision(not reasons, tuple(reasons), tuple(notes))


def _note_alert(alert: AlertState, name: str, reasons: list[str], notes: list[str]) -> None:
    if alert.phase.fires:
        sentence = f"{name}: {alert.key.rule} ({alert.severity}) is {alert.phase}"
        (reasons if alert.severity is Severity.PAGE else notes).append(sentence)


def _low(one: Stood) -> str:
    left = one.standing.left or 0.0
    if left < 0:
        return f"the error budget is overspent, {one.standing.bad:,.0f} bad of {_allowed(one):,.0f} allowed"
    return f"{math.floor(left * 100)} % of the error budget is left"


def _allowed(one: Stood) -> float:
    return one.objective.budget * one.standing.total


def _said(policy: Policy) -> str:
    return f"{policy.name!r} (at {policy.left * 100:g} %)"
