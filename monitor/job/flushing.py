"""Rounds of flushes, one transaction a partition, beside the stream where the store gains from it."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from monitor.errors import Fenced, StoreBusy
from monitor.job.partition import PartitionState, Taken
from monitor.job.settings import JobSettings
from monitor.store.flush import Committed, Flush, commit
from monitor.store.pairing import Pairing
from monitor.store.store import Store

__all__ = ["Flusher", "Round", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """A flush that is committed, what was taken for it, and how long it took."""

    state: PartitionState
    taken: Taken
    flush: Flush
    committed: Committed
    seconds: float


@dataclass(slots=True)
class Round:
    """What became of the flushes of some partitions: committed, lost to another owner, or, after `busy`, to
    be tried again as they stand."""

    written: list[Written] = field(default_factory=list)
    fenced: list[tuple[PartitionState, Fenced]] = field(default_factory=list)
    busy: StoreBusy | None = None


class Flusher:
    """Runs one round at a time. What a round has cut is its own until it ended; the rest of a partition's
    state stays with the caller, whose thread alone begins and ends rounds."""

    def __init__(
        self, store: Store, settings: JobSettings, pairing: Pairing, now_ms: Callable[[], int]
    ) -> None:
        self._store, self._settings, self._pairing, self._now_ms = store, settings, pairing, now_ms
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: Future[Round] | None = None

    @property
    def under_way(self) -> bool:
        """Whether a round was begun that is not `ended`."""
        return self._under_way is not None

    @property
    def due(self) -> bool:
        """Whether `end` would not wait."""
        return self._under_way is not None and self._under_way.done()

    def begin(self, states: Sequence[PartitionState]) -> None:
        """Begins a round in a thread of its own; `end` the one before first."""
        for state in states:
            state.cut()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._under_way = self._threads.submit(self._round, states)

    def end(self) -> Round:
        """What the round under way came to; waits for it. An empty one where there is none."""
        under_way, self._under_way = self._under_way, None
        return Round() if under_way is None else under_way.result()

    def run(self, states: Sequence[PartitionState]) -> Round:
        """A round in the caller's thread."""
        for state in states:
            state.cut()
        return self._round(states)

    def close(self) -> None:
        """Gives the thread up; there must be no round under way."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def _round(self, states: Sequence[PartitionState]) -> Round:
        found = Round()
        for state in states:
            begun, taken = time.perf_counter(), state.cut()
            try:
                flush = state.prepare(self._store, self._settings.tiers_s, self._now_ms())
                committed = commit(self._store, flush, self._settings.dead_letters, self._pairing)
            except Fenced as e:
                found.fenced.append((state, e))
            except StoreBusy as e:
                found.busy = e
                break
            else:
                found.written.append(Written(state, taken, flush, committed, time.perf_counter() - begun))
        return found
