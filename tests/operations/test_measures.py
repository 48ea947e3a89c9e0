"""Measures of operations, as `monitor query` answers them and as objectives count them."""

from collections.abc import Callable
from typing import Any

import pytest

from monitor.errors import QueryError
from monitor.operations.catalogue import MEASURES
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.sli.windows import UsualBases
from monitor.slo.counting import Ledger
from monitor.slo.objective import Bound, Happened, Meter, Source, Subject
from monitor.store import Store
from tests.builders import NOW_MS, record
from tests.filling import fill

Happen = Callable[..., None]
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
END_MS = NOW_MS // DAY_MS * DAY_MS
BEGIN_MS = END_MS - DAY_MS


def value(store: Store, sli: str, begin_ms: int = BEGIN_MS, end_ms: int = END_MS) -> float | None:
    """The one value of a span."""
    (row,) = answer(store, Question("fraud", sli, begin_ms, end_ms), NOW_MS)
    return row["value"]


def run(at_ms: int, id: str = "r", **data: Any) -> tuple[str, int, dict[str, Any]]:
    return "training_run", at_ms, {"id": id, "finished": at_ms, "started": at_ms - HOUR_MS, **data}


def test_runs_count_by_their_last_attempt(store: Store, happen: Happen) -> None:
    at = BEGIN_MS + 10 * HOUR_MS
    happen(
        run(at, "a", status="failed", attempt=1),
        run(at + 1, "a", status="succeeded", attempt=2, cost=5, preempted=True),
        run(at + 2, "b", status="failed", cost=1),
        run(at + 3, "c", status="running", finished=...),
    )
    found = {name: value(store, name) for name in MEASURES if name.startswith("training")}
    assert found["training_success_rate"] == 0.5
    assert (found["trainings"], found["training_retries"], found["training_preemptions"]) == (2, 1, 1)
    assert (found["training_duration"], found["training_cost"], found["training_frequency"]) == (3600, 3, 2)
    assert value(store, "trainings", BEGIN_MS - DAY_MS, BEGIN_MS) is None
    assert value(store, "trainings", END_MS, END_MS + DAY_MS) == 0


def test_ages_are_those_of_what_is_in_production(store: Store, happen: Happen) -> None:
    at = BEGIN_MS - 10 * DAY_MS
    happen(
        run(at, "1", version="1", status="succeeded", data_until=at - DAY_MS),
        ("deployment", at + HOUR_MS, {"version": "1", "traffic_share": ...}),
        run(at + 5 * DAY_MS, "2", version="2", status="succeeded"),
        ("deployment", at + 6 * DAY_MS, {"version": "2", "traffic_share": 0.05}),
    )
    day_s = 86_400
    assert value(store, "model_age") == value(store, "training_age") == 11 * day_s
    assert value(store, "training_data_age") == 12 * day_s
    assert value(store, "deployment_age") == 11 * day_s - 3600
    happen(("deployment", BEGIN_MS, {"version": "2", "traffic_share": 1.0}))
    assert value(store, "training_age") == 6 * day_s
    assert value(store, "training_data_age") is None
    happen(("rollback", BEGIN_MS + HOUR_MS, {"to_version": "1", "from_version": "2"}))
    assert value(store, "training_age") == 11 * day_s
    assert value(store, "deployment_age") == day_s - 3600


def test_deployments_that_are_taken_back_failed(store: Store, happen: Happen) -> None:
    happen(
        ("deployment", BEGIN_MS, {"version": "1", "created": BEGIN_MS - HOUR_MS, "traffic_share": ...}),
        ("deployment", BEGIN_MS + HOUR_MS, {"version": "2", "traffic_share": ...}),
        ("rollback", BEGIN_MS + 3 * HOUR_MS, {"to_version": "1", "from_version": "2"}),
        ("deployment", BEGIN_MS + 4 * HOUR_MS, {"version": "3", "status": "failed"}),
        ("deployment", BEGIN_MS + 5 * HOUR_MS, {"version": "4", "traffic_share": ...}),
        ("deployment", BEGIN_MS + 5 * HOUR_MS, {"version": "9", "stage": "staging", "status": "failed"}),
    )
    assert value(store, "change_failure_rate") == 0.5
    assert value(store, "time_to_restore") == pytest.approx(1.5 * 3600)
    assert (value(store, "deployments"), value(store, "deployment_frequency")) == (3, 3)
    assert value(store, "deployment_lead_time") == 3600


def test_costs_are_spread_over_their_span_and_divided_by_traffic(store: Store, happen: Happen) -> None:
    fill(store, [record(id=f"{i}", ts=BEGIN_MS + i, tokens_in=100, tokens_out=150) for i in range(40)])
    fraud = {"model": "fraud"}
    span = {"end": END_MS + DAY_MS, "amount": 48, "currency": "EUR", "tags": fraud}
    happen(("cost", BEGIN_MS, span), ("cost", BEGIN_MS, {"end": END_MS, "amount": 9, "tags": {}}))
    assert value(store, "billed_cost") == 24
    assert value(store, "billed_cost", BEGIN_MS, BEGIN_MS + HOUR_MS) == 1
    assert value(store, "billed_cost", BEGIN_MS - DAY_MS, BEGIN_MS) is None
    assert value(store, "billed_cost_per_prediction") == pytest.approx(24 / 40)
    assert value(store, "cost_per_1k_tokens") == pytest.approx(24 / 10)
    happen(("cost", BEGIN_MS, {"end": END_MS, "amount": 1, "currency": "USD", "tags": fraud}))
    with pytest.raises(QueryError, match="EUR and USD"):
        value(store, "billed_cost")


def test_a_day_that_costs_more_than_usual(store: Store, happen: Happen) -> None:
    for back in range(10):
        begin = BEGIN_MS - back * DAY_MS
        amount = 30 if back == 0 else 10
        happen(("cost", begin, {"end": begin + DAY_MS, "amount": amount, "tags": {"model": "fraud"}}))
    assert value(store, "cost_against_usual") == pytest.approx(3)
    assert value(store, "cost_against_usual", BEGIN_MS - 4 * DAY_MS, END_MS - 4 * DAY_MS) is None  # too few


def test_readings_hold_for_a_while(store: Store, happen: Happen) -> None:
    fill(store, [record(id=f"{i}", ts=END_MS - 2000 + i) for i in range(50)])
    happen(
        ("capacity", END_MS - HOUR_MS, {"endpoint": "a", "max_rps": 60, "cpu_use": 0.9}),
        ("capacity", END_MS - 60_000, {"endpoint": "b", "max_rps": 40, "cpu_use": 0.5, "restarts": 2}),
        ("heartbeat", END_MS - 60_000, {"device": "a", "model": "fraud", "connectivity": "online"}),
        ("heartbeat", END_MS - 60_000, {"device": "b", "model": "fraud", "connectivity": "offline"}),
        ("heartbeat", END_MS - HOUR_MS, {"device": "c", "model": "fraud", "connectivity": "online"}),
        ("heartbeat", END_MS - 2 * DAY_MS, {"device": "d", "model": "fraud"}),
        ("credential", END_MS - HOUR_MS, {"name": "soon", "expires": END_MS + DAY_MS}),
        ("credential", END_MS - HOUR_MS, {"name": "later", "expires": END_MS + 9 * DAY_MS, "model": "fraud"}),
    )
    assert value(store, "capacity_headroom") == 2
    assert value(store, "cpu_use") == 0.5
    assert value(store, "devices_offline") == pytest.approx(2 / 3)
    assert value(store, "credential_time_left") == 86_400
    assert value(store, "replica_restarts") == 2


def test_the_request_to_retrain_that_was_met(store: Store, happen: Happen) -> None:
    happen(
        ("retrain_requested", BEGIN_MS, {}),
        ("retrain_requested", BEGIN_MS, {"dry_run": True}),
        run(BEGIN_MS + HOUR_MS, version="5", status="succeeded"),
        ("deployment", BEGIN_MS + HOUR_MS // 2, {"version": "4"}),
        ("deployment", BEGIN_MS + 2 * HOUR_MS, {"version": "5"}),
    )
    assert (value(store, "retrain_requests"), value(store, "retrain_to_deployed")) == (1, 7200)


def test_events_are_about_a_whole_model(store: Store, happen: Happen) -> None:
    happen(run(BEGIN_MS, status="failed"))
    with pytest.raises(QueryError, match="whole model"):
        answer(store, Question("fraud", "trainings", BEGIN_MS, END_MS, version="1"), NOW_MS)
    with pytest.raises(QueryError, match="model"):
        answer(store, Question("nobody", "trainings", BEGIN_MS, END_MS), NOW_MS)
    (row,) = answer(store, Question("fraud", "trainings"), NOW_MS)
    assert row["value"] == 1


def served(store: Store, version: str, at_ms: int) -> None:
    fill(store, [record(id=f"{version}-{at_ms}-{i}", ts=at_ms + i, version=version) for i in range(30)])


def test_logs_registry_and_deployment_agree_or_not(store: Store, happen: Happen) -> None:
    step = 300_000

    def consistent(i: int) -> float | None:
        return value(store, "registry_consistency", BEGIN_MS + i * step, BEGIN_MS + (i + 1) * step)

    happen(
        ("deployment", BEGIN_MS - HOUR_MS, {"version": "3", "traffic_share": ...}),
        ("registry", BEGIN_MS - HOUR_MS, {"version": "3"}),
    )
    served(store, "3", BEGIN_MS + 1000)
    assert consistent(0) == 1
    happen(("deployment", BEGIN_MS + step, {"version": "4", "traffic_share": 0.5 - 0.4}))
    served(store, "3", BEGIN_MS + step + 1000)
    served(store, "4", BEGIN_MS + step + 1000)
    assert consistent(1) == 1, "a canary is no mismatch"
    served(store, "7", BEGIN_MS + 2 * step + 1000)
    assert consistent(2) == 0, "a version that nobody deployed"
    assert consistent(3) == 1, "without traffic the two others still agree"
    happen(("registry", BEGIN_MS + 4 * step + 1000, {"version": "4"}))
    assert consistent(4) == 0, "within the window in which it began"
    happen(("deployment", BEGIN_MS + 5 * step + 200_000, {"version": "4", "traffic_share": 1.0}))
    assert consistent(5) is None, "it is being rolled out"
    served(store, "4", BEGIN_MS + 6 * step + 1000)
    assert consistent(6) == 1


def test_shares_given_together_name_the_version_that_has_most(store: Store, happen: Happen) -> None:
    happen(
        (
            "deployment",
            BEGIN_MS - HOUR_MS,
            {"version": "4", "traffic": {"3": 0.9, "4": 0.1}, "traffic_share": ...},
        ),
        ("registry", BEGIN_MS - HOUR_MS, {"version": "3"}),
    )
    assert value(store, "registry_consistency") == 1


def tally(store: Store, source: Source, slice_s: int | None = None) -> tuple[float, float]:
    """(bad, all) of the last day."""
    meter = Meter("fraud", source, slice_s=slice_s)
    ledger = Ledger(store, UsualBases(), [meter], fine_s=86_400, coarse_s=86_400)
    ledger.refresh(END_MS // 1000)
    (subject,) = ledger.subjects(meter)
    assert subject == Subject("fraud")
    bad, total = ledger.tally(meter, subject).between(BEGIN_MS // 1000, END_MS // 1000)
    return float(bad), float(total)


def test_objectives_count_what_happened_and_slices_of_what_holds(store: Store, happen: Happen) -> None:
    happen(
        *(
            run(BEGIN_MS + i * HOUR_MS, f"r{i}", status="failed" if i == 3 else "succeeded")
            for i in range(1, 9)
        )
    )
    assert tally(store, Happened("training_success_rate", at_least=1.0)) == (1, 8)
    assert tally(store, Happened("training_duration", at_most=3599.0)) == (8, 8)
    assert tally(store, Happened("training_success_rate", at_least=1.0), 4 * 3600) == (1, 3)
    happen(("deployment", BEGIN_MS + 12 * HOUR_MS, {"version": "x", "traffic_share": ...}))
    assert tally(store, Bound("model_age", at_most=6 * 3600.0), 3600) == (6, 12)


def test_a_ledger_takes_in_what_comes_late(store: Store, happen: Happen) -> None:
    meter = Meter("fraud", Bound("model_age", at_most=6 * 3600.0), slice_s=3600)
    ledger = Ledger(store, UsualBases(), [meter], fine_s=86_400, coarse_s=86_400)

    def bad() -> float:
        ledger.refresh(END_MS // 1000)
        return float(ledger.tally(meter, Subject("fraud")).between(BEGIN_MS // 1000, END_MS // 1000)[0])

    assert bad() == 0
    happen(("deployment", BEGIN_MS + 2 * HOUR_MS, {"version": "1", "traffic_share": ...}))
    assert bad() == 16
    assert bad() == 16
    happen(("deployment", BEGIN_MS + 12 * HOUR_MS, {"version": "2", "traffic_share": ...}))
    assert bad() == 4 + 6
