"""Two samples compared: lifts and differences with intervals, and the drift of labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sli.quality_contrast import Limits, ctr_lift, difference, label_drift, quotient
from monitor.sli.quality_intervals import wilson
from tests.labelling import binary, cells_of, make_pairs, numbers, without_labels


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
    assert label_drift(empty, cells[1]).reason(0) == "no labels yet"
    assert label_drift(cells[0], empty).reason(0) == "nothing to compare with"


def test_drift_of_numbers_is_that_of_the_tenths_of_what_they_were() -> None:
    rng = np.random.default_rng(5)
    before, same, moved = rng.normal(3, 20, 20_000), rng.normal(3, 20, 20_000), rng.normal(23, 20, 20_000)
    held = cells_of(numbers(before, before))
    edges = np.quantile(before, np.arange(1, 10) / 10)
    for window in (same, moved):
        p, q = (np.bincount(np.searchsorted(edges, x), minlength=10) / len(x) for x in (before, window))
        found = label_drift(cells_of(numbers(window, window)), held)
        assert found.value[0] == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=0.1, abs=0.002)
        assert found.count[0] == len(window)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=40))
def test_numbers_do_not_drift_from_themselves(labels: list[float]) -> None:
    cells = cells_of(numbers(np.array(labels, float), np.zeros(len(labels))))
    found = label_drift(cells, cells)
    if (np.abs(labels) <= 1e30).any():
        assert found.value[0] == 0
    else:
        assert found.reason(0) == "nothing to compare with"


def test_labels_that_were_numbers_and_are_classes_now_have_no_drift() -> None:
    words, amounts = cells_of(binary([1, 0], [1, 0])), cells_of(numbers([1.0, 2.0], [1.0, 2.0]))
    reason = "labels are neither classes nor numbers, or not what they were"
    assert label_drift(words, amounts).reason(0) == label_drift(amounts, words).reason(0) == reason
