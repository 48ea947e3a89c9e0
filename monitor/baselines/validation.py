"""Quality on the labels that a baseline's rows carry, as the cells of a quality profile."""

import json
from collections import Counter

import numpy as np

from monitor.baselines.arrow_columns import as_text_column
from monitor.profiles.layout import SCORE, SCORE_EDGES, SCORE_SUM, Quality
from monitor.records import Bools, Column, Floats

__all__ = ["Validation"]

_POSITIVE, _NEGATIVE = frozenset(("1", "true", "yes")), frozenset(("0", "false", "no"))
_EPSILON = 1e-15


class Validation:
    """Adds up labels, predictions and scores. A label is binary where it is 0 and 1, false and true, or no
    and yes; other numbers are measured against the prediction, other texts only compared with it."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._sums: Counter[int] = Counter()
        self.unusable = 0

    def add(self, label: Column, prediction: Column | None, score: Column | None) -> None:
        """Takes a batch of columns of one length."""
        text = as_text_column(label)
        lowered = [None if n is None else n.lower() for n in text.names]
        positive = np.array([n in _POSITIVE for n in lowered])[text.codes]
        negative = np.array([n in _NEGATIVE for n in lowered])[text.codes]
        given = text.codes > 0
        self._counts[Quality.LABELLED] += int(np.count_nonzero(given))
        predicted = None if prediction is None else as_text_column(prediction)
        binary = positive | negative
        if predicted is not None:
            names = {n: i for i, n in enumerate(lowered) if n is not None}
            same = np.array([names.get((n or "").lower(), -1) for n in predicted.names])[predicted.codes]
            both = given & (predicted.codes > 0)
            self._measure(label, prediction, both & ~binary)
            self._counts[Quality.CLASSIFIED] += int(np.count_nonzero(both))
            self._counts[Quality.CORRECT] += int(np.count_nonzero(both & (same == text.codes)))
        if isinstance(score, np.ndarray):
            yes = score >= 0.5
            if predicted is not None:
                said = np.array([(n or "").lower() in _POSITIVE for n in predicted.names])[predicted.codes]
                yes = np.where(predicted.codes > 0, said, yes)
            self._score(score, yes, positive, binary)

    def _measure(self, label: Column, prediction: Column | None, mine: Bools) -> None:
        if not isinstance(label, np.ndarray) or not isinstance(prediction, np.ndarray):
            return
        mine = mine & np.isfinite(label) & np.isfinite(prediction)
        actual, error = label[mine], prediction[mine] - label[mine]
        self._counts[Quality.MEASURED] += len(error)
        nonzero = actual != 0
        self._counts[Quality.NONZERO] += int(np.count_nonzero(nonzero))
        for cell, values in (
            (Quality.SUM_ERROR, error),
            (Quality.SUM_ABSOLUTE, np.abs(error)),
            (Quality.SUM_SQUARED, error**2),
            (Quality.SUM_FOURTH, error**4),
            (Quality.SUM_RELATIVE, np.abs(error[nonzero] / actual[nonzero])),
            (Quality.SUM_RELATIVE_SQUARED, (error[nonzero] / actual[nonzero]) ** 2),
            (Quality.SUM_ACTUAL, actual),
            (Quality.SUM_ACTUAL_SQUARED, actual**2),
            (Quality.SUM_ACTUAL_ABSOLUTE, np.abs(actual)),
        ):
            self._sums[cell] += float(values.sum())  # type: ignore[assignment]  # a Counter of floats

    def _score(self, score: Floats, yes: Bools, positive: Bools, binary: Bools) -> None:
        scaled = (score >= 0) & (score <= 1)
        self._counts[Quality.UNSCALED] += int(np.count_nonzero(binary & np.isfinite(score) & ~scaled))
        mine = binary & scaled
        p, y = score[mine], positive[mine]
        cell = np.searchsorted(SCORE_EDGES, p, side="right") * 2 + yes[mine]
        cell = cell * 3 + y
        for base, totals, weights in ((SCORE, self._counts, None), (SCORE_SUM, self._sums, p)):
            table = np.bincount(cell, weights=weights)
            for i in np.flatnonzero(table).tolist():
                totals[base + i] += int(table[i]) if weights is None else float(table[i])  # type: ignore[assignment]  # as above
        self._counts[Quality.SCORED] += len(p)
        brier = (p - y) ** 2
        loss = -np.log(np.maximum(np.where(y, p, 1 - p), _EPSILON))
        for name, values in (
            (Quality.SUM_BRIER, brier),
            (Quality.SUM_BRIER_SQUARED, brier**2),
            (Quality.SUM_LOG_LOSS, loss),
            (Quality.SUM_LOG_LOSS_SQUARED, loss**2),
        ):
            self._sums[name] += float(values.sum())  # type: ignore[assignment]  # as above

    def to_json(self) -> str | None:
        """{"counts": {cell: n}, "sums": {cell: x}}; None without a label."""
        if not self._counts[Quality.LABELLED]:
            return None
        kept = {"counts": self._counts, "sums": self._sums}
        return json.dumps({part: {int(c): v for c, v in cells.items() if v} for part, cells in kept.items()})
