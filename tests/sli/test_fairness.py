"""Fairness by group: equal to fairlearn's, and silent about small groups."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sli.fairness import Fairness, fairness
from tests.labelling import binary, cells_of, without_labels

fairlearn = pytest.importorskip("fairlearn.metrics")


def fairness_of(group: np.ndarray, actual: np.ndarray, predicted: np.ndarray, minimum: int = 1) -> Fairness:
    names, slot = np.unique(group, return_inverse=True)
    score = 0.2 + 0.6 * np.asarray(predicted)
    cells = cells_of(binary(actual, predicted, score), slot, len(names))
    return fairness(cells, [str(n) for n in names], minimum)


def assert_equals_fairlearn(group: np.ndarray, actual: np.ndarray, predicted: np.ndarray) -> None:
    found = fairness_of(group, actual, predicted)
    held = {"sensitive_features": group}
    expected = {
        "selection_difference": fairlearn.demographic_parity_difference(actual, predicted, **held),
        "selection_ratio": fairlearn.demographic_parity_ratio(actual, predicted, **held),
        "equalized_odds": fairlearn.equalized_odds_difference(actual, predicted, **held),
        "equal_opportunity": fairlearn.equal_opportunity_difference(actual, predicted, **held),
    }
    for name, value in expected.items():
        contrast = getattr(found, name)
        if contrast.value is None:
            assert name == "selection_ratio"
            assert not np.any(predicted)
            continue
        assert contrast.value == pytest.approx(value, abs=1e-9), name
        assert contrast.low <= contrast.value <= (contrast.high or np.inf), name
    frame = fairlearn.MetricFrame(
        metrics={"s": fairlearn.selection_rate, "t": fairlearn.true_positive_rate},
        y_true=actual,
        y_pred=predicted,
        **held,
    ).by_group
    assert found.rates.selection_rate.value == pytest.approx(frame.s.to_numpy(float))
    assert found.rates.true_positive_rate.value == pytest.approx(frame.t.to_numpy(float))


@pytest.mark.parametrize("column", ["salary_range", "size_of_downpayment", "repaid_loan_on_prev_car"])
def test_rates_and_differences_equal_fairlearns_on_the_car_loans(shared: Path, column: str) -> None:
    frame = pd.read_csv(shared / "data/nannyml/synthetic_car_loan_reference.csv.gz")
    assert_equals_fairlearn(
        frame[column].astype(str).to_numpy(), frame.repaid.to_numpy(), frame.y_pred.to_numpy()
    )


@given(st.integers(2, 5), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_rates_and_differences_equal_fairlearns_on_any_groups(groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    group = np.concatenate((np.repeat(np.arange(groups), 2), rng.integers(0, groups, 60)))
    actual = np.concatenate((np.tile([0, 1], groups), rng.integers(0, 2, 60)))
    assert_equals_fairlearn(group.astype(str), actual, (rng.random(len(group)) < 0.4).astype(int))


def test_small_groups_are_named_and_not_shown() -> None:
    group = np.array(["a"] * 50 + ["b"] * 50 + ["c"] * 5)
    actual, predicted = np.arange(105) % 2, np.arange(105) % 2
    predicted[-5:] = 1
    found = fairness_of(group, actual, predicted, minimum=20)
    assert found.groups == ("a", "b")
    assert found.hidden == ("c",)
    assert len(found.rates.selection_rate.value) == 2
    assert found.selection_difference.value == 0
    assert {found.selection_difference.lowest, found.selection_difference.highest} <= {"a", "b"}


def test_a_rate_of_few_labels_is_hidden_in_a_group_that_is_shown() -> None:
    group = np.array(["a"] * 100 + ["b"] * 100)
    actual = np.concatenate((np.ones(100, int), [1] * 3 + [0] * 97))
    found = fairness_of(group, actual, actual, minimum=20)
    assert found.rates.true_positive_rate.reason(1) == "too few in the group"
    assert np.isnan(found.rates.true_positive_rate.value[1])
    assert found.rates.true_positive_rate.count[1] == 0
    assert found.equal_opportunity.value is None
    assert found.equal_opportunity.reason == "fewer than two groups that are large enough"
    assert found.equalized_odds.value is None


def test_without_labels_selection_is_known_and_the_rest_says_why_not() -> None:
    pairs = binary([1, 0] * 50, [1, 0] * 25 + [1, 1] * 25, [0.9, 0.1] * 50)
    cells = cells_of(without_labels(pairs, np.ones(100, np.bool_)), np.repeat([0, 1], 50), 2)
    found = fairness(cells, ["x", "y"])
    assert found.selection_ratio.value == 0.5
    assert (found.selection_ratio.lowest, found.selection_ratio.highest) == ("x", "y")
    assert found.rates.accuracy.reason(0) == "no labels yet"
    assert found.equalized_odds.value is None


def test_nobody_selected_has_a_difference_and_no_ratio() -> None:
    found = fairness_of(np.array(["a", "b"] * 50), np.arange(100) % 3 == 0, np.zeros(100, int))
    assert found.selection_difference.value == 0
    assert found.selection_ratio.value is None
    assert found.selection_ratio.reason == "no group has a predicted positive"


def test_calibration_by_group_shows_who_is_promised_too_much() -> None:
    rng = np.random.default_rng(3)
    score = rng.random(20_000)
    group = np.arange(20_000) % 2
    actual = rng.random(20_000) < score * np.where(group == 1, 0.7, 1.0)
    cells = cells_of(binary(actual, score > 0.5, score), group, 2)
    found = fairness(cells, ["fair", "promised"])
    assert found.rates.calibration_gap.value == pytest.approx([0, 0.15], abs=0.02)
    assert found.calibration_difference.highest == "promised"
    assert found.calibration_difference.low is not None
    assert found.calibration_difference.low > 0.1


def test_the_interval_of_a_difference_holds_the_truth_about_95_times_of_100() -> None:
    rng = np.random.default_rng(12)
    held = []
    for _ in range(400):
        group = rng.random(600) < 0.3
        actual = rng.random(600) < 0.5
        predicted = rng.random(600) < np.where(group, 0.6, 0.35)
        found = fairness_of(np.where(group, "b", "a"), actual, predicted.astype(int))
        selection, share = found.selection_difference, found.selection_ratio
        assert selection.low is not None
        assert selection.high is not None
        assert share.low is not None
        assert share.high is not None
        held.append((selection.low <= 0.25 <= selection.high, share.low <= 0.35 / 0.6 <= share.high))
    assert (np.mean(held, axis=0) > 0.91).all()
