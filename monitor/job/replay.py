"""Replaying dead letters after a fix: the same decoder and profiler, the same flush.

Replayed letters are written by a partition of their own, and marked in the very transaction that
counts them, so that none is counted twice whatever happens in between.
"""

from dataclasses import dataclass

import numpy as np

from monitor.clock import Clock
from monitor.ingest.decode import Decoder
from monitor.ingest.source import Chunk
from monitor.job.partition import PartitionState
from monitor.job.settings import JobSettings
from monitor.profiles.profiler import Profiler
from monitor.records import Partition
from monitor.store import dead, ownership
from monitor.store.flush import commit
from monitor.store.names import threshold_ids
from monitor.store.registry import StoreRegistry
from monitor.store.store import Store

__all__ = ["REPLAY", "Replayed", "replay"]

REPLAY = Partition("dead-letters", 0)
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters are records now, and how many still are none (they stay as they were)."""

    counted: int
    still_dead: int


def replay(store: Store, settings: JobSettings, clock: Clock, reason: str | None = None) -> Replayed:
    """Replays all kept letters that were not replayed yet, or those of one reason.

    A letter whose time was too far ahead is held against the time of the replay. Raises Fenced when
    another replay is running.
    """
    thresholds = threshold_ids(store, settings.thresholds_ms, clock.now_ms())
    registry = StoreRegistry(store, settings.registry, settings.features_s, clock.now_ms)
    profiler = Profiler(registry, settings.profiler(thresholds))
    decoder = Decoder(
        settings.decoder,
        max_record_bytes=settings.max_record_bytes,
        max_ahead_ms=settings.max_ahead_ms,
        positive=settings.positive_classes,
    )
    state = PartitionState(ownership.claim(store, REPLAY, settings.owner, clock.now_ms()))
    counted = still_dead = after_id = 0
    while letters := dead.list_kept(store, reason=reason, pending=True, after_id=after_id, limit=_AT_ONCE):
        after_id = letters[-1].id
        chunk = _chunk(letters, state.position or 0, clock.now_ms())
        decoded = decoder.decode(chunk)
        bad = {letter.position for letter in decoded.dead}
        good = [
            letter.id for letter, at in zip(letters, chunk.positions.tolist(), strict=True) if at not in bad
        ]
        state.take(chunk, profiler.profile(decoded.batch, state.marks), ())
        state.replayed = good
        commit(store, state.prepare(store, settings.tiers_s, clock.now_ms()), settings.dead_letters)
        state.settled()
        counted += len(good)
        still_dead += len(bad)
    ownership.mark_idle(store, state.claim.writer, state.claim.epoch, clock.now_ms(), clock.now_ms())
    return Replayed(counted, still_dead)


def _chunk(letters: list[dead.Kept], first: int, now_ms: int) -> Chunk:
    n = len(letters)
    return Chunk(
        partition=REPLAY,
        values=[letter.payload for letter in letters],
        positions=np.arange(first, first + n, dtype=np.int64),
        next_position=first + n,
        append_ms=np.full(n, now_ms, np.int64),
        origins=[(letter.place, letter.position) for letter in letters],
    )
