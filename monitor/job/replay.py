"""Replaying dead letters after a fix: the same decoder and profiler, the same flush.

Replayed letters are written by a partition of their own, records, labels and events apart, and marked in
the very transaction that counts them, so that none is counted twice whatever happens in between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.clock import Clock
from monitor.ingest.decode import Decoder
from monitor.ingest.events.decode import EVENT_PREFIX, EventDecoder
from monitor.ingest.label_contract import REASON_PREFIX
from monitor.ingest.labels import LabelDecoder
from monitor.ingest.source import Chunk
from monitor.job.events import EventTaker
from monitor.job.halves import label_halves, prediction_halves
from monitor.job.partition import PartitionState
from monitor.job.settings import JobSettings
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiled, Profiler
from monitor.profiles.reservoir import Reservoir
from monitor.records import Carries, DeadLetter, Partition
from monitor.store import dead, ownership
from monitor.store.flush import commit
from monitor.store.names import threshold_ids
from monitor.store.pairing import Pairing
from monitor.store.registry import StoreRegistry
from monitor.store.store import Store

__all__ = ["PARTITIONS", "Replayed", "replay"]

# The partitions that replayed letters are written by.
PARTITIONS = {kind: Partition("dead-letters", number) for number, kind in enumerate(Carries)}
_PREFIXES = {Carries.LABELS: REASON_PREFIX, Carries.EVENTS: EVENT_PREFIX}
_AT_ONCE = 1000
# Takes a chunk into the state; returns what of it is still a dead letter.
_Take = Callable[[PartitionState, Chunk], Sequence[DeadLetter]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters are records, labels or events now, and how many still are none (which stay so)."""

    counted: int
    still_dead: int


def replay(store: Store, settings: JobSettings, clock: Clock, reason: str | None = None) -> Replayed:
    """Replays all kept letters that were not replayed yet, or those of one reason; each as what it came as.

    A letter whose time was too far ahead is held against the time of the replay. Raises Fenced when
    another replay is running.
    """
    takes = {
        Carries.RECORDS: lambda: _take_records(store, settings, clock),
        Carries.LABELS: lambda: _take_labels(settings),
        Carries.EVENTS: lambda: _take_events(store, settings),
    }
    done = [_replay_into(kind, store, settings, clock, reason, take) for kind, take in takes.items()]
    return Replayed(sum(each.counted for each in done), sum(each.still_dead for each in done))


def _take_records(store: Store, settings: JobSettings, clock: Clock) -> _Take:
    thresholds = threshold_ids(store, settings.thresholds_ms, clock.now_ms())
    registry = StoreRegistry(store, settings.registry, settings.features_s, clock.now_ms)
    profiler = Profiler(registry, settings.profiler(thresholds))
    decoder = Decoder(
        settings.decoder,
        max_record_bytes=settings.max_record_bytes,
        max_ahead_ms=settings.max_ahead_ms,
        positive=settings.positive_classes,
    )
    reservoir = Reservoir(settings.samples, registry.series)

    def take(state: PartitionState, chunk: Chunk) -> Sequence[DeadLetter]:
        decoded = decoder.decode(chunk)
        profiled = profiler.profile(decoded.batch, state.marks)
        state.reservoir = reservoir
        reservoir.offer(decoded.batch, profiled.dropped, profiled.notes)
        state.taken.add(chunk, profiled, ())
        if settings.pairs:
            state.taken.predictions += prediction_halves(
                decoded.batch, profiled.dropped, profiler, state.claim.writer, settings.pair_samples
            )
        return decoded.dead

    return take


def _take_labels(settings: JobSettings) -> _Take:
    decoder = LabelDecoder(max_record_bytes=settings.max_record_bytes, max_ahead_ms=settings.max_ahead_ms)

    def take(state: PartitionState, chunk: Chunk) -> Sequence[DeadLetter]:
        decoded = decoder.decode(chunk)
        state.taken.add(chunk, Profiled(Profiles(), state.marks, 0, 0, 0), ())
        state.taken.labels += label_halves(decoded.batch, state.claim.writer, settings.pair_samples)
        return decoded.dead

    return take


def _take_events(store: Store, settings: JobSettings) -> _Take:
    decoder = EventDecoder(max_record_bytes=settings.max_record_bytes, max_ahead_ms=settings.max_ahead_ms)
    taker = EventTaker(store, decoder, settings.models)

    def take(state: PartitionState, chunk: Chunk) -> Sequence[DeadLetter]:
        decoded = taker.take(chunk, ())
        state.taken.add(chunk, Profiled(Profiles(), state.marks, 0, 0, 0), ())
        state.taken.events += decoded.events
        return decoded.dead

    return take


def _replay_into(
    kind: Carries,
    store: Store,
    settings: JobSettings,
    clock: Clock,
    reason: str | None,
    taking: Callable[[], _Take],
) -> Replayed:
    partition = PARTITIONS[kind]
    pages = _pages(store, reason, kind)
    letters = next(pages, None)
    if letters is None:
        return Replayed(0, 0)
    take, pairing = taking(), Pairing(store, settings.pairing)
    state = PartitionState(ownership.claim(store, partition, settings.owner, clock.now_ms(), kind))
    counted = still_dead = 0
    while letters is not None:
        chunk = _chunk(partition, letters, state.position or 0, clock.now_ms())
        bad = {letter.position for letter in take(state, chunk)}
        good = [
            letter.id for letter, at in zip(letters, chunk.positions.tolist(), strict=True) if at not in bad
        ]
        state.taken.replayed = good
        flush = state.prepare(store, settings.tiers_s, clock.now_ms())
        commit(store, flush, settings.dead_letters, pairing)
        state.settled()
        counted += len(good)
        still_dead += len(bad)
        letters = next(pages, None)
    ownership.mark_idle(store, state.claim.writer, state.claim.epoch, clock.now_ms(), clock.now_ms())
    return Replayed(counted, still_dead)


def _pages(store: Store, reason: str | None, kind: Carries) -> Iterator[list[dead.Kept]]:
    """The letters of a kind, some at a time."""
    after_id = 0
    while letters := dead.list_kept(store, reason=reason, pending=True, after_id=after_id, limit=_AT_ONCE):
        after_id = letters[-1].id
        mine = [letter for letter in letters if _kind(letter) is kind]
        if mine:
            yield mine


def _kind(letter: dead.Kept) -> Carries:
    found = (kind for kind, prefix in _PREFIXES.items() if letter.reason.startswith(prefix))
    return next(found, Carries.RECORDS)


def _chunk(partition: Partition, letters: list[dead.Kept], first: int, now_ms: int) -> Chunk:
    n = len(letters)
    return Chunk(
        partition=partition,
        values=[letter.payload for letter in letters],
        positions=np.arange(first, first + n, dtype=np.int64),
        next_position=first + n,
        append_ms=np.array([_append_ms(letter, now_ms) for letter in letters], np.int64),
        origins=[(letter.place, letter.position) for letter in letters],
    )


def _append_ms(letter: dead.Kept, now_ms: int) -> int:
    """When the message came: a label or event without a time is of then, and not of when it was replayed."""
    aside = _kind(letter) is not Carries.RECORDS and not letter.reason.endswith("future_ts")
    return letter.at_ms if aside else now_ms
