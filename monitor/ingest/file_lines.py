"""Whole lines out of a stream of bytes, many at a time, each with the offset at which it begins."""

import os
from typing import NamedTuple, Self

import numpy as np

from monitor.ingest.file_streams import Stream
from monitor.records import Ints

__all__ = ["LineReader", "Lines", "Mismatch", "end_of_lines"]

_BLOCK_BYTES = 1 << 20
_BLOCKS_A_CALL = 64
_SEARCH_BYTES = 64 * 1024
# Only lines this short are looked at for being blank; a longer one of spaces is a bad record.
_MAYBE_BLANK = 2


class Mismatch(Exception):
    """The file has no line beginning at the offset where reading was to go on: it is another file."""


class Lines(NamedTuple):
    """Lines without their newline; `offsets` (int64) is where each begins, `end` where the next does."""

    values: list[bytes]
    offsets: Ints
    end: int

    def followed_by(self, more: Self) -> Self:
        """These lines and the ones right after them."""
        return self._replace(
            values=self.values + more.values,
            offsets=np.concatenate([self.offsets, more.offsets]),
            end=more.end,
        )


class LineReader:
    """Reads a stream from `offset` on; with `strict` a line must begin there. Blank lines are passed over.

    Of a line longer than `max_record_bytes` only the first `max_record_bytes + 1` bytes are kept: enough
    to see that it is too long. Memory is bounded by that and a block.
    """

    def __init__(self, stream: Stream, offset: int, max_record_bytes: int, strict: bool = False) -> None:
        self.stream = stream
        self.at_end = False
        self._strict = strict
        self._keep = max_record_bytes + 1
        self._to_skip = offset
        self._tail = b""
        self._tail_at = offset
        self._tail_bytes = 0
        self._values: list[bytes] = []
        self._offsets: Ints = np.empty(0, np.int64)
        self._next = 0
        if offset and stream.skip(offset - 1):
            self._to_skip = 1

    @property
    def ready(self) -> int:
        """How many lines are split already and wait."""
        return len(self._values) - self._next

    @property
    def tail_bytes(self) -> int:
        """Bytes after the last newline, up to the present end."""
        return self._tail_bytes

    def take(self, limit: int) -> Lines:
        """Up to `limit` lines; fewer, or none, at the present end (then `at_end`) or after much work.

        Raises Damaged, OSError, and Mismatch where the offset to start from is not in the file.
        """
        self.look_ahead()
        stop = min(self._next + limit, len(self._values))
        taken = slice(self._next, stop)
        end = int(self._offsets[stop]) if stop < len(self._values) else self._tail_at
        self._next = stop
        return Lines(self._values[taken], self._offsets[taken], end)

    def look_ahead(self) -> None:
        """Reads until a line is ready, or the present end is met, or it took much work. Raises as `take`."""
        self.at_end = False
        blocks = 0
        while not self.ready and not self.at_end and blocks < _BLOCKS_A_CALL:
            self._fill()
            blocks += 1

    def finish(self) -> Lines:
        """The last line of a file that has no newline at its end. Call it at the present end only."""
        begins, length, value = self._tail_at, self._tail_bytes, self._tail
        self._tail, self._tail_bytes, self._tail_at = b"", 0, begins + length
        if not value.strip():
            return Lines([], np.empty(0, np.int64), self._tail_at)
        return Lines([value[: self._keep]], np.array([begins], np.int64), self._tail_at)

    def close(self) -> None:
        self.stream.close()

    def _fill(self) -> None:
        block = self.stream.read(_BLOCK_BYTES)
        if not block:
            # A compressed file may still be on its way; one that has ended is another one.
            if self._to_skip and (self.stream.ended or not self.stream.compressed):
                raise Mismatch
            self.at_end = True
            return
        if self._to_skip:
            block = self._pass_over(block)
        if self._tail_bytes > len(self._tail):
            self._end_long_line(block)
        elif block:
            self._split(block)

    def _pass_over(self, block: bytes) -> bytes:
        passed = min(self._to_skip, len(block))
        self._to_skip -= passed
        if self._strict and not self._to_skip and block[passed - 1] != 10 and passed < len(block):
            raise Mismatch
        return block[passed:]

    def _end_long_line(self, block: bytes) -> None:
        """Goes on with a line of which enough is kept."""
        newline = block.find(b"\n")
        if newline < 0:
            self._tail_bytes += len(block)
            return
        value, begins = self._tail, self._tail_at
        self._tail_at += self._tail_bytes + newline + 1
        self._tail, self._tail_bytes = b"", 0
        self._values, self._offsets, self._next = [], np.empty(0, np.int64), 0
        self._split(block[newline + 1 :])
        self._values.insert(0, value)
        self._offsets = np.concatenate([[begins], self._offsets])

    def _split(self, block: bytes) -> None:
        data = self._tail + block if self._tail else block
        cut = data.rfind(b"\n") + 1
        if cut:
            values = data[: cut - 1].split(b"\n")
            lengths = np.fromiter(map(len, values), np.int64, len(values))
            offsets = self._tail_at + np.cumsum(lengths + 1) - lengths - 1
            if lengths.max() > self._keep:
                values = [value[: self._keep] for value in values]
            if lengths.min() <= _MAYBE_BLANK:
                kept = [i for i, value in enumerate(values) if value.strip()]
                values, offsets = [values[i] for i in kept], offsets[kept]
            self._values, self._offsets, self._next = values, offsets, 0
        tail = data[cut:]
        self._tail_at += cut
        self._tail, self._tail_bytes = tail[: self._keep], len(tail)


def end_of_lines(path: str) -> int:
    """Where the last whole line of a plain file ends. Raises OSError."""
    with open(path, "rb") as file:
        at = file.seek(0, os.SEEK_END)
        while at > 0:
            begin = max(0, at - _SEARCH_BYTES)
            file.seek(begin)
            newline = file.read(at - begin).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            at = begin
    return 0
