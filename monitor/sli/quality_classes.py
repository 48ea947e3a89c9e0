"""Quality of predicted classes."""

from dataclasses import dataclass

import numpy as np

from monitor.profiles.layout import Quality
from monitor.records import Bools, Floats, Ints
from monitor.sli.quality_cells import Estimates, QualityCells, Why, known, ratio, summed
from monitor.sli.quality_intervals import bounded, wilson

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "f1",
    "f1_macro",
    "false_negative_rate",
    "false_positive_rate",
    "mcc",
    "no_positive_class",
    "precision",
    "precision_macro",
    "recall",
    "recall_macro",
    "share_of",
    "specificity",
]

_TP, _FP, _FN = Quality.TRUE_POSITIVE, Quality.FALSE_POSITIVE, Quality.FALSE_NEGATIVE


def share_of(
    cells: QualityCells,
    part: tuple[Quality, ...],
    whole: tuple[Quality, ...],
    *lacking: tuple[Bools, Why],
    empty: Why,
) -> Estimates:
    """The (weighted) share of `part` in `whole`, with Wilson's interval."""
    count = cells.counts(*whole)
    value = ratio(cells.totals(*part), cells.totals(*whole))
    value = np.clip(value, 0.0, 1.0)
    return known(value, wilson(value, cells.size(count)), count, *lacking, (count <= 0, empty))


def accuracy(cells: QualityCells) -> Estimates:
    whole = (Quality.CLASSIFIED,)
    return share_of(cells, (Quality.CORRECT,), whole, _unlabelled(cells), empty=Why.NO_CLASSES)


def precision(cells: QualityCells) -> Estimates:
    return share_of(cells, (_TP,), (_TP, _FP), *_unclassified(cells), empty=Why.NO_POSITIVE_PREDICTIONS)


def recall(cells: QualityCells) -> Estimates:
    return share_of(cells, (_TP,), (_TP, _FN), *_unclassified(cells), empty=Why.NO_POSITIVE_LABELS)


def false_negative_rate(cells: QualityCells) -> Estimates:
    return share_of(cells, (_FN,), (_TP, _FN), *_unclassified(cells), empty=Why.NO_POSITIVE_LABELS)


def false_positive_rate(cells: QualityCells) -> Estimates:
    count = cells.counts(Quality.CLASSIFIED) - cells.counts(_TP, _FN)
    negatives = cells.totals(Quality.CLASSIFIED) - cells.totals(_TP, _FN)
    value = np.clip(ratio(cells.totals(_FP), negatives), 0.0, 1.0)
    lacking = (*_unclassified(cells), (count <= 0, Why.NO_NEGATIVE_LABELS))
    return known(value, wilson(value, cells.size(count)), count, *lacking)


def specificity(cells: QualityCells) -> Estimates:
    rate = false_positive_rate(cells)
    return Estimates(1 - rate.value, 1 - rate.high, 1 - rate.low, rate.count, rate.why)


def f1(cells: QualityCells) -> Estimates:
    """Of the positive class. F1 = 2 J / (1 + J) with J = TP / (TP + FP + FN), a share: the interval is
    Wilson's of J, taken through the same formula."""
    count = cells.counts(_TP, _FP, _FN)
    share = np.clip(ratio(cells.totals(_TP), cells.totals(_TP, _FP, _FN)), 0.0, 1.0)
    low, high = wilson(share, cells.size(count))
    lacking = (*_unclassified(cells), (count <= 0, Why.NO_POSITIVE_LABELS))
    interval = 2 * low / (1 + low), 2 * high / (1 + high)
    return known(2 * share / (1 + share), interval, cells.counts(Quality.CLASSIFIED), *lacking)


def _unlabelled(cells: QualityCells) -> tuple[Bools, Why]:
    return cells.counts(Quality.LABELLED) <= 0, Why.NO_LABELS


def no_positive_class(cells: QualityCells) -> Bools:
    """Slots (bool) of several classes, none of which is the positive one."""
    several: Bools = np.bincount(_Classes.of(cells).slot, minlength=cells.n) > 2
    return several & (cells.counts(_TP, _FP, _FN) <= 0)


def _unclassified(cells: QualityCells) -> tuple[tuple[Bools, Why], ...]:
    return (
        _unlabelled(cells),
        (cells.counts(Quality.CLASSIFIED) <= 0, Why.NO_CLASSES),
        (no_positive_class(cells), Why.NO_POSITIVE_CLASS),
    )


@dataclass(frozen=True, slots=True)
class _Classes:
    """The classes of each slot that were predicted or true, each once, with the weighted numbers predicted,
    true and both; and for each cell of the confusion its predicted and its actual class among these."""

    slot: Ints
    predicted: Floats
    actual: Floats
    both: Floats
    row: Ints
    column: Ints

    @classmethod
    def of(cls, cells: QualityCells) -> "_Classes":
        found = cells.confusion
        rows, columns = found.slot * 256 + found.cell // 256, found.slot * 256 + found.cell % 256
        distinct, place = np.unique(np.concatenate((rows, columns)), return_inverse=True)
        row, column, m = place[: len(rows)], place[len(rows) :], len(distinct)
        same = row == column
        return cls(
            distinct // 256,
            summed(row, found.weight, m),
            summed(column, found.weight, m),
            summed(row[same], found.weight[same], m),
            row,
            column,
        )


def _mean_over_classes(cells: QualityCells, divisor: Floats, counted: Bools, classes: _Classes) -> Estimates:
    """The mean over the classes `counted` of both / divisor, 0 where a class has no divisor. The shares of
    different classes are independent: the error of the mean is the root of the summed squares."""
    mine = classes.slot[counted]
    share = np.where(divisor > 0, ratio(classes.both, divisor), 0.0)[counted]
    held = np.maximum(divisor[counted], 1e-12)
    k = np.bincount(mine, minlength=cells.n).astype(np.float64)
    value = ratio(summed(mine, share, cells.n), k)
    given = divisor[counted] > 0
    mean_weight = ratio(cells.totals(Quality.CLASSIFIED), cells.counts(Quality.CLASSIFIED).astype(np.float64))
    scale = cells.spread * np.where(np.isnan(mean_weight), 1.0, mean_weight)
    # A class that is all right in few labels isn't without variance (Agresti and Coull 1998).
    near = (share * held + 1) / (held + 2)
    variance = summed(mine, near * (1 - near) / held * given, cells.n) * scale
    size = ratio(k**2, summed(mine[given], 1 / held[given], cells.n) * scale)
    interval = bounded(value, ratio(np.sqrt(variance), k), size)
    lacking = (_unlabelled(cells), (cells.counts(Quality.CLASSIFIED) <= 0, Why.NO_CLASSES))
    return known(value, interval, cells.counts(Quality.CLASSIFIED), *lacking)


def balanced_accuracy(cells: QualityCells) -> Estimates:
    """The mean recall of the classes that have labels."""
    classes = _Classes.of(cells)
    return _mean_over_classes(cells, classes.actual, classes.actual > 0, classes)


def recall_macro(cells: QualityCells) -> Estimates:
    """The mean recall of the classes predicted or true; 0 for a class without labels."""
    classes = _Classes.of(cells)
    return _mean_over_classes(cells, classes.actual, classes.actual >= 0, classes)


def precision_macro(cells: QualityCells) -> Estimates:
    """The mean precision of the classes predicted or true; 0 for a class never predicted."""
    classes = _Classes.of(cells)
    return _mean_over_classes(cells, classes.predicted, classes.predicted >= 0, classes)


def f1_macro(cells: QualityCells) -> Estimates:
    """The mean F1 of the classes predicted or true. The error is by the delta method over the cells."""
    classes = _Classes.of(cells)
    k = np.bincount(classes.slot, minlength=cells.n).astype(np.float64)
    both = classes.predicted + classes.actual
    score = ratio(2 * classes.both, both)
    value = ratio(summed(classes.slot, score, cells.n), k)
    row, column, slot = classes.row, classes.column, cells.confusion.slot
    slope = -score[row] / both[row] - score[column] / both[column] + np.where(row == column, 2 / both[row], 0)
    return _with_slope(cells, value, slope / k[slot], value, 1.0)


def mcc(cells: QualityCells) -> Estimates:
    """Matthews' correlation, of any number of classes (Gorodkin 2004). The error is by the delta method."""
    classes, found = _Classes.of(cells), cells.confusion
    slot, n = classes.slot, cells.n
    whole = summed(found.slot, found.weight, n)
    right = summed(slot, classes.both, n)
    top = right * whole - summed(slot, classes.predicted * classes.actual, n)
    rows = whole**2 - summed(slot, classes.predicted**2, n)
    columns = whole**2 - summed(slot, classes.actual**2, n)
    # Weights may leave a rounding error where all are of one class.
    one = (rows <= 1e-12 * whole**2) | (columns <= 1e-12 * whole**2)
    rows, columns = np.where(one, np.nan, rows), np.where(one, np.nan, columns)
    root = np.sqrt(rows * columns)
    value = top / root
    at, row, column = found.slot, classes.row, classes.column
    slope_top = (
        np.where(row == column, whole[at], 0) + right[at] - classes.actual[row] - classes.predicted[column]
    )
    shrink = (whole[at] - classes.predicted[row]) / rows[at] + (whole[at] - classes.actual[column]) / columns[
        at
    ]
    slope = slope_top / root[at] - value[at] * shrink
    return _with_slope(cells, value, slope, (1 + value) / 2, 2.0, (one, Why.ONE_CLASS))


def _with_slope(
    cells: QualityCells,
    value: Floats,
    slope: Floats,
    share: Floats,
    scale: float,
    *more: tuple[Bools, Why],
) -> Estimates:
    """A value with its derivative by each cell of the confusion. `share` is the value on a scale from 0 to
    1, which is shorter by `scale` and on which the interval is made."""
    found = cells.confusion
    count = cells.counts(Quality.CLASSIFIED)
    mean_weight = ratio(cells.totals(Quality.CLASSIFIED), count.astype(np.float64))
    variance = summed(found.slot, found.weight * slope**2, cells.n) * mean_weight * cells.spread
    low, high = bounded(share, np.sqrt(variance) / scale, cells.size(count))
    if scale != 1:
        low, high = low * scale - 1, high * scale - 1
    lacking = (_unlabelled(cells), (count <= 0, Why.NO_CLASSES), *more)
    return known(value, (low, high), count, *lacking)
