"""What the job tells those who watch it, once something is durable or has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from monitor.ingest.source import Lag
from monitor.profiles.profile import Profiles
from monitor.records import Partition
from monitor.store.names import SeriesKey

__all__ = ["CommittedFlush", "Exemplar", "JobStatus", "Observer"]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A request to look at: the slowest of its series in a flush that carried a trace id."""

    series: int
    latency_ms: float
    trace_id: str
    ts_ms: int


@dataclass(frozen=True, slots=True)
class CommittedFlush:
    """One partition's flush, told after its COMMIT.

    `fresh` holds the base-tier profiles (kinds SERVICE and LATENCY) of records younger than the
    catch-up age only, for a scrape has no event time; `stale_records` counts the others. `series`
    names the series in `fresh`, `thresholds_ms` maps a threshold's cell number to its value. `labels`
    counts the labels stored, `matched` the predictions that got their first label, `crowded_out` the
    predictions and labels that were dropped because their key has too many.
    """

    partition: Partition
    records: int
    fresh: Profiles
    stale_records: int
    series: Mapping[int, SeriesKey]
    thresholds_ms: Mapping[int, float]
    exemplars: tuple[Exemplar, ...]
    late: int
    too_late: int
    overflowed: int
    dead: Mapping[str, int]
    unknown_fields: Mapping[str, int]
    bytes_written: int
    flush_s: float
    labels: int = 0
    matched: int = 0
    crowded_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How the job is doing now. `problem` is a sentence while it can't work, else None."""

    ready: bool
    problem: str | None
    lags: Mapping[Partition, Lag] = field(default_factory=dict)
    watermark_ms: int | None = None
    paused: bool = False
    records: int = 0
    pending_records: int = 0
    last_commit_ms: int | None = None
    failed_partitions: Mapping[Partition, str] = field(default_factory=dict)


class Observer(Protocol):
    """Whoever wants to know of commits. Called from the job's thread; must be quick and not raise."""

    def committed(self, flush: CommittedFlush) -> None: ...
