"""What nobody asked to be told: watches on operations, from the event to the alert."""

from collections.abc import Callable

import pytest

from monitor.sli.windows import UsualBases
from monitor.slo.evaluate import Evaluator
from monitor.slo.rule import Severity
from monitor.slo.settings import SloSettings
from monitor.store import Store
from tests.builders import NOW_MS, record
from tests.filling import fill

Happen = Callable[..., None]
HOUR_MS, WINDOW_MS = 3_600_000, 300_000
BEGIN_MS = NOW_MS // HOUR_MS * HOUR_MS - 3 * HOUR_MS
END_MS = BEGIN_MS + 2 * HOUR_MS


@pytest.fixture
def serving(store: Store, happen: Happen) -> Store:
    """Version 3 serves for two hours, as deployed and registered before."""
    fill(store, [record(id=f"{t}", ts=t, version="3") for t in range(BEGIN_MS, END_MS, 5000)])
    happen(
        ("deployment", BEGIN_MS - 9 * HOUR_MS, {"version": "3", "traffic_share": ...}),
        ("registry", BEGIN_MS - 9 * HOUR_MS, {"version": "3"}),
    )
    return store


def fired(store: Store, until_ms: int = END_MS) -> dict[str, int]:
    """When each watch fired first, ms."""
    settings = SloSettings(objectives=(), generic=True, bases=UsualBases())
    did = Evaluator(store, settings).run(until_ms // 1000, until_ms, BEGIN_MS // 1000)
    found: dict[str, int] = {}
    for kept in did:
        if kept.transition.after.fires and kept.transition.severity is Severity.TICKET:
            found.setdefault(kept.transition.key.objective, kept.transition.at_s * 1000)
    return found


def test_all_is_well(serving: Store) -> None:
    assert not {"registry_mismatch", "stale", "failed_retraining", "capacity", "cost"} & fired(serving).keys()


@pytest.mark.parametrize("after_ms", [0, 60_000, 170_000])
def test_a_registry_that_says_otherwise_is_told_within_one_window(
    serving: Store, happen: Happen, after_ms: int
) -> None:
    at_ms = BEGIN_MS + HOUR_MS + after_ms
    happen(("registry", at_ms, {"version": "4"}))
    assert 0 < fired(serving)["registry_mismatch"] - at_ms <= WINDOW_MS


def test_a_rollout_is_no_mismatch(serving: Store, happen: Happen) -> None:
    at_ms = BEGIN_MS + HOUR_MS
    happen(
        ("registry", at_ms, {"version": "4"}),
        ("deployment", at_ms + 90_000, {"version": "4", "traffic_share": 1.0}),
    )
    fill(serving, [record(id=f"4-{t}", ts=t, version="4") for t in range(at_ms, END_MS, 3000)])
    found = fired(serving, at_ms + WINDOW_MS)
    assert "registry_mismatch" not in found


def test_what_fails_expires_or_is_too_little_is_a_ticket(serving: Store, happen: Happen) -> None:
    at_ms = BEGIN_MS + HOUR_MS // 2
    failed = {"id": "r", "status": "failed", "started": at_ms - 1, "finished": at_ms}
    happen(
        ("training_run", at_ms, failed),
        ("dataset", at_ms, {"model": "fraud", "rows": 90, "expected_rows": 100}),
        ("credential", at_ms, {"expires": at_ms + 10 * 24 * HOUR_MS}),
        ("capacity", BEGIN_MS - HOUR_MS, {"max_rps": 1.5}),
    )
    found = fired(serving)
    assert {"failed_retraining", "partial_data", "credential_expiry", "capacity"} <= found.keys()
    assert found["failed_retraining"] - at_ms <= 120_000
