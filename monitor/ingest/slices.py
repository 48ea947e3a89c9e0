"""Decoding a slice of messages at once, and one by one where some of them are not what the decoder knows."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from monitor.ingest.checks import BadRecord

__all__ = ["REFUSED", "SLICE", "SliceDecoder"]

# As many structs as stay in the processor's cache until their attributes are read.
SLICE = 1024
REFUSED = (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class SliceDecoder(ABC):
    """What the decoders of records and of labels share. `_decode` takes one message to a struct, as fast as
    can be; whoever derives from this replaces it when it has learnt something."""

    _decode: Callable[[bytes], Any]

    def __init__(self, max_record_bytes: int) -> None:
        self._max_record_bytes = max_record_bytes

    @abstractmethod
    def _normalised(self, payload: bytes) -> dict[str, Any]:
        """The message with every known field checked. Raises BadRecord."""

    @abstractmethod
    def _learn(self, clean: Mapping[int, dict[str, Any]], unknown: Counter[str]) -> bool:
        """Takes in what is new in checked messages, and takes out of them what the structs won't know, which
        is counted; returns whether `_decode` is another now."""

    @abstractmethod
    def _struct(self, clean: dict[str, Any]) -> Any:
        """A message that was learnt from, as a struct."""

    def _slice(
        self,
        values: Sequence[bytes],
        start: int,
        dead: list[tuple[int, BadRecord]],
        unknown: Counter[str],
    ) -> tuple[Sequence[int], list[Any]]:
        """The rows of one slice and their index in the chunk; dead letters go to `dead`."""
        part = values[start : start + SLICE]
        if max(map(len, part)) <= self._max_record_bytes:
            try:
                return range(start, start + len(part)), list(map(self._decode, part))
            except REFUSED:
                pass  # At least one message needs the patient path; it finds out which.
        return self._patiently(part, start, dead, unknown)

    def _patiently(
        self,
        part: Sequence[bytes],
        start: int,
        dead: list[tuple[int, BadRecord]],
        unknown: Counter[str],
    ) -> tuple[Sequence[int], list[Any]]:
        rows: dict[int, Any] = {}
        clean: dict[int, dict[str, Any]] = {}
        for i, payload in enumerate(part):
            try:
                if len(payload) > self._max_record_bytes:
                    raise BadRecord("too_large", f"more than {self._max_record_bytes} bytes")
                try:
                    rows[i] = self._decode(payload)
                except REFUSED:
                    clean[i] = self._normalised(payload)
            except BadRecord as e:
                dead.append((start + i, e))
        if clean and self._learn(clean, unknown):
            # Structs of the old classes lack the new fields; their messages decode anew.
            rows = {i: self._decode(part[i]) for i in rows}
        rows |= {i: self._struct(message) for i, message in clean.items()}
        index = sorted(rows)
        return [start + i for i in index], [rows[i] for i in index]
