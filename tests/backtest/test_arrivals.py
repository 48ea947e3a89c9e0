"""When lines came is told by their order, whatever a few clocks say."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.backtest.arrivals import arrival_ms, arrivals
from monitor.errors import SourceError
from tests.builders import T0_MS, encode, label, record

HOUR_MS = 3_600_000
NONE = int(np.iinfo(np.int64).min)


def came(*offsets_ms: int | None, before_ms: int | None = None) -> list[int]:
    """For timestamps and a time before them, all after T0."""
    times = [NONE if ms is None else T0_MS + ms for ms in offsets_ms]
    before = NONE if before_ms is None else T0_MS + before_ms
    return [int(ms) - T0_MS for ms in arrival_ms(np.array(times, np.int64), before)]


@pytest.mark.parametrize(
    ("offsets", "before", "expected"),
    [
        ([0, 1000, 500, 2000], None, [0, 1000, 1000, 2000]),
        ([0, None, 1000], None, [0, 0, 1000]),
        ([None, 1000, 2000], 500, [500, 1000, 2000]),
        ([0, 10, 900 * HOUR_MS, 20, 30], None, [0, 10, 10, 20, 30]),
        ([900 * HOUR_MS, 10, 20, 30], None, [20, 20, 20, 30]),
        ([0, 10, 20, 900 * HOUR_MS], None, [0, 10, 20, 20]),
        ([0, 10, 48 * HOUR_MS, 48 * HOUR_MS + 1, 48 * HOUR_MS + 2, 48 * HOUR_MS + 3], None, None),
        ([5000, 6000, HOUR_MS], None, [5000, 6000, HOUR_MS]),
    ],
    ids=["late", "no time", "before any time", "wrong clock", "wrong first", "wrong last", "gap", "an hour"],
)
def test_a_line_came_with_the_highest_time_before_it(
    offsets: list[int | None], before: int | None, expected: list[int] | None
) -> None:
    assert came(*offsets, before_ms=before) == (offsets if expected is None else expected)


TIMES = st.lists(st.one_of(st.none(), st.integers(0, 10 * HOUR_MS)), max_size=60)


@given(TIMES)
def test_time_never_runs_backwards_and_lines_without_a_time_came_with_those_before(
    offsets: list[int | None],
) -> None:
    found = came(*offsets, before_ms=0)
    assert found == sorted(found)
    for i, ms in enumerate(offsets):
        if ms is None:
            assert found[i] == (found[i - 1] if i else 0)


def test_files_are_read_together_in_the_order_in_which_their_lines_came(tmp_path: Path) -> None:
    first, second, labels = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz", tmp_path / "labels.jsonl"
    first.write_bytes(b"".join(encode(record(ts=T0_MS + ms)) + b"\n" for ms in (0, 2000, 1000, 5000)))
    second.write_bytes(gzip.compress(b"".join(encode(record(ts=T0_MS + ms)) + b"\n" for ms in (1000, 3000))))
    labels.write_bytes(b"\n".join((encode(label(ts=T0_MS + 2500)), b"no json")))
    found = list(arrivals([first, second], [labels], 1 << 20))
    assert [(a.came_ms - T0_MS, a.path.name[0], a.is_label) for a in found] == [
        (0, "a", False),
        (1000, "b", False),
        (2000, "a", False),
        (2000, "a", False),
        (2500, "l", True),
        (2500, "l", True),
        (3000, "b", False),
        (5000, "a", False),
    ]
    assert found[5].value == b"no json"
    assert (found[5].ts_ms, found[2].ts_ms) == (None, T0_MS + 2000)


@pytest.mark.parametrize(
    ("line", "expected_ms"),
    [
        (encode(record(ts=T0_MS)), T0_MS),
        (encode(record(ts=T0_MS + 0.5)), T0_MS),
        (encode(record(ts="2023-11-14T22:14:00Z")), T0_MS),
        (encode(record(ts="2023-11-14T23:14:00+01:00", score=float("nan"))), T0_MS),
        (encode(record(ts="2023-11-14T22:14:00")), None),
        (encode(record(ts=T0_MS // 1000)), None),
        (encode(record(ts=1e300)), None),
        (encode(record(ts=...)), None),
        (b"[1]", None),
        (b"\xff", None),
    ],
    ids=["millis", "fraction", "text", "nan", "no-offset", "seconds", "huge", "none", "list", "bytes"],
)
def test_a_line_bears_the_time_that_the_job_would_read(
    tmp_path: Path, line: bytes, expected_ms: int | None
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line + b"\n")
    assert [a.ts_ms for a in arrivals([path], [], 1 << 20)] == [expected_ms]


def test_a_file_that_ends_too_soon_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    whole = gzip.compress(b"".join(encode(record(id=str(i))) + b"\n" for i in range(1000)))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"log\.jsonl\.gz: ends in the midst of compressed data"):
        list(arrivals([path], [], 1 << 20))
