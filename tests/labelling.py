"""Predictions with labels as columns, for tests of quality."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.profiles.layout import Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import ClassScores, Pairs, count_quality
from monitor.profiles.rows import RowKey, RowKeys
from monitor.sli.quality import find_metric
from monitor.sli.quality_cells import QualityCells

__all__ = [
    "binary",
    "cells_of",
    "counted",
    "make_pairs",
    "numbers",
    "scores_of_classes",
    "value_of",
    "without_labels",
]


def make_pairs(n: int, **columns: Any) -> Pairs:
    """`n` labelled predictions of nothing, but for `columns`."""
    held: dict[str, Any] = {
        "predicted_number": np.full(n, np.nan),
        "actual_number": np.full(n, np.nan),
        "predicted_class": np.full(n, -1),
        "actual_class": np.full(n, -1),
        "predicted_positive": np.zeros(n, np.bool_),
        "actual_positive": np.zeros(n, np.bool_),
        "score": np.full(n, np.nan),
        "labelled": np.ones(n, np.bool_),
        "lag_ms": np.zeros(n, np.int64),
        "corrected": np.zeros(n, np.bool_),
        "annotated": np.zeros(n, np.bool_),
        "disagreed": np.zeros(n, np.bool_),
        "rating": np.full(n, np.nan),
        "weight": np.ones(n),
        "ranked": {},
        "texts": {},
    }
    return Pairs(**{**held, **{name: _column(values) for name, values in columns.items()}})


def _column(values: Any) -> Any:
    return values if isinstance(values, dict | ClassScores) else np.asarray(values)


def binary(actual: Any, predicted: Any, score: Any = None, **columns: Any) -> Pairs:
    """Two classes, 1 the positive one."""
    actual, predicted = np.asarray(actual, np.int64), np.asarray(predicted, np.int64)
    score = np.full(len(actual), np.nan) if score is None else np.asarray(score, np.float64)
    return make_pairs(
        len(actual),
        predicted_class=predicted,
        actual_class=actual,
        predicted_positive=predicted == 1,
        actual_positive=actual == 1,
        score=score,
        **columns,
    )


def numbers(actual: Any, predicted: Any, **columns: Any) -> Pairs:
    actual, predicted = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    return make_pairs(len(actual), actual_number=actual, predicted_number=predicted, **columns)


def without_labels(pairs: Pairs, lacking: np.ndarray) -> Pairs:
    """The pairs as they were before the labels of those `lacking` came."""
    columns = {name: getattr(pairs, name) for name in Pairs.__slots__}
    for name, none in (("actual_number", np.nan), ("rating", np.nan), ("actual_class", -1), ("weight", 1.0)):
        columns[name] = np.where(lacking, none, columns[name])
    for name in ("labelled", "corrected", "annotated", "disagreed", "actual_positive"):
        columns[name] = columns[name] & ~lacking
    return Pairs(**columns)


def counted(pairs: Pairs, slot: Sequence[int] | np.ndarray, n_slots: int) -> Profiles:
    """Profiles of the pairs: row i holds those of slot i."""
    profiles = Profiles()
    row = profiles.rows_for(
        RowKeys.of([RowKey(int(Kind.QUALITY), 3600, 0, 3600 * i, 0) for i in range(n_slots)])
    )
    slot = np.asarray(slot, np.int64)
    count_quality(profiles, row[slot], np.arange(len(slot)), np.ones(len(slot), np.int64), pairs)
    return profiles


def scores_of_classes(scores: np.ndarray, actual: np.ndarray) -> ClassScores:
    """Of n predictions with a score for each of k classes (n x k), of which `actual` is the label's."""
    n, k = scores.shape
    number = np.tile(np.arange(k), n)
    pair = np.repeat(np.arange(n), k)
    return ClassScores(
        np.ones(n, np.bool_),
        scores[np.arange(n), actual],
        (scores**2).sum(axis=1),
        pair,
        number,
        scores.ravel(),
        number == actual[pair],
    )


def cells_of(pairs: Pairs, slot: Sequence[int] | np.ndarray | None = None, n_slots: int = 1) -> QualityCells:
    """The pairs as the metrics see them; all in one slot unless `slot` says otherwise."""
    slot = np.zeros(len(pairs), np.int64) if slot is None else np.asarray(slot, np.int64)
    return QualityCells.of_profiles(counted(pairs, slot, n_slots))


def value_of(name: str, cells: QualityCells) -> float:
    """The metric in the first slot."""
    metric = find_metric(name)
    assert metric is not None
    return float(metric.compute(cells).value[0])
