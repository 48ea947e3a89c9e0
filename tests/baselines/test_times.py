"""Times of rows: in every usual way of writing, into windows and hours."""

import numpy as np
import pytest

from monitor.baselines.times import NO_TIME, choose_windows, times_ms
from monitor.errors import SourceError
from monitor.records import Coded

AT_MS = 1_767_225_600_000  # 2026-01-01


def coded(*values: str | None) -> Coded:
    names = [None, *dict.fromkeys(v for v in values if v is not None)]
    return Coded(np.array([names.index(v) for v in values], np.int32), names)


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-01T00:00:00Z", None],
        ["2026-01-01", None],
        ["2026-01-01 00:00:00.000", None],
        ["2026-01-01T01:00:00+01:00", None],
        ["2026-01-01T00:00:00.000000001Z", None],
        ["2026-01-01T00:00:00Z", "2026-01-01"],
    ],
)
def test_texts(values: list[str | None]) -> None:
    expected = [NO_TIME if v is None else AT_MS for v in values]
    assert times_ms("t", coded(*values)).tolist() == expected


def test_numbers_are_milliseconds_or_seconds() -> None:
    assert times_ms("t", np.array([AT_MS, AT_MS / 1000, np.nan])).tolist() == [AT_MS, AT_MS, NO_TIME]


def test_a_text_that_is_no_time_is_named() -> None:
    with pytest.raises(SourceError, match="--time t: 'yesterday' is no time; write ISO 8601"):
        times_ms("t", coded("2026-01-01", "yesterday"))


@pytest.mark.parametrize(
    ("rows_of", "length_s", "n"),
    [
        ({i * 600: 100 for i in range(200)}, 600, 64),
        ({i * 600: 10 for i in range(204)}, 3600, 34),
        ({i * 600: 1 for i in range(20_000)}, 21_600, 64),
        ({0: 1000}, 600, 0),
    ],
)
def test_windows_have_rows_enough(rows_of: dict[int, int], length_s: int, n: int) -> None:
    length, starts = choose_windows(rows_of, 600, 64)
    assert len(starts) == n
    assert n == 0 or length == length_s
    assert (np.diff(starts) > 0).all()
