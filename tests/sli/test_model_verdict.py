"""Quality against the baseline's, and the one verdict on a model."""

import math

import numpy as np
import pytest

from monitor.sli.drift_verdict import State
from monitor.sli.model_verdict import ExpectedQuality, Kind, judge
from monitor.sli.quality import Metric, find_metric
from monitor.sli.quality_change import ChangeSettings, QualityChange, QualityState, compare_quality
from tests.labelling import binary, cells_of, make_pairs, numbers


def metric_of(name: str) -> Metric:
    metric = find_metric(name)
    assert metric is not None
    return metric


def accuracy(
    right: int, n: int, name: str = "accuracy", before: tuple[int, int] = (9000, 10_000)
) -> QualityChange:
    metric = metric_of(name)
    window, baseline = (
        metric.compute(cells_of(binary(np.ones(of, int), np.arange(of) < hits)))
        for hits, of in ((right, n), before)
    )
    return compare_quality(metric, window, baseline)


@pytest.mark.parametrize(
    ("right", "n", "state", "words"),
    [
        (9000, 10_000, QualityState.HELD, "accuracy is 0.9, was 0.9 (10,000 labels): held"),
        (8700, 10_000, QualityState.HELD, "accuracy is 0.87, was 0.9 (10,000 labels): held"),
        (
            7000,
            10_000,
            QualityState.LOST,
            "accuracy is 0.7, was 0.9 (10,000 labels): worse by 22.2 %, more than chance gives",
        ),
        (
            48,
            60,
            QualityState.HELD,
            "accuracy is 0.8, was 0.9 (60 labels): worse by 11.1 %, which may be chance",
        ),
        (
            9900,
            10_000,
            QualityState.IMPROVED,
            "accuracy is 0.99, was 0.9 (10,000 labels): better by 10 %, more than chance gives",
        ),
        (10, 49, QualityState.UNKNOWN, "accuracy: too few labels (49 of at least 50)"),
        (0, 0, QualityState.UNKNOWN, "accuracy: no labels yet"),
    ],
)
def test_quality_is_lost_where_the_drop_is_large_and_no_chance(right, n, state, words) -> None:
    found = accuracy(right, n)
    assert found.state is state
    assert found.sentence == words


def test_less_of_an_error_is_better() -> None:
    assert accuracy(7000, 10_000, "fnr").state is QualityState.LOST
    assert accuracy(9900, 10_000, "fnr").state is QualityState.IMPROVED


def test_errors_of_numbers_are_compared_too() -> None:
    rng = np.random.default_rng(2)
    actual = rng.normal(10, 1, 3000)
    metric = metric_of("mae")
    baseline, same, worse = (
        metric.compute(cells_of(numbers(actual, actual + rng.normal(0, s, 3000)))) for s in (1.0, 1.0, 1.3)
    )
    assert compare_quality(metric, same, baseline).state is QualityState.HELD
    assert compare_quality(metric, worse, baseline).state is QualityState.LOST


def test_a_baseline_of_zero_is_left_by_any_significant_rise() -> None:
    metric = metric_of("fnr")
    window, baseline = (
        metric.compute(cells_of(binary(np.ones(1000, int), np.arange(1000) >= misses))) for misses in (100, 0)
    )
    found = compare_quality(metric, window, baseline)
    assert found.state is QualityState.LOST
    assert math.isfinite(found.worse)


def test_a_baseline_without_labels_says_so() -> None:
    metric = metric_of("accuracy")
    window = metric.compute(cells_of(binary([1] * 100, [1] * 100)))
    found = compare_quality(metric, window, metric.compute(cells_of(make_pairs(0))))
    assert found.state is QualityState.UNKNOWN
    assert found.sentence == "accuracy: the baseline has none: no labels yet"


def test_a_metric_without_a_better_side_cannot_be_lost() -> None:
    metric = metric_of("bias")
    found = metric.compute(cells_of(numbers([1.0], [2.0])))
    with pytest.raises(ValueError, match="bias: neither more nor less"):
        compare_quality(metric, found, found)


def test_without_change_quality_is_lost_in_fewer_than_one_window_of_a_thousand() -> None:
    """The level is one in 2,000 on this side, and a drop of 5 % is asked for too."""
    rng = np.random.default_rng(31)
    metric = metric_of("accuracy")
    baseline = metric.compute(cells_of(binary(np.ones(5000, int), rng.random(5000) < 0.8)))
    n, windows = 100, 3000
    right = rng.random(n * windows) < 0.8
    cells = cells_of(binary(np.ones(n * windows, int), right), np.repeat(np.arange(windows), n), windows)
    found = metric.compute(cells)
    states = [compare_quality(metric, found, baseline, slot=i).state for i in range(windows)]
    assert states.count(QualityState.LOST) <= 6
    loose = ChangeSettings(alpha=0.05)
    often = [compare_quality(metric, found, baseline, loose, i).state for i in range(windows)]
    assert often.count(QualityState.LOST) > 20


HELD, LOST, UNKNOWN = accuracy(9000, 10_000), accuracy(7000, 10_000), accuracy(0, 0)


@pytest.mark.parametrize(
    ("inputs", "predictions", "quality", "kind"),
    [
        (State.NONE, State.NONE, HELD, Kind.ALL_QUIET),
        (State.WATCH, State.WATCH, HELD, Kind.ALL_QUIET),
        (State.TOO_FEW, State.NONE, HELD, Kind.ALL_QUIET),
        (State.DRIFTED, State.NONE, HELD, Kind.INPUTS_MOVED),
        (State.DRIFTED, State.DRIFTED, HELD, Kind.INPUTS_MOVED),
        (State.NONE, State.DRIFTED, HELD, Kind.PREDICTIONS_MOVED),
        (State.NONE, State.NONE, LOST, Kind.CONCEPT_DRIFT),
        (State.NONE, State.DRIFTED, LOST, Kind.CONCEPT_DRIFT),
        (State.DRIFTED, State.NONE, LOST, Kind.INPUTS_AND_QUALITY),
        (State.TOO_FEW, State.NONE, LOST, Kind.QUALITY_LOST),
        (State.DRIFTED, State.NONE, UNKNOWN, Kind.MOVED_UNLABELLED),
        (State.NONE, State.DRIFTED, UNKNOWN, Kind.PREDICTIONS_UNLABELLED),
        (State.NONE, State.NONE, UNKNOWN, Kind.QUIET_UNLABELLED),
        (State.TOO_FEW, State.TOO_FEW, UNKNOWN, Kind.UNKNOWN),
    ],
)
def test_the_verdict_tells_apart_what_moved_and_what_was_lost(inputs, predictions, quality, kind) -> None:
    found = judge(inputs, predictions, quality, 1.0)
    assert found.kind is kind
    assert found.sentence.startswith(kind.value)
    assert found.quality_lost == (quality is LOST)


def test_the_sentence_says_why() -> None:
    assert judge(State.NONE, State.NONE, LOST, 0.4).sentence == (
        "quality lost, inputs held (concept drift): accuracy is 0.7, was 0.9 (10,000 labels): "
        "worse by 22.2 %, more than chance gives; 40 % of the predictions have labels"
    )
    expected = ExpectedQuality("expected_accuracy", 0.84, 0.9)
    assert judge(State.DRIFTED, State.NONE, UNKNOWN, 0.0, expected).sentence == (
        "inputs moved, no labels yet: accuracy: no labels yet; expected_accuracy is 0.84, was 0.9"
    )
    assert "look at the model" in judge(State.NONE, State.DRIFTED, LOST, 1.0).sentence
