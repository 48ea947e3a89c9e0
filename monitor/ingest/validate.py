"""What a record may not say: checks on whole columns."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from monitor.ingest.checks import BadRecord
from monitor.ingest.columns import BAD
from monitor.ingest.values import BAD_TS
from monitor.records import Batch, Bools, Ints

__all__ = ["Check", "first_reasons", "has_sense", "refusals", "time_checks"]

# Below this, "milliseconds" would be before March 1973: surely seconds.
_SECONDS_NOT_MILLIS = 100_000_000_000
_TOO_FAR_MS = 2**53


class Check(NamedTuple):
    """The rows that are `bad` (bool, n) and why; `detail` may name the row's `value` and `append` time."""

    bad: Bools
    reason: str
    detail: str
    values: Ints | None = None


def first_reasons(checks: Iterable[Check], append_ms: Ints) -> Iterator[tuple[int, BadRecord]]:
    """The rows that a check refuses, each once, with the first reason found.

    `append_ms` (int64, n) is when each message was appended to the log.
    """
    seen: set[int] = set()
    for bad, reason, detail, values in checks:
        for row in np.flatnonzero(bad).tolist():
            if row not in seen:
                seen.add(row)
                value = None if values is None else values[row]
                yield row, BadRecord(reason, detail.format(value=value, append=append_ms[row]))


def time_checks(name: str, ts: Ints, append_ms: Ints, max_ahead_ms: int) -> Iterator[Check]:
    """What a time of the field `name` may not be: `ts` (int64, n), BAD_TS where it has no sense at all."""
    senseless = (ts == BAD_TS) | (np.abs(ts) >= _TOO_FAR_MS)
    yield Check(senseless, "bad_ts", f"{name} has no UTC offset (such as Z or +01:00), or is out of range")
    yield Check(
        ts < _SECONDS_NOT_MILLIS,
        "bad_ts",
        f"{name} {{value}} is before 1973; milliseconds are wanted, are these seconds?",
        ts,
    )
    yield Check(
        ts > append_ms + max_ahead_ms,
        "future_ts",
        f"{name} {{value}} is more than {max_ahead_ms // 1000} s ahead of {{append}}, "
        "when the message arrived",
        ts,
    )


def has_sense(ts: Ints) -> Bools:
    """Whether each time (int64, n) is one that a record may bear, whenever it arrived."""
    found: Bools = (ts >= _SECONDS_NOT_MILLIS) & (ts < _TOO_FAR_MS)
    return found


def refusals(batch: Batch, append_ms: Ints, max_ahead_ms: int) -> Iterator[tuple[int, BadRecord]]:
    """The rows that are no records, each once, with the first reason found."""
    return first_reasons(_checks(batch, append_ms, max_ahead_ms), append_ms)


def _checks(batch: Batch, append_ms: Ints, max_ahead_ms: int) -> Iterator[Check]:
    yield from time_checks("ts", batch.ts_ms, append_ms, max_ahead_ms)
    for name, values in (*batch.measures.items(), *batch.amounts.items()):
        yield Check(values < 0, "negative", f"{name} is negative")
        yield Check(np.isinf(values), "not_finite", f"{name} is not finite")
    if batch.weight is not None:
        bad = ~((batch.weight >= 1) & np.isfinite(batch.weight))
        yield Check(bad, "bad_value", "sample_rate is not above 0 and at most 1")
    yield Check(
        batch.outcome == BAD, "bad_value", "status is neither an HTTP code nor ok|error|timeout|invalid"
    )
    yield Check(batch.mode == BAD, "bad_value", "mode is none of online, batch, edge")
    if "" in batch.ids:
        yield Check(np.array([i == "" for i in batch.ids], np.bool_), "missing_id", "id is empty")
