"""Whether a policy asks now, and if not, why not: pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.clock import DAY_MS, rfc3339
from monitor.config.durations import format_duration
from monitor.retraining.policy import Budget, Policy

__all__ = ["Asked", "Decision", "Readings", "Step", "Why", "decide"]


class Step(StrEnum):
    """How far a request has come."""

    DRY_RUN = "dry run"
    WAITING = "waiting for approval"
    REJECTED = "rejected"
    REQUESTED = "requested"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEPLOYED = "deployed"
    GIVEN_UP = "given up"


class Why(StrEnum):
    """What came of looking."""

    ASKS = "asks"
    QUIET = "quiet"
    NOT_ENOUGH_LABELS = "not_enough_labels"
    WAITING = "waiting_for_approval"
    RUNNING = "running"
    COOL_DOWN = "cool_down"
    BUDGET = "budget"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Readings:
    """What a policy looks at: drift in the last windows (the newest last, None where it isn't known), quality
    with its labels, and the age of what may grow old; None where it isn't known or wanted."""

    drift: tuple[float | None, ...] = ()
    quality: float | None = None
    labels: int = 0
    age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the policy before: when, and how far it has come."""

    at_ms: int
    step: Step


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of looking, and a sentence that says why."""

    why: Why
    reason: str


def decide(
    policy: Policy,
    readings: Readings,
    before: Sequence[Asked],
    running: bool,
    spent: float,
    now_ms: int,
) -> Decision:
    """The decision. `before` are the policy's requests, the oldest first; `running` says whether a run of the
    model goes on, `spent` what runs cost in the budget's currency in the last stretch of it."""
    reasons = list(_triggers(policy, readings))
    if not reasons:
        return _quiet(policy, readings)
    because = "; ".join(reasons)
    last = before[-1] if before else None
    if last is not None and last.at_ms > now_ms:
        return Decision(Why.BEHIND, f"{because}; but the last request is of {rfc3339(last.at_ms)}, later")
    if last is not None and last.step is Step.WAITING:
        return Decision(Why.WAITING, f"{because}; the request of {rfc3339(last.at_ms)} waits for approval")
    if running or (last is not None and last.step in (Step.REQUESTED, Step.RUNNING)):
        return Decision(Why.RUNNING, f"{because}; a run goes on, or was asked for and has not begun")
    if last is not None and now_ms - last.at_ms < policy.cool_down_ms:
        until = rfc3339(last.at_ms + policy.cool_down_ms)
        return Decision(Why.COOL_DOWN, f"{because}; not before {until}")
    over = None if policy.budget is None else _over(policy.budget, before, spent, now_ms)
    return Decision(Why.ASKS, because) if over is None else Decision(Why.BUDGET, f"{because}; {over}")


def _triggers(policy: Policy, readings: Readings) -> Iterator[str]:
    drift, quality, age = policy.drift, policy.quality, policy.age
    if drift is not None and len(readings.drift) >= drift.windows:
        last = readings.drift[-drift.windows :]
        known = [value for value in last if value is not None]
        if len(known) == drift.windows and min(known) > drift.above:
            yield f"{drift.sli} {known[-1]:.3g} is above {drift.above:g} for {drift.windows} windows"
    value = readings.quality
    enough = quality is not None and readings.labels >= quality.min_labels
    if quality is not None and value is not None and enough and quality.is_bad(value):
        side = "below" if quality.low_is_bad else "above"
        yield f"{quality.sli} {value:.4g} is {side} {quality.bound:g} over {readings.labels:,} labels"
    if age is not None and readings.age_ms is not None and readings.age_ms > age.above_ms:
        days = readings.age_ms / DAY_MS
        yield f"{age.of} is {days:.3g} days old, more than {format_duration(age.above_ms)}"


def _quiet(policy: Policy, readings: Readings) -> Decision:
    quality = policy.quality
    if quality is not None and readings.labels < quality.min_labels:
        return Decision(
            Why.NOT_ENOUGH_LABELS, f"{readings.labels:,} labels of at least {quality.min_labels:,}"
        )
    return Decision(Why.QUIET, "nothing is beyond its bound")


def _over(budget: Budget, before: Sequence[Asked], spent: float, now_ms: int) -> str | None:
    """Why the budget does not allow one more; None where it does. What was rejected or is a dry run costs as
    much as one that wasn't, or a rule that asks too often would never be seen to."""
    per = format_duration(budget.per_ms)
    recent = sum(asked.at_ms > now_ms - budget.per_ms for asked in before)
    if budget.runs is not None and recent >= budget.runs:
        return f"the budget of {budget.runs} in {per} is used up"
    if budget.amount is not None and spent >= budget.amount:
        return f"runs cost {spent:g} of {budget.amount:g} {budget.currency} in {per}"
    return None
