"""How objectives, alerts and exclusions look as plain JSON, the same on the command line, over HTTP and in a
notebook: shares from 0 to 1, times as RFC 3339 in UTC."""

from collections.abc import Sequence
from typing import Any

from monitor.clock import rfc3339
from monitor.slo.alert_log import KeptTransition
from monitor.slo.health import Decision
from monitor.slo.objective import Objective, Subject
from monitor.slo.question import Stood
from monitor.slo.standing import AlertState, Burning, Excluded, Exclusion, Health, Standing
from monitor.slo.state import State, due_policies, state_of
from monitor.slo.wording import describe

__all__ = [
    "shown_alert",
    "shown_decision",
    "shown_exclusion",
    "shown_health",
    "shown_standing",
    "shown_subject",
    "shown_transition",
]


def shown_subject(subject: Subject) -> dict[str, Any]:
    return {
        "model": subject.model,
        "version": subject.version,
        "endpoint": subject.endpoint,
        "segment": dict(subject.segment),
    }


def shown_standing(objective: Objective, standing: Standing) -> dict[str, Any]:
    """An objective and how one of its subjects stands."""
    due = due_policies(objective, standing)
    return {
        "objective": objective.name,
        **shown_subject(standing.subject),
        "state": state_of(objective, standing),
        "indicator": describe(objective),
        "description": objective.description,
        "owner": objective.owner,
        "target": standing.target,
        "period": str(objective.period),
        "budgeting": objective.meter.budgeting,
        "from": _time(standing.from_s),
        "to": _time(standing.to_s),
        "as_of": _time(standing.now_s),
        "compliance": standing.compliance,
        "bad": standing.bad,
        "total": standing.total,
        "budget_left": standing.left,
        "budget_left_of_whole": standing.left_of_whole,
        "exhausted_at": _time(standing.exhausted_s),
        "burn": list(map(_burning, standing.burning)),
        "alerts": [_of_objective(alert) for alert in standing.alerts],
        "policies": [
            {"name": p.name, "left": p.left, "action": p.action, "due": p in due} for p in objective.policies
        ],
        "excluded": list(map(_excluded, standing.excluded)),
        "missing": standing.missing,
        "why": standing.why,
    }


def _burning(burning: Burning) -> dict[str, Any]:
    return {
        "window_s": burning.window_s,
        "burn": burning.burn,
        "bad": burning.bad,
        "total": burning.total,
        "coverage": burning.coverage,
        "seen": burning.seen,
    }


def _excluded(excluded: Excluded) -> dict[str, Any]:
    shown = shown_exclusion(excluded.exclusion)
    return {**shown, "seconds": excluded.seconds, "bad": excluded.bad, "total": excluded.total}


def shown_exclusion(exclusion: Exclusion) -> dict[str, Any]:
    """An excluded span; `model` and `objective` null: all of them."""
    return {
        "id": exclusion.id,
        "from": _time(exclusion.from_s),
        "to": _time(exclusion.to_s),
        "model": exclusion.model,
        "objective": exclusion.objective,
        "author": exclusion.author,
        "reason": exclusion.reason,
        "added": _time_ms(exclusion.at_ms),
        "revoked": _time_ms(exclusion.revoked_ms),
    }


def shown_alert(state: AlertState) -> dict[str, Any]:
    """An alert as it was last evaluated."""
    subject = shown_subject(state.key.subject)
    return {"objective": state.key.objective, **subject, **_of_objective(state)}


def _of_objective(state: AlertState) -> dict[str, Any]:
    return {
        "rule": state.key.rule,
        "phase": state.phase,
        "severity": state.severity,
        "since": _time(state.since_s),
        "as_of": _time(state.at_s),
        "why": state.why,
    }


def shown_transition(kept: KeptTransition) -> dict[str, Any]:
    """What an alert did. `at` is event time, `seen` the clock; `quiet`: too old to page for when seen."""
    transition = kept.transition
    return {
        "at": _time(transition.at_s),
        "objective": transition.key.objective,
        **shown_subject(transition.key.subject),
        "rule": transition.key.rule,
        "before": transition.before,
        "after": transition.after,
        "severity": transition.severity,
        "why": transition.why,
        "quiet": kept.quiet,
        "seen": _time_ms(kept.seen_ms),
        "facts": dict(transition.facts),
    }


def shown_decision(model: str, version: str | None, decision: Decision) -> dict[str, Any]:
    """Whether the version (null: any) may be deployed; `notes` are not in its way."""
    return {
        "model": model,
        "version": version,
        "ok": decision.ok,
        "reasons": list(decision.reasons),
        "notes": list(decision.notes),
    }


def shown_health(health: Health, found: Sequence[Stood]) -> dict[str, Any]:
    """A model's health, how many of its objectives are in each state, and what they leave out."""
    states = [one.state for one in found]
    excluded = {e.exclusion.id: e.exclusion for one in found for e in one.standing.excluded}
    return {
        "model": health.model,
        "state": health.state,
        "score": health.score,
        "worst": health.worst,
        "objectives": {state: states.count(state) for state in State if state in states},
        "excluded": [shown_exclusion(excluded[number]) for number in sorted(excluded)],
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else _time_ms(seconds * 1000)


def _time_ms(ms: int | None) -> str | None:
    if ms is None:
        return None
    try:
        return rfc3339(ms)
    except (OverflowError, ValueError, OSError):  # a budget that lasts for thousands of years
        return None
