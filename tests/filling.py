"""Writing records into a store the way the job does, without a source."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.ingest.decode import Decoder
from monitor.job.partition import PartitionState
from monitor.job.settings import JobSettings
from monitor.profiles.profiler import Profiler
from monitor.profiles.reservoir import Reservoir
from monitor.records import Partition
from monitor.store import Store, ownership
from monitor.store.flush import commit
from monitor.store.names import threshold_ids
from monitor.store.registry import StoreRegistry
from tests.builders import NOW_MS, PARTITION, chunk, encode

__all__ = ["SETTINGS", "Writer", "fill"]

SETTINGS = JobSettings(owner="test")


class Writer:
    """One partition's way into the store: `take` decodes and counts, `flush` commits."""

    def __init__(
        self,
        store: Store,
        partition: Partition = PARTITION,
        settings: JobSettings = SETTINGS,
        now_ms: int = NOW_MS,
    ) -> None:
        self.store, self.settings, self.now_ms = store, settings, now_ms
        self.registry = StoreRegistry(store, settings.registry, settings.features_s, lambda: now_ms)
        thresholds = threshold_ids(store, settings.thresholds_ms, now_ms)
        self._profiler = Profiler(self.registry, settings.profiler(thresholds))
        self._decoder = Decoder(settings.decoder)
        reservoir = Reservoir(settings.samples, self.registry.series)
        self.state = PartitionState(ownership.claim(store, partition, settings.owner, now_ms), reservoir)

    def take(self, records: Sequence[Mapping[str, Any] | bytes]) -> None:
        """Takes the next messages of the partition."""
        values = [r if isinstance(r, bytes) else encode(r) for r in records]
        partition = self.state.claim.partition
        part = chunk(values, self.state.position or 0, self.now_ms, partition)
        decoded = self._decoder.decode(part)
        profiled = self._profiler.profile(decoded.batch, self.state.marks)
        if self.state.reservoir is not None:
            self.state.reservoir.offer(decoded.batch, profiled.dropped, profiled.notes)
        self.state.taken.add(part, profiled, decoded.dead)
        self.state.taken.unknown.update(decoded.batch.unknown_fields)

    def flush(self) -> None:
        """Commits what was taken. Raises Fenced when the partition has another owner."""
        flush = self.state.prepare(self.store, self.settings.tiers_s, self.now_ms)
        commit(self.store, flush, self.settings.dead_letters)
        self.state.settled()


def fill(
    store: Store, records: Sequence[Mapping[str, Any] | bytes], partition: Partition = PARTITION
) -> Writer:
    """Writes the records in one flush."""
    writer = Writer(store, partition)
    writer.take(records)
    writer.flush()
    return writer
