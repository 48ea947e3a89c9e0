"""Sampled records as they are kept: what they were, their features redacted, as JSON."""

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from monitor.profiles.samples import Picked, SampleSettings
from monitor.records import Batch, Coded, Column, Ints, Mixed

__all__ = ["REDACTED", "Redaction", "Sample", "cleaned", "rows_of", "values_at"]

MAX_CHARS = 200
REDACTED = "[redacted]"
_NOT_FINITE, _NO_VALUE = "[not finite]", "[object or list]"
_WHOLE = 2.0**53
Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A record kept for a reason, in the window `start_s` of a series (model and version).

    `rank`, `hash` (of the id) and `moment` (of id and time) order the samples of a window. `prediction`,
    `features` and `label` are JSON, None where there is none.
    """

    series: int
    start_s: int
    reason: int
    rank: float
    hash: int
    moment: int
    ts_ms: int
    id: str
    trace_id: str | None = None
    endpoint: str = ""
    outcome: int = 0
    latency_ms: float | None = None
    prediction: str | None = None
    score: float | None = None
    features: str | None = None
    label: str | None = None

    @property
    def bound(self) -> tuple[float, int, int]:
        """Its order among the samples of its window and reason."""
        return self.rank, self.hash, self.moment


class Redaction:
    """Which features are masked: `card_*` and the like, whatever the case. A vector's numbers (`face.norm`)
    go with the vector (`face`)."""

    def __init__(self, patterns: Sequence[str]) -> None:
        either = "|".join(fnmatch.translate(p.lower()) for p in patterns)
        self._match: Callable[[str], object] = re.compile(either).match if patterns else lambda name: None
        self._known: dict[str, bool] = {}

    def masks(self, name: str) -> bool:
        """Whether the values of the feature are masked."""
        known = self._known.get(name)
        if known is None:
            if len(self._known) > 100_000:
                self._known.clear()
            parts = name.lower().split(".")
            whole = [".".join(parts[:i]) for i in range(1, len(parts) + 1)]
            known = self._known[name] = any(self._match(each) for each in whole)
        return known


def rows_of(
    batch: Batch,
    picked: Picked,
    series: Sequence[int],
    start_s: Ints,
    settings: SampleSettings,
    redaction: Redaction,
) -> list[Sample]:
    """The picked records as samples; `series` and `start_s` name their groups."""
    rows = picked.rows.tolist()
    if not rows:
        return []
    features, predictions, scores = _features(batch, picked.rows, settings, redaction)
    latency = batch.measures.get("latency_ms")
    times = [None] * len(rows) if latency is None else [_number(v) for v in latency[picked.rows].tolist()]
    endpoints = batch.endpoint.codes[picked.rows].tolist()
    outcomes = batch.outcome[picked.rows].tolist()
    ts_ms = batch.ts_ms[picked.rows].tolist()
    return [
        Sample(
            series=series[group],
            start_s=int(start_s[group]),
            reason=int(picked.reason),
            rank=rank,
            hash=hashed,
            moment=moment,
            ts_ms=ts_ms[i],
            id=cleaned(batch.ids[row]),
            trace_id=None if batch.trace_ids[row] is None else cleaned(batch.trace_ids[row] or ""),
            endpoint=cleaned(batch.endpoint.names[endpoints[i]] or ""),
            outcome=outcomes[i],
            latency_ms=times[i],
            prediction=predictions[i],
            score=scores[i],
            features=features[i],
        )
        for i, (row, group, rank, hashed, moment) in enumerate(
            zip(
                rows,
                picked.group.tolist(),
                picked.rank.tolist(),
                picked.hashes.tolist(),
                picked.moments.tolist(),
                strict=True,
            )
        )
    ]


def _features(
    batch: Batch, rows: Ints, settings: SampleSettings, redaction: Redaction
) -> tuple[list[str | None], list[str | None], list[float | None]]:
    """(features, predictions, scores) of the rows, JSON but for the scores."""
    n = len(rows)
    features: list[str | None] = [None] * n
    predictions: list[str | None] = [None] * n
    scores: list[float | None] = [None] * n
    position = np.full(len(batch), -1, np.int64)
    masked = redaction.masks("@prediction")
    for block in batch.features:
        position[block.rows] = np.arange(len(block.rows))
        at = position[rows]
        position[block.rows] = -1
        mine = np.flatnonzero(at >= 0)
        if not len(mine):
            continue
        at, places = at[mine], mine.tolist()
        if settings.features:
            # In the order of their names and without nulls: which columns a batch has, and in which order,
            # depends on what was read before it.
            names = sorted(block.columns.keys() - {"@prediction", "@score"})
            named = [values_at(block.columns[n], at, redaction.masks(n)) for n in names]
            for i, values in zip(places, zip(*named, strict=True) if named else (), strict=False):
                given = {n: v for n, v in zip(names, values, strict=True) if v is not None}
                features[i] = _json(given)
        if "@prediction" in block.columns:
            for i, value in zip(places, _values(block.columns["@prediction"], at), strict=True):
                predictions[i] = None if value is None else _json(REDACTED if masked else value)
        if "@score" in block.columns:
            for i, value in zip(places, _values(block.columns["@score"], at), strict=True):
                scores[i] = float(value) if isinstance(value, int | float) else None
    for i, row in enumerate(rows.tolist() if batch.rankings else ()):
        if row in batch.rankings:
            items = [cleaned(item) for item in batch.rankings[row]]
            predictions[i] = _json(REDACTED if masked else items)
    return features, predictions, scores


def values_at(column: Column, at: Ints, masked: bool = False) -> list[Value]:
    """The values of a column's rows `at` (int64), texts cut, None for nulls; `masked` but for the nulls."""
    values = _values(column, at)
    return [None if v is None else REDACTED for v in values] if masked else values


def _values(column: Column, at: Ints) -> list[Value]:
    if isinstance(column, Coded):
        return [_text(column.names[code]) for code in column.codes[at].tolist()]
    if isinstance(column, Mixed):
        part = zip(
            column.numbers[at].tolist(),
            column.texts.codes[at].tolist(),
            column.invalid[at].tolist(),
            strict=True,
        )
        return [
            _NO_VALUE if invalid else _text(column.texts.names[code]) if code else _finite(number)
            for number, code, invalid in part
        ]
    return [_finite(value) for value in column[at].tolist()]


def _text(value: str | None) -> str | None:
    return None if value is None else cleaned(value)


def _finite(value: float) -> Value:
    if value != value:
        return None
    if value == float("inf"):
        return _NOT_FINITE
    return int(value) if value.is_integer() and abs(value) < _WHOLE else value


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def cleaned(text: str) -> str:
    """The text as every database holds it, cut to MAX_CHARS."""
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
