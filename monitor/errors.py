"""The exceptions of monitor, and what a caller can do about each.

MonitorError
├── ConfigError        the configuration is wrong: correct the named keys and start again
├── SourceError        a source can't be read: correct what the message names, then start again
│   └── OffsetGone     the log no longer has the next record: `monitor offsets reset --reason ..`
├── StoreError         the store refused: see the message; nothing was written
│   ├── Fenced         another process owns the partition: forget what is in memory, don't retry
│   └── StoreBusy      the store is away or locked: the same call may be tried again
└── QueryError         the question can't be answered as asked: correct it
"""

from monitor.records import Partition

__all__ = [
    "ConfigError",
    "Fenced",
    "MonitorError",
    "OffsetGone",
    "QueryError",
    "SourceError",
    "StoreBusy",
    "StoreError",
]


class MonitorError(Exception):
    """Whatever monitor reports to its user as a sentence rather than a traceback."""


class ConfigError(MonitorError):
    """The configuration has mistakes; `problems` holds one line for each, with its key and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(MonitorError):
    """A source can't be read."""


class OffsetGone(SourceError):
    """The source no longer holds the next record of `partition`; somebody has to decide about the gap."""

    def __init__(self, message: str, partition: Partition | None = None) -> None:
        super().__init__(message)
        self.partition = partition


class StoreError(MonitorError):
    """The store refused what was asked; nothing was written."""


class Fenced(StoreError):
    """Another owner has the partition; whatever is in memory for it is void."""


class StoreBusy(StoreError):
    """The store is unreachable or locked; trying again later may help."""


class QueryError(MonitorError):
    """A question that has no answer as it was put: an unknown SLI, a bad range, a missing feature."""
