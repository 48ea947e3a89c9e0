"""What the job holds in memory for one partition between two flushes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from monitor.ingest.source import Chunk, FileProgress
from monitor.job.report import Exemplar
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiled
from monitor.profiles.reservoir import Reservoir
from monitor.profiles.samples import SampleSettings
from monitor.records import DeadLetter
from monitor.store.flush import Flush, Rows
from monitor.store.ownership import Claim
from monitor.store.pair_codec import Halves
from monitor.store.read import load_rows
from monitor.store.store import Store

__all__ = ["PartitionState"]

_MAX_DEAD_HELD = 10_000
_MAX_EXEMPLARS = 200
# Above this it is cheaper to read rows again than to hold them, kind by kind and tier by tier.
_MAX_CELLS_KEPT = 400_000
# Entries that a flush adds to stored rows at once: reading, summing and encoding take many times their size.
_CELLS_AT_ONCE = 100_000


class PartitionState:
    """Counts since the last flush, and the absolute sums of the rows that the last flush wrote.

    The `reservoir`, where there is one, picks samples of the records. A flush is prepared once and stays
    `prepared` until it is settled, so that trying again writes the same bytes.
    """

    def __init__(self, claim: Claim, reservoir: Reservoir | None = None) -> None:
        self.claim = claim
        self.reservoir = reservoir
        self.committed = claim.start.position
        self.position = claim.start.position
        self.marks = claim.marks
        self.prepared: Flush | None = None
        self.quiet_since_ms: int | None = None
        self.idle_told_ms: int | None = None
        self._written: dict[tuple[int, int], Profiles] = {}
        self._prepared_rows: dict[tuple[int, int], Profiles] = {}
        self._clear()

    def _clear(self) -> None:
        self.profiles = Profiles()
        self.fresh = Profiles()
        self.predictions: list[Halves] = []
        self.labels: list[Halves] = []
        self.records = 0
        self.label_records = 0
        self.stale = 0
        self.late = 0
        self.too_late = 0
        self.overflowed = 0
        self.dead: list[DeadLetter] = []
        self.dead_counts: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.replayed: list[int] = []
        self.files: dict[str, FileProgress] = {}
        self.exemplars: dict[int, Exemplar] = {}

    @property
    def halves(self) -> int:
        """How many predictions and labels wait for the flush."""
        return sum(map(len, self.predictions)) + sum(map(len, self.labels))

    @property
    def dirty(self) -> bool:
        """True where something was read that is not committed."""
        return self.prepared is not None or self.position != self.committed or bool(self.files)

    def take(self, chunk: Chunk, profiled: Profiled, dead: Sequence[DeadLetter]) -> None:
        """Adds what one chunk came to. The caller adds `fresh`, `stale`, `unknown` and halves itself."""
        self.profiles.add(profiled.profiles)
        self.marks = profiled.marks
        self.position = chunk.next_position
        self.files |= {f.identity: f for f in chunk.files}
        self.late += profiled.late
        self.too_late += profiled.too_late
        self.overflowed += profiled.overflowed
        self.dead += dead
        self.dead_counts.update(d.reason for d in dead)

    def offer(self, exemplars: Mapping[int, Exemplar]) -> None:
        """Keeps the slowest request of each series, of a bounded number of series."""
        for series, exemplar in exemplars.items():
            known = self.exemplars.get(series)
            if (known is None and len(self.exemplars) < _MAX_EXEMPLARS) or (
                known is not None and exemplar.latency_ms > known.latency_ms
            ):
                self.exemplars[series] = exemplar

    def prepare(self, store: Store, tiers_s: Mapping[int, Sequence[int]], now_ms: int) -> Flush:
        """The flush of all that was taken: absolute sums of every row touched. Reads the store."""
        if self.prepared is not None:
            return self.prepared
        rows: list[Rows] = []
        self._prepared_rows = {}
        for kind, tiers in tiers_s.items():
            delta = self.profiles.where(self.profiles.rows.kind == kind)
            for tier_s in tiers:
                if not len(delta):
                    break
                delta = delta if tier_s == tiers[0] else delta.coarser(tier_s)
                rows += self._summed(store, (kind, tier_s), delta)
        self.prepared = Flush(
            partition=self.claim.partition,
            writer=self.claim.writer,
            epoch=self.claim.epoch,
            from_offset=self.committed,
            to_offset=self.position if self.position is not None else 0,
            marks=self.marks,
            rows=rows,
            now_ms=now_ms,
            files=tuple(self.files.values()),
            dead=tuple(self.dead[:_MAX_DEAD_HELD]),
            dead_counts=dict(self.dead_counts),
            unknown_fields=dict(self.unknown),
            replayed=tuple(self.replayed),
            predictions=tuple(self.predictions),
            labels=tuple(self.labels),
            samples=() if self.reservoir is None else self.reservoir.new(),
            sampling=SampleSettings() if self.reservoir is None else self.reservoir.settings,
        )
        return self.prepared

    def _summed(self, store: Store, place: tuple[int, int], delta: Profiles) -> Iterator[Rows]:
        """Whole rows of one kind and tier: what was written before and `delta`. Reads the store."""
        written = self._written.get(place, Profiles())
        kept: Profiles | None = Profiles()
        for part in delta.parts(_CELLS_AT_ONCE):
            summed = written.where(part.has(written.rows))
            summed.add(load_rows(store, self.claim.writer, part.rows[~written.has(part.rows)]))
            summed.add(part)
            yield Rows.of(summed)
            if kept is not None:
                kept.add(summed)
                kept = kept if kept.cells <= _MAX_CELLS_KEPT else None
        if kept is not None:
            self._prepared_rows[place] = kept

    def settled(self) -> None:
        """The prepared flush is committed: what it wrote is what the next one adds to."""
        self.committed = self.position
        self._written, self._prepared_rows = self._prepared_rows, {}
        self.prepared = None
        if self.reservoir is not None:
            self.reservoir.settled()
        self._clear()
