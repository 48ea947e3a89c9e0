"""JSON lines as rows: plain objects, or inference records of our contract. Decoded as the stream is."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from monitor.baselines.arrow_columns import as_text_column
from monitor.baselines.tables import Rows, is_wanted, opened_bytes, unreadable
from monitor.errors import SourceError
from monitor.ingest.checks import BadRecord, parse
from monitor.ingest.decode import Decoder
from monitor.ingest.shape import Limits
from monitor.ingest.source import Chunk
from monitor.records import Batch, Partition

__all__ = ["JsonTable"]

_AT_ONCE = 16_384
_BLOCK_BYTES = 1 << 20
_MAX_LINE_BYTES = 64 << 20
_FAR_AHEAD_MS = 1 << 52
# A plain row is decoded as the features of a record, so that both are typed alike.
_BEFORE, _AFTER = b'{"id":"0","ts":1500000000000,"model":"m","features":', b"}"


class JsonTable:
    """A file with a JSON object a line. Its first line tells whether they are inference records: then those
    of `model`, and of `version` where given, are its rows."""

    typed = True

    def __init__(self, path: Path, model: str, version: str, limit: int) -> None:
        self.path, self._model, self._version, self._limit = path, model, version, limit
        self.names: tuple[str, ...] | None = None
        self.records = self._is_records()
        self.skipped = 0

    def _is_records(self) -> bool:
        for number, line in self._lines():
            try:
                first = parse(line)
            except BadRecord as e:
                raise unreadable(self.path, f"line {number}: {e.detail}") from None
            if not isinstance(first, dict):
                raise unreadable(self.path, f"line {number}: is not a JSON object; write one object a line")
            return isinstance(first.get("features"), dict) and {"id", "ts", "model"} <= first.keys()
        return False

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        for numbered, _ in self._blocks():
            yield from numbered

    def _blocks(self) -> Iterator[tuple[list[tuple[int, bytes]], int]]:
        """(numbered lines that are not blank, how many bytes of the file were read then)."""
        with opened_bytes(self.path) as (stream, tell):
            rest, number = b"", 0
            lines: list[tuple[int, bytes]] = []
            while block := self._read(stream, number):
                *whole, rest = (rest + block).split(b"\n")
                if len(rest) > _MAX_LINE_BYTES:
                    raise unreadable(
                        self.path, f"line {number + 1}: is longer than {_MAX_LINE_BYTES >> 20} MiB"
                    )
                lines += ((number + i, line) for i, line in enumerate(whole, start=1) if line.strip())
                number += len(whole)
                while len(lines) >= _AT_ONCE:
                    yield lines[:_AT_ONCE], tell()
                    lines = lines[_AT_ONCE:]
            if rest.strip():
                lines.append((number + 1, rest))
            if lines:
                yield lines, tell()

    def _read(self, stream: Any, line: int) -> bytes:
        try:
            return bytes(stream.read(_BLOCK_BYTES))
        except (OSError, ValueError) as e:
            raise unreadable(self.path, f"after line {line}: {e}") from None

    def batches(self, columns: Collection[str] | None, as_text: Collection[str]) -> Iterator[Rows]:
        self.skipped = 0
        decoder = Decoder(
            Limits(features=self._limit), max_record_bytes=_MAX_LINE_BYTES, max_ahead_ms=_FAR_AHEAD_MS
        )
        for lines, read in self._blocks():
            decoded = decoder.decode(self._chunk(lines))
            if decoded.dead:
                raise self._refused(lines, decoded.dead[0].position, decoded.dead[0].detail)
            batch = self._mine(decoded.batch) if self.records else decoded.batch
            for name in decoded.batch.unknown_fields:
                if "over the limit" in name:
                    raise unreadable(self.path, f"has more than {self._limit} columns; leave some out")
            yield from _rows(batch, read, columns, as_text, self.records)

    def _chunk(self, lines: list[tuple[int, bytes]]) -> Chunk:
        values = [line if self.records else _BEFORE + line + _AFTER for _, line in lines]
        n = len(values)
        return Chunk(Partition(str(self.path), 0), values, np.arange(n), n, np.zeros(n, np.int64))

    def _refused(self, lines: list[tuple[int, bytes]], position: int, detail: str) -> SourceError:
        number, line = lines[position]
        if not self.records:
            try:
                value = parse(line)
                detail = (
                    detail if isinstance(value, dict) else "is not a JSON object; write one object a line"
                )
            except BadRecord as e:
                detail = e.detail
        return unreadable(self.path, f"line {number}: {detail}")

    def _mine(self, batch: Batch) -> Batch:
        keep = np.array([n == self._model for n in batch.model.names], np.bool_)[batch.model.codes]
        if self._version:
            keep &= np.array([n in (self._version, None) for n in batch.version.names])[batch.version.codes]
        keep &= ~batch.shadow
        self.skipped += int(np.count_nonzero(~keep))
        return batch.select(keep)


def _rows(
    batch: Batch, read: int, wanted: Collection[str] | None, as_text: Collection[str], records: bool
) -> Iterator[Rows]:
    """The rows of each block: a block begins where the decoder met columns that it had not seen."""
    for block in batch.features:
        columns = {
            name: as_text_column(column) if name in as_text else column
            for name, column in block.columns.items()
            if is_wanted(name, wanted)
        }
        ts_ms = batch.ts_ms[block.rows] if records else None
        yield Rows(len(block.rows), columns, read, block.attributions, ts_ms)
