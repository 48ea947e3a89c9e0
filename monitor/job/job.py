"""The main job: poll, decode, profile, flush; one loop, and one thread but for flushes to a server.

The loop reads no more than one flush ahead of the one under way, so a slow store makes the reader wait
and nothing grows. Losing a partition costs what was not flushed; its next owner reads it again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from monitor import failpoints
from monitor.clock import Clock
from monitor.errors import OffsetGone, StoreBusy
from monitor.ingest.decode import Decoder
from monitor.ingest.events.decode import EventDecoder
from monitor.ingest.labels import LabelDecoder
from monitor.ingest.source import Chunk, Ownership, Source, Start
from monitor.job.events import EventTaker
from monitor.job.flushing import Flusher, Round, Written
from monitor.job.halves import label_halves, prediction_halves
from monitor.job.live import exemplars_of, fresh_of
from monitor.job.partition import PartitionState
from monitor.job.report import CommittedFlush, JobStatus, Observer
from monitor.job.settings import JobSettings
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiled, Profiler
from monitor.profiles.reservoir import Reservoir
from monitor.profiles.watermark import PartitionMark, advance, overall
from monitor.records import Batch, Carries, Partition
from monitor.store import ownership
from monitor.store.names import threshold_ids
from monitor.store.pair_codec import Halves
from monitor.store.pairing import Pairing
from monitor.store.registry import StoreRegistry
from monitor.store.store import Store

__all__ = ["Job"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
# Others wait for the one writer that SQLite has, so its transactions are shorter.
_SQLITE_HALVES = 10_000
# Decoded, a message takes several times its bytes, so that wide records come in smaller polls. How many of
# a chunk are looked at to know how wide they are.
_POLL_BYTES = 48 << 20
_MEASURED = 100
_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Task(Protocol):
    """Work beside the stream, such as retention; called every second or so, must be quick."""

    def run(self, status: JobStatus) -> None: ...


class Job(Ownership):
    """Runs a source into a store. `run` blocks; `stop` may be called from anywhere.

    `open_source` is given the job as the source's Ownership.
    """

    def __init__(
        self,
        store: Store,
        open_source: Callable[[Ownership], Source],
        settings: JobSettings,
        clock: Clock,
        observers: Sequence[Observer] = (),
        tasks: Sequence[Task] = (),
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._observers = observers
        self._tasks = tasks
        self._thresholds = threshold_ids(store, settings.thresholds_ms, clock.now_ms())
        self._registry = StoreRegistry(store, settings.registry, settings.features_s, clock.now_ms)
        self._profiler = Profiler(self._registry, settings.profiler(self._thresholds))
        self._decoder = Decoder(
            settings.decoder,
            max_record_bytes=settings.max_record_bytes,
            max_ahead_ms=settings.max_ahead_ms,
            positive=settings.positive_classes,
        )
        self._labels = LabelDecoder(
            max_record_bytes=settings.max_record_bytes, max_ahead_ms=settings.max_ahead_ms
        )
        decoder = EventDecoder(max_record_bytes=settings.max_record_bytes, max_ahead_ms=settings.max_ahead_ms)
        self._events = EventTaker(store, decoder, settings.models)
        self._flusher = Flusher(store, settings, Pairing(store, settings.pairing), clock.now_ms)
        self._states: dict[Partition, PartitionState] = {}
        self._failed: dict[Partition, str] = {}
        self._fenced: set[Partition] = set()
        self._stop = threading.Event()
        self._problem: str | None = "starting"
        self._paused = False
        self._records = 0
        self._flush_s = 0.0
        self._mean_bytes = 1.0
        self._watermark_ms: int | None = None
        self._last_commit_ms: int | None = None
        self._source = open_source(self)

    def stop(self) -> None:
        """Asks `run` to flush once and return."""
        self._stop.set()

    def close(self) -> None:
        """Gives up the source without running; `run` does so by itself."""
        self._source.close()

    def status(self) -> JobStatus:
        """How it is doing; any thread may ask."""
        return JobStatus(
            ready=self._problem is None,
            problem=self._problem,
            lags=self._source.lags(),
            watermark_ms=self._watermark_ms,
            paused=self._paused,
            records=self._records,
            pending_records=sum(s.pending for s in list(self._states.values())),
            last_commit_ms=self._last_commit_ms,
            failed_partitions=dict(self._failed),
        )

    def run(self, until_caught_up: bool = False) -> None:
        """Runs until `stop`, or until the lag is zero and all is committed.

        Raises SourceError where the source can't be read at all; what was read is flushed first.
        """
        last_flush = last_tasks = time.monotonic()
        self._problem = None
        try:
            while not self._stop.is_set():
                self.step()
                if self._flusher.due and self._settle(self._flusher.end()) is not None:
                    self.flush()
                now = time.monotonic()
                due = now - last_flush >= self._flush_after_s()
                done = until_caught_up and self._caught_up()
                if done:
                    self.flush()
                elif (due or self._full()) and self._flush_beside():
                    last_flush = time.monotonic()
                if done and self._caught_up() and not any(s.dirty for s in self._states.values()):
                    self._housekeeping(proven=True)
                    return
                if now - last_tasks >= 1.0 or done:
                    self._housekeeping()
                    last_tasks = now
        finally:
            self._problem = "stopping"
            self._source.close()
            self._flusher.close()
            self._housekeeping()

    def _full(self) -> bool:
        """Whether as much waits as one flush may carry: transactions stay short."""
        records = sum(s.taken.records for s in self._states.values())
        return records >= self._settings.flush_records or self._room() <= 0

    def _room(self) -> int:
        """How many more halves of pairs may be taken before a flush."""
        most = self._settings.flush_halves
        if self._store.is_sqlite:
            most = min(most, _SQLITE_HALVES)
        return most - sum(s.taken.halves for s in self._states.values())

    def _flush_after_s(self) -> float:
        """How long to collect before the next flush: far behind, no more than a tenth of the time goes
        into flushes, for each writes the hour's and the day's rows anew."""
        interval_s = self._settings.flush_interval_ms / 1000
        behind = sum(lag.behind or 0 for lag in self._source.lags().values())
        if behind < self._settings.poll_records:
            return interval_s
        return min(max(interval_s, 10 * self._flush_s), 5 * interval_s)

    def step(self) -> int:
        """Polls once and takes what came; returns how many messages that were."""
        try:
            most = min(self._settings.poll_records, int(_POLL_BYTES / self._mean_bytes))
            if self._settings.pairs:
                most = min(most, max(self._room(), 1))
            chunks = self._source.poll(most, self._settings.poll_timeout_s)
        except OffsetGone as e:
            self._give_up(e)
            return 0
        some = [len(value) for chunk in chunks for value in chunk.values[:_MEASURED]]
        if some:
            self._mean_bytes = max(1.0, sum(some) / len(some))
        for state, chunk in [(self._states.get(chunk.partition), chunk) for chunk in chunks]:
            self._take(state, chunk)
        return sum(len(chunk.values) for chunk in chunks)

    def _give_up(self, error: OffsetGone) -> None:
        partition = error.partition
        if partition is None:
            raise error
        self._failed[partition] = str(error)
        self._fenced.add(partition)
        _log.error("partition stopped", extra={"partition": str(partition), "reason": str(error)})

    def _caught_up(self) -> bool:
        lags = self._source.lags()
        working = {p: lag for p, lag in lags.items() if p not in self._failed}
        return bool(lags) and all(lag.behind == 0 for lag in working.values())

    def _take(self, state: PartitionState | None, chunk: Chunk) -> None:
        if state is None or self._states.get(chunk.partition) is not state:
            return  # It changed hands since it was read; its owner reads on from what is committed.
        if state.position is not None and len(chunk.positions) and chunk.positions[0] < state.position:
            chunk = chunk.since(state.position)
            if not chunk.values:
                return
        match self._carries(chunk.partition):
            case Carries.LABELS:
                self._take_labels(state, chunk)
            case Carries.EVENTS:
                self._take_events(state, chunk)
            case Carries.RECORDS:
                self._take_records(state, chunk)

    def _take_records(self, state: PartitionState, chunk: Chunk) -> None:
        decoded = self._decoder.decode(chunk)
        batch = decoded.batch

        def profile() -> tuple[Profiled, list[Halves]]:
            profiled = self._profiler.profile(batch, state.marks)
            halves = self._halves(state, batch, profiled)
            if state.reservoir is not None:
                state.reservoir.offer(batch, profiled.dropped, profiled.notes)
            return profiled, halves

        found = self._patiently(state, profile)
        if found is None:
            return
        profiled, halves = found
        taken = state.taken
        taken.add(chunk, profiled, decoded.dead)
        taken.predictions += halves
        taken.unknown.update(batch.unknown_fields)
        taken.records += len(batch)
        state.quiet_since_ms = None
        since_ms = self._clock.now_ms() - self._settings.catch_up_age_ms
        fresh, stale = fresh_of(self._profiler, batch, profiled, since_ms)
        taken.fresh.add(fresh)
        taken.stale += stale
        taken.offer(exemplars_of(batch, since_ms, self._registry))
        self._records += len(batch)

    def _carries(self, partition: Partition) -> Carries:
        return self._settings.carries.get(partition.topic, Carries.RECORDS)

    def _reservoir(self) -> Reservoir | None:
        settings = self._settings.samples
        return Reservoir(settings, self._registry.series) if settings.per_window else None

    def _halves(self, state: PartitionState, batch: Batch, profiled: Profiled) -> list[Halves]:
        if not self._settings.pairs:
            return []
        writer, samples = state.claim.writer, self._settings.pair_samples
        return prediction_halves(batch, profiled.dropped, self._profiler, writer, samples)

    def _take_labels(self, state: PartitionState, chunk: Chunk) -> None:
        decoded = self._labels.decode(chunk)
        batch = decoded.batch
        _, marks = advance(state.marks, batch.ts_ms, self._settings.disorder_ms)
        taken = state.taken
        taken.add(chunk, Profiled(Profiles(), marks, 0, 0, 0), decoded.dead)
        taken.labels += label_halves(batch, state.claim.writer, self._settings.pair_samples)
        taken.unknown.update(batch.unknown_fields)
        taken.label_records += len(batch)
        state.quiet_since_ms = None

    def _take_events(self, state: PartitionState, chunk: Chunk) -> None:
        taken = state.taken
        pending = [*(() if state.flushing is None else state.flushing.events), *taken.events]
        decoded = self._patiently(state, lambda: self._events.take(chunk, pending))
        if decoded is None:
            return
        times = np.fromiter((event.ts_ms for event in decoded.events), np.int64, len(decoded.events))
        _, marks = advance(state.marks, times, self._settings.disorder_ms)
        taken.add(chunk, Profiled(Profiles(), marks, 0, 0, 0), decoded.dead)
        taken.events += decoded.events
        taken.unknown.update(decoded.unknown)
        state.quiet_since_ms = None

    def _patiently(self, state: PartitionState, take: Callable[[], T]) -> T | None:
        """What `take` gives, asked again while the store is away; None where the partition was lost."""
        while True:
            try:
                return take()
            except StoreBusy as e:
                self._wait(str(e), 1.0)
                if self._stop.is_set() or self._states.get(state.claim.partition) is not state:
                    return None

    def flush(self) -> None:
        """Flushes every partition that has something; waits as long as the store is away."""
        attempt = 0
        busy = self._settle(self._flusher.end())
        while True:
            dirty = [s for s in self._states.values() if s.dirty]
            if busy is None and dirty:
                busy = self._settle(self._flusher.run(dirty))
            if busy is None:
                break
            self._wait(str(busy), _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
            busy = None
            attempt += 1
            if self._stop.is_set() and attempt > 1:
                return
        self._problem, self._paused = None, False

    def _flush_beside(self) -> bool:
        """Begins a flush and lets the stream go on; False where one is under way and there is still room.

        A database server works while this process decodes. SQLite works in this very process, and takes the
        interpreter's lock again for every row, so it is quicker alone.
        """
        if self._store.is_sqlite:
            self.flush()
            return True
        if self._flusher.under_way and not self._flusher.due and not self._full():
            return False
        busy = self._settle(self._flusher.end())
        if busy is not None:
            self.flush()
        else:
            self._flusher.begin([s for s in self._states.values() if s.dirty])
        return True

    def _wait(self, problem: str, seconds: float) -> None:
        """Keeps the group membership alive while nothing can be written: paused, but polling."""
        if not self._paused:
            _log.warning("waiting for the store", extra={"reason": problem})
        self._problem, self._paused = problem, True
        mine = list(self._states)
        self._source.pause(mine)
        until = time.monotonic() + seconds
        try:
            # A message taken now could not be kept: a flush stands prepared, and must not change.
            for chunk in self._source.poll(1, seconds):
                if chunk.partition in self._states:
                    raise RuntimeError(f"{chunk.partition} delivered while it was paused")
            self._stop.wait(max(0.0, until - time.monotonic()))
        finally:
            self._source.resume([p for p in mine if p in self._states])

    def _settle(self, ended: Round) -> StoreBusy | None:
        """Takes note of what a round came to; returns what stopped it, the rest being to be tried again."""
        for state, error in ended.fenced:
            partition = state.claim.partition
            _log.warning("partition lost", extra={"partition": str(partition), "reason": str(error)})
            if self._states.get(partition) is state:
                del self._states[partition]
            self._fenced.add(partition)
        if ended.written:
            self._flush_s = sum(written.seconds for written in ended.written)
        for written in ended.written:
            state = written.state
            self._last_commit_ms = self._clock.now_ms()
            report = self._report(written)
            state.settled()
            for observer in self._observers:
                observer.committed(report)
            if self._states.get(state.claim.partition) is state:  # it may have been lost meanwhile
                self._source.committed({state.claim.partition: written.flush.to_offset})
        return ended.busy

    def _report(self, written: Written) -> CommittedFlush:
        flush, taken = written.flush, written.taken
        return CommittedFlush(
            partition=flush.partition,
            records=taken.records,
            fresh=taken.fresh,
            stale_records=taken.stale,
            series={i: self._registry.name(i) for i in set(taken.fresh.rows.series.tolist())},
            thresholds_ms={self._thresholds[value]: value for value in self._settings.thresholds_ms},
            exemplars=tuple(taken.exemplars.values()),
            late=taken.late,
            too_late=taken.too_late,
            overflowed=taken.overflowed,
            dead=flush.dead_counts,
            unknown_fields=flush.unknown_fields,
            bytes_written=flush.bytes_written + written.committed.bytes_written,
            flush_s=written.seconds,
            labels=taken.label_records,
            matched=written.committed.matched,
            crowded_out=written.committed.crowded_out,
        )

    def _housekeeping(self, proven: bool = False) -> None:
        try:
            self._tell_idle(proven)
            self._registry.refresh()
            known = ownership.list_progress(self._store)
        except StoreBusy as e:
            _log.warning("housekeeping put off", extra={"reason": str(e)})
            return
        freed = [p.partition for p in known if p.owner == ownership.FREED and p.partition in self._fenced]
        if freed and not self._stop.is_set():
            self._fenced.difference_update(freed)
            self._source.restart(freed)
        marks = [
            PartitionMark(p.marks.watermark_ms, p.idle_since_ms is not None, p.updated_ms)
            for p in known
            # Labels and events come days late, and say nothing of the stream of inferences.
            if p.carries is Carries.RECORDS
        ]
        self._watermark_ms = overall(marks, self._clock.now_ms(), self._settings.max_hold_ms)
        status = self.status()
        for task in self._tasks:
            task.run(status)

    def _tell_idle(self, proven: bool) -> None:
        """Marks partitions with proven zero lag as idle, and says every few seconds that they still are.

        `proven`: the caller knows that nothing is to come, so there is nothing to wait for.
        """
        now_ms = self._clock.now_ms()
        lags = self._source.lags()
        for partition, state in self._states.items():
            lag = lags.get(partition)
            if state.dirty or self._paused or lag is None or lag.behind != 0:
                state.quiet_since_ms = None
                continue
            if state.quiet_since_ms is None:
                state.quiet_since_ms = now_ms
            idle = proven or now_ms - state.quiet_since_ms >= self._settings.idle_after_ms
            told = state.idle_told_ms is not None and now_ms - state.idle_told_ms < 10_000
            if idle and not told:
                ownership.mark_idle(
                    self._store, state.claim.writer, state.claim.epoch, state.quiet_since_ms, now_ms
                )
                state.idle_told_ms = now_ms

    # Ownership: called by the source, from inside poll and close.

    def assigned(self, partitions: Iterable[Partition]) -> Mapping[Partition, Start]:
        starts: dict[Partition, Start] = {}
        for partition in partitions:
            claim = self._claim(partition)
            failpoints.hit("rebalance.after_claim")
            self._states[partition] = PartitionState(claim, self._reservoir())
            self._failed.pop(partition, None)
            self._fenced.discard(partition)
            starts[partition] = claim.start
        _log.info("partitions assigned", extra={"partitions": sorted(map(str, starts))})
        return starts

    def _claim(self, partition: Partition) -> ownership.Claim:
        attempt = 0
        while True:
            try:
                return ownership.claim(
                    self._store,
                    partition,
                    self._settings.owner,
                    self._clock.now_ms(),
                    carries=self._carries(partition),
                )
            except StoreBusy as e:
                if not attempt:
                    _log.warning("waiting for the store", extra={"reason": str(e)})
                self._problem = str(e)
                if self._stop.wait(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]):
                    raise
                attempt += 1

    def revoked(self, partitions: Iterable[Partition]) -> None:
        deadline = time.monotonic() + self._settings.revoke_timeout_ms / 1000
        busy = self._settle(self._flusher.end())
        for partition in partitions:
            state = self._states.get(partition)
            failpoints.hit("rebalance.before_flush")
            if state is not None and state.dirty and time.monotonic() < deadline:
                busy = self._settle(self._flusher.run([state])) or busy
            self._states.pop(partition, None)
            if busy is not None and state is not None and state.dirty:
                # Nothing is lost: the next owner reads on from the last commit.
                _log.warning(
                    "not flushed on revocation", extra={"partition": str(partition), "reason": str(busy)}
                )

    def lost(self, partitions: Iterable[Partition]) -> None:
        for partition in partitions:
            self._states.pop(partition, None)
