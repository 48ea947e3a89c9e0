"""Quality profiles as the metrics see them: by slot, with weights applied."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from monitor.profiles.layout import (
    BUCKETS,
    CELL_BITS,
    CLASS_SCORE,
    CLASS_SCORE_SUM,
    CONFUSION,
    LABEL_BUCKETS,
    LABEL_NUMBER,
    LAG,
    SCORE,
    SCORE_EDGES,
    SCORE_SUM,
    Quality,
)
from monitor.profiles.profile import Profiles
from monitor.records import Bools, Floats, Ints
from monitor.sli.entries import Entries

__all__ = [
    "ClassScoreBins",
    "Estimates",
    "QualityCells",
    "ScoreBins",
    "Sparse",
    "Why",
    "cumulative",
    "known",
    "ratio",
    "summed",
]

_DENSE = 128
_CLASSES = 1 << 16
_SCORES = (len(SCORE_EDGES) + 1) * 6
_CLASS_SCORES = (len(SCORE_EDGES) + 1) * 2 * 256


class Why(IntEnum):
    """Why a slot has no value; NONE where it has one."""

    NONE = 0
    NO_PREDICTIONS = 1
    NO_LABELS = 2
    NO_CLASSES = 3
    NO_SCORES = 4
    NO_NUMBERS = 5
    NO_POSITIVE_LABELS = 6
    NO_NEGATIVE_LABELS = 7
    NO_POSITIVE_PREDICTIONS = 8
    ONE_CLASS = 9
    NO_POSITIVE_CLASS = 10
    TOO_FEW = 11
    UNSCALED = 12
    CONSTANT_LABELS = 13
    ZERO_LABELS = 14
    NO_ERRORS = 15
    NO_LISTS = 16
    NO_TEXTS = 17
    NO_RATINGS = 18
    NO_ANNOTATORS = 19
    NONE_FORETOLD = 20
    NO_REFERENCE = 21
    SMALL_GROUP = 22
    NO_CALIBRATION = 23
    SEVERAL_CLASSES = 24
    FEW_LABELS = 25
    UNLIKE = 26

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS = {
    Why.NONE: "",
    Why.NO_PREDICTIONS: "no predictions",
    Why.NO_LABELS: "no labels yet",
    Why.NO_CLASSES: "no prediction and label that are both classes",
    Why.NO_SCORES: "no labelled prediction with a score",
    Why.NO_NUMBERS: "no prediction and label that are both numbers",
    Why.NO_POSITIVE_LABELS: "no label is positive",
    Why.NO_NEGATIVE_LABELS: "no label is negative",
    Why.NO_POSITIVE_PREDICTIONS: "nothing was predicted positive",
    Why.ONE_CLASS: "predictions or labels are all of one class",
    Why.NO_POSITIVE_CLASS: "several classes, and none is the positive one",
    Why.TOO_FEW: "fewer labelled predictions than k",
    Why.UNSCALED: "scores lie outside 0 to 1",
    Why.CONSTANT_LABELS: "the labels are all the same",
    Why.ZERO_LABELS: "the labels are all zero",
    Why.NO_ERRORS: "every prediction is exact",
    Why.NO_LISTS: "no predicted list with a relevant item",
    Why.NO_TEXTS: "no predicted text with a label",
    Why.NO_RATINGS: "no ratings",
    Why.NO_ANNOTATORS: "no label with several annotators",
    Why.NONE_FORETOLD: "no event was foretold",
    Why.SEVERAL_CLASSES: "several classes: there is no one class to rank by the score of",
    Why.NO_CALIBRATION: "neither a baseline nor the stream has labelled scores to calibrate on",
    Why.NO_REFERENCE: "nothing to compare with",
    Why.FEW_LABELS: "too few labels to tell",
    Why.UNLIKE: "labels are neither classes nor numbers, or not what they were",
    Why.SMALL_GROUP: "too few in the group",
}


@dataclass(frozen=True, slots=True)
class Estimates:
    """One item per slot: `value` with its 95 % interval `low` to `high` (float64; NaN for none), `count`
    (int64) of what is behind it, and `why` (int8, of Why) there is no value."""

    value: Floats
    low: Floats
    high: Floats
    count: Ints
    why: Ints

    def reason(self, slot: int) -> str:
        """Why the slot has no value; empty where it has one."""
        return Why(int(self.why[slot])).text


@dataclass(frozen=True, slots=True)
class Sparse:
    """Cells of a block with anything in them, ordered by slot and cell, each once: int64 `slot`, `cell`
    within the block, `count`, and the weighted count (float64)."""

    slot: Ints
    cell: Ints
    count: Ints
    weight: Floats


@dataclass(frozen=True, slots=True)
class ScoreBins:
    """Bins of scores with anything in them, ordered by slot and bin, each once. `count` (int64), `weight` and
    `total` (of the weighted scores; float64) are (m, 2, 3): by predicted positive, and by the outcome
    negative, positive or not labelled."""

    slot: Ints
    bin: Ints
    count: Ints
    weight: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class ClassScoreBins:
    """Bins of the scores of each of several classes with anything in them, ordered by slot, class and bin,
    each once (int64 `slot`, `number` of the class, `bin`). `weight` is (m, 2): of others, of the class;
    `total` (m) is of the weighted scores (float64)."""

    slot: Ints
    number: Ints
    bin: Ints
    weight: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class QualityCells:
    """Quality profiles by slot. `count` (int64) and `total` (float64: weighted counts, sums) are
    (slots, 128), by Quality. `spread` (float64, slots) is by how much weights raise variances: Kish's
    design effect, 1 without weights."""

    n: int
    count: Ints
    total: Floats
    spread: Floats
    lag: Sparse
    label_numbers: Sparse
    confusion: Sparse
    scores: ScoreBins
    class_scores: ClassScoreBins

    @classmethod
    def of(cls, entries: Entries) -> "QualityCells":
        n = entries.n_slots
        dense, dense_sum = entries.cell < _DENSE, entries.sum_cell < _DENSE
        size = n * _DENSE
        packed = entries.slot[dense] * _DENSE + entries.cell[dense]
        count = summed(packed, entries.count[dense], size)
        packed = entries.sum_slot[dense_sum] * _DENSE + entries.sum_cell[dense_sum]
        extra = summed(packed, entries.sum_value[dense_sum], size)
        total = (count + extra).reshape(n, _DENSE)
        whole = np.rint(count).astype(np.int64).reshape(n, _DENSE)
        return cls(
            n,
            whole,
            total,
            _spread(whole, total),
            _sparse(entries, LAG, BUCKETS),
            _sparse(entries, LABEL_NUMBER, 2 * LABEL_BUCKETS),
            _sparse(entries, CONFUSION, _CLASSES),
            _scores(entries),
            _class_scores(entries),
        )

    @classmethod
    def of_profiles(cls, profiles: Profiles) -> "QualityCells":
        """Of quality profiles that aren't stored: row i is slot i."""
        keys, counts = profiles.counts
        sum_keys, sums = profiles.sums
        none, mask = np.zeros(0, np.int64), (1 << CELL_BITS) - 1
        held = keys >> CELL_BITS, keys & mask, counts, sum_keys >> CELL_BITS, sum_keys & mask, sums
        return cls.of(Entries(len(profiles), *held, none, none, np.zeros(0)))

    def counts(self, *cells: Quality) -> Ints:
        """The counts of the cells together (int64, slots)."""
        found: Ints = self.count[:, list(map(int, cells))].sum(axis=1)
        return found

    def totals(self, *cells: Quality) -> Floats:
        """The weighted counts or the sums of the cells together (float64, slots)."""
        found: Floats = self.total[:, list(map(int, cells))].sum(axis=1)
        return found

    def size(self, count: Ints) -> Floats:
        """How many records without weights would say as much as `count` of these."""
        found: Floats = count / self.spread
        return found


def _spread(count: Ints, total: Floats) -> Floats:
    labelled, weight = count[:, Quality.LABELLED], total[:, Quality.LABELLED]
    squares = labelled + total[:, Quality.SUM_WEIGHT_SQUARED]
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = labelled * squares / weight**2
    return np.where((weight > 0) & (effect > 1), effect, 1.0)


def _merged(entries: Entries, begin: int, width: int) -> tuple[Ints, Ints, Ints, Floats]:
    """(slot, cell from `begin`, count, weighted count) of the cells of a block, each (slot, cell) once."""
    mine = (entries.cell >= begin) & (entries.cell < begin + width)
    more = (entries.sum_cell >= begin) & (entries.sum_cell < begin + width)
    key = entries.slot[mine] * width + (entries.cell[mine] - begin)
    more_key = entries.sum_slot[more] * width + (entries.sum_cell[more] - begin)
    distinct, place = np.unique(np.concatenate((key, more_key)), return_inverse=True)
    count = summed(place[: len(key)], entries.count[mine], len(distinct))
    excess = summed(place[len(key) :], entries.sum_value[more], len(distinct))
    return distinct // width, distinct % width, np.rint(count).astype(np.int64), count + excess


def _sparse(entries: Entries, begin: int, width: int) -> Sparse:
    slot, cell, count, weight = _merged(entries, begin, width)
    kept = count > 0
    return Sparse(slot[kept], cell[kept], count[kept], weight[kept])


def _scores(entries: Entries) -> ScoreBins:
    slot, cell, count, weight = _merged(entries, SCORE, _SCORES)
    key = slot * _SCORES + cell
    distinct, place = np.unique(key // 6, return_inverse=True)
    m = len(distinct)
    counts, weights, totals = np.zeros((m, 6), np.int64), np.zeros((m, 6)), np.zeros((m, 6))
    counts[place, cell % 6] = count
    weights[place, cell % 6] = weight
    slot, cell, _, total = _merged(entries, SCORE_SUM, _SCORES)
    key = (slot * _SCORES + cell) // 6
    at = np.minimum(np.searchsorted(distinct, key), max(m - 1, 0))
    held = distinct[at] == key if m else np.zeros(len(key), np.bool_)
    totals[at[held], cell[held] % 6] = total[held]
    kept = counts.sum(axis=1) > 0
    shape = (-1, 2, 3)
    bins = _SCORES // 6
    return ScoreBins(
        distinct[kept] // bins,
        distinct[kept] % bins,
        counts[kept].reshape(shape),
        weights[kept].reshape(shape),
        totals[kept].reshape(shape),
    )


def _class_scores(entries: Entries) -> ClassScoreBins:
    bins = len(SCORE_EDGES) + 1
    slot, cell, count, weight = _merged(entries, CLASS_SCORE, _CLASS_SCORES)
    held = count > 0
    slot, cell, weight = slot[held], cell[held], weight[held]
    distinct, place = np.unique((slot * _CLASS_SCORES + cell) // 2, return_inverse=True)
    weights = np.zeros((len(distinct), 2))
    weights[place, cell % 2] = weight
    slot, cell, _, total = _merged(entries, CLASS_SCORE_SUM, _CLASS_SCORES)
    key = (slot * _CLASS_SCORES + cell) // 2
    known = np.isin(key, distinct)
    totals = summed(np.searchsorted(distinct, key[known]), total[known], len(distinct))
    by_class = distinct // bins
    return ClassScoreBins(by_class // 256, by_class % 256, distinct % bins, weights, totals)


def summed(place: Ints, values: Floats | Ints | Bools, n: int) -> Floats:
    """The sums (float64, n) of the values at each place."""
    return np.bincount(place, weights=values, minlength=n).astype(np.float64, copy=False)


def cumulative(slot: Ints, values: Floats) -> Floats:
    """The sum of the values before each item in its slot; items are ordered by slot."""
    if not len(slot):
        return values
    before = np.cumsum(values) - values
    first = np.concatenate(([True], slot[1:] != slot[:-1]))
    found: Floats = before - before[np.flatnonzero(first)][np.cumsum(first) - 1]
    return found


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found: Floats = np.where(denominator != 0, numerator / denominator, np.nan)
    return found


def known(
    value: Floats, interval: tuple[Floats, Floats], count: Ints, *lacking: tuple[Bools, Why]
) -> Estimates:
    """The estimates, without a value where something is lacking: the first reason that holds is given."""
    why = np.zeros(len(value), np.int64)
    for absent, reason in reversed(lacking):
        why[absent] = int(reason)
    none = why > 0
    low, high = interval
    low, high = (np.where(none | ~np.isfinite(limit), np.nan, limit) for limit in (low, high))
    return Estimates(np.where(none, np.nan, value), low, high, count, why)
