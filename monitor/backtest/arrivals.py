"""When the lines of raw logs came: in their order, at the time that the stream had by then.

A raw log has no times of arrival. A line is taken to have come when the log had got to: at the highest
timestamp so far. Clocks are wrong now and then, so that a jump of more than an hour counts only if most
of the lines that follow are past it too; what nobody follows is left far ahead of its arrival, and is a dead
letter, as it would be in the service.
"""

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.errors import SourceError
from monitor.ingest.checks import BadRecord, parse, time_of
from monitor.ingest.contract import Timestamp
from monitor.ingest.file_lines import LineReader, Lines
from monitor.ingest.file_streams import Damaged, open_stream
from monitor.ingest.validate import has_sense
from monitor.ingest.values import BAD_TS, times_of
from monitor.records import Ints

__all__ = ["Arrival", "arrival_ms", "arrivals"]

_JUMP_MS = 3_600_000
_LOOK_AHEAD = 21
_AT_ONCE = 5_000
_UNKNOWN = int(BAD_TS)


class Arrival(NamedTuple):
    """A line, when it came, ms, and the timestamp that it bears (None where there is none to be read)."""

    came_ms: int
    ts_ms: int | None
    value: bytes
    path: Path
    offset: int
    is_label: bool


class _Time(msgspec.Struct):
    ts: Timestamp


_time = msgspec.json.Decoder(_Time)


def arrivals(logs: Sequence[Path], labels: Sequence[Path], max_record_bytes: int) -> Iterator[Arrival]:
    """The lines of all files (JSON lines, plain or compressed) in the order in which they came.

    Raises SourceError for a file that can't be read.
    """
    files = [_of_file(path, max_record_bytes, is_label=False) for path in logs]
    files += [_of_file(path, max_record_bytes, is_label=True) for path in labels]
    return heapq.merge(*files, key=attrgetter("came_ms"))


def _of_file(path: Path, max_record_bytes: int, *, is_label: bool) -> Iterator[Arrival]:
    came_before_ms = _UNKNOWN
    waiting: list[tuple[bytes, int]] = []
    times: list[int] = []
    for lines in _lines(path, max_record_bytes):
        waiting += zip(lines.values, lines.offsets.tolist(), strict=True)
        times += map(_ts_ms, lines.values)
        # The last lines wait for those that follow them; at the end nothing does.
        n = len(waiting) - (_LOOK_AHEAD if lines.values else 0)
        if n <= 0:
            continue
        came = arrival_ms(np.array(times, np.int64), came_before_ms)
        for (value, offset), ts_ms, came_ms in zip(waiting[:n], times[:n], came[:n].tolist(), strict=True):
            yield Arrival(came_ms, None if ts_ms == _UNKNOWN else ts_ms, value, path, offset, is_label)
        came_before_ms = int(came[n - 1])
        del waiting[:n], times[:n]


def _lines(path: Path, max_record_bytes: int) -> Iterator[Lines]:
    """The lines of a file, many at a time; the last are none."""
    try:
        reader = LineReader(open_stream(str(path)), 0, max_record_bytes)
    except OSError as e:
        raise SourceError(f"{path}: can't be read: {(e.strerror or str(e)).lower()}") from None
    try:
        while not reader.at_end:
            lines = reader.take(_AT_ONCE)
            if lines.values:
                yield lines
        last = reader.finish()
        if last.values:
            yield last
        if reader.stream.compressed and not reader.stream.ended:
            raise SourceError(f"{path}: ends in the midst of compressed data; repair it or leave it out")
        yield Lines([], np.empty(0, np.int64), last.end)
    except (Damaged, OSError) as e:
        raise SourceError(f"{path}: can't be read to its end: {e}; repair the file or leave it out") from None
    finally:
        reader.close()


def _ts_ms(line: bytes) -> int:
    """The timestamp of a line as the job reads it; the lowest int64 for one that it would refuse."""
    ts: Timestamp | None
    try:
        ts = _time.decode(line).ts
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        ts = _patiently(line)
    millis = times_of([ts], 1)
    return int(millis[0]) if has_sense(millis)[0] else _UNKNOWN


def _patiently(line: bytes) -> Timestamp | None:
    """The timestamp of a line that is not strict JSON, or has it in another form; None where it has none."""
    try:
        said = parse(line)
        return time_of("ts", said["ts"]) if isinstance(said, dict) and said.get("ts") is not None else None
    except BadRecord:
        return None


def arrival_ms(ts_ms: Ints, before_ms: int = _UNKNOWN) -> Ints:
    """When each of the lines came (int64, ascending), for timestamps (int64; the lowest int64 where there is
    none) in the order of the log; `before_ms` is when the line before them came.

    It is the highest timestamp so far of those that are at most an hour past it, or past the median of the
    next lines. Lines before the first timestamp came with it.
    """
    known = np.flatnonzero(ts_ms != _UNKNOWN)
    if not len(known):
        return np.full(len(ts_ms), max(before_ms, 0), np.int64)
    so_far = _highest(ts_ms[known], before_ms)
    place = np.searchsorted(known, np.arange(len(ts_ms)), side="right") - 1
    found: Ints = so_far[np.maximum(place, 0)]
    if before_ms != _UNKNOWN:
        found[: known[0]] = before_ms
    return found


def _highest(times: Ints, before_ms: int) -> Ints:
    """The highest of `times` so far that can be trusted, and no less than `before_ms`."""
    median = _median_ahead(times)
    first_ms = int(min(times[0], median[0])) if before_ms == _UNKNOWN else before_ms
    trusted = times <= median + _JUMP_MS
    while True:
        so_far = np.maximum.accumulate(np.where(trusted, np.maximum(times, first_ms), first_ms))
        near = times <= np.concatenate(([first_ms], so_far[:-1])) + _JUMP_MS
        if not (near & ~trusted).any():
            return so_far
        trusted |= near


def _median_ahead(times: Ints) -> Ints:
    """The lower median of each time and those right after it; of the last two that of the one before, for
    nothing much follows them."""
    padded = np.concatenate((times, np.full(_LOOK_AHEAD - 1, np.iinfo(np.int64).max)))
    ahead = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _LOOK_AHEAD), axis=1)
    n = np.minimum(len(times) - np.arange(len(times)), _LOOK_AHEAD)
    median: Ints = ahead[np.arange(len(times)), (n - 1) // 2]
    median[-2:] = median[-3] if len(median) > 2 else times.min()
    return median
