"""Bytes to columns. The hot path: one msgspec call per message, then one pass per column.

Messages are decoded a thousand at a time, so that the structs are still in the processor's cache
when their attributes are read. What the fast decoder refuses goes to `normalise`, which teaches
the shape what is new or says why the message is no record.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import starmap
from typing import Any

import msgspec
import numpy as np

from monitor.ingest.checks import BadRecord, parse
from monitor.ingest.columns import Pieces, Vocabularies
from monitor.ingest.contract import POSITIVE
from monitor.ingest.normalise import normalise
from monitor.ingest.shape import FIELD_NAMES, Limits, Shape
from monitor.ingest.slices import SLICE, SliceDecoder
from monitor.ingest.source import Chunk
from monitor.ingest.validate import refusals
from monitor.records import Batch, DeadLetter

__all__ = ["Decoded", "Decoder", "letter"]

_KEPT_PAYLOAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Decoded:
    """A chunk as columns, and the messages of it that are no records."""

    batch: Batch
    dead: list[DeadLetter]


class Decoder(SliceDecoder):
    """Decodes the chunks of a stream. Keeps what it learnt; not thread-safe.

    `max_ahead_ms` is how far a timestamp may lie past the time its message was appended; `positive` names
    the positive class of models for which it is none of contract.POSITIVE.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        max_record_bytes: int = 1 << 20,
        max_ahead_ms: int = 3_600_000,
        positive: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(max_record_bytes)
        self._positive = {model: (name.lower(),) for model, name in (positive or {}).items()}
        self._shape = Shape(limits or Limits())
        self._decode = msgspec.json.Decoder(int).decode
        self._type: Any = int
        self._vocabularies = Vocabularies()
        self._max_ahead_ms = max_ahead_ms

    def decode(self, chunk: Chunk) -> Decoded:
        """The chunk's records as a batch, its other messages as dead letters. Never raises on content."""
        self._vocabularies.trim()
        dead: list[tuple[int, BadRecord]] = []
        unknown: Counter[str] = Counter()
        pieces = Pieces(self._vocabularies, lambda model: self._positive.get(model, POSITIVE))
        for start in range(0, len(chunk.values), SLICE):
            index, rows = self._slice(chunk.values, start, dead, unknown)
            if rows:
                pieces.add(index, rows, self._shape)
        batch, index_of = pieces.batch(chunk, unknown)
        keep = np.ones(len(batch), np.bool_)
        refused: Counter[str] = Counter()
        for row, reason in refusals(batch, chunk.append_ms[index_of], self._max_ahead_ms):
            keep[row] = False
            dead.append((int(index_of[row]), reason))
            # Only records count their unknown fields, whichever path it was that refused the others.
            refused.update(n for n in parse(chunk.values[index_of[row]]) if n not in FIELD_NAMES)
        if refused:
            batch = replace(batch, unknown_fields=Counter(batch.unknown_fields) - refused)
        dead.sort(key=lambda d: d[0])
        return Decoded(batch.select(keep), list(starmap(letter, ((chunk, i, why) for i, why in dead))))

    def _normalised(self, payload: bytes) -> dict[str, Any]:
        return normalise(payload)

    def _learn(self, clean: Mapping[int, dict[str, Any]], unknown: Counter[str]) -> bool:
        for record in clean.values():
            unknown.update(self._shape.learn(record))
        decoder = self._shape.decoder()
        self._decode, self._type = decoder.decode, decoder.type
        return True

    def _struct(self, clean: dict[str, Any]) -> Any:
        return msgspec.convert(clean, self._type)


def letter(chunk: Chunk, i: int, why: BadRecord) -> DeadLetter:
    """The dead letter for message `i` of a chunk, as much of it as is kept."""
    payload = bytes(chunk.values[i][:_KEPT_PAYLOAD_BYTES])
    detail = why.detail.replace("\0", "\ufffd")[:500]
    return DeadLetter(int(chunk.positions[i]), chunk.where(i), why.reason, detail, payload)
