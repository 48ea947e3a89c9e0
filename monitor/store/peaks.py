"""Peaks of closed windows: requests in the busiest second, kept as the window was first closed.

Peaks don't add, and counts by the second are kept in the base tier only. When the watermark passes
the end of an hour its peak is written, for the model and for each of its parts; a day's is the
highest of its hours.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from monitor.clock import DAY_S, HOUR_S
from monitor.profiles.layout import SECONDS, Kind
from monitor.profiles.series import SeriesKey
from monitor.records import Floats
from monitor.store.engine import reading, writing
from monitor.store.names import find_series, models
from monitor.store.read import read_cells
from monitor.store.schema import peaks, profiles, series
from monitor.store.store import Store, insert

__all__ = ["ALL", "close", "hour_peaks", "read"]

ALL = "*"
_MARKER = {"model": "", "version": ALL, "endpoint": ALL}
_HOURS_AT_ONCE = 48


def close(store: Store, watermark_ms: int, base_s: int, oldest_s: int) -> int:
    """Writes the peaks of hours that end by the watermark, from where it last stopped (or `oldest_s`).

    Returns how many hours it closed; a bounded number, so call it again. Safe on several replicas.
    """
    until_s = watermark_ms // 1000 // HOUR_S * HOUR_S
    with reading(store.engine) as connection:
        marker = connection.scalar(
            sa.select(sa.func.max(peaks.c.start_s)).where(peaks.c.model == "", peaks.c.tier_s == HOUR_S)
        )
    start_s = oldest_s // HOUR_S * HOUR_S if marker is None else marker + HOUR_S
    if until_s <= start_s:
        return 0
    hours = _hours_with_data(store, start_s, until_s)
    end_s = until_s if len(hours) < _HOURS_AT_ONCE else hours[-1] + HOUR_S
    found = [
        {
            "model": model,
            "version": version,
            "endpoint": endpoint,
            "tier_s": HOUR_S,
            "start_s": at,
            "per_s": per_s,
        }
        for model in models(store)
        for (version, endpoint, at), per_s in hour_peaks(store, model, hours, base_s).items()
    ]
    found.append({**_MARKER, "tier_s": HOUR_S, "start_s": end_s - HOUR_S, "per_s": 0.0})
    with writing(store.engine) as connection:
        connection.execute(insert(store, peaks).on_conflict_do_nothing(), found)
        _close_days(store, connection, start_s // DAY_S * DAY_S, end_s // DAY_S * DAY_S)
    return (end_s - start_s) // HOUR_S


def _hours_with_data(store: Store, from_s: int, to_s: int) -> list[int]:
    """The first hours in [from_s, to_s) of which anything is stored, a bounded number."""
    hours: list[int] = []
    at: sa.BindParameter[int] = sa.bindparam("at")
    # One look into the index for each series, where min() over all would read every row.
    next_of_series = (
        sa.select(profiles.c.start_s)
        .where(
            profiles.c.kind == int(Kind.SERVICE),
            profiles.c.tier_s == HOUR_S,
            profiles.c.series == series.c.id,
            profiles.c.start_s >= at,
        )
        .order_by(profiles.c.start_s)
        .limit(1)
        .scalar_subquery()
    )
    each = sa.select(next_of_series.label("start_s")).where(series.c.label == "").subquery()
    query = sa.select(sa.func.min(each.c.start_s))
    with reading(store.engine) as connection:
        while len(hours) < _HOURS_AT_ONCE:
            found = connection.scalar(query, {"at": hours[-1] + HOUR_S if hours else from_s})
            if found is None or found >= to_s:
                break
            hours.append(int(found))
    return hours


def hour_peaks(
    store: Store, model: str, hours: Sequence[int], base_s: int
) -> dict[tuple[str, str, int], float]:
    """The busiest second of each of the hours (their begins) of a model, by (version, endpoint, start).

    "*" sums over all versions, or all endpoints.
    """
    wholes = {number: key for key, number in find_series(store, model).items() if not key.label}
    if not wholes:
        return {}
    highest: dict[tuple[str, str, int], float] = defaultdict(float)
    for at in hours:
        for (version, endpoint), seconds in _seconds(store, wholes, at, base_s).items():
            peak = float(seconds.max())
            if peak > 0:
                highest[version, endpoint, at] = peak
    return dict(highest)


def _seconds(
    store: Store, wholes: dict[int, SeriesKey], hour_s: int, base_s: int
) -> dict[tuple[str, str], Floats]:
    """Requests in each second of an hour (float64, 3600), by (version, endpoint)."""
    cells = read_cells(store, Kind.SERVICE, base_s, list(wholes), hour_s, hour_s + HOUR_S)
    seconds: dict[tuple[str, str], Floats] = defaultdict(lambda: np.zeros(HOUR_S))
    parts = ((cells.row, cells.cell, cells.count), (cells.sum_row, cells.sum_cell, cells.sum_value))
    for row, cell, value in parts:
        by_second = cell >= SECONDS
        row, value = row[by_second], value[by_second].astype(np.float64)
        second = cells.start_s[row] - hour_s + cell[by_second] - SECONDS
        for number in np.unique(cells.series[row]).tolist():
            mine = cells.series[row] == number
            counts = np.bincount(second[mine], weights=value[mine], minlength=HOUR_S)
            key = wholes[number]
            for version in (key.version, ALL):
                for endpoint in (key.endpoint, ALL):
                    seconds[version, endpoint] += counts
    return seconds


def _close_days(store: Store, connection: sa.Connection, from_s: int, to_s: int) -> None:
    day = peaks.c.start_s - peaks.c.start_s % DAY_S
    names = (peaks.c.model, peaks.c.version, peaks.c.endpoint)
    rows = connection.execute(
        sa.select(*names, day.label("day"), sa.func.max(peaks.c.per_s).label("per_s"))
        .where(
            peaks.c.tier_s == HOUR_S, peaks.c.start_s >= from_s, peaks.c.start_s < to_s, peaks.c.model != ""
        )
        .group_by(*names, day)
    ).all()
    if rows:
        connection.execute(
            insert(store, peaks).on_conflict_do_nothing(),
            [
                {
                    "model": r.model,
                    "version": r.version,
                    "endpoint": r.endpoint,
                    "tier_s": DAY_S,
                    "start_s": r.day,
                    "per_s": r.per_s,
                }
                for r in rows
            ],
        )


def read(store: Store, model: str, tier_s: int, from_s: int, to_s: int) -> dict[tuple[str, str, int], float]:
    """Stored peaks of a model in one tier, by (version, endpoint, start)."""
    query = sa.select(peaks).where(
        peaks.c.model == model, peaks.c.tier_s == tier_s, peaks.c.start_s >= from_s, peaks.c.start_s < to_s
    )
    with reading(store.engine) as connection:
        return {(r.version, r.endpoint, r.start_s): r.per_s for r in connection.execute(query)}
