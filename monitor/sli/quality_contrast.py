"""Two values of a metric compared: differences, ratios, click-through lift, and the drift of labels."""

from typing import NamedTuple, TypeAlias

import numpy as np

from monitor.profiles.layout import LABEL_BUCKETS, Quality
from monitor.records import Floats, Ints
from monitor.sli.drift_distance import psi
from monitor.sli.quality_cells import Estimates, QualityCells, Why, known, summed
from monitor.sli.quality_labels import ctr

__all__ = ["Limits", "ctr_lift", "difference", "label_drift", "quotient"]

_CLASSES = 256


class Limits(NamedTuple):
    """Values with the limits of their 95 % intervals (float64, n each)."""

    value: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, found: Estimates) -> "Limits":
        return cls(found.value, found.low, found.high)


def difference(one: Limits, other: Limits) -> Limits:
    """`one` less `other`, of independent samples. The interval squares and adds each one's distances to its
    own limits (Newcombe 1998, method 10; for others than shares Donner and Zou 2012)."""
    value = one.value - other.value
    down = np.hypot(one.value - one.low, other.high - other.value)
    up = np.hypot(one.high - one.value, other.value - other.low)
    return Limits(value, value - down, value + up)


def quotient(one: Limits, other: Limits) -> Limits:
    """`one` over `other`, neither below 0, of independent samples: as `difference`, of the logarithms.

    NaN where `other` is 0; no upper limit (NaN) where the lower one of `other` is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(other.value > 0, one.value / other.value, np.nan)
        logs = [Limits(*(np.log(limit) for limit in side)) for side in (one, other)]
        _, low, high = (np.exp(limit) for limit in difference(*logs))
        none = one.value == 0
        low, high = np.where(none, 0.0, low), np.where(none, one.high / other.low, high)
    return Limits(
        value,
        np.where(np.isnan(value), np.nan, np.where(np.isfinite(low), low, 0.0)),
        np.where(np.isnan(value) | ~np.isfinite(high), np.nan, high),
    )


def ctr_lift(cells: QualityCells, other: QualityCells) -> Estimates:
    """By how much the click-through rate is above that of `other` (the same number of slots), as a share of
    the latter: 0.1 is a tenth more. Below 0 for fewer clicks."""
    mine, theirs = ctr(cells), ctr(other)
    value, low, high = quotient(Limits.of(mine), Limits.of(theirs))
    none = np.isnan(theirs.value) | ~(theirs.value > 0)
    lacking = ((np.isnan(mine.value), Why.NO_PREDICTIONS), (none, Why.NO_REFERENCE))
    return known(value - 1, (low - 1, high - 1), mine.count, *lacking)


def label_drift(cells: QualityCells, baseline: QualityCells) -> Estimates:
    """The population stability index of the labels against the baseline's: one slot for all of the slots of
    `cells`, or as many. Classes are held against classes; numbers by the tenths of the baseline's, cut where
    buckets of 4 % end. It has no interval."""
    classes = _labels(cells), _labels(baseline)
    numbers = _numbers(cells), _numbers(baseline)
    worded = classes[0].any(axis=1) & classes[1].any(axis=1)
    value, count = _psi(*classes)
    if not worded.all():
        other, n = _psi(*_in_tenths(*numbers))
        value, count = np.where(worded, value, other), np.where(worded, count, n)
    none = np.full(cells.n, np.nan)
    told, known_before = (classes[i].any(axis=1) | numbers[i].any(axis=1) for i in (0, 1))
    lacking = (
        (cells.counts(Quality.LABELLED) <= 0, Why.NO_LABELS),
        (~np.broadcast_to(known_before, told.shape), Why.NO_REFERENCE),
        (np.isnan(value), Why.UNLIKE),
    )
    return known(value, (none, none), count, *lacking)


_Counts: TypeAlias = "np.ndarray[tuple[int, int], np.dtype[np.int64]]"


def _psi(mine: _Counts, theirs: _Counts) -> tuple[Floats, Ints]:
    return psi(np.broadcast_to(theirs, mine.shape), mine), mine.sum(axis=1)


def _labels(cells: QualityCells) -> _Counts:
    """(slots, classes) numbers of labels, by the class of the label."""
    found = cells.confusion
    place = found.slot * _CLASSES + found.cell % _CLASSES
    counts = summed(place, found.count, cells.n * _CLASSES)
    return np.rint(counts).astype(np.int64).reshape(cells.n, _CLASSES)


def _numbers(cells: QualityCells) -> _Counts:
    """(slots, buckets) numbers of labels, by the bucket of the label, the least first."""
    found = cells.label_numbers
    negative, bucket = found.cell >= LABEL_BUCKETS, found.cell % LABEL_BUCKETS
    at = LABEL_BUCKETS + np.where(negative, -bucket, bucket)
    counts = summed(found.slot * 2 * LABEL_BUCKETS + at, found.count, cells.n * 2 * LABEL_BUCKETS)
    return np.rint(counts).astype(np.int64).reshape(cells.n, 2 * LABEL_BUCKETS)


def _in_tenths(mine: _Counts, theirs: _Counts) -> tuple[_Counts, _Counts]:
    """Both summed over ten stretches of buckets, which hold alike many of `theirs`."""
    whole = np.maximum(theirs.sum(axis=1, keepdims=True), 1)
    middle = np.cumsum(theirs, axis=1) - theirs / 2
    tenth = np.minimum((10 * middle / whole).astype(np.int64), 9)
    tenth = np.broadcast_to(tenth, mine.shape)
    theirs = np.broadcast_to(theirs, mine.shape)
    place = (np.arange(len(mine)) * 10)[:, None] + tenth
    ours, before = (
        np.rint(summed(place.ravel(), counts.ravel(), 10 * len(mine))).astype(np.int64).reshape(-1, 10)
        for counts in (mine, theirs)
    )
    return ours, before
