"""Alerts and what they did, as the store keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.standing import AlertKey, AlertState, Phase, Transition, Why
from monitor.store import alerts
from monitor.store.alerts import AlertRow, TransitionRow
from monitor.store.store import Store

__all__ = ["EVALUATION", "KeptTransition", "evaluated_s", "list_states", "list_transitions", "write"]

EVALUATION = "slo"
_WHY = {why.name.lower(): why for why in Why}


@dataclass(frozen=True, slots=True)
class KeptTransition:
    """A transition, when it was seen, and whether it was found so late that it is `quiet`: nobody is woken
    for what is over."""

    transition: Transition
    seen_ms: int
    quiet: bool


def evaluated_s(store: Store) -> int | None:
    """Until when alerts are evaluated, event time; None where they never were."""
    return alerts.evaluated_s(store, EVALUATION)


def list_states(store: Store, model: str | None = None) -> list[AlertState]:
    """The alerts that are not inactive, of one model or all."""
    found = (_state(row) for row in alerts.read_alerts(store))
    return [state for state in found if model in (None, state.key.subject.model)]


def list_transitions(
    store: Store,
    model: str | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
    limit: int | None = None,
) -> list[KeptTransition]:
    """What alerts did in [from_s, to_s), event time, the newest first, at most `limit`."""
    return [_kept(row) for row in alerts.read_transitions(store, model, from_s, to_s, limit)]


def write(
    store: Store,
    before_s: int | None,
    at_s: int,
    states: Sequence[AlertState],
    did: Sequence[KeptTransition],
) -> bool:
    """Moves the evaluation on, with the states that changed; False where another process has moved it."""
    gone = [_key_text(s.key) for s in states if s.phase is Phase.INACTIVE]
    changed = [_row(s) for s in states if s.phase is not Phase.INACTIVE]
    return alerts.swap(store, EVALUATION, before_s, at_s, changed, gone, [_transition_row(k) for k in did])


def _key_text(key: AlertKey) -> str:
    s = key.subject
    return _text([key.objective, key.rule, s.model, s.version, s.endpoint, s.segment])


def _key(text: str) -> AlertKey:
    objective, rule, model, version, endpoint, segment = msgspec.json.decode(text)
    pairs = tuple((label, value) for label, value in segment)
    return AlertKey(objective, rule, Subject(model, version, endpoint, pairs))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _row(state: AlertState) -> AlertRow:
    rest = {
        "at_s": state.at_s,
        "held_s": state.held_s,
        "above_s": state.above_s,
        "why": state.why.name.lower(),
        "quiet": state.quiet,
        "left": state.left,
        "burn": state.burn,
    }
    return AlertRow(_key_text(state.key), state.phase, state.severity, state.since_s, _text(rest))


def _state(row: AlertRow) -> AlertState:
    rest: Mapping[str, Any] = msgspec.json.decode(row.state)
    return AlertState(
        _key(row.key),
        Phase(row.phase),
        Severity(row.severity),
        row.since_s,
        rest["at_s"],
        rest["held_s"],
        rest["above_s"],
        _WHY[rest["why"]],
        rest["quiet"],
        rest.get("left"),
        rest.get("burn"),
    )


def _transition_row(kept: KeptTransition) -> TransitionRow:
    t = kept.transition
    return TransitionRow(
        model=t.key.subject.model,
        key=_key_text(t.key),
        at_s=t.at_s,
        seen_ms=kept.seen_ms,
        before=t.before,
        after=t.after,
        severity=t.severity,
        why=t.why.name.lower(),
        quiet=kept.quiet,
        facts=_text(t.facts),
    )


def _kept(row: TransitionRow) -> KeptTransition:
    transition = Transition(
        _key(row.key),
        row.at_s,
        Phase(row.before),
        Phase(row.after),
        Severity(row.severity),
        _WHY[row.why],
        msgspec.json.decode(row.facts),
    )
    return KeptTransition(transition, row.seen_ms, row.quiet)
