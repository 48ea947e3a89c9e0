"""Counting predictions and their labels into quality profiles, and taking them out again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.profiles.counting import compact, spans
from monitor.profiles.layout import (
    CLASS_SCORE,
    CLASS_SCORE_SUM,
    CONFUSION,
    LABEL_BUCKETS,
    LABEL_NUMBER,
    LAG,
    OTHER_CLASS,
    SCORE,
    SCORE_EDGES,
    SCORE_SUM,
    Quality,
    bucket_of,
)
from monitor.profiles.matching import match_list, match_text
from monitor.profiles.profile import Profiles
from monitor.records import Bools, Floats, Ints

__all__ = ["ClassScores", "Pairs", "count_quality"]

# Numbers beyond this measure nothing, and their fourth powers would drown the others'.
_LARGEST = 1e30
_SMALLEST = 1e-30
# scikit-learn's log loss keeps probabilities this far from 0 and 1.
_EPSILON = float(np.finfo(np.float64).eps)
_DENSE_PER_ENTRY = 64
_DENSE_ALWAYS = 1 << 16


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Probabilities of each of several classes, of `n` predictions: whether there are any (bool), that of the
    label's class (float64; 0 where it has none), and the sum of their squares (float64).

    One by one, m of them, in the order of the predictions: `pair` (int64) is the prediction's index, `number`
    (int64) the class's, `score` (float64), and whether it `is_actual`, the label's class (bool)."""

    given: Bools
    actual: Floats
    squares: Floats
    pair: Ints
    number: Ints
    score: Floats
    is_actual: Bools


@dataclass(frozen=True, slots=True)
class Pairs:
    """`n` predictions as columns, each with its label or none.

    Classes are numbers among the model's, -1 for none; those beyond the store's limit should differ where
    their names do: they are counted as OTHER_CLASS, but a prediction is correct only where the numbers are
    equal. `score` is the probability of the positive class, NaN for none. `weight` is the label's, above 0,
    and 1 where there is no label. `lag_ms` is the label's time less the prediction's. `ranked` and `texts`
    hold (prediction, label) by row. Where `class_scores` are given, `score` is that of the class predicted.
    """

    predicted_number: Floats
    actual_number: Floats
    predicted_class: Ints
    actual_class: Ints
    predicted_positive: Bools
    actual_positive: Bools
    score: Floats
    labelled: Bools
    lag_ms: Ints
    corrected: Bools
    annotated: Bools
    disagreed: Bools
    rating: Floats
    weight: Floats
    ranked: Mapping[int, tuple[tuple[str, ...], Any]]
    texts: Mapping[int, tuple[str, str]]
    class_scores: ClassScores | None = None

    def __len__(self) -> int:
        return len(self.labelled)


@dataclass(frozen=True, slots=True)
class _Cells:
    """What each pair counts: flags and (weighted) sums by cell, one cell or -1 of each of the blocks, and
    (pair, cell, weighted score) of each score of a class."""

    flags: Mapping[Quality, Bools]
    sums: Mapping[Quality, Floats]
    blocks: tuple[Ints, ...]
    score: Ints
    score_sum: Floats
    excess: Floats | None
    class_scores: tuple[Ints, Ints, Floats] | None


def count_quality(profiles: Profiles, row: Ints, index: Ints, sign: Ints, pairs: Pairs) -> None:
    """Adds contributions to quality profiles: pair `index` to row number `row`; `sign` -1 takes it out again.

    `row`, `index` and `sign` are int64 of one length. What a pair adds and later takes out cancels:
    counts exactly, sums within 1e-9 of their size.
    """
    if not len(row):
        return
    cells = _cells_of(pairs)
    numbers, local = compact(row, len(profiles))
    _count_flags(profiles, numbers, local, index, sign, cells)
    for block in cells.blocks:
        shown = [] if cells.excess is None else [(cells.excess, 0)]
        if block is cells.score:
            shown.append((cells.score_sum, SCORE_SUM - SCORE))
        _tally(profiles, numbers, local, index, sign, block, shown)
    if cells.class_scores is not None:
        _tally_class_scores(profiles, numbers, local, index, sign, cells)
    n_rows = len(numbers)
    for cell, values in cells.sums.items():
        if values.any():
            total = np.bincount(local, weights=values[index] * sign, minlength=n_rows).astype(
                np.float64, copy=False
            )
            found = np.flatnonzero(total)
            profiles.add_sums(numbers[found], np.full(len(found), int(cell), np.int64), total[found])


def _count_flags(
    profiles: Profiles, numbers: Ints, local: Ints, index: Ints, sign: Ints, cells: _Cells
) -> None:
    """Few combinations of flags occur: contributions are counted by these, then spread over the cells."""
    flags = np.array([*cells.flags.values()])
    named = np.array([int(cell) for cell in cells.flags], np.int64)
    code = np.zeros(flags.shape[1], np.int64)
    for bit, flag in enumerate(flags):
        code |= flag.astype(np.int64) << bit
    distinct, combination = np.unique(code, return_inverse=True)
    spread = (distinct[:, None] >> np.arange(len(flags)) & 1).astype(np.float64)
    n_rows, width = len(numbers), len(distinct)
    packed = local * width + combination[index]

    def total(weights: Ints | Floats) -> Floats:
        table = np.bincount(packed, weights=weights, minlength=n_rows * width).reshape(n_rows, width)
        found: Floats = table @ spread
        return found

    counts = total(sign)
    rows, which = np.nonzero(counts)
    profiles.add_counts(numbers[rows], named[which], np.rint(counts[rows, which]).astype(np.int64))
    if cells.excess is not None:
        sums = total(sign * cells.excess[index])
        rows, which = np.nonzero(sums)
        profiles.add_sums(numbers[rows], named[which], sums[rows, which])


def _tally(
    profiles: Profiles,
    numbers: Ints,
    local: Ints,
    index: Ints,
    sign: Ints,
    cell: Ints,
    values: list[tuple[Floats, int]],
) -> None:
    """Counts each contribution at its pair's cell, -1 for none, and adds each of `values` at the cell + its
    shift."""
    given = cell >= 0
    if not given.any():
        return
    distinct, code = np.unique(cell[given], return_inverse=True)
    place = np.full(len(cell), -1, np.int64)
    place[given] = code
    mine = place[index]
    if not given.all():
        chosen = mine >= 0
        local, index, sign, mine = local[chosen], index[chosen], sign[chosen], mine[chosen]
    width = len(distinct)
    packed = local * width + mine
    keys, packed = _compacted(packed, len(numbers) * width)

    def total(amount: Ints | Floats) -> tuple[Ints, Ints, Floats]:
        """(row, cell, total) where it isn't zero."""
        table = np.bincount(packed, weights=amount)
        found = np.flatnonzero(table)
        at = keys[found]
        return numbers[at // width], distinct[at % width], table[found].astype(np.float64, copy=False)

    rows, cells, counts = total(sign)
    profiles.add_counts(rows, cells, np.rint(counts).astype(np.int64))
    for value, shift in values:
        rows, cells, sums = total(value[index] * sign)
        profiles.add_sums(rows, cells + shift, sums)


def _tally_class_scores(
    profiles: Profiles, numbers: Ints, local: Ints, index: Ints, sign: Ints, cells: _Cells
) -> None:
    """Counts the scores of every class of each contribution's pair."""
    assert cells.class_scores is not None
    pair, cell, score = cells.class_scores
    begin, end = np.searchsorted(pair, index), np.searchsorted(pair, index, side="right")
    each, at = np.repeat(np.arange(len(index)), end - begin), spans(begin, end - begin)
    shown = [(score, CLASS_SCORE_SUM - CLASS_SCORE)]
    if cells.excess is not None:
        shown.append((cells.excess[pair], 0))
    _tally(profiles, numbers, local[each], at, sign[each], cell, shown)


def _compacted(packed: Ints, bound: int) -> tuple[Ints, Ints]:
    """As `compact`, with marks laid out for many more codes than there are: that is faster than to sort."""
    if bound > _DENSE_PER_ENTRY * len(packed) + _DENSE_ALWAYS:
        distinct, inverse = np.unique(packed, return_inverse=True)
        return distinct, inverse.astype(np.int64, copy=False)
    seen = np.zeros(bound, np.bool_)
    seen[packed] = True
    distinct = np.flatnonzero(seen)
    lookup = np.zeros(bound, np.int32)
    lookup[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, lookup[packed].astype(np.int64)


def _cells_of(pairs: Pairs) -> _Cells:
    labelled = pairs.labelled
    weight = pairs.weight
    weighted = bool((weight != 1).any())
    flags: dict[Quality, Bools] = {
        Quality.PREDICTED: np.ones(len(pairs), np.bool_),
        Quality.LABELLED: labelled,
        Quality.CORRECTED: labelled & pairs.corrected,
        Quality.ANNOTATED: labelled & pairs.annotated,
        Quality.DISAGREED: labelled & pairs.disagreed,
        Quality.RATED: np.isfinite(pairs.rating),
    }
    sums: dict[Quality, Floats] = {}

    def add(cell: Quality, value: Floats) -> None:
        sums[cell] = value * weight if weighted else value

    add(Quality.SUM_RATING, np.where(flags[Quality.RATED], pairs.rating, 0.0))
    add(Quality.SUM_RATING_SQUARED, np.where(flags[Quality.RATED], pairs.rating, 0.0) ** 2)
    if weighted:
        sums[Quality.SUM_WEIGHT_SQUARED] = weight**2 - 1
    confusion = _classes(pairs, flags)
    score, score_value = _scores(pairs, flags, add)
    class_scores = _class_scores(pairs, flags[Quality.SCORED])
    number = _numbers(pairs, flags, add)
    _foretold(pairs, flags, add)
    _matches(pairs, flags, add)
    lag = np.where(labelled, LAG + bucket_of(np.maximum(pairs.lag_ms, 0).astype(np.float64)), -1)
    excess = weight - 1 if weighted else None
    return _Cells(
        flags, sums, (lag, number, confusion, score), score, score_value * weight, excess, class_scores
    )


_Add = Callable[[Quality, Floats], None]


def _classes(pairs: Pairs, flags: dict[Quality, Bools]) -> Ints:
    """The cell of each classified pair among CONFUSION, else -1."""
    predicted, actual = pairs.predicted_class, pairs.actual_class
    with_class = predicted >= 0
    classified = pairs.labelled & with_class & (actual >= 0)
    positive, truly = pairs.predicted_positive, pairs.actual_positive
    flags[Quality.CLASSIFIED] = classified
    flags[Quality.CORRECT] = classified & (predicted == actual)
    flags[Quality.TRUE_POSITIVE] = classified & positive & truly
    flags[Quality.FALSE_POSITIVE] = classified & positive & ~truly
    flags[Quality.FALSE_NEGATIVE] = classified & ~positive & truly
    flags[Quality.WITH_CLASS] = with_class
    flags[Quality.PREDICTED_POSITIVE] = with_class & positive
    flags[Quality.ACTUAL_POSITIVE] = pairs.labelled & truly
    bounded = np.minimum(predicted, OTHER_CLASS) * 256 + np.minimum(actual, OTHER_CLASS)
    return np.where(classified, CONFUSION + bounded, -1)


def _scores(pairs: Pairs, flags: dict[Quality, Bools], add: _Add) -> tuple[Ints, Floats]:
    """The cell of each pair among SCORE, -1 for none, and its score, 0 for none."""
    score = pairs.score
    given = (score >= 0) & (score <= 1)
    judged = given & pairs.labelled & (pairs.actual_class >= 0)
    flags[Quality.SCORED] = judged
    flags[Quality.UNSCALED] = ~given & ~np.isnan(score)
    value = np.where(given, score, 0.0)
    truly, said = pairs.actual_positive, pairs.predicted_positive
    likely, squared = np.where(truly, value, 1 - value), (value - truly) ** 2
    several = pairs.class_scores
    if several is not None:
        flags[Quality.SEVERAL] = given & several.given
        truly = np.where(several.given, pairs.predicted_class == pairs.actual_class, truly)
        said = said | several.given
        likely = np.where(several.given, several.actual, likely)
        squared = np.where(several.given, several.squares - 2 * several.actual + 1, squared)
    outcome = np.where(judged, truly.astype(np.int64), 2)
    cell = (np.searchsorted(SCORE_EDGES, value, side="right") * 2 + said) * 3 + outcome
    if judged.any():
        squared = np.where(judged, squared, 0.0)
        loss = np.where(judged, -np.log(np.clip(likely, _EPSILON, 1 - _EPSILON)), 0.0)
        add(Quality.SUM_BRIER, squared)
        add(Quality.SUM_BRIER_SQUARED, squared**2)
        add(Quality.SUM_LOG_LOSS, loss)
        add(Quality.SUM_LOG_LOSS_SQUARED, loss**2)
    return np.where(given, SCORE + cell, -1), value


def _class_scores(pairs: Pairs, judged: Bools) -> tuple[Ints, Ints, Floats] | None:
    """(pair, cell, weighted score) of every score of a class that can be judged; None without such."""
    several = pairs.class_scores
    if several is None:
        return None
    counted = judged[several.pair] & (several.number < OTHER_CLASS)
    bins = np.searchsorted(SCORE_EDGES, several.score[counted], side="right")
    cell = (several.number[counted] * (len(SCORE_EDGES) + 1) + bins) * 2 + several.is_actual[counted]
    pair = several.pair[counted]
    return pair, CLASS_SCORE + cell, several.score[counted] * pairs.weight[pair]


def _numbers(pairs: Pairs, flags: dict[Quality, Bools], add: _Add) -> Ints:
    """The cell of each pair of numbers among LABEL_NUMBER, else -1."""
    predicted, actual = pairs.predicted_number, pairs.actual_number
    given = pairs.labelled & ~np.isnan(predicted) & ~np.isnan(actual)
    measured = given & (np.abs(predicted) <= _LARGEST) & (np.abs(actual) <= _LARGEST)
    nonzero = measured & (np.abs(actual) > _SMALLEST)
    flags[Quality.MEASURED], flags[Quality.NONZERO] = measured, nonzero
    flags[Quality.BEYOND] = given & ~measured
    if not measured.any():
        return np.full(len(pairs), -1, np.int64)
    label = np.where(measured, actual, 0.0)
    error = np.where(measured, predicted, 0.0) - label
    size, squared, label_squared = np.abs(error), error**2, label**2
    relative = np.where(nonzero, size, 0.0) / np.where(nonzero, np.abs(label), 1.0)
    add(Quality.SUM_ERROR, error)
    add(Quality.SUM_ABSOLUTE, size)
    add(Quality.SUM_SQUARED, squared)
    add(Quality.SUM_FOURTH, squared**2)
    add(Quality.SUM_RELATIVE, relative)
    add(Quality.SUM_RELATIVE_SQUARED, relative**2)
    add(Quality.SUM_ACTUAL, label)
    add(Quality.SUM_ACTUAL_SQUARED, label_squared)
    add(Quality.SUM_ACTUAL_ABSOLUTE, np.abs(label))
    add(Quality.SUM_ACTUAL_CUBED, label_squared * label)
    add(Quality.SUM_ACTUAL_FOURTH, label_squared**2)
    add(Quality.SUM_SQUARED_ACTUAL, squared * label)
    add(Quality.SUM_SQUARED_ACTUAL_SQUARED, squared * label_squared)
    add(Quality.SUM_ABSOLUTE_ACTUAL, np.abs(error * label))
    add(Quality.SUM_SIGNED_SQUARED, error * size)
    bucket = (label < 0) * LABEL_BUCKETS + bucket_of(np.abs(label)) // 4
    return np.where(measured, LABEL_NUMBER + bucket, -1)


def _foretold(pairs: Pairs, flags: dict[Quality, Bools], add: _Add) -> None:
    """An event foretold: the prediction of a positive that came true, made before it did."""
    foretold = pairs.labelled & pairs.predicted_positive & pairs.actual_positive & (pairs.lag_ms >= 0)
    flags[Quality.FORETOLD] = foretold
    lead = np.where(foretold, pairs.lag_ms, 0).astype(np.float64)
    add(Quality.SUM_LEAD_MS, lead)
    add(Quality.SUM_LEAD_S_SQUARED, (lead / 1000) ** 2)


def _matches(pairs: Pairs, flags: dict[Quality, Bools], add: _Add) -> None:
    n = len(pairs)
    ranked, hit, extracted, exact = (np.zeros(n, np.bool_) for _ in range(4))
    ndcg, reciprocal, token_f1 = (np.zeros(n) for _ in range(3))
    for i, (items, label) in pairs.ranked.items():
        found = match_list(items, label) if pairs.labelled[i] else None
        if found is not None:
            ranked[i] = True
            ndcg[i], hit[i], reciprocal[i] = found
    for i, texts in pairs.texts.items():
        if pairs.labelled[i]:
            extracted[i] = True
            exact[i], token_f1[i] = match_text(*texts)
    flags[Quality.RANKED], flags[Quality.HIT] = ranked, hit
    flags[Quality.EXTRACTED], flags[Quality.EXACT] = extracted, exact
    add(Quality.SUM_NDCG, ndcg)
    add(Quality.SUM_NDCG_SQUARED, ndcg**2)
    add(Quality.SUM_RECIPROCAL_RANK, reciprocal)
    add(Quality.SUM_RECIPROCAL_RANK_SQUARED, reciprocal**2)
    add(Quality.SUM_TOKEN_F1, token_f1)
    add(Quality.SUM_TOKEN_F1_SQUARED, token_f1**2)
