"""Predictions and labels are counted in any order, cut anywhere, and taken out again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.profiles.layout import (
    CELL_BITS,
    CONFUSION,
    LAG,
    OTHER_CLASS,
    SCORE,
    SCORE_EDGES,
    SCORE_SUM,
    Kind,
    Quality,
    bucket_of,
)
from monitor.profiles.matching import match_list, match_text
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import Pairs, count_quality
from monitor.profiles.rows import RowKey, RowKeys
from tests.labelling import binary, counted, make_pairs, numbers, without_labels

Plain = dict[int, float]


def cells(profiles: Profiles, row: int = 0) -> tuple[Plain, Plain]:
    """(counts, sums) of a row by cell, without what is zero."""
    mask = (1 << CELL_BITS) - 1

    def of(keys: np.ndarray, values: np.ndarray) -> Plain:
        pairs = zip(keys.tolist(), values.tolist(), strict=True)
        return {key & mask: value for key, value in pairs if value and key >> CELL_BITS == row}

    return of(*profiles.counts), of(*profiles.sums)


def score_cell(score: float, positive: bool, outcome: int) -> int:
    return (int(np.searchsorted(SCORE_EDGES, score, side="right")) * 2 + positive) * 3 + outcome


def test_a_scored_prediction_is_counted_as_not_labelled_until_its_label_comes() -> None:
    full = binary([1], [1], [0.734], lag_ms=[5000])
    before, after = (
        cells(counted(without_labels(full, np.array([True])), [0], 1)),
        cells(counted(full, [0], 1)),
    )
    assert before[0] == {
        Quality.PREDICTED: 1,
        Quality.WITH_CLASS: 1,
        Quality.PREDICTED_POSITIVE: 1,
        SCORE + score_cell(0.734, True, 2): 1,
    }
    assert before[1] == {SCORE_SUM + score_cell(0.734, True, 2): 0.734}
    assert after[0] == {
        Quality.PREDICTED: 1,
        Quality.LABELLED: 1,
        Quality.CLASSIFIED: 1,
        Quality.CORRECT: 1,
        Quality.TRUE_POSITIVE: 1,
        Quality.WITH_CLASS: 1,
        Quality.PREDICTED_POSITIVE: 1,
        Quality.ACTUAL_POSITIVE: 1,
        Quality.SCORED: 1,
        Quality.FORETOLD: 1,
        LAG + int(bucket_of(np.array([5000.0]))[0]): 1,
        CONFUSION + 257: 1,
        SCORE + score_cell(0.734, True, 1): 1,
    }
    assert after[1][SCORE_SUM + score_cell(0.734, True, 1)] == 0.734
    assert after[1][Quality.SUM_BRIER] == pytest.approx((1 - 0.734) ** 2)
    assert after[1][Quality.SUM_LOG_LOSS] == pytest.approx(-math.log(0.734))
    assert after[1][Quality.SUM_LEAD_MS] == 5000


def test_a_number_is_counted_by_its_error() -> None:
    counts, sums = cells(counted(numbers([4.0, 0.0], [7.0, -2.0]), [0, 0], 1))
    assert counts[Quality.MEASURED] == 2
    assert counts[Quality.NONZERO] == 1
    assert sums[Quality.SUM_ERROR] == 1
    assert sums[Quality.SUM_ABSOLUTE] == 5
    assert sums[Quality.SUM_SQUARED] == 13
    assert sums[Quality.SUM_RELATIVE] == 0.75
    assert sums[Quality.SUM_SIGNED_SQUARED] == 9 - 4


def test_numbers_that_measure_nothing_are_counted_apart() -> None:
    pairs = numbers([1e40, math.inf, 1.0, math.nan], [1.0, 1.0, math.inf, 1.0])
    counts, sums = cells(counted(pairs, [0] * 4, 1))
    assert counts[Quality.BEYOND] == 3
    assert Quality.MEASURED not in counts
    assert not [cell for cell in sums if 16 <= cell < 32]


def test_scores_outside_0_to_1_are_counted_apart() -> None:
    counts, _ = cells(counted(binary([1, 0, 1], [1, 0, 1], [1.5, -0.1, math.inf]), [0] * 3, 1))
    assert counts[Quality.UNSCALED] == 3
    assert not [cell for cell in counts if cell >= SCORE]


def test_classes_beyond_the_limit_are_correct_only_where_they_are_the_same() -> None:
    pairs = make_pairs(2, predicted_class=[300, 300], actual_class=[300, 301])
    counts, _ = cells(counted(pairs, [0, 0], 1))
    assert counts[CONFUSION + OTHER_CLASS * 256 + OTHER_CLASS] == 2
    assert counts[Quality.CORRECT] == 1


def test_the_excess_of_weights_is_summed_at_the_counts() -> None:
    counts, sums = cells(counted(binary([1, 1], [1, 0], [0.8, 0.2], weight=[3.0, 1.0]), [0, 0], 1))
    assert counts[Quality.TRUE_POSITIVE] == 1
    assert sums[Quality.TRUE_POSITIVE] == 2
    assert Quality.FALSE_NEGATIVE not in sums
    assert sums[SCORE + score_cell(0.8, True, 1)] == 2
    assert sums[SCORE_SUM + score_cell(0.8, True, 1)] == pytest.approx(2.4)
    assert sums[Quality.SUM_WEIGHT_SQUARED] == 8


score = st.one_of(st.floats(-0.2, 1.2), st.sampled_from([0.0, 0.5, 1.0, math.nan, math.inf]))
number = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, math.nan, math.inf, 1e35]))
one_pair = st.tuples(
    st.tuples(number, number),
    st.tuples(st.integers(-1, 300), st.integers(-1, 300)),
    st.tuples(st.booleans(), st.booleans()),
    score,
    st.tuples(*[st.booleans()] * 4),
    st.integers(-10, 10**10),
    st.sampled_from([math.nan, 1.0, 5.0]),
    st.sampled_from([1.0, 1.0, 0.5, 12.0]),
    st.one_of(st.none(), st.sampled_from(["b", ["a", "c"], {"a": 3.0, "z": 1.0}])),
)


def pairs_from(drawn: list[tuple]) -> Pairs:
    return make_pairs(
        len(drawn),
        predicted_number=[d[0][0] for d in drawn],
        actual_number=[d[0][1] for d in drawn],
        predicted_class=[d[1][0] for d in drawn],
        actual_class=[d[1][1] for d in drawn],
        predicted_positive=[d[2][0] for d in drawn],
        actual_positive=[d[2][1] for d in drawn],
        score=[d[3] for d in drawn],
        labelled=[d[4][0] for d in drawn],
        corrected=[d[4][1] for d in drawn],
        annotated=[d[4][2] for d in drawn],
        disagreed=[d[4][3] for d in drawn],
        lag_ms=np.array([d[5] for d in drawn], np.int64),
        rating=[d[6] for d in drawn],
        weight=[d[7] if d[4][0] else 1.0 for d in drawn],
        ranked={i: (("a", "b", "c"), d[8]) for i, d in enumerate(drawn) if d[8] is not None},
    )


@given(st.lists(one_pair, min_size=1, max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_however_pairs_are_cut_and_corrected_the_cells_are_those_of_what_remains(drawn, data) -> None:
    """Contributions in any order, with some taken out, equal counting only the rest, each alone."""
    pairs = pairs_from(drawn)
    places = st.lists(st.tuples(st.integers(0, 2), st.integers(0, len(drawn) - 1)), max_size=20)
    kept, dropped = data.draw(places), data.draw(places)
    signed = [(*c, 1) for c in kept] + [(*c, 1) for c in dropped] + [(*c, -1) for c in dropped]
    signed = data.draw(st.permutations(signed))
    cut = data.draw(st.integers(0, len(signed)))
    profiles, alone = Profiles(), Profiles()
    names = RowKeys.of([RowKey(int(Kind.QUALITY), 3600, 0, 3600 * i, 0) for i in range(3)])
    rows, other = profiles.rows_for(names), alone.rows_for(names)
    for part in (signed[:cut], signed[cut:]):
        columns = np.array(part, np.int64).reshape(-1, 3).T
        count_quality(profiles, rows[columns[0]], columns[1], columns[2], pairs)
    for row, index in kept:
        count_quality(alone, other[[row]], np.array([index]), np.array([1]), pairs)
    for row in range(3):
        counts, sums = cells(profiles, row)
        expected_counts, expected_sums = cells(alone, row)
        assert counts == expected_counts
        for cell in {*sums, *expected_sums}:
            size = 1e24 if Quality.SUM_ERROR <= cell <= Quality.SUM_SIGNED_SQUARED else 1e12
            assert sums.get(cell, 0.0) == pytest.approx(
                expected_sums.get(cell, 0.0), rel=1e-9, abs=1e-9 * size
            )


def test_many_rows_of_many_cells_are_counted_alike() -> None:
    """More rows x cells than are laid out at once."""
    rng = np.random.default_rng(5)
    n = 3000
    pairs = binary(
        rng.integers(0, 2, n), rng.integers(0, 2, n), rng.random(n), lag_ms=rng.integers(0, 10**9, n)
    )
    many, one = counted(pairs, np.arange(n), n), counted(pairs, np.zeros(n, int), 1)
    mask = (1 << CELL_BITS) - 1
    keys, counts = many.counts
    total = np.bincount(keys & mask, weights=counts)
    assert {int(c): int(total[c]) for c in np.flatnonzero(total)} == cells(one)[0]
    keys, values = many.sums
    summed = np.bincount(keys & mask, weights=values)
    assert {int(c): pytest.approx(summed[c]) for c in np.flatnonzero(summed)} == cells(one)[1]


@pytest.mark.parametrize(
    ("predicted", "label", "expected"),
    [
        (("a", "b"), "a", (1.0, True, 1.0)),
        (("a", "b"), "b", (1 / math.log2(3), True, 0.5)),
        (("a", "b"), ["b", "a"], (1.0, True, 1.0)),
        (("a", "b"), "c", (0.0, False, 0.0)),
        ((), "c", (0.0, False, 0.0)),
        (("a", "a", "b"), ["a", "b"], ((1 + 0.5) / (1 + 1 / math.log2(3)), True, 1.0)),
        (tuple("abcdefghijkl"), "l", (0.0, False, 1 / 12)),
        (("a", "b"), {"a": 1.0, "b": 3.0}, ((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)), True, 1.0)),
    ],
)
def test_a_list_against_its_label(predicted, label, expected) -> None:
    assert match_list(predicted, label) == pytest.approx(expected)


@pytest.mark.parametrize("label", [[], {}, {"a": 0.0}, {"a": -1.0, "b": math.nan}])
def test_a_list_with_nothing_relevant_is_no_match_and_no_miss(label) -> None:
    assert match_list(("a", "b"), label) is None


def test_ndcg_equals_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    for _ in range(200):
        grades = rng.integers(0, 4, 15).astype(float)
        order = rng.permutation(15)
        found = match_list([str(i) for i in order], {str(i): g for i, g in enumerate(grades)})
        ranking = np.empty(15)
        ranking[order] = np.arange(15, 0, -1)
        assert found is not None
        assert found.ndcg == pytest.approx(metrics.ndcg_score([grades], [ranking], k=10), abs=1e-12)


@pytest.mark.parametrize(
    ("predicted", "label", "exact", "f1"),
    [
        ("The Cat.", "cat", True, 1.0),
        ("a cat sat", "the cat sat down", False, 0.8),
        ("", "", True, 1.0),
        ("the", "", True, 1.0),
        ("", "cat", False, 0.0),
        ("dog", "cat", False, 0.0),
        ("cat cat", "cat", False, 2 / 3),
    ],
)
def test_a_text_against_its_label(predicted, label, exact, f1) -> None:
    assert match_text(predicted, label) == (exact, pytest.approx(f1))
