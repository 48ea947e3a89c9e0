"""From rows of structs to the columns of a batch."""

import operator
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.ingest.contract import MEASURES, MODES, classify
from monitor.ingest.shape import Shape, StructInfo
from monitor.ingest.source import Chunk
from monitor.records import Batch, Bools, Coded, Column, FeatureBlock, Floats, Ints, Mixed, Vocabulary

__all__ = ["AMOUNTS", "BAD", "BAD_TS", "Pieces", "Vocabularies", "column_of", "floats_of", "times_of"]

AMOUNTS = ("tokens_in", "tokens_out", "cost")
BAD_TS = np.iinfo(np.int64).min
BAD = -1
_MAX_VOCABULARY = 50_000
_NUMBER = float | None
_TEXTS = (str | None, bool | None)
_get = {name: operator.attrgetter(name) for name in ("id", "ts", "status", "error_type", "mode", "features")}


class _Memo(dict[Any, int]):
    """Remembers the outcome code of each (status, error type)."""

    def __missing__(self, key: tuple[Any, Any]) -> int:
        outcome = classify(*key)
        self[key] = code = BAD if outcome is None else int(outcome)
        return code


class Vocabularies:
    """The vocabularies of a decoder, by column. `trim` drops those that grew too long."""

    def __init__(self) -> None:
        self._by_column: defaultdict[tuple[str, str], Vocabulary] = defaultdict(Vocabulary)
        self.outcomes = _Memo()

    def of(self, scope: str, column: str) -> Vocabulary:
        return self._by_column[scope, column]

    def trim(self) -> None:
        for key in [k for k, v in self._by_column.items() if len(v) > _MAX_VOCABULARY]:
            del self._by_column[key]
        if len(self.outcomes) > _MAX_VOCABULARY:
            self.outcomes = _Memo()


def floats_of(values: Iterable[Any], n: int) -> Floats:
    """float64, None as NaN."""
    values = list(values)
    try:
        return np.fromiter(values, np.float64, n)
    except TypeError:
        return np.array(values, dtype=np.float64)


def _millis(value: Any) -> int:
    if isinstance(value, datetime):
        return BAD_TS if value.tzinfo is None else int(value.timestamp() * 1000)
    millis = int(value)
    return millis if abs(millis) < 2**53 else BAD_TS


def times_of(values: Sequence[Any], n: int) -> Ints:
    """Milliseconds, int64; BAD_TS where a time has no offset or no sense; None is BAD_TS too."""
    try:
        return np.fromiter(values, np.int64, n)
    except (TypeError, OverflowError):
        return np.fromiter((BAD_TS if v is None else _millis(v) for v in values), np.int64, n)


def _flags(values: Iterable[bool | None], n: int) -> Bools:
    return np.fromiter(map(bool, values), np.bool_, n)


def _mixed(values: Sequence[Any], vocabulary: Vocabulary) -> Mixed:
    n = len(values)

    def number(v: Any) -> float:
        if isinstance(v, bool) or not isinstance(v, int | float):
            return np.nan
        try:
            return float(v) if np.isfinite(float(v)) else np.inf
        except OverflowError:
            return np.inf

    def text(v: Any) -> str | None:
        return v if isinstance(v, str) else str(v).lower() if isinstance(v, bool) else None

    return Mixed(
        np.fromiter(map(number, values), np.float64, n),
        vocabulary.encode(map(text, values), n),
        np.fromiter((isinstance(v, dict | list) for v in values), np.bool_, n),
    )


def column_of(values: Sequence[Any], kind: Any, vocabulary: Vocabulary) -> Column:
    """A column from the values of a struct's field of type `kind`: numbers, text, or a mixture."""
    n = len(values)
    if kind == _NUMBER:
        return floats_of(values, n)
    if kind in _TEXTS:
        return vocabulary.encode(values, n)
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if kinds <= {float}:
        return floats_of(values, n)
    if kinds == {str} or kinds == {bool}:
        return vocabulary.encode(values, n)
    return _mixed(values, vocabulary)


def _feature(structs: Sequence[Any], attribute: str, kind: Any, vocabulary: Vocabulary) -> Column:
    """A column of an attribute of nested structs, without a list between where all is plain."""
    get = operator.attrgetter(attribute)
    try:
        if kind == _NUMBER:
            return np.fromiter(map(get, structs), np.float64, len(structs))
        if kind in _TEXTS:
            return vocabulary.encode(map(get, structs), len(structs))
    except (AttributeError, TypeError):
        pass  # A struct or a number is None.
    return column_of(_nested(structs, attribute), kind, vocabulary)


def _best_score(score: float | None, scores: Any, prediction: Any) -> float | None:
    """The record's score; without one, the score of the predicted class, or the highest."""
    if score is not None or not scores:
        return score
    if isinstance(scores, dict):
        key = str(prediction).lower() if isinstance(prediction, bool) else str(prediction)
        return float(scores[key]) if key in scores else float(max(scores.values()))
    return float(max(scores))


class Pieces:
    """Collects the columns of slices and joins them to a batch."""

    def __init__(self, vocabularies: Vocabularies) -> None:
        self._vocabularies = vocabularies
        self._index: list[NDArray[np.int64]] = []
        self._ids: list[str] = []
        self._traces: list[str | None] = []
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
                self._put(name, _flags(map(operator.attrgetter(name), rows), n))
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
                values = _nested(segments, f"f{i}")
                self._put(f"segment.{label}", self._vocabularies.of("segment", label).encode(values, n).codes)

    def _features(self, kind: type, info: StructInfo, rows: list[Any], at: Ints, known: set[str]) -> None:
        n = len(rows)
        columns: dict[str, Column] = {}
        attributions: dict[str, Floats] = {}
        if info.features:
            features = list(map(_get["features"], rows))
            for i, (name, kind_of) in enumerate(info.features.items()):
                vocabulary = self._vocabularies.of(info.model, name)
                columns[name] = _feature(features, f"f{i}", kind_of, vocabulary)
        if info.attributions and "attributions" in known:
            nested = list(map(operator.attrgetter("attributions"), rows))
            for i, name in enumerate(info.attributions):
                attributions[name] = floats_of(_nested(nested, f"f{i}"), n)
        if "prediction" in known:
            values = list(map(operator.attrgetter("prediction"), rows))
            columns["@prediction"] = column_of(values, None, self._vocabularies.of(info.model, "@prediction"))
        if "score" in known or "scores" in known:
            columns["@score"] = floats_of(_scores(rows, known), n)
        self._blocks[kind].append((at, columns, attributions))

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


def _nested(structs: Sequence[Any], attribute: str) -> list[Any]:
    """The attribute of each struct; None where the struct itself is None."""
    get = operator.attrgetter(attribute)
    try:
        return list(map(get, structs))
    except AttributeError:
        return [None if s is None else get(s) for s in structs]


def _scores(rows: list[Any], known: set[str]) -> list[float | None]:
    n = len(rows)
    score = list(map(operator.attrgetter("score"), rows)) if "score" in known else [None] * n
    if "scores" not in known:
        return score
    scores = map(operator.attrgetter("scores"), rows)
    prediction = map(operator.attrgetter("prediction"), rows) if "prediction" in known else [None] * n
    return list(map(_best_score, score, scores, prediction))


def _block(model: str, parts: list[tuple[Ints, dict[str, Column], dict[str, Floats]]]) -> FeatureBlock:
    rows = np.concatenate([at for at, _, _ in parts])
    columns = {name: _join_columns([p[1][name] for p in parts]) for name in parts[0][1]}
    attributions = {name: np.concatenate([p[2][name] for p in parts]) for name in parts[0][2]}
    return FeatureBlock(model, rows, columns, attributions)


def _join_columns(parts: list[Column]) -> Column:
    """One column from those of the slices, which may differ in kind."""
    if all(isinstance(p, np.ndarray) for p in parts):
        return np.concatenate([p for p in parts if isinstance(p, np.ndarray)])
    if all(isinstance(p, Coded) for p in parts):
        coded = [p for p in parts if isinstance(p, Coded)]
        return Coded(np.concatenate([p.codes for p in coded]), coded[0].names)
    mixed = [_as_mixed(p) for p in parts]
    names = max((p.texts.names for p in mixed), key=len)
    return Mixed(
        np.concatenate([p.numbers for p in mixed]),
        Coded(np.concatenate([p.texts.codes for p in mixed]), names),
        np.concatenate([p.invalid for p in mixed]),
    )


def _as_mixed(column: Column) -> Mixed:
    if isinstance(column, Mixed):
        return column
    if isinstance(column, Coded):
        n = len(column.codes)
        return Mixed(np.full(n, np.nan), column, np.zeros(n, np.bool_))
    n = len(column)
    return Mixed(column, Coded(np.zeros(n, np.int32), [None]), np.zeros(n, np.bool_))
