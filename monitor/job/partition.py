"""What the job holds in memory for one partition between two flushes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.ingest.events.decode import Event
from monitor.ingest.source import Chunk, FileProgress
from monitor.job.report import Exemplar
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiled
from monitor.profiles.reservoir import Reservoir
from monitor.profiles.sample_rows import Sample
from monitor.profiles.samples import SampleSettings
from monitor.profiles.watermark import Marks
from monitor.records import DeadLetter
from monitor.store.flush import Flush, Rows
from monitor.store.ownership import Claim
from monitor.store.pair_codec import Halves
from monitor.store.read import load_rows
from monitor.store.store import Store

__all__ = ["PartitionState", "Taken"]

_MAX_DEAD_HELD = 10_000
_MAX_EXEMPLARS = 200
# Above this it is cheaper to read rows again than to hold them, kind by kind and tier by tier.
_MAX_CELLS_KEPT = 400_000
# Entries that a flush adds to stored rows at once: reading, summing and encoding take many times their size.
_CELLS_AT_ONCE = 100_000


@dataclass(slots=True)
class Taken:
    """What was taken of a partition between two cuts, up to `position`, and the marks that it came to."""

    position: int | None
    marks: Marks
    profiles: Profiles = field(default_factory=Profiles)
    fresh: Profiles = field(default_factory=Profiles)
    predictions: list[Halves] = field(default_factory=list)
    labels: list[Halves] = field(default_factory=list)
    records: int = 0
    label_records: int = 0
    stale: int = 0
    late: int = 0
    too_late: int = 0
    overflowed: int = 0
    dead: list[DeadLetter] = field(default_factory=list)
    dead_counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    replayed: list[int] = field(default_factory=list)
    files: dict[str, FileProgress] = field(default_factory=dict)
    exemplars: dict[int, Exemplar] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    events: list[Event] = field(default_factory=list)

    @property
    def halves(self) -> int:
        """How many predictions and labels there are."""
        return sum(map(len, self.predictions)) + sum(map(len, self.labels))

    def add(self, chunk: Chunk, profiled: Profiled, dead: Sequence[DeadLetter]) -> None:
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


class PartitionState:
    """What was `taken` and not flushed yet, what is being flushed, and the absolute sums of the rows that the
    last flush wrote.

    `cut` sets apart what was taken so far, for one flush; taking may go on meanwhile, in another thread. That
    flush is prepared once and stays `prepared` until it is settled, so that trying again writes the same
    bytes. The `reservoir`, where there is one, picks samples of the records.
    """

    def __init__(self, claim: Claim, reservoir: Reservoir | None = None) -> None:
        self.claim = claim
        self.reservoir = reservoir
        self.committed = claim.start.position
        self.taken = Taken(claim.start.position, claim.marks)
        self.flushing: Taken | None = None
        self.prepared: Flush | None = None
        self.quiet_since_ms: int | None = None
        self.idle_told_ms: int | None = None
        self._written: dict[tuple[int, int], Profiles] = {}
        self._prepared_rows: dict[tuple[int, int], Profiles] = {}

    @property
    def position(self) -> int | None:
        """The position of the next message to take."""
        return self.taken.position

    @property
    def marks(self) -> Marks:
        """The marks of event time, with all that was taken."""
        return self.taken.marks

    @property
    def pending(self) -> int:
        """Records, labels and events that are not committed."""
        parts = (self.taken,) if self.flushing is None else (self.flushing, self.taken)
        return sum(part.records + part.label_records + len(part.events) for part in parts)

    @property
    def waiting(self) -> bool:
        """True where something was taken since the last cut."""
        before = self.committed if self.flushing is None else self.flushing.position
        return self.position != before or bool(self.taken.files)

    @property
    def dirty(self) -> bool:
        """True where something was read that is not committed."""
        return self.flushing is not None or self.waiting

    def cut(self) -> Taken:
        """Sets apart what was taken, unless there is something already, and returns it."""
        if self.flushing is None:
            self.flushing, self.taken = self.taken, Taken(self.taken.position, self.taken.marks)
            if self.reservoir is not None:
                self.flushing.samples = self.reservoir.take()
        return self.flushing

    def prepare(self, store: Store, tiers_s: Mapping[int, Sequence[int]], now_ms: int) -> Flush:
        """The flush of what was cut: absolute sums of every row touched. Reads the store."""
        if self.prepared is not None:
            return self.prepared
        taken = self.cut()
        rows: list[Rows] = []
        self._prepared_rows = {}
        for kind, tiers in tiers_s.items():
            delta = taken.profiles.where(taken.profiles.rows.kind == kind)
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
            to_offset=taken.position if taken.position is not None else 0,
            marks=taken.marks,
            rows=rows,
            now_ms=now_ms,
            files=tuple(taken.files.values()),
            dead=tuple(taken.dead[:_MAX_DEAD_HELD]),
            dead_counts=dict(taken.dead_counts),
            unknown_fields=dict(taken.unknown),
            replayed=tuple(taken.replayed),
            predictions=tuple(taken.predictions),
            labels=tuple(taken.labels),
            samples=taken.samples,
            events=tuple(taken.events),
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
        if self.flushing is not None:
            self.committed = self.flushing.position
        self._written, self._prepared_rows = self._prepared_rows, {}
        self.prepared = self.flushing = None
