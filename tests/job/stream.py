"""A job on a log of records and labels in memory, for tests of what comes of pairs."""

from collections.abc import Sequence
from typing import Any

from monitor.clock import StreamClock
from monitor.ingest.source import Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.records import Partition
from monitor.store import Store
from tests.builders import T0_MS, encode
from tests.fakes import MemoryLog, MemorySource

__all__ = ["Stream"]

_PARTITIONS = [Partition("records", 0), Partition("labels", 0)]


class Stream:
    """The job, and the store that it fills; each `take` is a flush of its own."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.store = Store.open(url)
        self.log = MemoryLog("records")
        self.source: MemorySource
        given: dict[str, Any] = {"owner": "test", "label_topics": frozenset({"labels"}), "pairs": True}
        given |= {"poll_timeout_s": 0.0, **settings}
        self.job = Job(self.store, self._open, JobSettings(**given), StreamClock(T0_MS + 10_000_000))
        self.source.later(lambda: self.source.give(_PARTITIONS))
        self.job.step()

    def _open(self, ownership: Ownership) -> MemorySource:
        self.source = MemorySource(self.log, ownership)
        return self.source

    def take(self, topic: str, messages: Sequence[dict[str, Any]]) -> None:
        """Appends messages to `records` or `labels`, reads and commits them."""
        for message in messages:
            self.log.append(0, encode(message), topic)
        while self.job.step():
            pass
        self.job.flush()
