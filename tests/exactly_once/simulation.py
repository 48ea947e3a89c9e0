"""Crashes, takeovers and zombies as a seeded schedule in one process: no broker, no waiting.

Two jobs share a store and a log in memory. A partition that is taken over stays with its former owner
too, a zombie, until that one is told or fenced; the oracle knows nothing of any of it.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

import sqlalchemy as sa

from monitor.clock import StreamClock
from monitor.errors import StoreBusy
from monitor.ingest.source import Ownership, Partition, Source
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.profiles.profiler import Profiled
from monitor.profiles.samples import SampleSettings
from monitor.profiles.watermark import Marks
from monitor.records import Batch, Carries
from monitor.store.engine import writing
from monitor.store.store import Store
from tests.exactly_once.oracle import THRESHOLDS_MS, Oracle
from tests.exactly_once.records import LABELS, RECORDS, Generator
from tests.exactly_once.without_swap import SWAP, unconditional
from tests.fakes import MemoryLog, MemorySource

__all__ = ["SAMPLES", "Process", "Simulation", "simulate"]

# Few enough that windows have more records than are kept.
SAMPLES = SampleSettings(per_window=2, random_per_window=3)
_NOW_MS = 1_800_000_000_000
_PARTITIONS = 3
_ACTIONS: Mapping[str, int] = {
    "produce": 6,
    "poll": 16,
    "flush": 8,
    "crash": 2,
    "take_over": 6,
    "hand_over": 2,
    "tell_zombies": 1,
    "redeliver": 2,
}


class _Job(Job):
    """Waits for nothing."""

    def _wait(self, problem: str, seconds: float) -> None:
        super()._wait(problem, 0.0)


class Process:
    """A job and its source, which one crash ends both."""

    def __init__(self, store: Store, log: MemoryLog, name: str) -> None:
        self._log = log
        settings = JobSettings(
            owner=name,
            thresholds_ms=THRESHOLDS_MS,
            carries={LABELS: Carries.LABELS},
            pairs=True,
            samples=SAMPLES,
        )
        self.job = _Job(store, self._open, settings, StreamClock(_NOW_MS))

    def _open(self, ownership: Ownership) -> Source:
        self.source = MemorySource(self._log, ownership)
        return self.source


class Simulation:
    """One schedule; `run` leaves everything caught up, so that `oracle` says what the store must hold,
    and `log` what was written."""

    def __init__(self, store: Store, seed: int) -> None:
        self._random = random.Random(seed)
        self._store = store
        self.log = MemoryLog(RECORDS)
        self._generator = Generator(seed, _PARTITIONS, step_ms=20_000)
        self.oracle = Oracle()
        self._partitions = [Partition(t, n) for t in (RECORDS, LABELS) for n in range(_PARTITIONS)]
        self._owner: dict[Partition, int] = {}
        self._processes = [self._start(0), self._start(1)]

    def _start(self, i: int) -> Process:
        return Process(self._store, self.log, f"process-{i}")

    def run(self, actions: int) -> None:
        with self._trouble():
            for _ in range(actions):
                (action,) = self._random.choices(list(_ACTIONS), list(_ACTIONS.values()))
                getattr(self, f"_{action}")()
            self._catch_up()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """A store that now and then does not answer, before or after it has committed."""

        @contextmanager
        def moody(engine: sa.Engine) -> Iterator[sa.Connection]:
            mood = self._random.random()
            if mood < 0.1:
                raise StoreBusy("away")
            with writing(engine) as connection:
                yield connection
            if mood > 0.9:
                raise StoreBusy("the answer was lost")

        with mock.patch("monitor.store.flush.writing", moody):
            yield

    def _produce(self) -> None:
        messages = self._generator.take(self._random.randrange(1, 9))
        if self._random.random() < 0.2:
            messages *= 2  # A producer that sends its batch again.
        messages += self._generator.labels(self._random.randrange(7))
        self.oracle.take(messages)
        for message in messages:
            self.log.append(message.partition, message.payload, message.topic)

    def _poll(self) -> None:
        process = self._random.choice(self._processes)
        process.source.limit = self._random.randrange(1, 15)
        with self._busy_profiler(process):
            process.job.step()

    @contextmanager
    def _busy_profiler(self, process: Process) -> Iterator[None]:
        """Now and then the store is away while a batch is profiled, and a rebalance comes meanwhile."""
        profiler = process.job._profiler
        profile = profiler.profile

        def moody(batch: Batch, marks: Marks) -> Profiled:
            if self._random.random() < 0.1:
                self._rebalance(process)
                raise StoreBusy("away")
            return profile(batch, marks)

        with mock.patch.object(profiler, "profile", moody):
            yield

    def _rebalance(self, process: Process) -> None:
        """Takes all partitions of `process` away and gives them back, unflushed."""
        mine = [p for p, i in self._owner.items() if self._processes[i] is process]
        if mine and self._random.random() < 0.5:
            process.source.later(lambda: process.source.lose(mine))
            process.source.later(lambda: process.source.give(mine))

    def _flush(self) -> None:
        self._random.choice(self._processes).job.flush()

    def _crash(self) -> None:
        i = self._random.randrange(2)
        self._processes[i] = self._start(i)
        self._owner = {p: owner for p, owner in self._owner.items() if owner != i}

    def _take_over(self) -> None:
        partition = self._random.choice(self._partitions)
        former = self._owner.get(partition)
        self._give(partition, self._random.randrange(2) if former is None else 1 - former)

    def _give(self, partition: Partition, i: int) -> None:
        source = self._processes[i].source
        self._owner[partition] = i
        source.later(lambda: source.lose([partition]))
        source.later(lambda: source.give([partition]))
        self._processes[i].job.step()

    def _hand_over(self) -> None:
        """In good order: flushed, given up, then taken by the other."""
        partition = self._random.choice(self._partitions)
        i = self._owner.get(partition)
        if i is not None:
            source = self._processes[i].source
            source.later(lambda: source.revoke([partition]))
            self._processes[i].job.step()
            self._give(partition, 1 - i)

    def _tell_zombies(self) -> None:
        for i, process in enumerate(self._processes):
            gone = [p for p in process.source.partitions if self._owner.get(p) != i]
            process.source.lose(gone)

    def _redeliver(self) -> None:
        """A source that seeks may deliver again what it had fetched before."""
        source = self._random.choice(self._processes).source
        source.step_back(self._random.choice(self._partitions), self._random.randrange(1, 20))

    def _catch_up(self) -> None:
        for partition in self._partitions:
            if partition not in self._owner:
                self._give(partition, self._random.randrange(2))
        for process in self._processes:
            process.source.limit = None
        for process in self._random.sample(self._processes, 2):
            while process.job.step():
                pass
            process.job.flush()


def simulate(store: Store, seed: int, actions: int = 30, swap: bool = True) -> Oracle:
    """Runs the schedule of `seed` on an empty store and returns what the store must hold now."""
    simulation = Simulation(store, seed)
    if swap:
        simulation.run(actions)
    else:
        with mock.patch(SWAP, unconditional):
            simulation.run(actions)
    return simulation.oracle
