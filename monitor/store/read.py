"""Reading profiles back: the sum over writers, for many series and windows at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from monitor.profiles.codec import decode_counts, decode_values
from monitor.profiles.profile import Profiles, RowKey
from monitor.records import Floats, Ints
from monitor.store.engine import reading
from monitor.store.schema import profiles
from monitor.store.store import Store

__all__ = ["Cells", "load_rows", "read_cells"]


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
    series: Sequence[int],
    from_s: int,
    to_s: int,
) -> Cells:
    """The profiles of windows that start in [from_s, to_s), from all writers."""
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
        profiles.c.series.in_(series),
        profiles.c.start_s >= from_s,
        profiles.c.start_s < to_s,
    )
    with reading(store.engine) as connection:
        found = connection.execute(query).all()
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


def load_rows(store: Store, writer: int, keys: Sequence[RowKey]) -> Profiles:
    """What the writer has contributed so far to the profiles named; absent ones stay empty."""
    loaded = Profiles()
    loaded.rows_for(keys)
    groups: dict[tuple[int, int, int], list[RowKey]] = {}
    for key in keys:
        groups.setdefault((key.kind, key.tier_s, key.start_s), []).append(key)
    with reading(store.engine) as connection:
        for (kind, tier_s, start_s), wanted in groups.items():
            _load_window(connection, loaded, writer, kind, tier_s, start_s, wanted)
    return loaded


_SERIES_AT_ONCE = 500


def _load_window(
    connection: sa.Connection,
    loaded: Profiles,
    writer: int,
    kind: int,
    tier_s: int,
    start_s: int,
    wanted: Sequence[RowKey],
) -> None:
    names = set(wanted)
    ids = sorted({k.series for k in wanted})
    for at in range(0, len(ids), _SERIES_AT_ONCE):
        found = connection.execute(
            sa.select(
                profiles.c.series, profiles.c.baseline, profiles.c.counts, profiles.c.sums, profiles.c.maxima
            ).where(
                profiles.c.kind == kind,
                profiles.c.tier_s == tier_s,
                profiles.c.series.in_(ids[at : at + _SERIES_AT_ONCE]),
                profiles.c.start_s == start_s,
                profiles.c.writer == writer,
            )
        ).all()
        keys = [RowKey(kind, tier_s, r.series, start_s, r.baseline) for r in found]
        mine = [i for i, k in enumerate(keys) if k in names]
        if not mine:
            continue
        to = loaded.rows_for([keys[i] for i in mine])
        row, cell, count = decode_counts([found[i].counts for i in mine])
        loaded.add_counts(to[row], cell, count)
        row, cell, value = decode_values([found[i].sums for i in mine])
        loaded.add_sums(to[row], cell, value)
        row, cell, value = decode_values([found[i].maxima for i in mine])
        loaded.add_maxima(to[row], cell, value)
