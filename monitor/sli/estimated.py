"""Quality expected before labels come, from calibrated scores: CBPE, confidence-based performance estimation.

Each prediction counts as positive with its calibrated probability. So the expected metrics come from the
score profile of all predictions, labelled or not. Of several classes the predicted one is right with its
calibrated probability, so the accuracy alone is expected. This sees what moves the mix of scores; it cannot
see a change of what a score means (concept drift), for which the labels are there: `expectation_error`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc

from monitor.profiles.layout import SCORE_EDGES, Quality
from monitor.records import Bools, Floats, Ints
from monitor.sli.quality_cells import Estimates, QualityCells, Why, known, ratio, summed
from monitor.sli.quality_intervals import bounded, wilson
from monitor.sli.quality_scores import Ranked, ranking_area

__all__ = ["EXPECTED", "Calibration", "Expected", "calibrate", "expectation_error", "isotonic"]

_BINS = len(SCORE_EDGES) + 1
_MIDDLES = (np.concatenate(([0.0], SCORE_EDGES)) + np.concatenate((SCORE_EDGES, [1.0]))) / 2
# Scores are taken as they are unless a test at this level finds them miscalibrated.
_LEVEL = 0.05
_GROUPS = 10
# Outcomes in a bin of scores: labelled negative or positive, and not yet.
_LABELLED, _ALL = slice(0, 2), slice(0, 3)


def isotonic(value: Floats, weight: Floats) -> Floats:
    """The nearest non-decreasing sequence (float64, n) to `value` by weighted squares; weights above 0.

    Pool adjacent violators (Ayer et al. 1955).
    """
    means: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    for mean, held in zip(value.tolist(), weight.tolist(), strict=True):
        size = 1
        while means and means[-1] >= mean:
            before, other = weights.pop(), means.pop()
            mean = (mean * held + other * before) / (held + before)
            held, size = held + before, size + sizes.pop()
        means.append(mean)
        weights.append(held)
        sizes.append(size)
    return np.repeat(np.array(means, np.float64), sizes)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability of a positive label by score: straight lines between the points (`scores` ascending,
    `probabilities` non-decreasing; float64), or the score itself where there are none."""

    scores: Floats
    probabilities: Floats
    labels: int

    @property
    def corrects(self) -> bool:
        """Whether scores were miscalibrated, and are corrected."""
        return len(self.scores) > 0

    def probability(self, score: Floats) -> Floats:
        """Of each score (0 to 1), the probability that its label is positive."""
        if not self.corrects:
            return score
        return np.interp(score, self.scores, self.probabilities).astype(np.float64, copy=False)

    def as_json(self) -> str:
        held = {"scores": self.scores.tolist(), "probabilities": self.probabilities.tolist()}
        return json.dumps({**held, "labels": self.labels})

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        held: Mapping[str, Any] = json.loads(text)
        scores, probabilities = (np.array(held[n], np.float64) for n in ("scores", "probabilities"))
        return cls(scores, probabilities, int(held["labels"]))


def calibrate(cells: QualityCells) -> Calibration | None:
    """The calibration learnt from the labelled scores of all slots together; None without any, and where
    none of the labels is positive, as in a model of several classes.

    Scores whose groups have as many positives as they promise (Hosmer and Lemeshow's test over ten groups,
    at 5 %) are taken as they are. Others are corrected by isotonic regression on their bins.
    """
    bins = cells.scores
    weight = bins.weight[:, :, :2].sum(axis=1)
    labels = int(bins.count[:, :, :2].sum())
    if not labels:
        return None
    total = summed(bins.bin, bins.total[:, :, :2].sum(axis=(1, 2)), _BINS)
    negative, positive = summed(bins.bin, weight[:, 0], _BINS), summed(bins.bin, weight[:, 1], _BINS)
    if not positive.any():
        return None
    size = negative + positive
    held = size > 0
    size, positive, mean = size[held], positive[held], total[held] / size[held]
    if _calibrated(mean, positive, size):
        return Calibration(np.zeros(0), np.zeros(0), labels)
    return Calibration(mean, isotonic(positive / size, size), labels)


def _calibrated(score: Floats, positive: Floats, size: Floats) -> bool:
    group = np.minimum(((np.cumsum(size) - size / 2) * _GROUPS / size.sum()).astype(np.int64), _GROUPS - 1)
    n, found = summed(group, size, _GROUPS), summed(group, positive, _GROUPS)
    promised = summed(group, score * size, _GROUPS)
    used = n > 0
    share = np.clip(promised[used] / n[used], 1e-9, 1 - 1e-9)
    distance = (found[used] - promised[used]) ** 2 / (n[used] * share * (1 - share))
    return bool(chdtrc(int(used.sum()), distance.sum()) > _LEVEL)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """What is expected: `table` (float64, (slots, 2, 2)) by predicted positive and by truth, the negatives
    and positives by bin of the score, and the number of predictions."""

    table: Floats
    ranked: Ranked
    count: Ints

    @property
    def right(self) -> Floats:
        found: Floats = self.table[:, 0, 0] + self.table[:, 1, 1]
        return found

    @property
    def true_positive(self) -> Floats:
        return self.table[:, 1, 1]

    @property
    def predicted_positive(self) -> Floats:
        found: Floats = self.table[:, 1].sum(axis=1)
        return found

    @property
    def positive(self) -> Floats:
        found: Floats = self.table[:, :, 1].sum(axis=1)
        return found

    @property
    def whole(self) -> Floats:
        found: Floats = self.table.sum(axis=(1, 2))
        return found


def _foreseen(cells: QualityCells, calibration: Calibration, outcomes: slice) -> _Foreseen:
    bins = cells.scores
    weight, total = bins.weight[:, :, outcomes].sum(axis=2), bins.total[:, :, outcomes].sum(axis=2)
    score = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), _MIDDLES[bins.bin][:, None])
    positive = weight * calibration.probability(np.clip(score, 0.0, 1.0))
    by_truth = np.stack((weight - positive, positive), axis=2)
    return _seen(cells, by_truth, bins.count[:, :, outcomes].sum(axis=(1, 2)))


def _seen(cells: QualityCells, by_truth: Floats, count: Ints) -> _Foreseen:
    """Of (bins, 2, 2) by predicted positive and truth, and the predictions by bin."""
    slot = cells.scores.slot
    table = summed((slot[:, None] * 4 + np.arange(4)).ravel(), by_truth.reshape(-1, 4).ravel(), cells.n * 4)
    both = by_truth.sum(axis=1)
    ranked = Ranked(cells.n, slot, both[:, 0], both[:, 1])
    whole = np.rint(summed(slot, count, cells.n)).astype(np.int64)
    return _Foreseen(table.reshape(-1, 2, 2), ranked, whole)


_Formula = Callable[[_Foreseen], Estimates]


def _share(part: Floats, whole: Floats, seen: _Foreseen, empty: Why) -> Estimates:
    value = np.clip(ratio(part, whole), 0.0, 1.0)
    interval = wilson(value, whole)
    return known(value, interval, seen.count, (seen.count <= 0, Why.NO_SCORES), (whole <= 0, empty))


def _accuracy(seen: _Foreseen) -> Estimates:
    return _share(seen.right, seen.whole, seen, Why.NO_SCORES)


def _precision(seen: _Foreseen) -> Estimates:
    return _share(seen.true_positive, seen.predicted_positive, seen, Why.NO_POSITIVE_PREDICTIONS)


def _recall(seen: _Foreseen) -> Estimates:
    return _share(seen.true_positive, seen.positive, seen, Why.NO_POSITIVE_LABELS)


def _f1(seen: _Foreseen) -> Estimates:
    """As the F1 of labels: through the share J of true positives among all that are either."""
    whole = seen.predicted_positive + seen.positive - seen.true_positive
    share = _share(seen.true_positive, whole, seen, Why.NO_POSITIVE_LABELS)
    value, low, high = (2 * x / (1 + x) for x in (share.value, share.low, share.high))
    return Estimates(value, low, high, share.count, share.why)


def _roc_auc(seen: _Foreseen) -> Estimates:
    area, error = ranking_area(seen.ranked)
    positives, negatives = seen.ranked.positives, seen.ranked.negatives
    fewest = np.minimum(positives, negatives)
    error = np.where(np.isnan(error), np.sqrt(ratio(area * (1 - area), fewest)), error)
    lacking = (
        (seen.count <= 0, Why.NO_SCORES),
        (positives <= 0, Why.NO_POSITIVE_LABELS),
        (negatives <= 0, Why.NO_NEGATIVE_LABELS),
    )
    return known(area, bounded(area, error, fewest), seen.count, *lacking)


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected metric: `actual` is the metric of the labels that it foretells."""

    name: str
    actual: str
    meaning: str
    formula: _Formula

    def compute(self, cells: QualityCells, calibration: Calibration) -> Estimates:
        """Over all predictions with a score, labelled or not. The interval is for the labels of these
        predictions to come: it holds the sampling error, not the calibration's own."""
        return self.limited(cells, self.formula(_foreseen(cells, calibration, _ALL)))

    def limited(self, cells: QualityCells, found: Estimates) -> Estimates:
        """No value where scores lie outside 0 to 1, which are in no bin, nor one of the positive class where
        there are several: a score says how likely the predicted class is right, and so how accurate it is."""
        outside: Bools = cells.counts(Quality.UNSCALED) > found.count * 0.01
        several: Bools = (cells.counts(Quality.SEVERAL) > 0) & (self.name != "expected_accuracy")
        lacking = ((outside, Why.UNSCALED), (several, Why.SEVERAL_CLASSES))
        return known(found.value, (found.low, found.high), found.count, *lacking, *_kept(found))


def _kept(found: Estimates) -> list[tuple[Bools, Why]]:
    return [(found.why == int(why), why) for why in Why if why is not Why.NONE]


def _foretold(name: str, meaning: str, formula: _Formula) -> Expected:
    return Expected(f"expected_{name}", name, f"{meaning} expected from calibrated scores", formula)


EXPECTED: Mapping[str, Expected] = {
    e.name: e
    for e in (
        _foretold("accuracy", "accuracy", _accuracy),
        _foretold("precision", "precision", _precision),
        _foretold("recall", "recall", _recall),
        _foretold("f1", "F1", _f1),
        _foretold("roc_auc", "area under the ROC curve", _roc_auc),
    )
}


def expectation_error(cells: QualityCells, calibration: Calibration, expected: Expected) -> Estimates:
    """Expected less actual over the labelled predictions with a score: what the expectation got wrong.

    The interval is that of the expected less the actual value: where 0 lies outside, the labels are no draw
    from the calibrated probabilities, and scores no longer mean what they did.
    """
    bins = cells.scores
    foreseen = expected.formula(_foreseen(cells, calibration, _LABELLED))
    certain = _seen(cells, bins.weight[:, :, _LABELLED], bins.count[:, :, _LABELLED].sum(axis=(1, 2)))
    actual = expected.formula(certain)
    value = foreseen.value - actual.value
    interval = foreseen.low - actual.value, foreseen.high - actual.value
    found = known(value, interval, foreseen.count, *_kept(foreseen), *_kept(actual))
    return expected.limited(cells, found)
