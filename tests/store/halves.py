"""Halves of pairs made by hand, and what a store has counted of them, by name."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from monitor.job.halves import label_halves
from monitor.profiles.layout import (
    CLASS_SCORE,
    CONFUSION,
    LABEL_NUMBER,
    LAG,
    OTHER_CLASS,
    SCORE,
    SCORE_EDGES,
    Kind,
    Quality,
)
from monitor.profiles.series import SeriesKey
from monitor.records import Coded, Column, LabelBatch, Partition, Vocabulary
from monitor.store.classes import class_names
from monitor.store.names import find_series, models
from monitor.store.pair_codec import PREDICTION, Halves, encode_predictions, join_keys, values_of
from monitor.store.read import read_cells
from monitor.store.store import Store
from tests.exactly_once.pair_oracle import Label, Prediction

__all__ = ["class_score_counts", "label_half", "prediction_half", "quality_counts"]

_DAY_MS = 86_400_000
_ALL_S = (0, 4_102_444_800)
_NAMED = {Quality.PREDICTED, Quality.LABELLED, Quality.CORRECTED, Quality.ANNOTATED, Quality.DISAGREED}
_NAMED |= {Quality.CLASSIFIED, Quality.CORRECT}


def _column(value: Any) -> Column:
    """One value as the decoders give it."""
    if isinstance(value, str | bool):
        text = str(value).lower() if isinstance(value, bool) else value
        return Coded(np.ones(1, np.int32), [None, text])
    return np.array([np.nan if value is None else value], np.float64)


def _coded(name: str | None) -> Coded:
    return Vocabulary().encode([name], 1)


def prediction_half(
    p: Prediction,
    ids: Mapping[SeriesKey, int],
    writers: Mapping[Partition, int],
    scores: Mapping[str, float] | None = None,
) -> Halves:
    """A prediction as a half; `ids` are the numbers of the series, `scores` those of each class."""
    ts_ms, topic, number, offset = p.rank
    head = np.zeros(1, PREDICTION)
    head["writer"], head["ts_ms"], head["offset"] = writers[Partition(topic, number)], ts_ms, offset
    head["who"] = hash((p.model, p.id)) & 0xFFFF_FFFF
    head["score"] = np.nan if p.score is None else p.score
    head["series"] = ids[p.series[0]]
    marginals = np.array([[ids[s] for s in p.series[1:]]], np.int64).reshape(1, -1)
    sizes, data = encode_predictions(
        head, marginals, values_of(_column(p.value)), {0: scores} if scores else None
    )
    keys = join_keys([p.id], [p.join[1] if p.join[0] == "k" else None])
    if p.value is None and p.score is None:
        none = np.zeros(0, np.int64)
        return Halves(keys[:0], none, none, data[:0])
    classes = {(p.model, name) for name in scores or ()}
    return Halves(keys, np.array([ts_ms // _DAY_MS]), sizes, data, (), classes)


def label_half(label: Label, writers: Mapping[Partition, int]) -> Halves:
    """A label as a half."""
    ts_ms, topic, number, offset = label.rank
    source = Partition(topic, number)
    by_id = label.join[0] == "i"
    batch = LabelBatch(
        partition=source,
        positions=np.array([offset]),
        ts_ms=np.array([ts_ms]),
        prediction_ts_ms=np.array([-1]),
        model=_coded(label.model),
        ids=[label.join[1] if by_id else None],
        keys=[None if by_id else label.join[1]],
        annotators=_coded(label.annotator),
        value=_column(label.value),
        lists={},
        rating=np.zeros(1, np.bool_),
        weight=None,
    )
    (half,) = label_halves(batch, writers[source], {})
    return half


def quality_counts(store: Store) -> dict[tuple[str, int, SeriesKey, int], Counter[tuple[Any, ...]]]:
    """What the store has counted, by row (kind, tier, series, start) and the cell's name, as the oracle."""
    found: defaultdict[Any, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for model in models(store):
        names = {number: name for name, number in class_names(store, model).items()}
        series = {number: key for key, number in find_series(store, model).items()}
        for kind in (Kind.QUALITY, Kind.LEARNED):
            for tier_s in (3600, 86_400):
                cells = read_cells(store, kind, tier_s, list(series), *_ALL_S)
                entries = zip(cells.row.tolist(), cells.cell.tolist(), cells.count.tolist(), strict=True)
                for row, cell, n in entries:
                    name = _name(cell, names)
                    if name is not None:
                        key = (
                            kind.name.lower(),
                            tier_s,
                            series[int(cells.series[row])],
                            int(cells.start_s[row]),
                        )
                        found[key][name] += n
    cleared = {row: Counter({cell: n for cell, n in counts.items() if n}) for row, counts in found.items()}
    return {row: counts for row, counts in cleared.items() if counts}


def class_score_counts(store: Store) -> dict[tuple[str, bool], int]:
    """How many labelled predictions there are by class, and by whether it is the label's, of all series."""
    (model,) = models(store)
    names = {number: name for name, number in class_names(store, model).items()}
    cells = read_cells(store, Kind.QUALITY, 86_400, list(find_series(store, model).values()), *_ALL_S)
    found: Counter[tuple[str, bool]] = Counter()
    for cell, n in zip(cells.cell.tolist(), cells.count.tolist(), strict=True):
        if cell >= CLASS_SCORE:
            number, actual = divmod(cell - CLASS_SCORE, 2)
            found[names[number // (len(SCORE_EDGES) + 1)], bool(actual)] += n
    return {key: n for key, n in found.items() if n}


def _name(cell: int, classes: Mapping[int, str]) -> tuple[Any, ...] | None:
    if cell < LAG:
        return (Quality(cell).name.lower(),) if cell in _NAMED else None
    if cell < LABEL_NUMBER:
        return ("lag", cell - LAG)
    if cell < CONFUSION:
        return None
    if cell < SCORE:
        a, b = divmod(cell - CONFUSION, 256)
        return ("confusion", *(f"class {n}" if n == OTHER_CLASS else classes[n] for n in (a, b)))
    return None
