"""Committed flushes as the job makes them, without a store or a log."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monitor.ingest.decode import Decoder
from monitor.job.live import exemplars_of, fresh_of
from monitor.job.report import CommittedFlush
from monitor.profiles.features import BinSet
from monitor.profiles.profiler import Profiler, Settings
from monitor.profiles.series import SeriesKey
from monitor.profiles.watermark import Marks
from monitor.records import Bools, Column, Ints, Partition
from tests.builders import NOW_MS, chunk, encode

__all__ = ["NOW_MS", "Replica", "request"]

CATCH_UP_MS = 300_000
_NEW_MS = NOW_MS - 60_000
THRESHOLDS = {100.0: 1, 300.0: 2}


def request(**changes: Any) -> dict[str, Any]:
    """A fresh record of the model `fraud`, without features."""
    good: dict[str, Any] = {
        "id": "r",
        "ts": _NEW_MS,
        "model": "fraud",
        "version": "3",
        "endpoint": "/predict",
        "status": 200,
        "latency_ms": 50,
    }
    return {**good, **changes}


class _Names:
    """Numbers for series, kept in memory; no feature has bins."""

    def __init__(self) -> None:
        self.known: dict[SeriesKey, int] = {}

    def series(self, keys: Sequence[SeriesKey]) -> tuple[Ints, Bools]:
        ids = [self.known.setdefault(key, len(self.known) + 1) for key in keys]
        return np.array(ids, np.int64), np.zeros(len(keys), np.bool_)

    def bins(self, model: str, columns: Mapping[str, Column], rows: int) -> BinSet:
        return BinSet(0, 600, {})


class Replica:
    """Turns records into committed flushes of one partition, as one replica of the job does."""

    def __init__(self, number: int = 0, thresholds: Mapping[float, int] = THRESHOLDS) -> None:
        self.partition = Partition("inferences", number)
        self._names = _Names()
        self._decoder = Decoder()
        self._profiler = Profiler(self._names, Settings(thresholds=thresholds))
        self._thresholds = thresholds
        self._marks = Marks()

    def flush(self, records: Sequence[Mapping[str, Any]], **changes: Any) -> CommittedFlush:
        """The flush of these records; `changes` replace its counters."""
        decoded = self._decoder.decode(chunk([encode(r) for r in records], partition=self.partition))
        profiled = self._profiler.profile(decoded.batch, self._marks)
        self._marks = profiled.marks
        since_ms = NOW_MS - CATCH_UP_MS
        fresh, stale = fresh_of(self._profiler, decoded.batch, profiled, since_ms)
        exemplars = exemplars_of(decoded.batch, since_ms, self._names)  # type: ignore[arg-type]  # only its names
        told: dict[str, Any] = {
            "partition": self.partition,
            "records": len(decoded.batch),
            "fresh": fresh,
            "stale_records": stale,
            "series": {number: key for key, number in self._names.known.items()},
            "thresholds_ms": {number: value for value, number in self._thresholds.items()},
            "exemplars": tuple(exemplars.values()),
            "late": profiled.late,
            "too_late": profiled.too_late,
            "overflowed": 0,
            "dead": {},
            "unknown_fields": {},
            "bytes_written": 1000,
            "flush_s": 0.02,
        }
        return CommittedFlush(**{**told, **changes})
