"""Fairness by group: whether a model chooses, and errs, alike among groups of people.

Each slot of the cells is a group (a value of a segment). Groups with fewer predictions than asked for are
neither shown nor compared: they are named as hidden, and nothing about them can be worked out from the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.layout import Quality
from monitor.records import Bools, Ints
from monitor.sli.quality_cells import Estimates, QualityCells, Why
from monitor.sli.quality_classes import accuracy, false_positive_rate, recall, share_of
from monitor.sli.quality_contrast import Limits, difference, quotient
from monitor.sli.quality_scores import calibration_gap, expected_calibration_error

__all__ = ["MIN_GROUP", "Contrast", "Fairness", "GroupRates", "fairness", "selection_rate"]

MIN_GROUP = 30


@dataclass(frozen=True, slots=True)
class Contrast:
    """The groups furthest apart, `lowest` and `highest` by name, and how far: `value` with its 95 % interval.
    Without a value, `reason` says why. The interval is that of these two groups: of many groups the furthest
    are apart by chance too, more so the more there are."""

    value: float | None
    low: float | None
    high: float | None
    lowest: str = ""
    highest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """The rates of the groups shown, one item each, in the order of `Fairness.groups`.

    `calibration_gap` is mean score less share of positives: above 0 where scores promise too much.
    """

    selection_rate: Estimates
    true_positive_rate: Estimates
    false_positive_rate: Estimates
    accuracy: Estimates
    calibration_gap: Estimates
    calibration_error: Estimates


@dataclass(frozen=True, slots=True)
class Fairness:
    """`hidden` names the groups that are too small. Differences are of the highest and the lowest group, the
    ratio is lowest over highest (the four-fifths rule asks for 0.8); `equalized_odds` is the greater of the
    differences of the true and of the false positive rate."""

    groups: tuple[str, ...]
    hidden: tuple[str, ...]
    rates: GroupRates
    selection_ratio: Contrast
    selection_difference: Contrast
    equal_opportunity: Contrast
    false_positive_difference: Contrast
    equalized_odds: Contrast
    calibration_difference: Contrast


def selection_rate(cells: QualityCells) -> Estimates:
    """The share of predicted positives, of all predictions with a class, labelled or not."""
    part, whole = (Quality.PREDICTED_POSITIVE,), (Quality.WITH_CLASS,)
    return share_of(cells, part, whole, empty=Why.NO_PREDICTIONS)


def fairness(cells: QualityCells, groups: Sequence[str], minimum: int = MIN_GROUP) -> Fairness:
    """The rates of each group of at least `minimum` predictions, and how far they are apart.

    `groups` names the slots. Metrics that need labels leave out groups with fewer than `minimum` labels that
    the rate is of (positive ones for the true positive rate), with a reason.
    """
    shown: Bools = cells.counts(Quality.PREDICTED) >= minimum
    at = np.flatnonzero(shown)
    rates = GroupRates(
        *(
            _picked(rate(cells), at, minimum)
            for rate in (
                selection_rate,
                recall,
                false_positive_rate,
                accuracy,
                calibration_gap,
                expected_calibration_error,
            )
        )
    )
    names = tuple(groups[i] for i in at.tolist())
    opportunity = _difference(names, rates.true_positive_rate)
    false_alarms = _difference(names, rates.false_positive_rate)
    return Fairness(
        groups=names,
        hidden=tuple(groups[i] for i in np.flatnonzero(~shown).tolist()),
        rates=rates,
        selection_ratio=_ratio(names, rates.selection_rate),
        selection_difference=_difference(names, rates.selection_rate),
        equal_opportunity=opportunity,
        false_positive_difference=false_alarms,
        equalized_odds=_greater(opportunity, false_alarms),
        calibration_difference=_difference(names, rates.calibration_gap),
    )


def _picked(found: Estimates, at: Ints, minimum: int) -> Estimates:
    """The groups shown, without a value where fewer than `minimum` are behind it."""
    count, why = found.count[at], found.why[at]
    few = (count < minimum) & (why == 0)
    value, low, high = (np.where(few, np.nan, limit[at]) for limit in (found.value, found.low, found.high))
    return Estimates(value, low, high, np.where(few, 0, count), np.where(few, int(Why.SMALL_GROUP), why))


def _ends(rate: Estimates) -> tuple[int, int] | None:
    """The groups of the lowest and the highest rate; None for fewer than two with a rate."""
    if (~np.isnan(rate.value)).sum() < 2:
        return None
    return int(np.nanargmin(rate.value)), int(np.nanargmax(rate.value))


_TOO_FEW = Contrast(None, None, None, reason="fewer than two groups that are large enough")


def _difference(names: Sequence[str], rate: Estimates) -> Contrast:
    ends = _ends(rate)
    if ends is None:
        return _TOO_FEW
    low, high = ends
    return _contrast(difference(_one(rate, high), _one(rate, low)), names[low], names[high])


def _ratio(names: Sequence[str], rate: Estimates) -> Contrast:
    ends = _ends(rate)
    if ends is None:
        return _TOO_FEW
    low, high = ends
    if rate.value[high] == 0:
        return Contrast(None, None, None, reason="no group has a predicted positive")
    return _contrast(quotient(_one(rate, low), _one(rate, high)), names[low], names[high])


def _one(rate: Estimates, group: int) -> Limits:
    at = slice(group, group + 1)
    return Limits(rate.value[at], rate.low[at], rate.high[at])


def _contrast(found: Limits, lowest: str, highest: str) -> Contrast:
    value, low, high = (None if np.isnan(limit[0]) else float(limit[0]) for limit in found)
    return Contrast(value, low, high, lowest, highest)


def _greater(one: Contrast, other: Contrast) -> Contrast:
    """The greater difference; both must be known."""
    if one.value is None or other.value is None:
        return one if one.value is None else other
    return one if one.value >= other.value else other
