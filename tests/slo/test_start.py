"""A start on objectives: what is proposed from the figures of a model."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.slo.seen import Seen
from monitor.slo.start import METRICS, ModelType, Proposal, guess, proposals

THRESHOLDS_MS = (5, 100, 300, 500, 1000, 2500, 5000)


def proposed(seen: Seen, type: ModelType = ModelType.CLASSIFICATION) -> dict[str, Proposal]:
    return {p.name: p for p in proposals(seen, type, THRESHOLDS_MS)}


def test_without_a_stream_what_people_usually_ask_for() -> None:
    found = proposed(Seen())
    assert {name: p.keys["objective"] for name, p in found.items() if p.sure} == {
        "availability": "99.9",
        "latency p95": "95",
        "latency p99": "99",
        "freshness": "99",
        "drift free": "95",
        "training": "95",
        "lead time": "95",
    }
    assert (found["latency p95"].keys["under"], found["latency p99"].keys["under"]) == ("300ms", "1s")
    assert not found["quality"].sure


def test_a_model_that_meets_the_usual_keeps_it() -> None:
    found = proposed(Seen(error_share=0.0004, latency_p95_ms=142, latency_p99_ms=800, drift_free_share=1.0))
    assert found["availability"].comments == ["0.04 % of the requests failed or timed out so far."]
    assert found["latency p95"].keys == {"indicator": "latency", "objective": "95", "under": "300ms"}
    assert found["latency p99"].comments == ["99 % of the answers came within 800 ms so far."]
    assert found["drift free"].keys["objective"] == "95"


def test_a_model_that_does_not_starts_with_what_it_meets() -> None:
    found = proposed(Seen(error_share=0.004, latency_p95_ms=420, latency_p99_ms=7000, fresh_share=0.97))
    assert found["availability"].keys["objective"] == "99.5"
    assert found["availability"].comments[0].endswith("so far: 99.9 is what to aim for.")
    assert found["latency p95"].keys["under"] == "500ms"
    assert found["latency p99"].keys["under"] == "7s"
    assert found["freshness"].keys["objective"] == "95"


def test_drift_that_is_the_rule_is_left_to_fill_in() -> None:
    assert not proposed(Seen(drift_free_share=0.1))["drift free"].sure


@pytest.mark.parametrize(
    ("type", "metric", "key", "bound"),
    [
        (ModelType.CLASSIFICATION, "accuracy", "at_least", "0.855"),
        (ModelType.REGRESSION, "mae", "at_most", "0.945"),
        (ModelType.FORECASTING, "wape", "at_most", "0.945"),
        (ModelType.RANKING, "ndcg_at_10", "at_least", "0.855"),
        (ModelType.TEXT, "token_f1", "at_least", "0.855"),
    ],
)
def test_quality_within_5_percent_of_the_baselines_or_of_the_stream(
    type: ModelType, metric: str, key: str, bound: str
) -> None:
    steady = {metric: {3600: (0.9,) * 20}}
    of_stream = proposed(Seen(labels=9, quality={metric: 0.9}, slices=steady), type)["quality"]
    assert of_stream.keys == {"indicator": metric, "objective": "95", key: bound}
    of_baseline = proposed(Seen(quality={metric: 0.8}, validated={metric: 0.9}, baseline=3), type)["quality"]
    assert of_baseline.keys == of_stream.keys
    assert of_baseline.comments == [f"{metric} within 5 % of the 0.9 of baseline 3.", "So far it was 0.8."]


def test_metrics_below_zero_are_allowed_to_be_a_little_worse() -> None:
    keys = proposed(Seen(quality={"r2": -0.2}), ModelType.REGRESSION)["quality"].keys
    assert (keys["indicator"], keys["at_least"]) == ("r2", "-0.21")


def test_longer_slices_where_short_ones_vary() -> None:
    slices = {"accuracy": {3600: (0.7, 1.0) * 10, 21_600: (0.85, 0.86) * 10}}
    keys = proposed(Seen(quality={"accuracy": 0.85}, slices=slices))["quality"].keys
    assert (keys["slice"], keys["objective"], keys["at_least"]) == ("6h", "95", "0.807")


def test_what_was_met_where_no_slice_is_steady() -> None:
    slices: Mapping[str, Mapping[int, tuple[float, ...]]] = {"accuracy": {3600: (0.6, 1.0) * 20}}
    found = proposed(Seen(quality={"accuracy": 0.8}, slices=slices))["quality"]
    assert (found.keys["objective"], found.keys["at_least"]) == ("90", "0.6")
    assert found.comments[-1].startswith("Only 50 % of the slices of 1h were: 0.76 is what to aim for")


def test_labels_by_how_long_they_take() -> None:
    found = proposed(Seen(labels=100, label_share=0.9, label_lag_p95_ms=3.2 * 86_400_000))["labels"]
    assert (found.keys["at_least"], found.keys["delay"]) == ("81%", "4d")


def test_the_type_is_guessed_from_what_can_be_computed() -> None:
    assert guess(Seen()) is ModelType.CLASSIFICATION
    assert guess(Seen(quality={"accuracy": 0.9})) is ModelType.CLASSIFICATION
    assert guess(Seen(quality={"accuracy": 0.01, "mae": 20.0})) is ModelType.REGRESSION
    assert guess(Seen(quality={"ndcg_at_10": 0.5})) is ModelType.RANKING


@given(st.floats(0, 1), st.floats(0.01, 1e5), st.sampled_from(list(ModelType)))
def test_what_is_proposed_is_met_so_far_where_it_can_be(share: float, ms: float, type: ModelType) -> None:
    metric = METRICS[type][0]
    found = proposed(Seen(error_share=share, latency_p95_ms=ms, quality={metric: share}), type)
    target = float(found["availability"].keys["objective"])
    assert (1 - share) * 100 >= target or target == 80
    under = found["latency p95"].keys["under"]
    limit_ms = float(under.removesuffix("ms")) if under.endswith("ms") else 1000 * _seconds(under)
    assert ms <= limit_ms


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
