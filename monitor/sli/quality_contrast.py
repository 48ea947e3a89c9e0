"""Two values of a metric compared: differences, ratios, click-through lift, and the drift of labels."""

from typing import NamedTuple

import numpy as np

from monitor.records import Floats
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
    """The population stability index of the labels' classes against the baseline's: one slot for all of the
    slots of `cells`, or as many. It has no interval."""
    mine, theirs = _labels(cells), _labels(baseline)
    theirs = np.broadcast_to(theirs, mine.shape)
    value, count = psi(theirs, mine), mine.sum(axis=1)
    none = np.full(cells.n, np.nan)
    lacking = ((count <= 0, Why.NO_CLASSES), (theirs.sum(axis=1) <= 0, Why.NO_REFERENCE))
    return known(value, (none, none), count, *lacking)


def _labels(cells: QualityCells) -> "np.typing.NDArray[np.int64]":
    """(slots, classes) numbers of labels, by the class of the label."""
    found = cells.confusion
    place = found.slot * _CLASSES + found.cell % _CLASSES
    counts = summed(place, found.count, cells.n * _CLASSES)
    return np.rint(counts).astype(np.int64).reshape(cells.n, _CLASSES)
