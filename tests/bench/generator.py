"""A source without a broker: the same records for ever, at times that move on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.ingest.source import Chunk, Lag, Ownership
from monitor.records import Partition
from tests.bench.records import BEGIN_MS

__all__ = ["Generator", "Stream"]


@dataclass(frozen=True, slots=True)
class Stream:
    """`tails` are records less `{"ts":N`; time moves on by `per_s` records a second, and every record lies up
    to `spread_ms` before it. Partition p gets the chunks p, p + partitions, .."""

    tails: Sequence[bytes]
    records: int
    partitions: int = 4
    per_s: int = 10_000
    spread_ms: int = 180_000


class Generator:
    """Implements Source; holds nothing but the tails, so that what grows is the product."""

    def __init__(self, stream: Stream, ownership: Ownership) -> None:
        self._stream = stream
        self._ownership = ownership
        self._topic = [Partition("generated", p) for p in range(stream.partitions)]
        self._positions = dict.fromkeys(self._topic, 0)
        self._assigned = False
        self._rng = np.random.default_rng(3)
        self.made = 0

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        if not self._assigned:
            self._ownership.assigned(self._topic)
            self._assigned = True
        n = min(max_records // len(self._topic), self._stream.records - self.made)
        if timeout_s <= 0 or n <= 0:
            return []
        partition = self._topic[self.made // n % len(self._topic)]
        chunk = self._chunk(partition, n)
        self.made += n
        return [chunk]

    def _chunk(self, partition: Partition, n: int) -> Chunk:
        stream, first = self._stream, self._positions[partition]
        now_ms = BEGIN_MS + stream.spread_ms + self.made * 1000 // stream.per_s
        times = (now_ms - self._rng.integers(0, stream.spread_ms, n)).tolist()
        at = self.made % len(stream.tails)
        tails = [*stream.tails[at : at + n]]
        while len(tails) < n:
            tails += stream.tails[: n - len(tails)]
        values = [b'{"ts":%d%b' % pair for pair in zip(times, tails, strict=True)]
        self._positions[partition] = first + n
        positions = np.arange(first, first + n, dtype=np.int64)
        return Chunk(partition, values, positions, first + n, np.full(n, now_ms, np.int64))

    def pause(self, partitions: Iterable[Partition]) -> None:
        raise RuntimeError("the store of a measurement was busy")

    def resume(self, partitions: Iterable[Partition]) -> None: ...

    def restart(self, partitions: Iterable[Partition]) -> None: ...

    def committed(self, positions: Mapping[Partition, int]) -> None: ...

    def lags(self) -> Mapping[Partition, Lag]:
        left = self._stream.records - self.made
        return {p: Lag(at, at + left) for p, at in self._positions.items()}

    def close(self) -> None:
        self._ownership.revoked(self._topic)
