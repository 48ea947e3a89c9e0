"""Feeding the demo's logs into files: the history at once, the last minutes as they happen."""

import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from monitor.clock import Clock, StreamClock

__all__ = ["Feeder"]

_SLICE = 2_000


class _Time(msgspec.Struct):
    ts: int


_time = msgspec.json.Decoder(_Time)


class Feeder:
    """Appends lines to the file `path`, in a thread of its own, as the clock reaches their time.

    On a StreamClock nothing waits: the clock moves to each line's time before the line is written.
    """

    def __init__(self, lines: Iterable[bytes], path: Path, clock: Clock) -> None:
        self._lines = lines
        self._path = path
        self._clock = clock
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self.written = 0

    @property
    def ended(self) -> bool:
        """Whether every line is written."""
        return self._ended.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends feeding, wherever it is. Blocks for a moment."""
        self._stop.set()
        self._thread.join(5)

    def join(self) -> None:
        """Blocks until every line is written, or `stop`."""
        self._thread.join()

    def _feed(self) -> None:
        with open(self._path, "ab", buffering=0) as file:
            lines = iter(self._lines)
            ts_ms = 0
            while slice_ := list(islice(lines, _SLICE)):
                times = list(_times(slice_, ts_ms))
                ts_ms = times[-1]
                if isinstance(self._clock, StreamClock):
                    self._clock.advance_to(max(times))
                at = 0
                while at < len(slice_) and not self._stop.is_set():
                    due = self._due(times, at)
                    file.write(b"\n".join(slice_[at:due]) + b"\n" if due > at else b"")
                    self.written += due - at
                    at = due
                    if at < len(slice_):
                        self._stop.wait(0.2)
                if self._stop.is_set():
                    return
        self._ended.set()

    def _due(self, times: list[int], at: int) -> int:
        now_ms = self._clock.now_ms()
        while at < len(times) and times[at] <= now_ms:
            at += 1
        return at


def _times(lines: list[bytes], before_ms: int) -> Iterator[int]:
    """When each line is due: its own time, or that of the line before where it has none that makes sense."""
    for line in lines:
        try:
            ts_ms = _time.decode(line).ts
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            ts_ms = before_ms
        # Late and mistaken times must not stop the log: it is in order of arrival.
        before_ms = (
            max(before_ms, ts_ms) if abs(ts_ms - before_ms) < 3_600_000 or not before_ms else before_ms
        )
        yield before_ms
