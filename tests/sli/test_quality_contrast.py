"""Two samples compared: lifts and differences with intervals, and the drift of labels."""

import math

import numpy as np
import pytest

from monitor.sli.quality_contrast import Limits, ctr_lift, difference, label_drift, quotient
from monitor.sli.quality_intervals import wilson
from tests.labelling import binary, cells_of, make_pairs, without_labels


def shares(hits: list[float], n: list[float]) -> Limits:
    size = np.array(n)
    share = np.array(hits) / size
    return Limits(share, *wilson(share, size))


def test_the_difference_of_shares_is_the_published_one() -> None:
    """Newcombe 1998, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/20."""
    found = difference(shares([56, 9, 10], [70, 10, 10]), shares([48, 3, 0], [80, 10, 20]))
    assert found.value == pytest.approx([0.2, 0.6, 1.0])
    assert found.low == pytest.approx([0.0524, 0.1705, 0.6791], abs=5e-5)
    assert found.high == pytest.approx([0.3339, 0.8090, 1.0], abs=5e-5)


def test_a_quotient_is_defined_at_its_edges() -> None:
    found = quotient(shares([5, 0, 5, 0], [10, 10, 10, 10]), shares([10, 10, 0, 0], [20, 20, 20, 20]))
    assert found.value[:2] == pytest.approx([1, 0])
    assert np.isnan(found.value[2:]).all()
    assert found.low[0] < 1 < found.high[0]
    assert found.low[1] == 0
    assert found.high[1] > 0


def test_lift_of_the_click_through_rate_holds_the_truth_about_95_times_of_100() -> None:
    rng = np.random.default_rng(21)
    draws, n = 600, 2000
    slot = np.repeat(np.arange(draws), n)
    one, other = (
        cells_of(binary(rng.random(draws * n) < p, slot * 0 + 1), slot, draws) for p in (0.055, 0.05)
    )
    found = ctr_lift(one, other)
    assert 0.92 <= ((found.low <= 0.1) & (found.high >= 0.1)).mean() <= 0.98
    assert found.value.mean() == pytest.approx(0.1, abs=0.02)


def test_a_lift_counts_predictions_without_labels_as_no_clicks() -> None:
    clicks = binary([1] * 100, [1] * 100)
    one = cells_of(without_labels(clicks, np.arange(100) >= 20))
    other = cells_of(without_labels(clicks, np.arange(100) >= 10))
    assert ctr_lift(one, other).value[0] == pytest.approx(1.0)


def test_a_lift_over_nothing_says_why_there_is_none() -> None:
    clicks, none = cells_of(binary([1], [1])), cells_of(make_pairs(0))
    assert ctr_lift(clicks, none).reason(0) == "nothing to compare with"
    assert ctr_lift(none, clicks).reason(0) == "no predictions"
    assert ctr_lift(clicks, cells_of(binary([0], [1]))).reason(0) == "nothing to compare with"


def test_drift_of_labels_is_their_population_stability_index() -> None:
    def labels(*counts: int) -> np.ndarray:
        return np.repeat(np.arange(len(counts)), counts)

    window, baseline = labels(50, 30, 20), labels(60, 30, 10)
    cells = [
        cells_of(make_pairs(100, actual_class=actual, predicted_class=np.zeros(100, int)))
        for actual in (window, baseline)
    ]
    expected = 0.1 * math.log(60 / 50) + 0.1 * math.log(20 / 10)
    assert label_drift(*cells).value[0] == pytest.approx(expected)
    empty = cells_of(make_pairs(0))
    assert label_drift(empty, cells[1]).reason(0) == "no prediction and label that are both classes"
    assert label_drift(cells[0], empty).reason(0) == "nothing to compare with"
