"""An Ownership in memory, as the store keeps it: epochs fence, and progress is what was committed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from monitor.ingest.source import Chunk, FileProgress, Start
from monitor.records import Partition


@dataclass
class Progress:
    """What the store would know; shared by all owners of a test."""

    positions: dict[Partition, int] = field(default_factory=dict)
    files: dict[Partition, dict[str, FileProgress]] = field(default_factory=dict)
    epochs: dict[Partition, int] = field(default_factory=dict)
    records: dict[Partition, list[tuple[int, bytes]]] = field(default_factory=dict)


class MemoryOwnership:
    """Keeps what it is handed until `flush`, as the job does; a revocation flushes, a loss forgets."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self.owned: dict[Partition, int] = {}
        self.pending: dict[Partition, list[Chunk]] = {}
        self.calls: list[tuple[str, frozenset[Partition]]] = []

    def assigned(self, partitions: Iterable[Partition]) -> Mapping[Partition, Start]:
        partitions = list(partitions)
        self.calls.append(("assigned", frozenset(partitions)))
        starts = {}
        for partition in partitions:
            epoch = self.progress.epochs.get(partition, 0) + 1
            self.progress.epochs[partition] = self.owned[partition] = epoch
            self.pending.pop(partition, None)
            files = self.progress.files.get(partition, {})
            starts[partition] = Start(self.progress.positions.get(partition), tuple(files.values()))
        return starts

    def revoked(self, partitions: Iterable[Partition]) -> None:
        partitions = list(partitions)
        self.calls.append(("revoked", frozenset(partitions)))
        for partition in partitions:
            self._flush(partition)
            self.owned.pop(partition, None)

    def lost(self, partitions: Iterable[Partition]) -> None:
        partitions = list(partitions)
        self.calls.append(("lost", frozenset(partitions)))
        for partition in partitions:
            self.owned.pop(partition, None)
            self.pending.pop(partition, None)

    def take(self, chunks: Iterable[Chunk]) -> int:
        """Keeps chunks for the next flush; returns how many records they hold."""
        count = 0
        for chunk in chunks:
            check(chunk)
            if chunk.partition in self.owned:
                self.pending.setdefault(chunk.partition, []).append(chunk)
                count += len(chunk.values)
        return count

    def flush(self) -> dict[Partition, int]:
        """Commits what was taken; returns the positions, as a source is told them."""
        done = list(self.pending)
        for partition in done:
            self._flush(partition)
        return {p: self.progress.positions[p] for p in done if p in self.progress.positions}

    def _flush(self, partition: Partition) -> None:
        chunks = self.pending.pop(partition, [])
        if self.owned.get(partition) != self.progress.epochs.get(partition):
            self.owned.pop(partition, None)
            return
        for chunk in chunks:
            read = self.progress.records.setdefault(partition, [])
            read += zip(chunk.positions.tolist(), chunk.values, strict=True)
            self.progress.positions[partition] = chunk.next_position
            self.progress.files.setdefault(partition, {}).update({f.identity: f for f in chunk.files})


def check(chunk: Chunk) -> None:
    """What holds of every chunk of every source."""
    positions = chunk.positions.tolist()
    assert positions, "a chunk has records"
    assert len(positions) == len(chunk.values) == len(chunk.append_ms)
    assert chunk.positions.dtype == chunk.append_ms.dtype == "int64"
    assert all(a < b for a, b in pairwise(positions)), "positions grow"
    assert positions[-1] < chunk.next_position
    assert all(type(value) is bytes for value in chunk.values)
    assert not chunk.origins or len(chunk.origins) == len(positions)
