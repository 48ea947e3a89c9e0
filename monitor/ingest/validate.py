"""What a record may not say: checks on whole columns."""

from collections.abc import Iterator

import numpy as np

from monitor.ingest.columns import BAD, BAD_TS
from monitor.ingest.normalise import BadRecord
from monitor.records import Batch, Bools, Ints

__all__ = ["refusals"]

# Below this, "milliseconds" would be before March 1973: surely seconds.
_SECONDS_NOT_MILLIS = 100_000_000_000


def refusals(batch: Batch, append_ms: Ints, max_ahead_ms: int) -> Iterator[tuple[int, BadRecord]]:
    """The rows that are no records, each once, with the first reason found.

    `append_ms` (int64, n) is when each message was appended to the log.
    """
    seen: set[int] = set()
    for bad, reason, detail in _checks(batch, append_ms, max_ahead_ms):
        for row in np.flatnonzero(bad).tolist():
            if row not in seen:
                seen.add(row)
                yield row, BadRecord(reason, detail.format(ts=batch.ts_ms[row], append=append_ms[row]))


def _checks(batch: Batch, append_ms: Ints, max_ahead_ms: int) -> Iterator[tuple[Bools, str, str]]:
    ts = batch.ts_ms
    yield ts == BAD_TS, "bad_ts", "ts has no UTC offset (such as Z or +01:00), or is out of range"
    yield (
        ts < _SECONDS_NOT_MILLIS,
        "bad_ts",
        "ts {ts} is before 1973; milliseconds are wanted, are these seconds?",
    )
    yield (
        ts > append_ms + max_ahead_ms,
        "future_ts",
        f"ts {{ts}} is more than {max_ahead_ms // 1000} s ahead of {{append}}, when the message arrived",
    )
    for name, values in (*batch.measures.items(), *batch.amounts.items()):
        yield values < 0, "negative", f"{name} is negative"
        yield np.isinf(values), "not_finite", f"{name} is not finite"
    if batch.weight is not None:
        bad = ~((batch.weight >= 1) & np.isfinite(batch.weight))
        yield bad, "bad_value", "sample_rate is not above 0 and at most 1"
    yield batch.outcome == BAD, "bad_value", "status is neither an HTTP code nor ok|error|timeout|invalid"
    yield batch.mode == BAD, "bad_value", "mode is none of online, batch, edge"
    if "" in batch.ids:
        yield np.array([i == "" for i in batch.ids], np.bool_), "missing_id", "id is empty"
