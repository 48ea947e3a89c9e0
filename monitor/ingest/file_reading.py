"""Reads the files of a lane, a chunk at a time."""

import bisect
import contextlib
import os
from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np

from monitor.ingest.file_catalog import Catalog
from monitor.ingest.file_identity import digest_of, read_head
from monitor.ingest.file_lane import Lane
from monitor.ingest.file_lines import LineReader, Lines, Mismatch
from monitor.ingest.file_streams import Damaged, open_stream
from monitor.ingest.file_tracked import State, Tracked
from monitor.ingest.source import Chunk
from monitor.records import Ints

__all__ = ["LaneReader", "Origins"]

_CHUNK_BYTES = 8 << 20
_OPEN_FILES = 16
_WORTH_KEEPING_BYTES = 64 * 1024


class Origins(Sequence[tuple[str, int]]):
    """The path and byte offset of each line of a chunk; made up only when somebody asks."""

    def __init__(self, parts: Sequence[tuple[str, Ints]]) -> None:
        self._parts = [p for p in parts if len(p[1])]
        self._ends = np.cumsum([len(offsets) for _, offsets in self._parts], dtype=np.int64).tolist()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, i: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, i: slice) -> list[tuple[str, int]]: ...

    def __getitem__(self, i: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        i = i + len(self) if i < 0 else i
        if not 0 <= i < len(self):
            raise IndexError(i)
        part = bisect.bisect_right(self._ends, i)
        path, offsets = self._parts[part]
        return path, int(offsets[i - self._ends[part]])


class _Part(NamedTuple):
    """Lines of one file; `shift` makes positions of the lane from offsets in the file."""

    path: str
    lines: Lines
    shift: int


class LaneReader:
    """Makes chunks of a lane. Lines longer than `max_record_bytes` come cut to one byte more."""

    def __init__(self, lane: Lane, catalog: Catalog, max_record_bytes: int) -> None:
        self.lane = lane
        self.busy = False
        self._catalog = catalog
        self._max_record_bytes = max_record_bytes

    def read(self, files: Sequence[Tracked], limit: int, now_ms: int) -> Chunk | None:
        """The next lines of `files`, in their order, at most about `limit`; None when there are none yet.

        `busy` says whether there was work without a line, so that more is to come at once.
        """
        self.busy = False
        parts: list[_Part] = []
        position, room, size = self.lane.position, limit, 0
        for file in files:
            while room > 0 and size < _CHUNK_BYTES and file.state is State.READING and not file.at_end:
                begin = file.offset
                lines = self._take(file, room)
                if lines.end == begin:
                    self.busy = self.busy or not file.at_end
                    break
                parts.append(_Part(file.path, lines, position - begin))
                position += lines.end - begin
                size += lines.end - begin
                room -= len(lines.values)
            self._widen(file)
            if room <= 0 or size >= _CHUNK_BYTES:
                break
        return self._chunk(parts, position, now_ms)

    def _chunk(self, parts: Sequence[_Part], position: int, now_ms: int) -> Chunk | None:
        values = [value for part in parts for value in part.lines.values]
        if not values:
            # Progress without a line, over blank ones say, travels with the next chunk.
            return None
        self.lane.position = position
        return Chunk(
            partition=self.lane.partition,
            values=values,
            positions=np.concatenate([part.lines.offsets + part.shift for part in parts]),
            next_position=position,
            append_ms=np.full(len(values), now_ms, np.int64),
            files=self.lane.drain(),
            origins=Origins([(part.path, part.lines.offsets) for part in parts]),
        )

    def _take(self, file: Tracked, limit: int) -> Lines:
        begin = file.offset
        nothing = Lines([], np.empty(0, np.int64), begin)
        try:
            reader = self._reader(file)
            lines = reader.take(limit)
            if file.compressed and not reader.ready and not reader.at_end:
                # So that the chunk with the last line says that the file is done. Damage is told next time.
                with contextlib.suppress(Damaged):
                    reader.look_ahead()
            if not file.compressed and not _is_still(file, reader.stream.fileno()):
                self._catalog.written_over(file)
                return nothing
            if reader.at_end:
                lines = self._end(file, reader, lines)
        except Mismatch:
            if file.identity is not None:
                file.unlike.add(file.identity)
            self.lane.release(file, missing=None)
            return nothing
        except (Damaged, OSError) as e:
            file.at_end = True
            self._catalog.set_aside(file, e)
            return nothing
        file.offset = lines.end
        if file.state is State.FINISHED:
            self._finish(file, reader)
        elif lines.end > begin:
            self.lane.progressed(file)
        return lines

    def _reader(self, file: Tracked) -> LineReader:
        """Raises Damaged and OSError."""
        readers = self.lane.readers
        reader = readers.get(file)
        if reader is not None:
            readers.move_to_end(file)
            return reader
        reader = LineReader(open_stream(file.path), file.offset, self._max_record_bytes, file.strict)
        readers[file] = reader
        if len(readers) > _OPEN_FILES:
            self.lane.drop(next(iter(readers)))
        return reader

    def _end(self, file: Tracked, reader: LineReader, lines: Lines) -> Lines:
        """At the present end of a file: is it the last?"""
        if reader.ready:
            return lines
        file.at_end = True
        if reader.stream.ended:
            file.state = State.FINISHED
            return lines.followed_by(reader.finish())
        finished = self._catalog.finished(file)
        if finished and file.compressed:
            raise Damaged("the file ends in the middle of its compressed data", reader.stream.raw_offset)
        if finished:
            lines = lines.followed_by(reader.finish())
        if not file.compressed and reader.tail_bytes < _WORTH_KEEPING_BYTES:
            self.lane.drop(file)
        return lines

    def _finish(self, file: Tracked, reader: LineReader) -> None:
        if file.identity is not None:
            raw_size = reader.stream.raw_offset
            self.lane.rename(file, file.identity._replace(inode=file.inode, raw_size=raw_size))
        self.lane.progressed(file, done=True)
        self.lane.drop(file)

    def _widen(self, file: Tracked) -> None:
        """Lets the identity cover what was read, while the file is short."""
        identity = file.identity
        if file.state is not State.READING or identity is None or file.head_full:
            return
        if file.offset > identity.size:
            try:
                self.lane.widen(file, read_head(file.path, finished=False))
            except (Damaged, OSError):
                return  # It went or was written over; the next scan sees it.


def _is_still(file: Tracked, descriptor: int) -> bool:
    """Whether what was just read is of the content that the file is taken for, and not written over it."""
    stat = os.fstat(descriptor)
    now = stat.st_size, stat.st_mtime_ns
    if now != file.checked and file.identity is not None:
        head = os.pread(descriptor, file.identity.size, 0)
        if stat.st_size < file.offset or digest_of(head) != file.identity.digest:
            return False
        file.checked = now
    return True
