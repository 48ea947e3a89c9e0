"""From rows of structs to the columns of a batch."""

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.ingest.contract import MAX_PREDICTION_CHARS, MAX_RANKED, MEASURES, MODES, classify
from monitor.ingest.shape import Shape, StructInfo
from monitor.ingest.source import Chunk
from monitor.ingest.values import (
    BAD_TS,
    column_of,
    feature_of,
    flags_of,
    floats_of,
    joined,
    nested_of,
    times_of,
    with_vectors,
)
from monitor.ingest.vectors import VECTOR
from monitor.records import Batch, Bools, Coded, Column, FeatureBlock, Floats, Ints, Vocabulary

__all__ = ["AMOUNTS", "BAD", "Pieces", "Vocabularies"]

AMOUNTS = ("tokens_in", "tokens_out", "cost")
BAD = -1
_MAX_VOCABULARY = 50_000
_get = {
    name: operator.attrgetter(name)
    for name in ("id", "key", "ts", "status", "error_type", "mode", "features")
}


class _Memo(dict[Any, int]):
    """Remembers the outcome code of each (status, error type)."""

    def __missing__(self, key: tuple[Any, Any]) -> int:
        outcome = classify(*key)
        self[key] = code = BAD if outcome is None else int(outcome)
        return code


class Vocabularies:
    """The vocabularies of a decoder, by column. `trim` drops those that grew too long."""

    def __init__(self) -> None:
        self._by_column: dict[tuple[str, str], Vocabulary] = {}
        self.outcomes = _Memo()

    def of(self, scope: str, column: str) -> Vocabulary:
        known = self._by_column.get((scope, column))
        if known is None:
            # A text that a model wrote may be long; labels of that length are refused.
            known = Vocabulary(MAX_PREDICTION_CHARS if column == "@prediction" else None)
            self._by_column[scope, column] = known
        return known

    def trim(self) -> None:
        for key in [k for k, v in self._by_column.items() if len(v) > _MAX_VOCABULARY]:
            del self._by_column[key]
        if len(self.outcomes) > _MAX_VOCABULARY:
            self.outcomes = _Memo()


def _telling(rows: list[Any], known: set[str]) -> Bools:
    """Which rows have features, a prediction or a score. A request that failed before it had any says nothing
    of them: an outage is no surge of nulls."""
    empty = np.ones(len(rows), np.bool_)
    for name in ("features", "prediction", "score", "scores"):
        if name in known:
            values = list(map(operator.attrgetter(name), rows))
            if None not in values:
                return np.ones(len(rows), np.bool_)
            empty &= np.fromiter((v is None for v in values), np.bool_, len(rows))
    return ~empty


class Pieces:
    """Collects the columns of slices and joins them to a batch."""

    def __init__(self, vocabularies: Vocabularies, positive: Callable[[str], Collection[str]]) -> None:
        """`positive` says what a model's positive class is called, in lower case."""
        self._vocabularies = vocabularies
        self._positive = positive
        self._index: list[NDArray[np.int64]] = []
        self._ids: list[str] = []
        self._traces: list[str | None] = []
        self._keys: list[str | None] = []
        self._rankings: dict[int, tuple[str, ...]] = {}
        self._class_scores: dict[int, Mapping[str, float]] = {}
        self._arrays: defaultdict[str, list[tuple[int, NDArray[Any]]]] = defaultdict(list)
        self._blocks: defaultdict[type, list[tuple[Ints, dict[str, Column], dict[str, Floats]]]]
        self._blocks = defaultdict(list)
        self._info: dict[type, StructInfo] = {}
        self._unknown: Counter[str] = Counter()
        self._n = 0

    def add(self, index: Sequence[int], rows: list[Any], shape: Shape) -> None:
        """Takes the rows of one slice; `index` is their place in the chunk."""
        self._index.append(np.asarray(index, np.int64))
        self._envelope(rows, shape)
        kinds = list(map(type, rows))
        number = {kind: i for i, kind in enumerate(dict.fromkeys(kinds))}
        of_row = np.fromiter(map(number.__getitem__, kinds), np.int32, len(rows))
        codes = np.zeros(len(rows), np.int32)
        for kind, i in number.items():
            info = self._info[kind] = shape.info[kind]
            at = np.flatnonzero(of_row == i)
            mine = rows if len(at) == len(rows) else [rows[i] for i in at.tolist()]
            codes[at] = self._vocabularies.of("", "model")[info.model]
            self._features(kind, info, mine, at + self._n, shape.envelope)
        self._put("model", codes)
        for i, name in enumerate(shape.unknown):
            get = operator.attrgetter(f"u{i}")
            seen = len(rows) - list(map(get, rows)).count(msgspec.UNSET)
            if seen:
                self._unknown[name] += seen
        self._n += len(rows)

    def _put(self, name: str, values: NDArray[Any]) -> None:
        self._arrays[name].append((self._n, values))

    def _envelope(self, rows: list[Any], shape: Shape) -> None:
        n, known = len(rows), shape.envelope
        ids = list(map(_get["id"], rows))
        self._ids += ids if set(map(type, ids)) == {str} else map(str, ids)
        self._traces += map(operator.attrgetter("trace_id"), rows) if "trace_id" in known else [None] * n
        if "key" in known:
            self._keys += [None] * (self._n - len(self._keys))
            self._keys += [None if k is None or k == "" else str(k) for k in map(_get["key"], rows)]
        self._put("ts", times_of(list(map(_get["ts"], rows)), n))
        for name in (*MEASURES, *AMOUNTS, "sample_rate"):
            if name in known:
                self._put(name, floats_of(map(operator.attrgetter(name), rows), n))
        for name in ("version", "endpoint"):
            if name in known:
                values = map(operator.attrgetter(name), rows)
                self._put(name, self._vocabularies.of("", name).encode(values, n).codes)
        for name in ("cold_start", "shadow"):
            if name in known:
                self._put(name, flags_of(map(operator.attrgetter(name), rows), n))
        if "feature_ts" in known:
            self._put("feature_ts", times_of(list(map(operator.attrgetter("feature_ts"), rows)), n))
        self._categories(rows, shape)

    def _categories(self, rows: list[Any], shape: Shape) -> None:
        n, known = len(rows), shape.envelope
        if "status" in known or "error_type" in known:
            status = map(_get["status"], rows) if "status" in known else [None] * n
            errors = map(_get["error_type"], rows) if "error_type" in known else [None] * n
            outcome = map(self._vocabularies.outcomes.__getitem__, zip(status, errors, strict=True))
            self._put("outcome", np.fromiter(outcome, np.int8, n))
        if "mode" in known:
            modes = {None: 0} | {mode: i for i, mode in enumerate(MODES)}
            codes = (modes.get(m, BAD) for m in map(_get["mode"], rows))
            self._put("mode", np.fromiter(codes, np.int8, n))
        if "segment" in known and shape.segments:
            segments = list(map(operator.attrgetter("segment"), rows))
            for i, label in enumerate(shape.segments):
                values = nested_of(segments, f"f{i}")
                self._put(f"segment.{label}", self._vocabularies.of("segment", label).encode(values, n).codes)

    def _features(self, kind: type, info: StructInfo, rows: list[Any], at: Ints, known: set[str]) -> None:
        n = len(rows)
        columns: dict[str, Column] = {}
        attributions: dict[str, Floats] = {}
        if info.features:
            features = list(map(_get["features"], rows))
            for i, (name, kind_of) in enumerate(info.features.items()):
                vocabulary = self._vocabularies.of(info.model, name)
                if kind_of is Any or kind_of == VECTOR:
                    columns |= with_vectors(name, nested_of(features, f"f{i}"), kind_of, vocabulary)
                else:
                    columns[name] = feature_of(features, f"f{i}", kind_of, vocabulary)
        if info.attributions and "attributions" in known:
            nested = list(map(operator.attrgetter("attributions"), rows))
            for i, name in enumerate(info.attributions):
                attributions[name] = floats_of(nested_of(nested, f"f{i}"), n)
        if "prediction" in known:
            values = list(map(operator.attrgetter("prediction"), rows))
            if list in set(map(type, values)):
                values = self._take_rankings(values, at)
            columns["@prediction"] = column_of(values, None, self._vocabularies.of(info.model, "@prediction"))
        if "score" in known or "scores" in known:
            columns["@score"] = floats_of(_scores(rows, known, self._positive(info.model)), n)
        if "scores" in known:
            self._take_class_scores(rows, known, at)
        telling = _telling(rows, known)
        if not telling.all():
            at = at[telling]
            columns = {
                k: c[telling] if isinstance(c, np.ndarray) else c.select(telling) for k, c in columns.items()
            }
            attributions = {k: c[telling] for k, c in attributions.items()}
        self._blocks[kind].append((at, columns, attributions))

    def _take_rankings(self, predictions: list[Any], at: Ints) -> list[Any]:
        """The predictions with None in place of lists, which go to the rankings of the rows `at`."""
        for row, value in zip(at.tolist(), predictions, strict=True):
            if isinstance(value, list):
                self._rankings[row] = tuple(str(v)[:MAX_PREDICTION_CHARS] for v in value[:MAX_RANKED])
        return [None if isinstance(value, list) else value for value in predictions]

    def _take_class_scores(self, rows: list[Any], known: set[str], at: Ints) -> None:
        """Keeps the scores of three classes or more of the rows `at`, where there is no score of its own.

        In an array they are in the order of the classes 0, 1, 2 .., so the prediction is one of these."""
        several = 3
        for place, row in zip(at.tolist(), rows, strict=True):
            scores = row.scores
            if not scores or len(scores) < several or (row.score if "score" in known else None) is not None:
                continue
            named = scores if isinstance(scores, dict) else {str(i): x for i, x in enumerate(scores)}
            predicted = _class_name(row.prediction) if "prediction" in known else None
            if isinstance(scores, dict) or predicted in named:
                self._class_scores[place] = named

    def batch(self, chunk: Chunk, unknown: Counter[str]) -> tuple[Batch, Ints]:
        """All rows as one batch, and their index (int64) in the chunk."""
        index = np.concatenate(self._index) if self._index else np.zeros(0, np.int64)
        ts = self._join("ts", np.int64, 0)
        measures = {m: self._join(m, np.float64, np.nan) for m in MEASURES if m in self._arrays}
        if "feature_ts" in self._arrays:
            feature_ts = self._join("feature_ts", np.int64, BAD_TS)
            age = np.where(feature_ts == BAD_TS, np.nan, np.maximum(ts - np.maximum(feature_ts, 0), 0))
            measures["feature_age_ms"] = age
        weight = None
        if "sample_rate" in self._arrays:
            with np.errstate(divide="ignore"):  # a rate of zero is refused later, as an infinite weight
                weight = 1 / self._join("sample_rate", np.float64, 1.0)
        batch = Batch(
            partition=chunk.partition,
            positions=chunk.positions[index],
            ts_ms=ts,
            model=self._coded("", "model"),
            version=self._coded("", "version"),
            endpoint=self._coded("", "endpoint"),
            segments={
                name.removeprefix("segment."): self._coded("segment", name.removeprefix("segment."))
                for name in self._arrays
                if name.startswith("segment.")
            },
            outcome=self._join("outcome", np.int8, 0),
            mode=self._join("mode", np.int8, 0),
            cold_start=self._join("cold_start", np.bool_, False),
            shadow=self._join("shadow", np.bool_, False),
            measures=measures,
            amounts={a: self._join(a, np.float64, np.nan) for a in AMOUNTS if a in self._arrays},
            weight=None if weight is None else np.where(np.isnan(weight), 1.0, weight),
            ids=self._ids,
            trace_ids=self._traces,
            features=tuple(_block(self._info[k].model, parts) for k, parts in self._blocks.items()),
            unknown_fields=self._unknown + unknown,
            keys=[*self._keys, *[None] * (self._n - len(self._keys))] if any(self._keys) else None,
            rankings=self._rankings,
            class_scores=self._class_scores,
        )
        return batch, index

    def _join(self, name: str, dtype: Any, missing: Any) -> NDArray[Any]:
        """The column `name` of all slices; `missing` where a slice lacks it."""
        pieces = self._arrays.get(name, [])
        if sum(len(p) for _, p in pieces) == self._n and pieces:
            return np.concatenate([p for _, p in pieces]).astype(dtype, copy=False)
        joined: NDArray[Any] = np.full(self._n, missing, dtype)
        for at, piece in pieces:
            joined[at : at + len(piece)] = piece
        return joined

    def _coded(self, scope: str, column: str) -> Coded:
        name = f"{scope}.{column}" if scope else column
        return Coded(self._join(name, np.int32, 0), self._vocabularies.of(scope, column).texts)


def _best_score(positive: Collection[str], score: float | None, scores: Any, prediction: Any) -> float | None:
    """The record's score; without one, that of the positive class where there are two classes, else the
    score of the predicted class, or the highest."""
    if score is not None or not scores:
        return score
    if len(scores) == 2:
        if isinstance(scores, list):
            return float(scores[1])
        found = next((value for name, value in scores.items() if name.lower() in positive), None)
        if found is not None:
            return float(found)
    key = _class_name(prediction)
    if isinstance(scores, dict):
        return float(scores[key]) if key in scores else float(max(scores.values()))
    return float(max(scores))


def _class_name(prediction: Any) -> str:
    """A class as its scores name it: booleans are `true` and `false`, whole numbers have no fraction."""
    if isinstance(prediction, bool):
        return str(prediction).lower()
    whole = isinstance(prediction, float) and prediction.is_integer()
    return str(int(prediction)) if whole else str(prediction)


def _scores(rows: list[Any], known: set[str], positive: Collection[str]) -> list[float | None]:
    n = len(rows)
    score = list(map(operator.attrgetter("score"), rows)) if "score" in known else [None] * n
    if "scores" not in known:
        return score
    scores = map(operator.attrgetter("scores"), rows)
    prediction = map(operator.attrgetter("prediction"), rows) if "prediction" in known else [None] * n
    return list(map(_best_score, repeat(positive), score, scores, prediction))


def _block(model: str, parts: list[tuple[Ints, dict[str, Column], dict[str, Floats]]]) -> FeatureBlock:
    rows = np.concatenate([at for at, _, _ in parts])
    names = dict.fromkeys(name for p in parts for name in p[1])
    columns = {name: joined([p[1].get(name, np.full(len(p[0]), np.nan)) for p in parts]) for name in names}
    attributions = {name: np.concatenate([p[2][name] for p in parts]) for name in parts[0][2]}
    return FeatureBlock(model, rows, columns, attributions)
