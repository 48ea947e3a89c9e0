"""Coverage: which partitions have come past a window, and what was skipped."""

import pytest

from monitor.profiles.watermark import Marks
from monitor.records import Partition
from monitor.sli.coverage import covered
from monitor.sli.windows import Windows
from monitor.store.ownership import Gap, Progress

THREE = Windows(600, 60, 3)


def progress(number: int, watermark_s: int | None, idle: bool = False) -> Progress:
    marks = Marks(None, None, None if watermark_s is None else watermark_s * 1000)
    return Progress(Partition("t", number), number, 0, 1, "me", marks, 0 if idle else None, 0)


def gap(from_s: int, at_s: int, to_offset: int | None = 9) -> Gap:
    return Gap(Partition("t", 0), 5, to_offset, from_s * 1000, "disk lost", at_s * 1000)


@pytest.mark.parametrize(
    ("partitions", "gaps", "wanted"),
    [
        ([], [], [1, 1, 1]),
        ([progress(0, 720), progress(1, 660)], [], [1, 0.5, 0]),
        ([progress(0, 780), progress(1, None)], [], [0.5, 0.5, 0.5]),
        ([progress(0, 780), progress(1, None, idle=True)], [], [1, 1, 1]),
        ([progress(0, 780), progress(1, 780)], [gap(670, 700)], [1, 0.5, 1]),
        ([progress(0, 780), progress(1, 780)], [gap(660, 730)], [1, 0.5, 0.5]),
        ([progress(0, 780)], [gap(600, 780, to_offset=2)], [1, 1, 1]),
    ],
)
def test_the_share_of_partitions_that_are_complete(
    partitions: list[Progress], gaps: list[Gap], wanted: list[float]
) -> None:
    assert covered(partitions, gaps, THREE).tolist() == wanted
