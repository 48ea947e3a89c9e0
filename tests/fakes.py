"""A log in memory, and a source on it that passes partitions on as the test says."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from monitor.ingest.source import Chunk, Lag, Ownership, Partition

__all__ = ["MemoryLog", "MemorySource"]


@dataclass
class MemoryLog:
    """Topics, `topic` first of all; `append_ms` is the same for all messages."""

    topic: str = "memory"
    append_ms: int = 1_800_000_000_000
    values: dict[Partition, list[bytes]] = field(default_factory=dict)

    def append(self, number: int, payload: bytes, topic: str | None = None) -> None:
        self.values.setdefault(Partition(topic or self.topic, number), []).append(payload)

    def chunk(self, partition: Partition, first: int, n: int) -> Chunk:
        """The messages from `first` on, `n` at most."""
        values = self.values[partition][first : first + n]
        end = first + len(values)
        append_ms = np.full(len(values), self.append_ms, np.int64)
        return Chunk(partition, values, np.arange(first, end, dtype=np.int64), end, append_ms)


class MemorySource:
    """Implements Source. What `later` is given happens inside the next poll, which then delivers nothing,
    as a rebalance would.

    `limit` is how many messages of a partition one poll gives at most, where it is set.
    """

    def __init__(self, log: MemoryLog, ownership: Ownership) -> None:
        self._log = log
        self._ownership = ownership
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._events: deque[Callable[[], None]] = deque()
        self.limit: int | None = None

    def later(self, event: Callable[[], None]) -> None:
        """Calls `event`, such as `give` or `lose`, from inside the next poll."""
        self._events.append(event)

    def give(self, partitions: Iterable[Partition]) -> None:
        for partition, start in self._ownership.assigned(list(partitions)).items():
            self._positions[partition] = start.position or 0

    def revoke(self, partitions: Iterable[Partition]) -> None:
        mine = [p for p in partitions if p in self._positions]
        self._ownership.revoked(mine)
        self._forget(mine)

    def lose(self, partitions: Iterable[Partition]) -> None:
        mine = [p for p in partitions if p in self._positions]
        self._ownership.lost(mine)
        self._forget(mine)

    def step_back(self, partition: Partition, n: int) -> None:
        """Delivers the last `n` messages of a partition once more."""
        if partition in self._positions:
            self._positions[partition] = max(0, self._positions[partition] - n)

    @property
    def partitions(self) -> set[Partition]:
        return set(self._positions)

    def _forget(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.discard(partition)

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        if self._events:
            while self._events:
                self._events.popleft()()
            return []
        chunks = []
        for partition, position in self._positions.items():
            if partition not in self._paused and position < len(self._log.values.get(partition, ())):
                chunks.append(self._log.chunk(partition, position, self.limit or max_records))
        for chunk in chunks:
            self._positions[chunk.partition] = chunk.next_position
        return chunks

    def pause(self, partitions: Iterable[Partition]) -> None:
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        self._paused.difference_update(partitions)

    def restart(self, partitions: Iterable[Partition]) -> None:
        self.give(partitions)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        pass

    def lags(self) -> Mapping[Partition, Lag]:
        return {p: Lag(at, len(self._log.values.get(p, ()))) for p, at in self._positions.items()}

    def close(self) -> None:
        self.revoke(list(self._positions))
