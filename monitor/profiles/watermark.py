"""Event time: what a partition's own order says about how far the stream has come."""

from dataclasses import dataclass

import numpy as np

from monitor.records import Ints

__all__ = ["NEVER", "Marks", "advance"]

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
