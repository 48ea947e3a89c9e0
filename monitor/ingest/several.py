"""Several sources as one: such as a Kafka topic and the spool of posted records."""

from collections.abc import Iterable, Mapping, Sequence

from monitor.ingest.source import Chunk, Lag, Source
from monitor.records import Partition

__all__ = ["SeveralSources"]


class SeveralSources:
    """Polls its sources in turn. Their topics must differ, for a partition belongs to one of them."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        each = timeout_s / len(self._sources)
        return [chunk for source in self._sources for chunk in source.poll(max_records, each)]

    def pause(self, partitions: Iterable[Partition]) -> None:
        for source, mine in self._split(partitions):
            source.pause(mine)

    def resume(self, partitions: Iterable[Partition]) -> None:
        for source, mine in self._split(partitions):
            source.resume(mine)

    def restart(self, partitions: Iterable[Partition]) -> None:
        for source, mine in self._split(partitions):
            source.restart(mine)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        for source, mine in self._split(positions):
            source.committed({p: positions[p] for p in mine})

    def lags(self) -> Mapping[Partition, Lag]:
        return {p: lag for source in self._sources for p, lag in source.lags().items()}

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _split(self, partitions: Iterable[Partition]) -> list[tuple[Source, list[Partition]]]:
        wanted = list(partitions)
        split = [(source, [p for p in wanted if p in source.lags()]) for source in self._sources]
        return [(source, mine) for source, mine in split if mine]
