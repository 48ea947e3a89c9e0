"""Quality on the labels that a baseline's rows carry: the quality profile that they would come to."""

import json
import zlib

import numpy as np

from monitor.baselines.arrow_columns import as_text_column
from monitor.profiles.layout import CELL_BITS, OTHER_CLASS, Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import Pairs, count_quality
from monitor.profiles.rows import RowKey, RowKeys
from monitor.records import Bools, Coded, Column, Floats, Ints

__all__ = ["Validation"]

_POSITIVE, _NEGATIVE = frozenset(("1", "true", "yes")), frozenset(("0", "false", "no"))


class Validation:
    """Adds up labels, predictions and scores. With `numeric` labels are numbers, measured against the
    prediction; else they are classes, binary where they are 0 and 1, false and true, or no and yes."""

    def __init__(self, numeric: bool) -> None:
        self._numeric = numeric
        self._profiles = Profiles()
        self._row = self._profiles.rows_for(RowKeys.of([RowKey(int(Kind.QUALITY), 0, 0, 0, 0)]))
        self._classes: dict[str, int] = {}

    def add(self, label: Column, prediction: Column | None, score: Column | None) -> None:
        """Takes a batch of columns of one length."""
        n = len(label.codes) if isinstance(label, Coded) else len(_numbers(label))
        nothing: Floats = np.full(n, np.nan)
        predicted = actual = np.full(n, -1)
        said = positive = binary = np.zeros(n, np.bool_)
        if not self._numeric:
            actual, positive, binary = self._classed(label)
            if prediction is not None:
                predicted, said, _ = self._classed(prediction)
        scores = score if isinstance(score, np.ndarray) else nothing
        yes = np.where(predicted >= 0, said, scores >= 0.5)
        number = _numbers(label) if self._numeric else nothing
        pairs = Pairs(
            predicted_number=nothing if prediction is None or not self._numeric else _numbers(prediction),
            actual_number=number,
            predicted_class=predicted,
            actual_class=actual,
            predicted_positive=yes,
            actual_positive=positive,
            score=np.where(binary, scores, np.nan),
            labelled=np.isfinite(number) | (actual >= 0),
            lag_ms=np.zeros(n, np.int64),
            corrected=np.zeros(n, np.bool_),
            annotated=np.zeros(n, np.bool_),
            disagreed=np.zeros(n, np.bool_),
            rating=nothing,
            weight=np.ones(n),
            ranked={},
            texts={},
        )
        count_quality(self._profiles, np.repeat(self._row, n), np.arange(n), np.ones(n, np.int64), pairs)

    def _classed(self, column: Column) -> tuple[Ints, Bools, Bools]:
        """(class numbers, -1 for none; which are of the positive class; which are binary at all)."""
        text = as_text_column(column)
        used = np.zeros(len(text.names), np.bool_)
        used[text.codes] = True
        number = np.full(len(text.names), -1, np.int64)
        positive, binary = np.zeros(len(text.names), np.bool_), np.zeros(len(text.names), np.bool_)
        for code, name in enumerate(text.names):
            if name is not None and used[code]:
                lowered = name.lower()
                positive[code] = lowered in _POSITIVE
                binary[code] = positive[code] or lowered in _NEGATIVE
                number[code] = self._number(lowered if binary[code] else name)
        return number[text.codes], positive[text.codes], binary[text.codes]

    def _number(self, name: str) -> int:
        """The first classes have numbers of their own, the rest any that differs with the name."""
        if name not in self._classes and len(self._classes) >= OTHER_CLASS:
            return OTHER_CLASS + 1 + zlib.crc32(name.encode())
        return self._classes.setdefault(name, len(self._classes))

    def to_json(self) -> str | None:
        """{"counts": {cell: n}, "sums": {cell: x}, "classes": [name]}; None without a label."""
        mask = (1 << CELL_BITS) - 1
        keys, counts = self._profiles.counts
        if not len(keys):
            return None
        sum_keys, sums = self._profiles.sums
        return json.dumps(
            {
                "counts": dict(zip((keys & mask).tolist(), counts.tolist(), strict=True)),
                "sums": dict(zip((sum_keys & mask).tolist(), sums.tolist(), strict=True)),
                "classes": list(self._classes),
            }
        )


def _numbers(column: Column) -> Floats:
    """The column's numbers, NaN where it has none."""
    if isinstance(column, np.ndarray):
        return column
    return np.full(len(column.codes), np.nan) if isinstance(column, Coded) else column.numbers
