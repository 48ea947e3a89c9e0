"""Good objectives and standings to start a test from; each test changes one thing."""

from dataclasses import replace
from typing import Any

from monitor.profiles.layout import Service
from monitor.slo.objective import Action, Meter, Objective, Outcomes, Policy, Subject
from monitor.slo.period import Rolling
from monitor.slo.rule import TABLE, Severity, burn_rules
from monitor.slo.standing import (
    AlertKey,
    AlertState,
    Burning,
    Excluded,
    Exclusion,
    Phase,
    Standing,
    Transition,
    Why,
)

__all__ = ["NOW_S", "alert", "excluded", "objective", "standing", "transition"]

NOW_S = 1_700_006_400
_DAY_S = 86_400
_POLICIES = (
    Policy("half", 0.5, Action.TICKET),
    Policy("quarter", 0.25, Action.TICKET),
    Policy("spent", 0.0, Action.FREEZE),
)


def objective(name: str = "availability", model: str = "fraud", **changes: Any) -> Objective:
    """99.9 % of the requests of `model` over 30 days."""
    period = Rolling(30)
    good = Objective(
        name=name,
        meter=Meter(model, Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))),
        target=0.999,
        period=period,
        rules=burn_rules(TABLE, period, 0.001, 60),
        policies=_POLICIES,
        owner="risk",
        description="Answers come.",
    )
    return replace(good, **changes)


def standing(of: Objective | None = None, version: str | None = None, **changes: Any) -> Standing:
    """200 bad of 1,000,000: a fifth of the budget is spent."""
    of = of or objective()
    good = Standing(
        objective=of.name,
        subject=Subject(of.meter.model, version),
        now_s=NOW_S,
        from_s=NOW_S - 30 * _DAY_S,
        to_s=NOW_S,
        target=of.target,
        bad=200.0,
        total=1_000_000.0,
        compliance=0.9998,
        left=0.8,
        burning=(
            Burning(300, 0.5, 1.0, 2000.0, 1.0, 1.0),
            Burning(3600, 1.25, 30.0, 24_000.0, 1.0, 1.0),
        ),
        exhausted_s=NOW_S + 19 * _DAY_S,
        excluded=(),
        missing=0.0,
    )
    return replace(good, **changes)


def alert(of: Objective | None = None, phase: Phase = Phase.FIRING, **changes: Any) -> AlertState:
    """The fastest rule of an objective, firing for ten minutes."""
    of = of or objective()
    good = AlertState(
        key=AlertKey(of.name, of.rules[0].name, Subject(of.meter.model)),
        phase=phase,
        severity=Severity.PAGE,
        since_s=NOW_S - 600,
        at_s=NOW_S,
        held_s=NOW_S - 600,
        why=Why.BURNS,
    )
    return replace(good, **changes)


def transition(before: Phase, after: Phase, at_s: int = NOW_S, **changes: Any) -> Transition:
    """A change of phase of that alert."""
    facts = {"burn_1h": 20.0}
    good = Transition(alert().key, at_s, before, after, Severity.PAGE, Why.BURNS, facts)
    return replace(good, **changes)


def excluded(**changes: Any) -> Excluded:
    """A maintenance of two hours that took out 50 bad of 4,000 events."""
    exclusion = Exclusion(
        7, NOW_S - 10_800, NOW_S - 3600, "ann", "database moved", "fraud", at_ms=NOW_S * 1000
    )
    return replace(Excluded(exclusion, 7200, 50.0, 4000.0), **changes)
