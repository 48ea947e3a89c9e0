"""When policies of retraining would have asked over the stored history, and why not more often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.backtest.replay import Span
from monitor.clock import HOUR_S, rfc3339
from monitor.retraining.deciding import Asked, Step, Why, decide
from monitor.retraining.looking import measure, model_events, run_state
from monitor.retraining.policy import Policy
from monitor.sli.windows import Bases
from monitor.store.events import Stored
from monitor.store.store import Store

__all__ = ["Retraining", "retraining_over", "shown_retraining"]

_MOST_LOOKS = 500


@dataclass(frozen=True, slots=True)
class Retraining:
    """When the policy would have asked (ms), each with the reason, and what all looks came to; `every_s` is
    how often it was looked at."""

    policy: Policy
    asked: tuple[tuple[int, str], ...]
    looks: Counter[Why]
    every_s: int


def retraining_over(
    store: Store, policies: Sequence[Policy], bases: Bases, span: Span, model: str | None
) -> list[Retraining]:
    """What each policy would have done over the span, each looked at every hour (every few in a long span),
    as if what it asks for was approved, and done, at once. Runs are those that events tell of."""
    hours = -(-(span.to_s - span.from_s) // (HOUR_S * _MOST_LOOKS))
    every_s = hours * HOUR_S
    return [_over(store, p, bases, span, every_s) for p in policies if model in (None, p.model)]


def _over(store: Store, policy: Policy, bases: Bases, span: Span, every_s: int) -> Retraining:
    events = model_events(store, policy.model, span.to_s * 1000)
    asked: list[tuple[int, str]] = []
    looks: Counter[Why] = Counter()
    first_s = -(-span.from_s // every_s) * every_s
    for at_s in range(first_s, span.to_s + 1, every_s):
        at_ms = at_s * 1000
        before = [Asked(ms, Step.DEPLOYED) for ms, _ in asked]
        until: list[Stored] = [event for event in events if event.ts_ms <= at_ms]
        readings = measure(store, policy, bases, until, at_ms)
        decision = decide(policy, readings, before, *run_state(policy, until, at_ms), at_ms)
        looks[decision.why] += 1
        if decision.why is Why.ASKS:
            asked.append((at_ms, decision.reason))
    return Retraining(replace(policy, webhook=None), tuple(asked), looks, every_s)


def shown_retraining(found: Retraining) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "policy": found.policy.name,
        "model": found.policy.model,
        "requests": [{"at": rfc3339(at_ms), "reason": reason} for at_ms, reason in found.asked],
        "looks": {str(why): n for why, n in sorted(found.looks.items())},
        "every_seconds": found.every_s,
    }
