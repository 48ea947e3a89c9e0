"""How complete the windows are: which partitions have come past their ends."""

from collections.abc import Sequence

import numpy as np

from monitor.records import Floats
from monitor.sli.windows import Windows
from monitor.store.ownership import Gap, Progress

__all__ = ["covered"]


def covered(partitions: Sequence[Progress], gaps: Sequence[Gap], windows: Windows) -> Floats:
    """Of each window (float64, n) the share of partitions that are complete in it; 1 without partitions.

    A partition is complete where its watermark has passed the window's end, or it is idle, and where
    no record of the window's time may have been skipped: a recorded gap begins with the last record
    that was read before it, and nothing that was skipped is younger than the record of the gap.
    """
    end_ms = (windows.from_s + (1 + np.arange(windows.n, dtype=np.int64)) * windows.step_s) * 1000
    if not partitions:
        return np.ones(windows.n)
    skipped: dict[object, list[tuple[int, int]]] = {}
    for gap in gaps:
        back = gap.to_offset is not None and gap.from_offset is not None and gap.to_offset <= gap.from_offset
        if gap.from_ms is not None and not back:
            skipped.setdefault(gap.partition, []).append((gap.from_ms, gap.at_ms))
    complete = np.zeros(windows.n)
    for p in partitions:
        idle, watermark_ms = p.idle_since_ms is not None, p.marks.watermark_ms
        done = np.full(windows.n, idle) | (end_ms <= (-1 if watermark_ms is None else watermark_ms))
        for from_ms, at_ms in skipped.get(p.partition, ()):
            done &= (end_ms <= from_ms) | (end_ms - windows.step_s * 1000 >= at_ms)
        complete += done
    return complete / len(partitions)
