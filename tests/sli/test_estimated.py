"""Quality expected before labels: equal to NannyML's on its data, and right where scores are calibrated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from monitor.profiles.layout import SCORE, SCORE_SUM
from monitor.profiles.quality import Pairs
from monitor.sli.entries import Entries
from monitor.sli.estimated import EXPECTED, Calibration, calibrate, expectation_error, isotonic
from monitor.sli.quality import find_metric
from monitor.sli.quality_cells import QualityCells
from tests.labelling import binary, cells_of, make_pairs, scores_of_classes, value_of, without_labels

isotonic_of_sklearn = pytest.importorskip("sklearn.isotonic")


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 100)), min_size=1, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_isotonic_regression_equals_scikit_learns(points: list[tuple[float, float]]) -> None:
    value, weight = np.array(points).T
    model = isotonic_of_sklearn.IsotonicRegression()
    expected = model.fit_transform(np.arange(len(value)), value, sample_weight=weight)
    assert isotonic(value, weight) == pytest.approx(expected, abs=1e-9)


Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def car_loan(shared: Path) -> Frames:
    """(reference, analysis with its targets, what NannyML says of the analysis by 5,000 rows)"""
    folder = shared / "data/nannyml"
    analysis = pd.read_csv(folder / "synthetic_car_loan_analysis.csv.gz")
    targets = pd.read_csv(folder / "synthetic_car_loan_analysis_target.csv.gz")
    oracle = pd.read_csv(folder / "oracle/car_loan.cbpe_estimated_performance.csv")
    return (
        pd.read_csv(folder / "synthetic_car_loan_reference.csv.gz"),
        analysis.merge(targets, on="id"),
        oracle[oracle["chunk.period"] == "analysis"],
    )


def cells_by_5000(frame: pd.DataFrame, labels: bool = True) -> QualityCells:
    pairs = binary(frame.repaid, frame.y_pred, frame.y_pred_proba)
    if not labels:
        pairs = without_labels(pairs, np.ones(len(frame), np.bool_))
    return cells_of(pairs, np.arange(len(frame)) // 5000, len(frame) // 5000)


@pytest.mark.parametrize("name", ["accuracy", "f1", "roc_auc"])
def test_the_expectation_equals_nannymls(car_loan: Frames, name: str) -> None:
    """The same isotonic calibration of the same scores (of two decimals, each in a bin of its own)."""
    reference, analysis, oracle = car_loan
    calibration = calibrate(cells_by_5000(reference))
    assert calibration is not None
    assert calibration.corrects
    found = EXPECTED[f"expected_{name}"].compute(cells_by_5000(analysis, labels=False), calibration)
    assert found.value == pytest.approx(oracle[f"{name}.value"].to_numpy(), abs=1e-8)
    assert found.count.tolist() == [5000] * 10


def test_the_sampling_error_of_the_accuracy_is_nannymls(car_loan: Frames) -> None:
    """NannyML's is that of the reference: the windows before the drift have it too, within a tenth."""
    reference, analysis, oracle = car_loan
    calibration = calibrate(cells_by_5000(reference))
    assert calibration is not None
    found = EXPECTED["expected_accuracy"].compute(cells_by_5000(analysis, labels=False), calibration)
    error = (found.high - found.low) / (2 * 1.96)
    assert error[:5] == pytest.approx(oracle["accuracy.sampling_error"].to_numpy()[:5], rel=0.1)


def test_the_error_is_expected_less_actual_once_labels_come(car_loan: Frames) -> None:
    reference, analysis, _ = car_loan
    calibration = calibrate(cells_by_5000(reference))
    assert calibration is not None
    cells = cells_by_5000(analysis)
    for expected in EXPECTED.values():
        error = expectation_error(cells, calibration, expected)
        metric = find_metric(expected.actual)
        assert metric is not None
        foreseen, actual = expected.compute(cells, calibration).value, metric.compute(cells).value
        assert error.value == pytest.approx(
            foreseen - actual, abs=0.001 if expected.actual == "roc_auc" else 1e-9
        )
        assert np.abs(error.value).max() < 0.025


def test_the_error_looks_at_the_labelled_part_alone() -> None:
    score = np.array([0.9] * 100 + [0.5] * 100)
    actual = (np.arange(200) % 10 != 0).astype(int)
    full = binary(actual, np.ones(200, int), score)
    cells = cells_of(without_labels(full, score == 0.5))
    error = expectation_error(cells, Calibration(np.zeros(0), np.zeros(0), 1), EXPECTED["expected_accuracy"])
    assert error.count[0] == 100
    assert error.value[0] == pytest.approx(0.9 - 0.9)


def test_calibrated_scores_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(7)
    score = rng.random(20_000)
    found = calibrate(cells_of(binary(rng.random(20_000) < score, score > 0.5, score)))
    assert found is not None
    assert not found.corrects
    assert found.probability(np.array([0.2])) == [0.2]
    wrong = calibrate(cells_of(binary(rng.random(20_000) < score**2, score > 0.5, score)))
    assert wrong is not None
    assert wrong.corrects
    assert wrong.probability(np.array([0.2, 0.5, 0.9])) == pytest.approx([0.04, 0.25, 0.81], abs=0.05)


def test_a_calibration_survives_its_json() -> None:
    rng = np.random.default_rng(8)
    score = rng.random(500)
    found = calibrate(cells_of(binary(rng.random(500) < score**3, score > 0.5, score)))
    assert found is not None
    again = Calibration.from_json(found.as_json())
    grid = np.linspace(0, 1, 101)
    assert (again.probability(grid) == found.probability(grid)).all()
    assert again.labels == 500


def test_the_actual_value_lies_in_the_expected_interval_19_times_of_20() -> None:
    """Calibrated scores, 600 windows of 300: shares of 0.92 to 0.985 are within three deviations."""
    rng = np.random.default_rng(9)
    windows, n = 600, 300
    score = rng.beta(1, 2, windows * n)
    pairs = binary(rng.random(windows * n) < score, score > 0.4, score)
    cells = cells_of(pairs, np.repeat(np.arange(windows), n), windows)
    as_they_are = Calibration(np.zeros(0), np.zeros(0), 1)
    for name, expected in EXPECTED.items():
        found = expected.compute(cells, as_they_are)
        metric = find_metric(expected.actual)
        assert metric is not None
        actual = metric.compute(cells).value
        share = ((found.low <= actual) & (actual <= found.high)).mean()
        assert 0.92 <= share <= 1, (name, share)


def test_without_scores_there_is_no_expectation_and_a_reason() -> None:
    as_they_are = Calibration(np.zeros(0), np.zeros(0), 1)
    for pairs, reason in (
        (make_pairs(0), "no labelled prediction with a score"),
        (binary([1, 0], [1, 0], [4.0, -2.0]), "scores lie outside 0 to 1"),
    ):
        for expected in EXPECTED.values():
            found = expected.compute(cells_of(pairs), as_they_are)
            assert np.isnan(found.value[0])
            assert found.reason(0) == reason
    assert calibrate(cells_of(make_pairs(3))) is None


def test_scores_of_0_and_1_alone_are_defined() -> None:
    as_they_are = Calibration(np.zeros(0), np.zeros(0), 1)
    found = {
        name: (e.value[0], e.reason(0))
        for name, x in EXPECTED.items()
        for e in [x.compute(cells_of(binary([0, 0], [0, 0], [0.0, 0.0])), as_they_are)]
    }
    assert found["expected_accuracy"] == (1.0, "")
    assert found["expected_recall"][1] == "no label is positive"
    assert found["expected_roc_auc"][1] == "no label is positive"


def test_scores_of_a_model_without_a_positive_class_are_not_calibrated() -> None:
    entries = Entries(
        1,
        *(np.zeros(1, np.int64), np.array([SCORE], np.int64), np.array([50], np.int64)),
        *(np.zeros(1, np.int64), np.array([SCORE_SUM], np.int64), np.array([0.01])),
        *(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)),
    )
    assert calibrate(QualityCells.of(entries)) is None


def several_classes(frame: pd.DataFrame, names: list[str]) -> Pairs:
    actual, predicted = (frame[c].map(names.index).to_numpy() for c in ("y_true", "y_pred"))
    scores = frame[[f"y_pred_proba_{name}" for name in names]].to_numpy()
    rows = np.arange(len(frame))
    return make_pairs(
        len(frame),
        predicted_class=predicted,
        actual_class=actual,
        score=scores[rows, predicted],
        class_scores=scores_of_classes(scores, actual),
    )


def by_each_class(
    reference: pd.DataFrame, analysis: pd.DataFrame, names: list[str], n: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """The accuracy expected when each class is calibrated against the rest, as NannyML does."""
    scores = np.stack(
        [
            IsotonicRegression(out_of_bounds="clip")
            .fit(reference[f"y_pred_proba_{name}"], reference.y_true == name)
            .predict(analysis[f"y_pred_proba_{name}"])
            for name in names
        ],
        axis=1,
    )
    of_predicted = scores[np.arange(len(analysis)), analysis.y_pred.map(names.index)] / scores.sum(axis=1)
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    found = of_predicted[: n * 5000].reshape(n, 5000).mean(axis=1)
    return found


def test_the_accuracy_of_several_classes_is_expected_from_the_score_of_the_one_predicted(
    shared: Path,
) -> None:
    folder = shared / "data/nannyml"
    reference = pd.read_csv(folder / "mc_reference.csv.gz")
    analysis = pd.read_csv(folder / "mc_analysis.csv.gz")
    analysis = analysis.merge(pd.read_csv(folder / "mc_analysis_gt.csv.gz"), on="id")
    names = sorted(reference.y_true.unique())
    calibration = calibrate(cells_of(several_classes(reference, names)))
    assert calibration is not None
    slot, n = np.arange(len(analysis)) // 5000, len(analysis) // 5000
    kept = slot < n
    pairs = several_classes(analysis[kept], names)
    cells = cells_of(pairs, slot[kept], n)
    before = cells_of(without_labels(pairs, np.ones(len(pairs), np.bool_)), slot[kept], n)
    found = EXPECTED["expected_accuracy"].compute(before, calibration)
    assert found.count.tolist() == [5000] * n
    accuracy = find_metric("accuracy")
    assert accuracy is not None
    actual = accuracy.compute(cells).value
    # The data's second half drifts, in what scores mean too, which no expectation can see.
    assert np.abs(found.value - actual)[: n // 2].max() < 0.01
    assert found.value == pytest.approx(by_each_class(reference, analysis, names, n), abs=0.004)
    error = expectation_error(cells, calibration, EXPECTED["expected_accuracy"])
    assert error.value == pytest.approx(found.value - actual, abs=1e-9)
    # On the rows that it was learnt from, the expectation is the accuracy itself.
    whole = cells_of(several_classes(reference, names))
    expected = EXPECTED["expected_accuracy"].compute(whole, calibration).value[0]
    assert expected == pytest.approx(value_of("accuracy", whole), abs=1e-9 if calibration.corrects else 0.01)
    refused = EXPECTED["expected_recall"].compute(before, calibration)
    assert refused.reason(0) == "several classes: there is no one class to rank by the score of"
