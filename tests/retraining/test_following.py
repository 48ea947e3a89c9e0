"""What becomes of a request."""

from typing import Any

import pytest

from monitor.retraining.deciding import Step
from monitor.retraining.following import follow, is_running, spent
from monitor.store.events import Stored
from monitor.store.retraining import Request
from tests.builders import NOW_MS
from tests.cards.making import happened

HOUR_MS = 3_600_000
AT_MS = NOW_MS - 100 * HOUR_MS
REQUEST = Request("weekly", 1, "fraud", AT_MS, "old", "req-1", dry_run=False, needs_approval=False)


def stored(*given: tuple[str, int, dict[str, Any]]) -> list[Stored]:
    timed = ((kind, AT_MS + hour * HOUR_MS, data) for kind, hour, data in given)
    return [
        Stored(i, e.source, e.id, e.kind, e.ts_ms, e.seen_ms, e.data) for i, e in enumerate(happened(*timed))
    ]


def run(hour: int, id: str, status: str, **data: Any) -> tuple[str, int, dict[str, Any]]:
    return "training_run", hour, {"id": id, "status": status, **data}


def step(*given: Any, hour: int = 10, until_ms: int | None = None) -> Step:
    return follow(REQUEST, until_ms, stored(*given), 20 * HOUR_MS, AT_MS + hour * HOUR_MS).step


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], Step.REQUESTED),
        ([run(-1, "r", "running")], Step.REQUESTED),
        ([run(1, "r", "running")], Step.RUNNING),
        ([run(1, "r", "running"), run(2, "r", "failed")], Step.FAILED),
        ([run(1, "r", "failed"), run(2, "r", "succeeded", attempt=2)], Step.SUCCEEDED),
        ([run(1, "r", "succeeded", version=5)], Step.SUCCEEDED),
        ([run(1, "r", "succeeded", version=5), ("deployment", 3, {"version": "5"})], Step.DEPLOYED),
        ([run(1, "r", "succeeded", version=5), ("deployment", 3, {"version": "4"})], Step.SUCCEEDED),
        (
            [run(1, "r", "succeeded", version=5), ("deployment", 3, {"version": "5", "status": "failed"})],
            Step.SUCCEEDED,
        ),
        # The run that names the request answers it, whatever else goes on.
        ([run(1, "a", "failed", request="req-1"), run(2, "b", "running")], Step.FAILED),
        ([run(1, "a", "failed", request="another")], Step.REQUESTED),
    ],
)
def test_how_far_it_has_come(events: list[Any], expected: Step) -> None:
    assert step(*events) is expected


def test_a_run_after_the_next_request_answers_that_one() -> None:
    assert step(run(5, "r", "running"), until_ms=AT_MS + 4 * HOUR_MS) is Step.REQUESTED


def test_what_does_not_begin_or_end_is_given_up() -> None:
    assert step(hour=21) is Step.GIVEN_UP
    assert step(run(1, "r", "running"), hour=22) is Step.GIVEN_UP
    assert step(run(1, "r", "running"), hour=21) is Step.RUNNING


def test_a_run_that_never_ended_goes_on_for_so_long_only() -> None:
    events = stored(run(0, "a", "succeeded"), run(1, "b", "running"))
    assert is_running(events, 20 * HOUR_MS, AT_MS + 21 * HOUR_MS)
    assert not is_running(events, 20 * HOUR_MS, AT_MS + 22 * HOUR_MS)
    assert not is_running(stored(run(1, "b", "running"), run(2, "b", "failed")), 20 * HOUR_MS, NOW_MS)


def test_each_attempt_is_paid_once() -> None:
    events = stored(
        run(-50, "old", "failed", cost=100),
        run(1, "a", "running", cost=1),
        run(2, "a", "failed", cost=2),
        run(3, "a", "succeeded", attempt=2, cost=5),
        run(4, "b", "succeeded", cost=7, currency="USD"),
    )
    assert spent(events, "EUR", AT_MS, NOW_MS) == 7
