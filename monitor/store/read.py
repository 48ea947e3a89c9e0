"""Reading profiles back: the sum over writers, for many series and windows at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from monitor.profiles.codec import decode_counts, decode_values
from monitor.profiles.layout import Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.records import Floats, Ints
from monitor.store.additions import waiting_rows
from monitor.store.engine import reading
from monitor.store.schema import profiles, series
from monitor.store.store import Store

__all__ = [
    "Cells",
    "cells_of",
    "earliest",
    "extent",
    "inline",
    "load_rows",
    "present",
    "read_cells",
    "stored_cells",
]


@dataclass(frozen=True, slots=True)
class Cells:
    """Entries of stored profiles, not yet added up.

    `series`, `start_s`, `baseline`, `revision` (int64) have one item per stored row; `row` (int64) points
    each entry to its row; `cell` (int64) and `count` (int64) or `value` (float64) are the entries.
    """

    series: Ints
    start_s: Ints
    baseline: Ints
    revision: Ints
    row: Ints
    cell: Ints
    count: Ints
    sum_row: Ints
    sum_cell: Ints
    sum_value: Floats
    max_row: Ints
    max_cell: Ints
    max_value: Floats


def read_cells(
    store: Store,
    kind: int,
    tier_s: int,
    series_ids: Sequence[int],
    from_s: int,
    to_s: int,
) -> Cells:
    """The profiles of windows that start in [from_s, to_s), from all writers."""
    with reading(store.engine) as connection:
        found = _stored(connection, kind, tier_s, series_ids, from_s, to_s)
        if series_ids and kind in (Kind.QUALITY, Kind.LEARNED):
            waiting = waiting_rows(connection, kind, tier_s, series_ids, from_s, to_s)
            found += [(i, start_s, 0, 0, counts, sums, None) for i, start_s, counts, sums in waiting]
    return cells_of(found)


def stored_cells(
    connection: sa.Connection, kind: int, tier_s: int, series_ids: Sequence[int], from_s: int, to_s: int
) -> Cells:
    """As `read_cells`, in the caller's transaction, and without what is put aside for now."""
    return cells_of(_stored(connection, kind, tier_s, series_ids, from_s, to_s))


def _stored(
    connection: sa.Connection, kind: int, tier_s: int, series_ids: Sequence[int], from_s: int, to_s: int
) -> list[Any]:
    if not series_ids:
        return []
    query = sa.select(
        profiles.c.series,
        profiles.c.start_s,
        profiles.c.baseline,
        profiles.c.revision,
        profiles.c.counts,
        profiles.c.sums,
        profiles.c.maxima,
    ).where(
        profiles.c.kind == kind,
        profiles.c.tier_s == tier_s,
        profiles.c.series.in_(inline(series_ids)),
        profiles.c.start_s >= from_s,
        profiles.c.start_s < to_s,
    )
    # The driver's own tuples: a Row object each would cost as much as the decoding.
    return list(connection.execute(query).cursor.fetchall())


def cells_of(found: Sequence[tuple[Any, ...]]) -> Cells:
    """The entries of rows (series, start_s, baseline, revision, counts, sums, maxima)."""
    columns = list(zip(*found, strict=True)) or [()] * 7
    ints = [np.array(column, np.int64) for column in columns[:4]]
    row, cell, count = decode_counts(columns[4])
    sum_row, sum_cell, sum_value = decode_values(columns[5])
    max_row, max_cell, max_value = decode_values(columns[6])
    return Cells(
        series=ints[0],
        start_s=ints[1],
        baseline=ints[2],
        revision=ints[3],
        row=row,
        cell=cell,
        count=count,
        sum_row=sum_row,
        sum_cell=sum_cell,
        sum_value=sum_value,
        max_row=max_row,
        max_cell=max_cell,
        max_value=max_value,
    )


def inline(numbers: Sequence[int]) -> sa.BindParameter[Sequence[int]]:
    """The numbers written into the statement, for there may be more than a database takes as parameters."""
    return sa.bindparam("numbers", [int(n) for n in numbers], expanding=True, literal_execute=True)


def extent(store: Store, kind: int, tier_s: int, series_ids: Sequence[int]) -> tuple[int, int] | None:
    """The begins of the first and the last stored window of a tier; None where nothing is stored."""
    starts = (
        sa.select(profiles.c.start_s)
        .where(profiles.c.kind == kind, profiles.c.tier_s == tier_s, profiles.c.series == series.c.id)
        .limit(1)
    )
    # One look into the index for each series and end, where min() and max() would read every row.
    first, last = (
        starts.order_by(o).scalar_subquery() for o in (profiles.c.start_s, profiles.c.start_s.desc())
    )
    ends = (
        sa.select(first.label("first"), last.label("last"))
        .where(series.c.id.in_(inline(series_ids)))
        .subquery()
    )
    if not series_ids:
        return None
    with reading(store.engine) as connection:
        found = connection.execute(sa.select(sa.func.min(ends.c.first), sa.func.max(ends.c.last))).one()
    return None if found[0] is None else (int(found[0]), int(found[1]))


def earliest(store: Store, kind: int, tier_s: int, series_ids: Sequence[int], stored_s: int) -> int:
    """The begin of the first window, given that of the first in a row of its own (`extent`): what is put
    aside for now may be older."""
    with reading(store.engine) as connection:
        waiting = waiting_rows(connection, kind, tier_s, series_ids, 0, stored_s)
    return min((start_s for _, start_s, _, _ in waiting), default=stored_s)


def present(
    store: Store, kind: int, tier_s: int, series_ids: Sequence[int], from_s: int, to_s: int
) -> set[int]:
    """Those of the series that have a window that starts in [from_s, to_s)."""
    if not series_ids:
        return set()
    rows = (
        sa.select(profiles.c.start_s)
        .where(
            profiles.c.kind == kind,
            profiles.c.tier_s == tier_s,
            profiles.c.series == series.c.id,
            profiles.c.start_s >= from_s,
            profiles.c.start_s < to_s,
        )
        .exists()
    )
    query = sa.select(series.c.id).where(series.c.id.in_(inline(series_ids)), rows)
    with reading(store.engine) as connection:
        return set(connection.scalars(query))


# One statement names thousands of rows by their whole key; `i` is the place of each among those asked for.
_ROWS_AT_ONCE = 5_000
_SQLITE_ROWS = """
SELECT j.key AS i, p.counts, p.sums, p.maxima FROM json_each(?) AS j CROSS JOIN profiles AS p
WHERE p.kind = json_extract(j.value, '$[0]') AND p.tier_s = json_extract(j.value, '$[1]')
  AND p.series = json_extract(j.value, '$[2]')
  AND p.start_s = json_extract(j.value, '$[3]') AND p.baseline = json_extract(j.value, '$[4]')
  AND p.writer = ?
"""
_POSTGRES_ROWS = """
SELECT w.i - 1 AS i, p.counts, p.sums, p.maxima
FROM unnest(%s::smallint[], %s::int[], %s::int[], %s::bigint[], %s::int[]) WITH ORDINALITY
  AS w (kind, tier_s, series, start_s, baseline, i)
JOIN profiles AS p ON p.kind = w.kind AND p.tier_s = w.tier_s AND p.series = w.series
  AND p.start_s = w.start_s AND p.baseline = w.baseline AND p.writer = %s
"""


def load_rows(store: Store, writer: int, keys: RowKeys) -> Profiles:
    """What the writer has contributed so far to the profiles named; absent ones stay empty."""
    loaded = Profiles()
    to = loaded.rows_for(keys)
    if not len(keys):
        return loaded
    with reading(store.engine) as connection:
        for at in range(0, len(keys), _ROWS_AT_ONCE):
            part = slice(at, at + _ROWS_AT_ONCE)
            found = _rows(store, connection, writer, keys[part])
            _add(loaded, to[part], found)
    return loaded


def _rows(store: Store, connection: sa.Connection, writer: int, keys: RowKeys) -> Sequence[Any]:
    if store.is_sqlite:
        named = json.dumps(list(keys.tuples()), separators=(",", ":"))
        return connection.exec_driver_sql(_SQLITE_ROWS, (named, writer)).all()
    columns = tuple(column.tolist() for column in keys.columns)
    return connection.exec_driver_sql(_POSTGRES_ROWS, (*columns, writer)).all()


def _add(loaded: Profiles, to: Ints, found: Sequence[Any]) -> None:
    """Adds the rows found to those numbered `to[i]`."""
    mine = to[np.array([r.i for r in found], np.int64)]
    row, cell, count = decode_counts([r.counts for r in found])
    loaded.add_counts(mine[row], cell, count)
    row, cell, value = decode_values([r.sums for r in found])
    loaded.add_sums(mine[row], cell, value)
    row, cell, value = decode_values([r.maxima for r in found])
    loaded.add_maxima(mine[row], cell, value)
