"""Quality of scores: probabilities of the positive class, from their bins.

Scores in one bin count as tied, for an area under the ROC curve within 0.002 of the raw scores'. Of several
classes both areas are the mean over the classes of each against the rest, as scikit-learn's `ovr` and
`macro`, over those that have both labels and others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import digamma, ndtr

from monitor.profiles.layout import SCORE_EDGES, Quality
from monitor.records import Bools, Floats, Ints
from monitor.sli.quality_cells import Estimates, QualityCells, Why, cumulative, known, ratio, summed
from monitor.sli.quality_classes import no_positive_class
from monitor.sli.quality_intervals import bounded, deviation, normal, positive, wilson

__all__ = [
    "Ranked",
    "average_precision",
    "brier",
    "calibration_gap",
    "expected_calibration_error",
    "lift_at",
    "log_loss",
    "precision_at",
    "ranking_area",
    "roc_auc",
]

# More scores than this share outside 0 to 1, and they are no probabilities.
_UNSCALED = 0.01
_LOWER_EDGES = np.concatenate(([0.0], SCORE_EDGES))
_DECILE = np.searchsorted(np.arange(1, 10) / 10, _LOWER_EDGES + 1e-9, side="right")


_Interval: TypeAlias = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Bins by slot, scores ascending, with the number of negatives and positives in each (float64)."""

    n: int
    slot: Ints
    negative: Floats
    positive: Floats

    @classmethod
    def labelled(cls, cells: QualityCells) -> "Ranked":
        weight = cells.scores.weight.sum(axis=1)
        return cls(cells.n, cells.scores.slot, weight[:, 0], weight[:, 1])

    @property
    def negatives(self) -> Floats:
        return summed(self.slot, self.negative, self.n)

    @property
    def positives(self) -> Floats:
        return summed(self.slot, self.positive, self.n)


def ranking_area(ranked: Ranked) -> tuple[Floats, Floats]:
    """(area under the ROC curve, its standard error by DeLong, DeLong and Clarke-Pearson 1988) by slot."""
    slot, negative, positive = ranked.slot, ranked.negative, ranked.positive
    negatives, positives = ranked.negatives, ranked.positives
    under = (cumulative(slot, negative) + negative / 2) / np.maximum(negatives, 1e-300)[slot]
    over = 1 - (cumulative(slot, positive) + positive / 2) / np.maximum(positives, 1e-300)[slot]
    area = ratio(summed(slot, positive * under, ranked.n), positives)
    of_positives = summed(slot, positive * (under - area[slot]) ** 2, ranked.n)
    of_negatives = summed(slot, negative * (over - area[slot]) ** 2, ranked.n)
    variance = ratio(of_positives, positives * np.maximum(positives - 1, 1e-300))
    variance = variance + ratio(of_negatives, negatives * np.maximum(negatives - 1, 1e-300))
    area = np.where(negatives > 0, area, np.nan)
    return area, np.sqrt(np.where((negatives > 1) & (positives > 1), variance, np.nan))


def _lacking(cells: QualityCells) -> list[tuple[Bools, Why]]:
    shown = summed(cells.scores.slot, cells.scores.count.sum(axis=(1, 2)), cells.n)
    return [
        (cells.counts(Quality.LABELLED) <= 0, Why.NO_LABELS),
        (cells.counts(Quality.UNSCALED) > _UNSCALED * shown, Why.UNSCALED),
        (cells.counts(Quality.SCORED) <= 0, Why.NO_SCORES),
        (no_positive_class(cells) & (cells.counts(Quality.SEVERAL) <= 0), Why.NO_POSITIVE_CLASS),
    ]


def _unranked(cells: QualityCells) -> list[tuple[Bools, Why]]:
    """What is lacking for the positive ones to be ranked: of several classes there are none such."""
    return [*_lacking(cells), (cells.counts(Quality.SEVERAL) > 0, Why.SEVERAL_CLASSES)]


def _two_sided(cells: QualityCells, value: Floats) -> list[tuple[Bools, Why]]:
    ranked, several = Ranked.labelled(cells), cells.counts(Quality.SEVERAL) > 0
    return [
        *_lacking(cells),
        (several & ~np.isfinite(value), Why.ONE_CLASS),
        (~several & (ranked.positives <= 0), Why.NO_POSITIVE_LABELS),
        (~several & (ranked.negatives <= 0), Why.NO_NEGATIVE_LABELS),
    ]


def _per_label(cells: QualityCells) -> Floats:
    """What one scored label weighs in the mean."""
    return ratio(cells.totals(Quality.SCORED), cells.counts(Quality.SCORED).astype(np.float64))


def roc_auc(cells: QualityCells) -> Estimates:
    return _area(cells, _scaled(cells), _area_under_roc)


# (area, its error, of how many) of bins, each tied or not.
_Measure: TypeAlias = Callable[[Ranked, Bools], tuple[Floats, Floats, Floats]]


def _area_under_roc(ranked: Ranked, _: Bools) -> tuple[Floats, Floats, Floats]:
    area, error = ranking_area(ranked)
    area = np.clip(area, 0.0, 1.0)
    # One of a kind has no deviation; its neighbours' distance is the best there is.
    fewest = np.minimum(ranked.positives, ranked.negatives)
    return area, np.where(np.isnan(error), np.sqrt(ratio(area * (1 - area), fewest)), error), fewest


def _area(cells: QualityCells, ranked: Ranked, measure: _Measure) -> Estimates:
    """An area, of several classes the mean over these; its error is then the mean of theirs, the most that
    the error of a mean can be."""
    value, error, size = measure(ranked, _tied(cells))
    several = cells.counts(Quality.SEVERAL) > 0
    if several.any():
        by_class, slot, edged = _by_class(cells)
        found = measure(by_class, edged)
        both = (by_class.positives > 0) & (by_class.negatives > 0)
        number = summed(slot[both], both[both], cells.n)
        means = (ratio(summed(slot[both], each[both], cells.n), number) for each in found)
        value, error, size = (
            np.where(several, mean, one) for mean, one in zip(means, (value, error, size), strict=True)
        )
    interval = bounded(value, error * np.sqrt(cells.spread), size / cells.spread)
    return known(value, interval, cells.counts(Quality.SCORED), *_two_sided(cells, value))


def _by_class(cells: QualityCells) -> tuple[Ranked, Ints, Bools]:
    """(bins of the score of each class against the rest, by slot and class; the slot of each of these;
    whether the scores of a bin are tied)."""
    bins = cells.class_scores
    weight = bins.weight / _safe(_per_label(cells))[bins.slot][:, None]
    classes, place = np.unique(bins.slot * 256 + bins.number, return_inverse=True)
    ranked = Ranked(len(classes), place, weight[:, 0], weight[:, 1])
    return ranked, classes // 256, _on_edge(bins.bin, bins.weight.sum(axis=1), bins.total)


def _safe(weight: Floats) -> Floats:
    return np.where(weight > 0, weight, 1.0)


def _scaled(cells: QualityCells) -> Ranked:
    """The labelled bins with weights of mean 1."""
    ranked = Ranked.labelled(cells)
    per = _safe(_per_label(cells))[ranked.slot]
    return Ranked(cells.n, ranked.slot, ranked.negative / per, ranked.positive / per)


def average_precision(cells: QualityCells) -> Estimates:
    """The area under the precision-recall curve as scikit-learn's average precision: the mean, over the
    positives, of the precision at their score. Scores that share a bin are taken in random order (the mean
    over all orders, exactly), unless all lie on its edge: those are tied. Its error: the delta method."""
    return _area(cells, _scaled(cells), _average_precision)


def _average_precision(ranked: Ranked, tied: Bools) -> tuple[Floats, Floats, Floats]:
    n = ranked.n
    slot, negative, positive = ranked.slot, ranked.negative, ranked.positive
    positives, negatives = ranked.positives, ranked.negatives
    above = positives[slot] - cumulative(slot, positive) - positive
    both_above = above + negatives[slot] - cumulative(slot, negative) - negative
    size = positive + negative
    mixed = np.clip(ratio(positive - 1, np.where(np.abs(size - 1) < 1e-9, 0.0, size - 1)), 0.0, 1.0)
    mixed = np.where((positive > 1) & (size > 1), mixed, 0.0)
    steps = digamma(both_above + size + 1) - digamma(both_above + 1)
    untied = (above + 1 - mixed * (both_above + 1)) * steps + mixed * size
    ordered = np.where(size > 0, positive / np.where(size > 0, size, 1.0), 0.0) * untied
    at_end = ratio(above + positive, both_above + size)
    gained = np.where(size > 0, np.where(tied, positive * at_end, ordered), 0.0)
    value = np.clip(ratio(summed(slot, gained, n), positives), 0.0, 1.0)
    error = _precision_error(ranked, value, np.where(size > 0, at_end, 0.0), both_above + size)
    return value, error, positives


def _tied(cells: QualityCells) -> Bools:
    """Bins whose labelled scores all lie on the lower edge; the last one's may all be 1 instead."""
    bins = cells.scores
    return _on_edge(bins.bin, *(held[:, :, :2].sum(axis=(1, 2)) for held in (bins.weight, bins.total)))


def _on_edge(of_bin: Ints, weight: Floats, total: Floats) -> Bools:
    off = np.minimum(
        np.abs(total - weight * _LOWER_EDGES[of_bin]),
        np.where(of_bin == len(SCORE_EDGES), np.abs(total - weight), np.inf),
    )
    found: Bools = off <= 1e-9 * np.maximum(weight, 1e-300)
    return found


def _precision_error(ranked: Ranked, value: Floats, precision: Floats, reach: Floats) -> Floats:
    """The standard error of an average precision: each prediction's influence, squared and summed.

    `precision` is that of everything from a bin up, of which there are `reach`.
    """
    slot, negative, positive = ranked.slot, ranked.negative, ranked.positive
    held = np.maximum(reach, 1e-300)
    up, down = positive * (1 - precision) / held, positive * precision / held
    positives = np.maximum(ranked.positives, 1e-300)[slot]
    of_positive = (precision - value[slot] + cumulative(slot, up) + up) / positives
    of_negative = -(cumulative(slot, down) + down) / positives
    return np.sqrt(summed(slot, positive * of_positive**2 + negative * of_negative**2, ranked.n))


def brier(cells: QualityCells) -> Estimates:
    """Of several classes the sum over all of them, as in Brier 1950 and scikit-learn: 0 to 2."""
    return _mean(cells, Quality.SUM_BRIER, Quality.SUM_BRIER_SQUARED, bounded)


def log_loss(cells: QualityCells) -> Estimates:
    return _mean(cells, Quality.SUM_LOG_LOSS, Quality.SUM_LOG_LOSS_SQUARED, positive)


def _mean(cells: QualityCells, part: Quality, squares: Quality, interval: _Interval) -> Estimates:
    count, weight = cells.counts(Quality.SCORED), cells.totals(Quality.SCORED)
    size = cells.size(count)
    value = ratio(cells.totals(part), weight)
    error = deviation(ratio(cells.totals(squares), weight), value, size)
    return known(value, interval(value, error, size), count, *_lacking(cells))


def expected_calibration_error(cells: QualityCells) -> Estimates:
    """Over ten bins of equal width, a score on an edge in the bin above it: the mean distance between the
    mean score and the share of positives. Of several classes: between the score of the class predicted and
    the share of right predictions (Guo et al. 2017).

    Noise alone gives distances. The error is by the delta method, and the lower limit is lower by what noise
    adds on average to distances of this size (the mean of a folded normal distribution, less its size).
    """
    bins, n = cells.scores, cells.n
    place = bins.slot * 10 + _DECILE[bins.bin]
    held = summed(place, bins.weight[:, :, :2].sum(axis=(1, 2)), n * 10)
    scores = summed(place, bins.total[:, :, :2].sum(axis=(1, 2)), n * 10)
    distance = np.abs(scores - summed(place, bins.weight[:, :, 1].sum(axis=1), n * 10))
    weight, count = cells.totals(Quality.SCORED), cells.counts(Quality.SCORED)
    per = np.repeat(np.where(weight > 0, _per_label(cells), 1.0) * cells.spread, 10)
    mean = np.clip(np.where(held > 0, scores / np.where(held > 0, held, 1.0), 0.0), 0.0, 1.0)
    noise = np.sqrt(held * mean * (1 - mean) * per)
    far = distance / np.where(noise > 0, noise, 1.0)
    folded = noise * (np.sqrt(2 / np.pi) * np.exp(-(np.minimum(far, 30.0) ** 2) / 2) - 2 * far * ndtr(-far))
    value = ratio(distance.reshape(n, 10).sum(axis=1), weight)
    size = cells.size(count)
    error = deviation(ratio(cells.totals(Quality.SUM_BRIER), weight), value, size)
    low, high = bounded(value, error, size)
    low = np.maximum(low - np.maximum(ratio(folded.reshape(n, 10).sum(axis=1), weight), 0.0), 0.0)
    return known(value, (low, high), count, *_lacking(cells))


def calibration_gap(cells: QualityCells) -> Estimates:
    """Mean score less share of positive labels: above 0 where scores promise too much."""
    outcomes = cells.scores.total[:, :, :2].sum(axis=(1, 2)) - cells.scores.weight[:, :, 1].sum(axis=1)
    weight, count = cells.totals(Quality.SCORED), cells.counts(Quality.SCORED)
    size = cells.size(count)
    value = ratio(summed(cells.scores.slot, outcomes, cells.n), weight)
    error = deviation(ratio(cells.totals(Quality.SUM_BRIER), weight), value, size)
    return known(value, normal(value, error, size), count, *_lacking(cells))


def _at(cells: QualityCells, k: float, share: bool) -> tuple[Floats, Floats, Ranked]:
    """(positives among the first k by score, k) by slot; of a bin that k cuts, the mean over all orders."""
    ranked = _scaled(cells)
    whole = cells.counts(Quality.SCORED).astype(np.float64)
    first = np.maximum(np.floor(whole * k + 1e-9), 1.0) if share else np.full(cells.n, k)
    size = ranked.positive + ranked.negative
    above = (ranked.positives + ranked.negatives)[ranked.slot] - cumulative(ranked.slot, size) - size
    taken = np.clip(ratio(first[ranked.slot] - above, size), 0.0, 1.0)
    taken = np.where(size > 0, taken, 0.0)
    return summed(ranked.slot, taken * ranked.positive, cells.n), first, ranked


def precision_at(cells: QualityCells, k: float, share: bool) -> Estimates:
    """The share of positives among the k labelled predictions of the highest scores, or among the first
    share `k` of them (rounded down, at least one). Wilson's interval."""
    found, first, _ = _at(cells, k, share)
    value = np.clip(found / first, 0.0, 1.0)
    count = cells.counts(Quality.SCORED)
    lacking = (*_unranked(cells), (count < first, Why.TOO_FEW))
    return known(value, wilson(value, first / cells.spread), count, *lacking)


def lift_at(cells: QualityCells, k: float, share: bool) -> Estimates:
    """Precision at k over the share of positives. Equals the share of all positives that is found among the
    first k, times n / k: the interval is Wilson's of that share, times n / k. It holds the truth more often
    than 95 % of times, since n / k of the lift is the most that can be."""
    found, first, ranked = _at(cells, k, share)
    positives, count = ranked.positives, cells.counts(Quality.SCORED)
    caught, scale = np.clip(ratio(found, positives), 0.0, 1.0), count / first
    low, high = wilson(caught, positives / cells.spread)
    lacking = (*_unranked(cells), (positives <= 0, Why.NO_POSITIVE_LABELS), (count < first, Why.TOO_FEW))
    return known(caught * scale, (low * scale, high * scale), count, *lacking)
