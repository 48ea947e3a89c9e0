"""The product in a process of its own: Kafka to the store, until caught up or killed.

Given: bootstrap, topic, group, store, client, until_caught_up, flush_told. Answers: seconds from the
first poll to the last commit, processor seconds, records, bytes written, peak resident size; with
`flush_told` a line for each event.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.clock import WallClock
from monitor.ingest.kafka import open_kafka
from monitor.ingest.source import Chunk, Lag, Ownership, Source, Start
from monitor.job.job import Job
from monitor.job.report import CommittedFlush
from monitor.job.settings import JobSettings
from monitor.records import Partition
from monitor.store.store import Store
from tests.bench.children import arguments, peak_mib, tell


class Timed:
    """A source that notes when it was first polled, and tells when partitions were first assigned."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner
        self.first_poll_s: float | None = None
        self.cpu_before_s = 0.0

    def poll(self, max_records: int, timeout_s: float) -> list[Chunk]:
        if self.first_poll_s is None:
            self.first_poll_s, self.cpu_before_s = time.time(), time.process_time()
        return self._inner.poll(max_records, timeout_s)

    def pause(self, partitions: Iterable[Partition]) -> None:
        self._inner.pause(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        self._inner.resume(partitions)

    def restart(self, partitions: Iterable[Partition]) -> None:
        self._inner.restart(partitions)

    def committed(self, positions: Mapping[Partition, int]) -> None:
        self._inner.committed(positions)

    def lags(self) -> Mapping[Partition, Lag]:
        return self._inner.lags()

    def close(self) -> None:
        self._inner.close()


class Watching(Ownership):
    """Passes on to the job, and notes when the broker first gave out partitions."""

    def __init__(self, job: Ownership) -> None:
        self._job = job
        self.assigned_s: float | None = None

    def assigned(self, partitions: Iterable[Partition]) -> Mapping[Partition, Start]:
        partitions = list(partitions)
        if self.assigned_s is None and partitions:
            self.assigned_s = time.time()
        return self._job.assigned(partitions)

    def revoked(self, partitions: Iterable[Partition]) -> None:
        self._job.revoked(partitions)

    def lost(self, partitions: Iterable[Partition]) -> None:
        self._job.lost(partitions)


class Commits:
    """Adds up what was committed, and when the last of it was."""

    def __init__(self) -> None:
        self.records = self.bytes_written = self.flushes = 0
        self.flush_s = 0.0
        self.first_s: float | None = None
        self.last_s = 0.0

    def committed(self, flush: CommittedFlush) -> None:
        self.last_s = time.time()
        self.first_s = self.first_s or self.last_s
        self.records += flush.records
        self.bytes_written += flush.bytes_written
        self.flushes += 1
        self.flush_s += flush.flush_s


class Run:
    """A job with all that watches it."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.commits = Commits()
        self.source: Timed | None = None
        self.watching: Watching | None = None
        self._given = given
        settings = JobSettings(owner="bench", **given.get("settings", {}))
        observers = [self.commits, *([Teller(self)] if given.get("flush_told") else [])]
        self.job = Job(Store.open(given["store"]), self._open, settings, WallClock(), observers)

    def _open(self, job: Ownership) -> Source:
        given, self.watching = self._given, Watching(job)
        inner = open_kafka(
            given["client"],
            [given["topic"]],
            given["group"],
            self.watching,
            bootstrap_servers=given["bootstrap"],
            options=given.get("options", {}),
            start="earliest",
        )
        self.source = Timed(inner)
        return self.source

    def answer(self) -> dict[str, Any]:
        first_poll_s = self.source.first_poll_s if self.source else None
        before_s = self.source.cpu_before_s if self.source else 0.0
        return {
            "records": self.commits.records,
            "seconds": self.commits.last_s - (first_poll_s or 0.0),
            "bytes_written": self.commits.bytes_written,
            "flushes": self.commits.flushes,
            "flush_s": self.commits.flush_s,
            "first_poll_s": first_poll_s,
            "assigned_s": self.watching.assigned_s if self.watching else None,
            "first_commit_s": self.commits.first_s,
            "peak_mib": peak_mib(),
            "cpu_s": time.process_time() - before_s,
        }


class Teller:
    """Tells the parent of each commit."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def committed(self, flush: CommittedFlush) -> None:
        tell(self._run.answer())


def main() -> None:
    given = arguments()
    run = Run(given)
    run.job.run(until_caught_up=given.get("until_caught_up", True))
    tell(run.answer())


if __name__ == "__main__":
    main()
