"""Ways to read a source to its end, with a deadline."""

import time
from collections.abc import Iterable

from monitor.ingest.source import Chunk, Source
from tests.ingest.ownership import MemoryOwnership

DEADLINE_S = 30.0


def drain(source: Source, ownership: MemoryOwnership, most: int = 10_000) -> list[Chunk]:
    """Polls until every partition that is owned has proven zero lag; what came is taken, not flushed."""
    chunks: list[Chunk] = []
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        found = source.poll(most, 0.1)
        ownership.take(found)
        chunks += found
        lags = source.lags()
        if not found and lags and all(lag.behind == 0 for lag in lags.values()):
            return chunks
    raise AssertionError(f"not caught up after {DEADLINE_S} s: {source.lags()}")


def poll_until(source: Source, ownership: MemoryOwnership, count: int) -> list[Chunk]:
    """Polls until at least `count` records came."""
    chunks: list[Chunk] = []
    until = time.monotonic() + DEADLINE_S
    while sum(len(c.values) for c in chunks) < count:
        assert time.monotonic() < until, f"only {values_of(chunks)} of {count} records came"
        found = source.poll(10_000, 0.1)
        ownership.take(found)
        chunks += found
    return chunks


def values_of(chunks: Iterable[Chunk]) -> list[bytes]:
    return [value for chunk in chunks for value in chunk.values]
