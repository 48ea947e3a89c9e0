"""Metrics of quality: equal to scikit-learn's on the raw rows, and defined whatever the rows are."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.profiles.layout import Kind, Quality
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import count_quality
from monitor.profiles.rows import RowKeys
from monitor.sli.quality import METRICS, find_metric
from monitor.sli.quality_cells import QualityCells
from tests.labelling import (
    binary,
    cells_of,
    make_pairs,
    numbers,
    scores_of_classes,
    value_of,
    without_labels,
)

metrics = pytest.importorskip("sklearn.metrics")

Raw = tuple[np.ndarray, np.ndarray, np.ndarray]


def car_loan(shared: Path) -> Raw:
    frame = pd.read_csv(shared / "data/nannyml/synthetic_car_loan_analysis.csv.gz")
    frame = frame.merge(
        pd.read_csv(shared / "data/nannyml/synthetic_car_loan_analysis_target.csv.gz"), on="id"
    )
    return frame.repaid.to_numpy(), frame.y_pred.to_numpy(), frame.y_pred_proba.to_numpy()


def elec2(shared: Path) -> Raw:
    frame = pd.read_csv(shared / "data/elec2/static_model_predictions.csv.gz")
    return frame.target.to_numpy(), frame.y_pred.to_numpy(), frame.y_pred_proba.to_numpy()


def nba(shared: Path) -> Raw:
    frame = pd.read_csv(shared / "data/fivethirtyeight_forecasts/nba_games.csv.gz")
    score = frame.prob1.to_numpy()
    return frame.prob1_outcome.to_numpy(), (score >= 0.5).astype(int), score


def governors(shared: Path) -> Raw:
    frame = pd.read_csv(shared / "data/fivethirtyeight_forecasts/governors_elections.csv.gz")
    score = frame.probwin.to_numpy()
    return frame.probwin_outcome.to_numpy(), (score >= 0.5).astype(int), score


BINARY = {"car loan": car_loan, "elec2": elec2, "nba": nba, "governors": governors}
EXACT_BINARY: Mapping[str, Callable[[Raw], float]] = {
    "accuracy": lambda r: metrics.accuracy_score(r[0], r[1]),
    "balanced_accuracy": lambda r: metrics.balanced_accuracy_score(r[0], r[1]),
    "precision": lambda r: metrics.precision_score(r[0], r[1]),
    "recall": lambda r: metrics.recall_score(r[0], r[1]),
    "sensitivity": lambda r: metrics.recall_score(r[0], r[1]),
    "specificity": lambda r: metrics.recall_score(r[0], r[1], pos_label=0),
    "fpr": lambda r: 1 - metrics.recall_score(r[0], r[1], pos_label=0),
    "fnr": lambda r: 1 - metrics.recall_score(r[0], r[1]),
    "missed_events": lambda r: 1 - metrics.recall_score(r[0], r[1]),
    "f1": lambda r: metrics.f1_score(r[0], r[1]),
    "f1_macro": lambda r: metrics.f1_score(r[0], r[1], average="macro"),
    "precision_macro": lambda r: metrics.precision_score(r[0], r[1], average="macro"),
    "recall_macro": lambda r: metrics.recall_score(r[0], r[1], average="macro"),
    "mcc": lambda r: metrics.matthews_corrcoef(r[0], r[1]),
    "log_loss": lambda r: metrics.log_loss(r[0], r[2]),
    "brier": lambda r: metrics.brier_score_loss(r[0], r[2]),
    "ece": lambda r: calibration_error(r[0], r[2]),
    "label_positive_share": lambda r: float(r[0].mean()),
    "ctr": lambda r: float(r[0].mean()),
}


def calibration_error(actual: np.ndarray, score: np.ndarray) -> float:
    place = np.searchsorted(np.arange(1, 10) / 10, score, side="right")
    return sum(abs(float((score - actual)[place == i].sum())) for i in range(10)) / len(score)


def precision_at(raw: Raw, k: int) -> float:
    """Of rows tied at the k-th score, the share that is taken is positive as all of these are."""
    actual, _, score = raw
    cut = np.sort(score)[::-1][k - 1]
    above, tied = score > cut, score == cut
    return float(actual[above].sum() + actual[tied].mean() * (k - above.sum())) / k


@pytest.mark.parametrize("data", BINARY)
def test_metrics_of_classes_equal_scikit_learns_on_real_data(shared: Path, data: str) -> None:
    raw = BINARY[data](shared)
    cells = cells_of(binary(*raw))
    for name, expected in EXACT_BINARY.items():
        assert value_of(name, cells) == pytest.approx(expected(raw), abs=1e-9), name


@pytest.mark.parametrize("data", BINARY)
def test_areas_are_within_0_002_of_scikit_learns_on_real_data(shared: Path, data: str) -> None:
    raw = BINARY[data](shared)
    rows = len(raw[0])
    for begin, end in ((0, rows), (0, 2000), (rows - 5000, rows)):
        part = tuple(column[begin:end] for column in raw)
        cells = cells_of(binary(*part))
        actual, _, score = part
        assert value_of("roc_auc", cells) == pytest.approx(metrics.roc_auc_score(actual, score), abs=0.002)
        expected = metrics.average_precision_score(actual, score)
        assert value_of("pr_auc", cells) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("data", BINARY)
def test_the_best_scored_are_as_positive_as_the_rows_say(shared: Path, data: str) -> None:
    """Within a hundredth: the bin that k cuts is taken in random order."""
    raw = BINARY[data](shared)
    cells = cells_of(binary(*raw))
    tenth = len(raw[0]) // 10
    expected = precision_at(raw, tenth)
    assert value_of("precision_at_10p", cells) == pytest.approx(expected, abs=0.01)
    assert value_of("lift_at_10p", cells) == pytest.approx(expected / raw[0].mean(), abs=0.02)
    assert value_of("precision_at_100", cells) == pytest.approx(precision_at(raw, 100), abs=0.05)


def test_the_facts_published_beside_the_data_are_met(shared: Path) -> None:
    import json

    facts = json.loads((shared / "data/nannyml/facts.json").read_text())["car_loan.realized_per_5000_rows"]
    actual, predicted, score = car_loan(shared)
    cells = cells_of(binary(actual, predicted, score), np.arange(50_000) // 5000, 10)
    for name in ("accuracy", "f1", "precision", "recall", "roc_auc", "brier"):
        metric = find_metric(name)
        assert metric is not None
        expected = [fact[name] for fact in facts.values()]
        tolerance = 0.002 if name == "roc_auc" else 1e-9
        assert metric.compute(cells).value == pytest.approx(expected, abs=tolerance)


def test_a_model_of_several_classes_equals_scikit_learns(shared: Path) -> None:
    frame = pd.read_csv(shared / "data/nannyml/mc_reference.csv.gz")
    names = sorted(frame.y_true.unique())
    actual, predicted = (frame[c].map(names.index).to_numpy() for c in ("y_true", "y_pred"))
    cells = cells_of(make_pairs(len(frame), predicted_class=predicted, actual_class=actual))
    expected = {
        "accuracy": metrics.accuracy_score(actual, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
        "f1_macro": metrics.f1_score(actual, predicted, average="macro"),
        "precision_macro": metrics.precision_score(actual, predicted, average="macro"),
        "recall_macro": metrics.recall_score(actual, predicted, average="macro"),
        "mcc": metrics.matthews_corrcoef(actual, predicted),
    }
    for name, value in expected.items():
        assert value_of(name, cells) == pytest.approx(value, abs=1e-9), name
    estimates = find_metric("specificity").compute(cells)  # type: ignore[union-attr]  # it is there
    assert math.isnan(estimates.value[0])
    assert estimates.reason(0) == "several classes, and none is the positive one"


def test_probabilities_of_several_classes_are_judged_as_scikit_learn_does(shared: Path) -> None:
    frame = pd.read_csv(shared / "data/nannyml/mc_reference.csv.gz")
    names = sorted(frame.y_true.unique())
    actual, predicted = (frame[c].map(names.index).to_numpy() for c in ("y_true", "y_pred"))
    scores = frame[[f"y_pred_proba_{name}" for name in names]].to_numpy()
    rows = np.arange(len(frame))
    pairs = make_pairs(
        len(frame),
        predicted_class=predicted,
        actual_class=actual,
        score=scores[rows, predicted],
        class_scores=scores_of_classes(scores, actual),
    )
    cells = cells_of(pairs)
    right = (predicted == actual).astype(np.int64)
    for name, value, tolerance in (
        ("log_loss", metrics.log_loss(actual, scores), 1e-9),
        ("brier", ((scores - np.eye(len(names))[actual]) ** 2).sum(axis=1).mean(), 1e-9),
        ("ece", calibration_error(right, scores[rows, predicted]), 1e-9),
        ("accuracy", right.mean(), 1e-9),
        ("roc_auc", metrics.roc_auc_score(actual, scores, multi_class="ovr", average="macro"), 0.002),
        ("pr_auc", metrics.average_precision_score(actual, scores, average="macro"), 0.002),
    ):
        assert value_of(name, cells) == pytest.approx(value, abs=tolerance), name
    for name in ("precision_at_100", "lift_at_10p"):
        estimates = find_metric(name).compute(cells)  # type: ignore[union-attr]  # it is there
        assert estimates.reason(0) == "several classes: there is no one class to rank by the score of"
    without = cells_of(
        make_pairs(len(frame), predicted_class=predicted, actual_class=actual, score=scores[rows, predicted])
    )
    reason = find_metric("log_loss").compute(without).reason(0)  # type: ignore[union-attr]  # it is there
    assert reason == "several classes, and none is the positive one"


@given(n=st.integers(2, 60), k=st.integers(3, 6), seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
def test_areas_of_several_classes_equal_scikit_learns(n: int, k: int, seed: int, weighted: bool) -> None:
    """Over the classes that some labels are of and others aren't; scores on edges lose nothing to bins."""
    rng = np.random.default_rng(seed)
    scores = rng.multinomial(20, np.full(k, 1 / k), size=n) / 20
    actual = rng.integers(0, k - 1, n)
    weight = rng.integers(1, 5, n).astype(float) if weighted else np.ones(n)
    cells = cells_of(
        make_pairs(
            n,
            predicted_class=scores.argmax(axis=1),
            actual_class=actual,
            score=scores.max(axis=1),
            weight=weight,
            class_scores=scores_of_classes(scores, actual),
        )
    )
    found = find_metric("roc_auc").compute(cells)  # type: ignore[union-attr]  # it is there
    both = [c for c in range(k) if 0 < (actual == c).sum() < n]
    if not both:
        assert found.reason(0) == "predictions or labels are all of one class"
        return
    areas = [metrics.roc_auc_score(actual == c, scores[:, c], sample_weight=weight) for c in both]
    assert found.value[0] == pytest.approx(np.mean(areas), abs=1e-9)
    assert found.low[0] <= found.value[0] + 1e-9
    assert found.value[0] <= found.high[0] + 1e-9


def test_what_pairs_of_several_classes_add_they_take_out_again() -> None:
    rng = np.random.default_rng(1)
    scores = rng.dirichlet(np.ones(4), 50)
    actual = rng.integers(0, 4, 50)
    pairs = make_pairs(
        50,
        predicted_class=scores.argmax(axis=1),
        actual_class=actual,
        score=scores.max(axis=1),
        weight=rng.uniform(0.5, 2, 50),
        class_scores=scores_of_classes(scores, actual),
    )
    profiles, index = Profiles(), np.arange(50)
    row = profiles.rows_for(RowKeys.windows(Kind.QUALITY, 3600, np.zeros(1, np.int64), np.zeros(1, np.int64)))
    for sign in (1, -1):
        count_quality(profiles, row[np.zeros(50, np.int64)], index, np.full(50, sign), pairs)
    assert not profiles.counts[1].any()
    assert np.abs(profiles.sums[1]).max() < 1e-9


NUMBERS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "mae": lambda y, p: metrics.mean_absolute_error(y, p),
    "rmse": lambda y, p: metrics.root_mean_squared_error(y, p),
    "mape": lambda y, p: metrics.mean_absolute_percentage_error(y[y != 0], p[y != 0]),
    "wape": lambda y, p: np.abs(p - y).sum() / np.abs(y).sum(),
    "bias": lambda y, p: (p - y).mean(),
    "tracking_signal": lambda y, p: (p - y).sum() / np.abs(p - y).mean(),
    "r2": lambda y, p: metrics.r2_score(y, p),
}


def car_price(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_csv(shared / "data/nannyml/regression_synthetic_reference.csv.gz")
    return frame.y_true.to_numpy(), frame.y_pred.to_numpy()


def votes(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_csv(shared / "data/fivethirtyeight_forecasts/governors_elections.csv.gz")
    frame = frame.dropna(subset=["actual_voteshare", "projected_voteshare"])
    return frame.actual_voteshare.to_numpy(), frame.projected_voteshare.to_numpy()


@pytest.mark.parametrize("data", [car_price, votes])
def test_metrics_of_numbers_equal_scikit_learns_on_real_data(shared: Path, data: Any) -> None:
    actual, predicted = data(shared)
    cells = cells_of(numbers(actual, predicted))
    for name, expected in NUMBERS.items():
        assert value_of(name, cells) == pytest.approx(expected(actual, predicted), rel=1e-9), name


@given(st.integers(2, 200), st.integers(0, 10_000), st.floats(0.05, 0.95), st.booleans())
@settings(max_examples=60, deadline=None)
def test_metrics_of_any_rows_equal_scikit_learns(n: int, seed: int, rate: float, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    actual = (rng.random(n) < rate).astype(int)
    actual[:2] = 0, 1
    score = np.clip(rng.normal(0.3 + 0.3 * actual, 0.25), 0, 1)
    predicted = (score > 0.5).astype(int)
    weight = rng.integers(1, 5, n).astype(float) if weighted else np.ones(n)
    cells = cells_of(binary(actual, predicted, score, weight=weight))
    held = {"sample_weight": weight}
    expected = {
        "accuracy": metrics.accuracy_score(actual, predicted, **held),
        "recall": metrics.recall_score(actual, predicted, **held),
        "f1_macro": metrics.f1_score(actual, predicted, average="macro", **held),
        "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted, **held),
        "brier": metrics.brier_score_loss(actual, score, **held),
        "log_loss": metrics.log_loss(actual, score, **held),
    }
    if predicted.any() and not predicted.all():
        expected["precision"] = metrics.precision_score(actual, predicted, **held)
        expected["mcc"] = metrics.matthews_corrcoef(actual, predicted, **held)
    for name, value in expected.items():
        estimates = find_metric(name).compute(cells)  # type: ignore[union-attr]  # it is there
        assert estimates.value[0] == pytest.approx(value, abs=1e-9), name
        assert estimates.low[0] <= value + 1e-9, name
        assert estimates.high[0] >= value - 1e-9, name


@given(st.integers(4, 300), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_areas_of_weighted_scores_of_two_decimals_equal_scikit_learns(n: int, seed: int) -> None:
    """Each hundredth begins a bin: nothing is lost."""
    rng = np.random.default_rng(seed)
    actual = rng.integers(0, 2, n)
    actual[:2] = 0, 1
    score = np.round(np.clip(rng.normal(0.3 + 0.3 * actual, 0.25), 0, 1), 2)
    weight = rng.choice([0.5, 1.0, 3.0], n)
    cells = cells_of(binary(actual, score > 0.5, score, weight=weight))
    area = metrics.roc_auc_score(actual, score, sample_weight=weight)
    assert value_of("roc_auc", cells) == pytest.approx(area, abs=1e-9)
    precision = metrics.average_precision_score(actual, score, sample_weight=weight)
    assert value_of("pr_auc", cells) == pytest.approx(precision, abs=1e-9)


def test_areas_of_continuous_scores_are_near_scikit_learns() -> None:
    """Scores that crowd at 0, as a fraud model's do, with few positives."""
    rng = np.random.default_rng(11)
    for rate in (0.01, 0.1, 0.5):
        actual = (rng.random(50_000) < rate).astype(int)
        score = 1 / (1 + np.exp(-rng.normal(-5 + 2.5 * actual, 1.5)))
        cells = cells_of(binary(actual, score > 0.05, score))
        assert value_of("roc_auc", cells) == pytest.approx(metrics.roc_auc_score(actual, score), abs=0.002)
        expected = metrics.average_precision_score(actual, score)
        assert value_of("pr_auc", cells) == pytest.approx(expected, abs=0.004)


def full_pairs(n: int = 50) -> Any:
    """Rows that have something for every metric."""
    rng = np.random.default_rng(2)
    actual = rng.integers(0, 2, n)
    score = np.clip(rng.normal(0.3 + 0.4 * actual, 0.3), 0, 1)
    return binary(
        actual,
        score > 0.5,
        score,
        predicted_number=rng.normal(10, 2, n),
        actual_number=rng.normal(10, 2, n),
        lag_ms=rng.integers(1000, 10**8, n),
        annotated=np.ones(n, np.bool_),
        disagreed=rng.random(n) < 0.2,
        rating=rng.integers(1, 6, n).astype(float),
        ranked={i: (tuple("abcd"), "abcde"[i % 5]) for i in range(n)},
        texts={i: ("to be", ("to be", "not to be")[i % 2]) for i in range(n)},
    )


def test_every_metric_has_a_value_where_it_can_and_lies_in_its_interval() -> None:
    cells = cells_of(full_pairs(200))
    for metric in METRICS:
        found = metric.compute(cells)
        assert math.isfinite(found.value[0]), (metric.name, found.reason(0))
        assert found.low[0] <= found.value[0] <= found.high[0], metric.name
        assert found.high[0] > found.low[0], metric.name
        assert found.count[0] > 0
        assert found.reason(0) == ""


DEGENERATE = {
    "nothing": lambda: make_pairs(0),
    "no labels": lambda: without_labels(full_pairs(), np.ones(50, np.bool_)),
    "one": lambda: full_pairs(1),
    "two": lambda: full_pairs(2),
    "labels of nothing comparable": lambda: make_pairs(5),
    "all right and positive": lambda: binary([1] * 9, [1] * 9, [1.0] * 9),
    "all right and negative": lambda: binary([0] * 9, [0] * 9, [0.0] * 9),
    "all wrong": lambda: binary([1] * 9, [0] * 9, [0.0] * 9),
    "constant predictions": lambda: binary([0, 1] * 9, [1] * 18, [0.7] * 18),
    "separated": lambda: binary([0, 1] * 9, [0, 1] * 9, [0.1, 0.9] * 9),
    "reversed": lambda: binary([0, 1] * 9, [1, 0] * 9, [0.9, 0.1] * 9),
    "one positive": lambda: binary([1] + [0] * 9, [0] * 10, np.arange(10) / 10),
    "one of each": lambda: binary([0, 1], [0, 1], [0.4, 0.6]),
    "scores out of range": lambda: binary([0, 1], [0, 1], [-3.0, 4.0]),
    "exact numbers": lambda: numbers([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
    "constant labels": lambda: numbers([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]),
    "labels of zero": lambda: numbers([0.0, 0.0], [1.0, -1.0]),
    "enormous numbers": lambda: numbers([1e30, -1e30, 1e-29], [-1e30, 1e30, 1e30]),
    "tiny numbers": lambda: numbers([1e-200, 3e-200], [2e-200, 1e-200]),
    "infinite numbers": lambda: numbers([math.inf, 1.0], [1.0, math.inf]),
    "far from zero": lambda: numbers(1e9 + np.arange(5), 1e9 + np.arange(5) + 0.5),
}


@pytest.mark.parametrize("rows", DEGENERATE)
def test_whatever_the_rows_a_metric_is_a_number_or_says_why_not(rows: str) -> None:
    pairs = DEGENERATE[rows]()
    cells = cells_of(pairs, n_slots=2)
    for metric in (*METRICS, find_metric("precision_at_3"), find_metric("lift_at_0.5p")):
        assert metric is not None
        with np.errstate(all="raise", under="ignore"):
            found = metric.compute(cells)
        for slot in (0, 1):
            given = found.reason(slot) == ""
            assert math.isfinite(found.value[slot]) == given, (metric.name, slot)
            limits = found.low[slot], found.high[slot]
            assert not np.isinf(limits).any(), metric.name
            if not given:
                assert np.isnan(limits).all(), metric.name
            elif not np.isnan(limits).any():
                assert limits[0] <= found.value[slot] + 1e-12, metric.name
                assert found.value[slot] <= limits[1] + 1e-12, metric.name
        assert found.reason(1) != "", metric.name


def test_a_reason_names_what_is_lacking() -> None:
    reasons = {
        ("accuracy", "no labels"): "no labels yet",
        ("label_coverage", "nothing"): "no predictions",
        ("recall", "all right and negative"): "no label is positive",
        ("precision", "all wrong"): "nothing was predicted positive",
        ("roc_auc", "all wrong"): "no label is negative",
        ("mcc", "constant predictions"): "predictions or labels are all of one class",
        ("roc_auc", "scores out of range"): "scores lie outside 0 to 1",
        ("mae", "all wrong"): "no prediction and label that are both numbers",
        ("r2", "constant labels"): "the labels are all the same",
        ("mape", "labels of zero"): "the labels are all zero",
        ("tracking_signal", "exact numbers"): "every prediction is exact",
        ("precision_at_100", "separated"): "fewer labelled predictions than k",
        ("disagreement_rate", "separated"): "no label with several annotators",
    }
    for (name, rows), reason in reasons.items():
        metric = find_metric(name)
        assert metric is not None
        assert metric.compute(cells_of(DEGENERATE[rows]())).reason(0) == reason, (name, rows)


def test_lags_are_quantiles_within_a_hundredth() -> None:
    lag = np.random.default_rng(1).lognormal(15, 1, 5000).astype(np.int64)
    cells = cells_of(make_pairs(5000, lag_ms=lag))
    for name, q in (("label_lag_p50", 0.5), ("label_lag_p90", 0.9), ("label_lag_p99", 0.99)):
        assert value_of(name, cells) == pytest.approx(np.quantile(lag, q), rel=0.01)


def test_coverage_counts_predictions_and_not_weights() -> None:
    full = binary([1, 0, 1, 0], [1, 0, 0, 0], weight=[9.0, 1.0, 1.0, 1.0])
    cells = cells_of(without_labels(full, np.array([False, True, True, False])))
    assert value_of("label_coverage", cells) == 0.5
    assert value_of("accuracy", cells) == 1.0


def test_weights_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    actual = rng.integers(0, 2, 400)
    equal = binary(actual, rng.integers(0, 2, 400))
    uneven = binary(actual, equal.predicted_class, weight=np.where(np.arange(400) % 10, 1.0, 50.0))
    widths = [
        float((e.high - e.low)[0])
        for e in (find_metric("accuracy").compute(cells_of(p)) for p in (equal, uneven))  # type: ignore[union-attr]  # it is there
    ]
    assert widths[1] > 2 * widths[0]


def test_slots_do_not_mix() -> None:
    """Each slot of many has the values that it has alone."""
    pairs = full_pairs(300)
    slot = np.random.default_rng(6).integers(0, 5, 300)
    together = cells_of(pairs, slot, 5)
    for i in range(5):
        mine = np.flatnonzero(slot == i)
        columns = {
            name: {n: held[j] for n, j in enumerate(mine.tolist())} if isinstance(held, dict) else held[mine]
            for name in type(pairs).__slots__
            for held in [getattr(pairs, name)]
            if held is not None
        }
        alone = cells_of(type(pairs)(**columns))
        for metric in METRICS:
            several, one = metric.compute(together), metric.compute(alone)
            for a, b in zip(
                (several.value, several.low, several.high), (one.value, one.low, one.high), strict=True
            ):
                assert a[i] == pytest.approx(b[0], rel=1e-9, nan_ok=True), metric.name


@pytest.mark.parametrize(
    "name",
    ["accuracyy", "precision_at_0", "precision_at_0p", "lift_at_101p", "label_lag_p101", "roc_auc_at_5"],
)
def test_there_is_no_such_metric(name: str) -> None:
    assert find_metric(name) is None


def test_cells_hold_counts_and_totals_by_slot() -> None:
    cells = cells_of(binary([1, 1], [1, 0], weight=[2.0, 1.0]))
    assert isinstance(cells, QualityCells)
    assert cells.counts(Quality.LABELLED).tolist() == [2]
    assert cells.totals(Quality.LABELLED).tolist() == [3.0]
    assert cells.spread[0] == pytest.approx(2 * 5 / 9)
