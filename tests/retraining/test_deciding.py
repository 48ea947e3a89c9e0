"""Whether a policy asks, and if not, why not."""

from dataclasses import replace
from typing import Any

import pytest

from monitor.retraining.deciding import Asked, Readings, Step, Why, decide
from monitor.retraining.policy import Age, Budget, Drift, Policy, Quality

DAY_MS = 86_400_000
NOW_MS = 100 * DAY_MS
POLICY = Policy(
    "weekly",
    "fraud",
    Drift("model_drift", 0.2, 3, 3600),
    Quality("accuracy", 0.9, True, 500, 86_400),
    Age("data", 30 * DAY_MS),
    budget=Budget(30 * DAY_MS, runs=2),
)
CALM = Readings((0.1, 0.1, 0.1), 0.95, 1000, DAY_MS)
OLD = replace(CALM, age_ms=31 * DAY_MS)


def why(readings: Readings, *before: Asked, policy: Policy = POLICY, **state: Any) -> Why:
    given = {"running": False, "spent": 0.0, "now_ms": NOW_MS, **state}
    return decide(policy, readings, before, **given).why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drift": (0.3, 0.25, 0.21)}, "model_drift 0.21 is above 0.2 for 3 windows"),
        ({"quality": 0.89}, "accuracy 0.89 is below 0.9 over 1,000 labels"),
        ({"age_ms": 31 * DAY_MS}, "data is 31 days old, more than 30d"),
    ],
)
def test_each_trigger_is_enough(change: dict[str, Any], said: str) -> None:
    decision = decide(POLICY, replace(CALM, **change), (), False, 0.0, NOW_MS)
    assert (decision.why, decision.reason) == (Why.ASKS, said)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"drift": (0.3, 0.19, 0.3)},
        {"drift": (0.3, None, 0.3)},
        {"drift": (0.3, 0.3)},
        {"drift": (0.3, 0.3, 0.2)},
        {"quality": 0.9},
        {"quality": None},
        {"age_ms": 30 * DAY_MS},
        {"age_ms": None},
    ],
)
def test_what_is_not_beyond_its_bound_is_quiet(change: dict[str, Any]) -> None:
    assert why(replace(CALM, **change)) is Why.QUIET


def test_low_is_good_of_errors() -> None:
    mae = replace(POLICY, quality=Quality("mae", 5.0, False, 500, 86_400))
    assert why(replace(CALM, quality=5.1), policy=mae) is Why.ASKS
    assert why(replace(CALM, quality=4.9), policy=mae) is Why.QUIET


def test_few_labels_tell_nothing() -> None:
    assert why(replace(CALM, quality=0.5, labels=499)) is Why.NOT_ENOUGH_LABELS


@pytest.mark.parametrize(
    ("before", "state", "expected"),
    [
        ([Asked(NOW_MS - DAY_MS, Step.WAITING)], {}, Why.WAITING),
        ([Asked(NOW_MS - 20 * DAY_MS, Step.REQUESTED)], {}, Why.RUNNING),
        ([Asked(NOW_MS - 20 * DAY_MS, Step.RUNNING)], {}, Why.RUNNING),
        ([], {"running": True}, Why.RUNNING),
        ([Asked(NOW_MS - 7 * DAY_MS + 1, Step.DEPLOYED)], {}, Why.COOL_DOWN),
        ([Asked(NOW_MS - DAY_MS, Step.REJECTED)], {}, Why.COOL_DOWN),
        ([Asked(NOW_MS - 7 * DAY_MS, Step.DEPLOYED)], {}, Why.ASKS),
        ([Asked(NOW_MS - d * DAY_MS, Step.FAILED) for d in (29, 8)], {}, Why.BUDGET),
        ([Asked(NOW_MS - d * DAY_MS, Step.FAILED) for d in (30, 8)], {}, Why.ASKS),
        ([Asked(NOW_MS + 1, Step.DEPLOYED)], {}, Why.BEHIND),
    ],
)
def test_what_holds_a_request_back(before: list[Asked], state: dict[str, Any], expected: Why) -> None:
    assert why(OLD, *before, **state) is expected


def test_money_is_a_budget_too() -> None:
    policy = replace(POLICY, budget=Budget(30 * DAY_MS, amount=100.0, currency="EUR"))
    assert why(OLD, policy=policy, spent=99.0) is Why.ASKS
    decision = decide(policy, OLD, (), False, 100.0, NOW_MS)
    assert decision.why is Why.BUDGET
    assert decision.reason.endswith("runs cost 100 of 100 EUR in 30d")
