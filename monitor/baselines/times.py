"""Times of a baseline's rows: read from a column, and placed into windows and hours of the week."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from monitor.errors import SourceError
from monitor.records import Bools, Coded, Column, Floats, Ints

__all__ = ["NO_TIME", "choose_windows", "hour_of_week", "times_ms"]

NO_TIME = np.iinfo(np.int64).min
# Epoch seconds up to the year 5138; milliseconds from 1973 on.
_SURELY_SECONDS = 1e11
_LADDER_S = (3600, 21_600, 86_400, 604_800)
_ROWS, _WINDOWS = 30, 5


def times_ms(name: str, column: Column) -> Ints:
    """Milliseconds since the epoch (int64), NO_TIME for a null; numbers are milliseconds or seconds, texts
    ISO 8601, UTC where they have no offset. Raises SourceError that names the column and a bad value."""
    if isinstance(column, np.ndarray):
        return _from_numbers(column)
    if isinstance(column, Coded):
        return _from_texts(name, column)
    found = _from_texts(name, column.texts)
    return np.where(column.texts.codes > 0, found, _from_numbers(column.numbers))


def _from_numbers(numbers: Floats) -> Ints:
    given = np.isfinite(numbers)
    scaled = np.where(np.abs(numbers) < _SURELY_SECONDS, numbers * 1000, numbers)
    return np.where(given, np.where(given, scaled, 0), NO_TIME).astype(np.int64)


def _from_texts(name: str, column: Coded) -> Ints:
    # A decoder's names are of all that it has seen; only those of this batch are read.
    used, index = np.unique(column.codes, return_inverse=True)
    texts = [column.names[code] for code in used.tolist()]
    ms, bad = _parsed(texts)
    bad &= used > 0
    if bad.any():
        shown = texts[int(np.flatnonzero(bad)[0])]
        raise SourceError(
            f"--time {name}: {str(shown)[:60]!r} is no time; write ISO 8601 such as 2026-11-23T10:00:00Z, "
            "or milliseconds since the epoch"
        )
    found: Ints = np.where(used > 0, ms, NO_TIME)[index]
    return found


def _parsed(texts: list[str | None]) -> tuple[Ints, Bools]:
    """(milliseconds, which texts are no times)."""
    array = pa.array(texts, pa.string())
    # Arrow reads most ways to write a time ten times as fast, and refuses all where it can't read one.
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            us = pc.fill_null(pc.cast(pc.cast(array, kind), pa.int64()), 0).to_numpy(zero_copy_only=False)
            return us // 1000, np.zeros(len(texts), np.bool_)
        except pa.ArrowInvalid:
            continue
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = pd.to_datetime(pd.Series(texts, dtype=object), utc=True, format="ISO8601", errors="coerce")
    bad = parsed.isna().to_numpy()
    ms = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    return np.where(bad, NO_TIME, ms), bad


def hour_of_week(ts_ms: Ints, time_zone: str) -> Ints:
    """0 (Monday, midnight) to 167 in local time, int64; -1 for no time."""
    hours, index = np.unique(np.where(ts_ms == NO_TIME, 0, ts_ms) // 900_000, return_inverse=True)
    local = pd.to_datetime(hours * 900, unit="s", utc=True).tz_convert(time_zone)
    slot = np.asarray(local.dayofweek) * 24 + np.asarray(local.hour)
    return np.where(ts_ms == NO_TIME, -1, slot[index]).astype(np.int64)


def choose_windows(rows_of: dict[int, int], base_s: int, most: int) -> tuple[int, Ints]:
    """(length in seconds, begins (int64, ascending)) of the windows whose spread is looked at.

    `rows_of` counts rows by base window. The length is the shortest of the base window, 1 h, 6 h, 1 d and 7 d
    of which most windows have rows enough; of those there are, up to `most`, evenly over all the time.
    """
    starts = np.array(sorted(rows_of), np.int64)
    rows = np.array([rows_of[s] for s in starts.tolist()], np.int64)
    found: tuple[int, Ints] = (base_s, starts[:0])
    for length_s in (base_s, *(s for s in _LADDER_S if s > base_s)):
        begins, index = np.unique(starts // length_s * length_s, return_inverse=True)
        full = np.bincount(index, weights=rows, minlength=len(begins)) >= _ROWS
        if full.sum() >= max(_WINDOWS, len(begins) / 2):
            found = (length_s, begins[full])
            break
    length_s, begins = found
    picked = np.unique(np.linspace(0, len(begins) - 1, min(most, len(begins))).round().astype(np.int64))
    return length_s, begins[picked]
