"""A job on a log of records, labels and events in memory."""

from collections.abc import Sequence
from typing import Any

from monitor.clock import StreamClock
from monitor.ingest.source import Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.records import Carries, Partition
from monitor.store import Store
from tests.builders import T0_MS, encode
from tests.fakes import MemoryLog, MemorySource

__all__ = ["Stream"]

_PARTITIONS = [Partition(carries.value, 0) for carries in Carries]


class Stream:
    """The job, and the store that it fills; each `take` is a flush of its own."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.store = Store.open(url)
        self.log = MemoryLog("records")
        self.source: MemorySource
        given: dict[str, Any] = {"owner": "test", "carries": {c.value: c for c in Carries}, "pairs": True}
        given |= {"poll_timeout_s": 0.0, **settings}
        self.job = Job(self.store, self._open, JobSettings(**given), StreamClock(T0_MS + 10_000_000))
        self.source.later(lambda: self.source.give(_PARTITIONS))
        self.job.step()

    def _open(self, ownership: Ownership) -> MemorySource:
        self.source = MemorySource(self.log, ownership)
        return self.source

    def take(self, topic: str, messages: Sequence[dict[str, Any] | bytes]) -> None:
        """Appends messages to `records`, `labels` or `events`, reads and commits them."""
        for message in messages:
            self.log.append(0, message if isinstance(message, bytes) else encode(message), topic)
        while self.job.step():
            pass
        self.job.flush()
