"""A directory of JSON-lines files as a source: plain, gzip or zstd, growing, rotated, compressed later.

A file belongs to one of a fixed number of lanes, by its first line; a lane is a partition. The position
of a record is the count of bytes that its lane had consumed when the record's line began, so positions
grow, and `Chunk.files` says how far each file is read. A file keeps its progress when it is renamed,
copied and truncated, or compressed (see `file_identity`); a copy of what is there is not read twice.

Of a file that may still grow only whole lines are read. What it ends with counts as a line once it gets
no longer: it is compressed, or was rotated and has not changed for `settle_ms`, or `follow` is off.
"""

import os
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from monitor.clock import Clock
from monitor.errors import ConfigError, SourceError
from monitor.ingest.file_catalog import Catalog
from monitor.ingest.file_lane import Lane
from monitor.ingest.file_reading import LaneReader
from monitor.ingest.file_tracked import State, Tracked
from monitor.ingest.source import Chunk, Lag, Ownership, Start
from monitor.records import Partition

__all__ = ["DirectorySource"]

_WAIT_S = 0.05
_LEAST_SCAN_S = 0.02
_SCAN_SHARE = 10


class DirectorySource:
    """Reads every file of `path` that matches `pattern`, oldest first, as topic `name`.

    `follow` off: reads what is there at the first poll, torn last lines too, and nothing that comes
    later. `owned`: the lanes to read here when several processes share the directory; None for all.
    `start` says where lanes begin of which the store knows nothing. `problems` counts by kind what went
    wrong with files: damaged, unreadable, deleted_unread, truncated_unread, lost_end; each is logged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        ownership: Ownership,
        *,
        clock: Clock,
        lanes: int = 4,
        name: str | None = None,
        pattern: str = "*.jsonl*",
        follow: bool = True,
        start: Literal["earliest", "latest"] = "earliest",
        max_record_bytes: int = 1 << 20,
        settle_ms: int = 30_000,
        owned: Collection[int] | None = None,
    ) -> None:
        """Raises ConfigError for settings that make no sense, SourceError where the directory is missing."""
        problems = [f"lanes: {lanes} is not at least 1"] if lanes < 1 else []
        problems += [f"owned: there is no lane {n} of {lanes}" for n in owned or () if not 0 <= n < lanes]
        if problems:
            raise ConfigError(problems)
        self._path = os.path.abspath(path)
        if not os.path.isdir(self._path):
            raise SourceError(f"{self._path} is no directory; create it, or correct the path to read from")
        self._topic = name or os.path.basename(self._path)
        self._ownership = ownership
        self._clock = clock
        self._lane_count = lanes
        self._owned = sorted(range(lanes) if owned is None else set(owned))
        self._follow = follow
        self._latest = start == "latest"
        self._max_record_bytes = max_record_bytes
        self._catalog = Catalog(self._path, pattern, lanes, follow, settle_ms)
        self._readers: dict[Partition, LaneReader] = {}
        self._paused: set[Partition] = set()
        self._lags: dict[Partition, Lag] = {}
        self._scans = 0
        self._scanned_s = 0.0
        self._next_scan_s = 0.0
        self._closed = False

    @property
    def problems(self) -> Mapping[str, int]:
        """How many files could not be read to their end, by kind."""
        return self._catalog.problems.counts

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        """See Source. Raises SourceError where the directory can't be listed or the lanes were changed."""
        if self._closed:
            raise SourceError(f"the source of {self._path} is closed")
        self._claim()
        begin = time.monotonic()
        until = begin + timeout_s
        while True:
            self._scan_if_due()
            compared = self._catalog.work()
            chunks, busy = self._read(max_records)
            self._lags = self._measure()
            if chunks:
                return chunks
            if self._scanned_s < begin:
                # "Nothing" is only said after a look, however long ago the last one was due.
                self._next_scan_s = 0.0
                continue
            left = until - time.monotonic()
            if left <= 0:
                return []
            if not (compared or busy):
                time.sleep(min(left, _WAIT_S))

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Source."""
        self._paused.difference_update(partitions)

    def restart(self, partitions: Iterable[Partition]) -> None:
        """See Source. Raises SourceError where what is stored can't be gone on with."""
        mine = [p for p in partitions if p in self._readers]
        if mine:
            self._assign(mine)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """Nobody but the store keeps how far a directory is read."""

    def lags(self) -> Mapping[Partition, Lag]:
        """The bytes left of each lane; of compressed files as they lie on disk, but 0 only at their end."""
        return self._lags

    def close(self) -> None:
        """See Source."""
        if self._closed:
            return
        self._closed = True
        if self._readers:
            self._ownership.revoked(list(self._readers))
        for reader in self._readers.values():
            reader.lane.close()
        self._readers, self._lags = {}, {}
        self._catalog.own({})

    def _claim(self) -> None:
        if not self._readers:
            self._assign([Partition(self._topic, number) for number in self._owned])

    def _assign(self, partitions: list[Partition]) -> None:
        starts = self._ownership.assigned(partitions)
        lanes = {p: Lane(p, starts.get(p, Start(None)), self._lane_count) for p in partitions}
        for partition, lane in lanes.items():
            if partition in self._readers:
                self._readers[partition].lane.close()
            self._readers[partition] = LaneReader(lane, self._catalog, self._max_record_bytes)
        self._catalog.own({p.number: reader.lane for p, reader in self._readers.items()})
        self._next_scan_s = 0.0
        if not self._follow:
            self._scans = 0

    def _scan_if_due(self) -> None:
        """Scans take at most a tenth of the time, however many files there are."""
        begin = time.monotonic()
        done = self._scans > 0 and not self._follow
        if not done and begin < self._next_scan_s:
            return
        self._scanned_s = begin
        if done:
            return
        self._catalog.scan(self._clock.now_ms(), skip_present=self._latest and not self._scans)
        self._scans += 1
        end = time.monotonic()
        self._next_scan_s = end + max(_LEAST_SCAN_S, _SCAN_SHARE * (end - begin))

    def _read(self, max_records: int) -> tuple[list[Chunk], bool]:
        """A chunk of each lane that has one, and whether there is work left that made no chunk yet."""
        queues = self._queues()
        share = max(1, max_records // max(1, len(queues)))
        now_ms = self._clock.now_ms()
        chunks: list[Chunk] = []
        busy = False
        for partition, files in queues.items():
            reader = self._readers[partition]
            chunk = reader.read(files, share, now_ms)
            busy = busy or reader.busy
            if chunk is not None:
                chunks.append(chunk)
        return chunks, busy

    def _queues(self) -> dict[Partition, list[Tracked]]:
        """The files with something to read, by lane, oldest first."""
        queues: dict[Partition, list[Tracked]] = {}
        for file in self._catalog.active:
            if file.state is State.READING and not file.at_end and file.lane is not None:
                partition = file.lane.partition
                if partition not in self._paused:
                    queues.setdefault(partition, []).append(file)
        for files in queues.values():
            files.sort(key=lambda f: (f.stamp.mtime_ns, f.path))
        return queues

    def _measure(self) -> dict[Partition, Lag]:
        left = dict.fromkeys(self._readers, 0)
        for file in self._catalog.active:
            lane = file.lane or (file.original.lane if file.original is not None else None)
            # The lane of a file that is still being compressed is not known: any will do.
            partition = lane.partition if lane is not None else next(iter(left), None)
            if partition in left:
                left[partition] += self._catalog.left(file)
        return {p: Lag(r.lane.position, r.lane.position + left[p]) for p, r in self._readers.items()}
