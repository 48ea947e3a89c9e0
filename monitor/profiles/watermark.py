"""Event time: what a partition's own order says about how far the stream has come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.records import Ints

__all__ = ["NEVER", "Marks", "PartitionMark", "advance", "coverage", "overall"]

NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Marks:
    """A partition's watermark state: the two highest timestamps seen, and the watermark they give, ms.

    The watermark is the second highest less the allowed disorder, so that no record moves it alone.
    """

    high1_ms: int | None = None
    high2_ms: int | None = None
    watermark_ms: int | None = None


def advance(marks: Marks, ts_ms: Ints, disorder_ms: int) -> tuple[Ints, Marks]:
    """The watermark just before each record (int64, NEVER where there was none), and the state after all.

    It depends on the order of the log alone, not on how the log was cut into batches.
    """
    high1 = NEVER if marks.high1_ms is None else marks.high1_ms
    high2 = NEVER if marks.high2_ms is None else marks.high2_ms
    highest = np.maximum.accumulate(np.concatenate(([high1], ts_ms)))
    beaten = np.minimum(ts_ms, highest[:-1])
    second = np.maximum.accumulate(np.concatenate(([high2], beaten)))
    before = np.where(second == NEVER, NEVER, np.maximum(second, NEVER + disorder_ms) - disorder_ms)
    after = int(before[-1])
    return before[:-1], Marks(
        None if highest[-1] == NEVER else int(highest[-1]),
        None if second[-1] == NEVER else int(second[-1]),
        None if after == NEVER else after,
    )


@dataclass(frozen=True, slots=True)
class PartitionMark:
    """What the whole's watermark needs of a partition. `idle`: proven zero lag for some seconds;
    `updated_ms`: when (on the clock) it last committed, or said that it is idle."""

    watermark_ms: int | None
    idle: bool
    updated_ms: int


def overall(partitions: Sequence[PartitionMark], now_ms: int, max_hold_ms: int) -> int | None:
    """The watermark of the whole stream, ms: the lowest of the partitions that are not idle.

    A partition that has neither moved nor proven itself idle for `max_hold_ms` holds it back no more.
    When all are idle it follows the clock, so that a quiet topic closes its windows. None: unknown.
    """
    waiting = [p for p in partitions if not p.idle]
    if not waiting:
        return now_ms if partitions else None
    holding = [p for p in waiting if now_ms - p.updated_ms <= max_hold_ms]
    known = [p.watermark_ms for p in holding or waiting if p.watermark_ms is not None]
    if len(known) < len(holding):
        return None
    return min(known) if holding and known else max(known, default=None)


def coverage(partitions: Sequence[PartitionMark], end_ms: int) -> float:
    """The share of partitions that have come past `end_ms`, or have nothing to come: 1 is complete."""
    if not partitions:
        return 1.0
    done = sum(p.idle or (p.watermark_ms is not None and p.watermark_ms >= end_ms) for p in partitions)
    return done / len(partitions)
