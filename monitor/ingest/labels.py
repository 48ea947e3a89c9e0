"""Labels from bytes to columns: one msgspec call per message, then one pass per column.

What the fast decoder refuses goes to `label_normalise`, which says why it is no label, or which fields the
decoder has to learn to pass over.
"""

import operator
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from monitor.ingest.checks import BadRecord, parse
from monitor.ingest.columns import Vocabularies
from monitor.ingest.decode import letter
from monitor.ingest.label_contract import LABEL_FIELDS, LABEL_NAMES, REASON_PREFIX
from monitor.ingest.label_normalise import normalise_label
from monitor.ingest.slices import SLICE, SliceDecoder
from monitor.ingest.source import Chunk
from monitor.ingest.validate import Check, first_reasons, time_checks
from monitor.ingest.values import column_of, floats_of, times_of
from monitor.records import Bools, DeadLetter, Ints, LabelBatch

__all__ = ["DecodedLabels", "LabelDecoder"]

_MAX_UNKNOWN = 64
_UNUSABLE = re.compile(r'["\\\x00-\x1f]')
_NAMES = tuple(f.name for f in LABEL_FIELDS)
_attributes = operator.attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class DecodedLabels:
    """A chunk of labels as columns, and the messages of it that are no labels."""

    batch: LabelBatch
    dead: list[DeadLetter]


class LabelDecoder(SliceDecoder):
    """Decodes the chunks of a label stream. Keeps what it learnt; not thread-safe.

    `max_ahead_ms` is how far a timestamp may lie past the time its message was appended.
    """

    def __init__(self, *, max_record_bytes: int = 1 << 20, max_ahead_ms: int = 3_600_000) -> None:
        super().__init__(max_record_bytes)
        self._max_ahead_ms = max_ahead_ms
        self._vocabularies = Vocabularies()
        self._unknown: list[str] = []
        self._rebuild()

    def _rebuild(self) -> None:
        fields: list[Any] = [
            (f.name, f.type) if f.required else (f.name, f.fast_type, None) for f in LABEL_FIELDS
        ]
        unknown = {f"u{i}": name for i, name in enumerate(self._unknown)}
        fields += [(f, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for f in unknown]
        self._type = msgspec.defstruct("Label", fields, gc=False, rename=unknown, forbid_unknown_fields=True)
        self._decode = msgspec.json.Decoder(self._type).decode

    def decode(self, chunk: Chunk) -> DecodedLabels:
        """The chunk's labels as a batch, its other messages as dead letters. Never raises on content."""
        self._vocabularies.trim()
        dead: list[tuple[int, BadRecord]] = []
        unknown: Counter[str] = Counter()
        index: list[int] = []
        columns: dict[str, list[Any]] = {name: [] for name in _NAMES}
        for start in range(0, len(chunk.values), SLICE):
            at, rows = self._slice(chunk.values, start, dead, unknown)
            if rows:
                index += at
                for name, values in zip(_NAMES, zip(*map(_attributes, rows), strict=True), strict=True):
                    columns[name] += values
                self._count_unknown(rows, unknown)
        batch, keep = self._checked(chunk, np.array(index, np.int64), columns, dead, unknown)
        dead.sort(key=operator.itemgetter(0))
        letters = [letter(chunk, i, BadRecord(REASON_PREFIX + why.reason, why.detail)) for i, why in dead]
        return DecodedLabels(replace(batch, unknown_fields=+unknown).select(keep), letters)

    def _normalised(self, payload: bytes) -> dict[str, Any]:
        return normalise_label(payload)

    def _learn(self, clean: Mapping[int, dict[str, Any]], unknown: Counter[str]) -> bool:
        """Of the fields that the decoder did not know it passes over those that it has room for."""
        before = len(self._unknown)
        for label in clean.values():
            new = [name for name in label if name not in LABEL_NAMES]
            unknown.update(new)
            fits = [name for name in new if name not in self._unknown and not _UNUSABLE.search(name)]
            self._unknown += fits[: _MAX_UNKNOWN - len(self._unknown)]
        if len(self._unknown) > before:
            self._rebuild()
        return len(self._unknown) > before

    def _struct(self, clean: dict[str, Any]) -> Any:
        return msgspec.convert({k: v for k, v in clean.items() if k in LABEL_NAMES}, self._type)

    def _count_unknown(self, rows: list[Any], unknown: Counter[str]) -> None:
        for i, name in enumerate(self._unknown):
            seen = len(rows) - list(map(operator.attrgetter(f"u{i}"), rows)).count(msgspec.UNSET)
            if seen:
                unknown[name] += seen

    def _checked(
        self,
        chunk: Chunk,
        index: Ints,
        columns: Mapping[str, list[Any]],
        dead: list[tuple[int, BadRecord]],
        unknown: Counter[str],
    ) -> tuple[LabelBatch, Bools]:
        """All rows as a batch, and which of them are labels; the others go to `dead`."""
        append_ms = chunk.append_ms[index]
        batch = self._batch(chunk, index, columns, append_ms)
        keep = np.ones(len(batch), np.bool_)
        for row, reason in first_reasons(self._checks(batch, columns, append_ms), append_ms):
            keep[row] = False
            dead.append((int(index[row]), reason))
            # Only labels count their unknown fields, whichever path it was that refused the others.
            unknown.subtract(n for n in parse(chunk.values[index[row]]) if n not in LABEL_NAMES)
        return batch, keep

    def _batch(
        self, chunk: Chunk, index: Ints, columns: Mapping[str, list[Any]], append_ms: Ints
    ) -> LabelBatch:
        n = len(index)
        of = self._vocabularies.of
        weight, kinds = columns["weight"], columns["kind"]
        value, lists = _apart(columns["label"])
        return LabelBatch(
            partition=chunk.partition,
            positions=chunk.positions[index],
            ts_ms=_times(columns["ts"], append_ms),
            prediction_ts_ms=_times(columns["prediction_ts"], np.full(n, -1, np.int64)),
            model=of("", "model").encode(_texts(columns["model"]), n),
            ids=_texts(columns["id"]),
            keys=_texts(columns["key"]),
            annotators=of("", "annotator").encode(_texts(columns["annotator"]), n),
            value=column_of(value, None, of("", "label")),
            lists=lists,
            rating=np.fromiter((k == "rating" for k in kinds), np.bool_, n),
            weight=None if weight.count(None) == n else floats_of((1 if w is None else w for w in weight), n),
        )

    def _checks(
        self, batch: LabelBatch, columns: Mapping[str, list[Any]], append_ms: Ints
    ) -> Iterator[Check]:
        n = len(batch)
        if None in batch.ids and None in batch.keys:
            bad = (i is None and k is None for i, k in zip(batch.ids, batch.keys, strict=True))
            yield Check(
                np.fromiter(bad, np.bool_, n),
                "missing_id",
                "neither id nor key is there; one of them says what the label is for",
            )
        yield from time_checks("ts", batch.ts_ms, append_ms, self._max_ahead_ms)
        if columns["prediction_ts"].count(None) < n:
            given = np.fromiter((t is not None for t in columns["prediction_ts"]), np.bool_, n)
            for check in time_checks("prediction_ts", batch.prediction_ts_ms, append_ms, self._max_ahead_ms):
                yield check._replace(bad=check.bad & given)
        nul = [code for code, name in enumerate(batch.model.names) if name is not None and "\0" in name]
        if nul:
            yield Check(np.isin(batch.model.codes, nul), "bad_value", "model holds a NUL character")


def _texts(values: list[Any]) -> list[str | None]:
    """Names and whole numbers as text."""
    kinds = set(map(type, values))
    if int not in kinds:
        return values
    return [None if v is None else str(v) for v in values]


def _times(values: list[Any], otherwise: Ints) -> Ints:
    """Milliseconds (int64, n), `otherwise` where there is none; BAD_TS where a time has no sense."""
    missing = values.count(None)
    if missing == len(values):
        return otherwise
    times = times_of(values, len(values))
    if not missing:
        return times
    return np.where(np.fromiter((v is None for v in values), np.bool_, len(values)), otherwise, times)


def _apart(
    labels: list[Any],
) -> tuple[list[Any], dict[int, tuple[str, ...] | Mapping[str, float]]]:
    """The labels with None in place of lists and grades, and these by row."""
    kinds = set(map(type, labels))
    if list not in kinds and dict not in kinds:
        return labels, {}
    lists: dict[int, tuple[str, ...] | Mapping[str, float]] = {}
    for row, label in enumerate(labels):
        if isinstance(label, list):
            lists[row] = tuple(map(str, label))
        elif isinstance(label, dict):
            lists[row] = label
    return [None if row in lists else label for row, label in enumerate(labels)], lists
