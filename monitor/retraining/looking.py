"""What policies look at, and what they come to: reads the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.clock import HOUR_S
from monitor.ingest.events.kinds import Deployment, TrainingRun, moment_ms
from monitor.operations.production import is_live
from monitor.profiles.layout import Kind
from monitor.retraining.deciding import Asked, Decision, Readings, decide
from monitor.retraining.following import Followed, follow, is_running, spent
from monitor.retraining.policy import Drift, Policy, Quality
from monitor.sli.query import answer
from monitor.sli.question import Question, Time
from monitor.sli.windows import Bases, base_of
from monitor.store.events import Stored, list_events
from monitor.store.names import find_series
from monitor.store.retraining import Request, list_requests
from monitor.store.store import Store

__all__ = ["Looked", "followed", "look", "measure", "model_events", "run_state"]

_KINDS = ("deployment", "training_run")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a policy comes to now, and what became of its requests, the oldest first."""

    policy: Policy
    decision: Decision
    requests: tuple[tuple[Request, Followed], ...]


def look(store: Store, policy: Policy, bases: Bases, now_ms: int) -> Looked:
    """What the policy comes to at `now_ms`, event time."""
    events = model_events(store, policy.model, now_ms)
    requests = followed(list_requests(store, policy.name), events, policy.give_up_ms, now_ms)
    # What was only tried out does not hold back what is meant, nor the other way round.
    before = [Asked(r.at_ms, f.step) for r, f in requests if r.dry_run == policy.dry_run]
    readings = measure(store, policy, bases, events, now_ms)
    decision = decide(policy, readings, before, *run_state(policy, events, now_ms), now_ms)
    return Looked(policy, decision, tuple(requests))


def model_events(store: Store, model: str, until_ms: int) -> list[Stored]:
    """The runs and deployments of a model until then."""
    return list_events(store, kinds=_KINDS, model=model, to_ms=until_ms + 1)


def run_state(policy: Policy, events: Sequence[Stored], now_ms: int) -> tuple[bool, float]:
    """Whether a run goes on, and what runs cost in the last stretch of the budget."""
    running = is_running(events, policy.give_up_ms, now_ms)
    budget = policy.budget
    if budget is None or budget.amount is None:
        return running, 0.0
    return running, spent(events, budget.currency, now_ms - budget.per_ms, now_ms)


def followed(
    requests: Sequence[Request], events: Sequence[Stored], give_up_ms: int, now_ms: int
) -> list[tuple[Request, Followed]]:
    """Each request of one policy (the oldest first) with what became of it."""
    nexts = [later.at_ms for _, later in pairwise(requests)]
    bounds: list[int | None] = [*nexts, None] if requests else []
    return [
        (request, follow(request, until_ms, events, give_up_ms, now_ms))
        for request, until_ms in zip(requests, bounds, strict=True)
    ]


def measure(store: Store, policy: Policy, bases: Bases, events: Sequence[Stored], at_ms: int) -> Readings:
    """What the policy looks at, over windows that are over by `at_ms`. `events` are of its model."""
    seen = bool(find_series(store, policy.model)) and (policy.drift is not None or policy.quality is not None)
    drift = _drift(store, policy.model, policy.drift, at_ms, bases) if seen and policy.drift else ()
    value, labels = None, 0
    if seen and policy.quality is not None:
        value, labels = _quality(store, policy.model, policy.quality, at_ms, bases)
    return Readings(
        drift, value, labels, None if policy.age is None else _age_ms(policy.age.of, events, at_ms)
    )


def _drift(store: Store, model: str, said: Drift, at_ms: int, bases: Bases) -> tuple[float | None, ...]:
    step_s = said.window_s // base_of(bases, Kind.FEATURES) * base_of(bases, Kind.FEATURES)
    to_s = at_ms // 1000 // step_s * step_s
    from_s = to_s - said.windows * step_s
    rows = answer(store, Question(model, said.sli, from_s * 1000, to_s * 1000, step_s), at_ms, bases)
    return tuple(row["value"] for row in rows)


def _quality(store: Store, model: str, said: Quality, at_ms: int, bases: Bases) -> tuple[float | None, int]:
    """By the time of the labels: it is what was learnt by then."""
    base_s = max(HOUR_S, base_of(bases, Kind.LEARNED))
    to_s = at_ms // 1000 // base_s * base_s
    from_s = to_s - -(-said.window_s // base_s) * base_s
    question = Question(model, said.sli, from_s * 1000, to_s * 1000, time=Time.LABEL)
    rows = answer(store, question, at_ms, bases)
    return (rows[0]["value"], rows[0]["count"]) if rows else (None, 0)


def _age_ms(of: str, events: Sequence[Stored], at_ms: int) -> int | None:
    found = []
    for event in events:
        data = event.data
        if of == "deployment" and isinstance(data, Deployment):
            if is_live(data):
                found.append(event.ts_ms)
        elif of != "deployment" and isinstance(data, TrainingRun) and data.status == "succeeded":
            if of == "training":
                found.append(event.ts_ms)
            elif data.data_until is not None:
                found.append(moment_ms(data.data_until))
    past = [ms for ms in found if ms <= at_ms]
    return at_ms - max(past) if past else None
