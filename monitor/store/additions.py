"""Additions to quality profiles: written into their rows, or put aside until that is worth it.

Labels that are days late touch hundreds of windows, a few cells each, and writing every window's row
anew in each flush would cost many times what the labels do. So a flush writes the rows of few days, and
puts the other days' additions aside as one value each; those are written into the rows in turn, and
readers add them meanwhile.
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from monitor.clock import DAY_S
from monitor.profiles.codec import decode_counts, decode_values, encode_rows
from monitor.profiles.layout import CELL_BITS
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKey, RowKeys
from monitor.records import Ints
from monitor.store.schema import additions, profiles

__all__ = [
    "ROWS_AT_ONCE",
    "AdditionKey",
    "Settled",
    "decode_additions",
    "encode_additions",
    "read_additions",
    "rows_of",
    "settle",
    "waiting_rows",
]

_CELL_MASK = (1 << CELL_BITS) - 1
# Of the days that a flush adds to, those with the fewest rows are written up to so many rows.
ROWS_AT_ONCE = 500
_SERIES_AT_ONCE = 500
_VALUES_AT_ONCE = 5_000
_HEAD = struct.Struct("<I")
_ROW = np.dtype(
    [
        ("kind", "<u2"),
        ("tier_s", "<u4"),
        ("series", "<u4"),
        ("start_s", "<i8"),
        ("counts", "<u4"),
        ("sums", "<u4"),
    ]
)


class AdditionKey(NamedTuple):
    """Which value: a writer's, for a day since the epoch, from the flush `number`. It never changes."""

    writer: int
    day: int
    number: int


def encode_additions(delta: Profiles) -> bytes:
    """Profiles as one value."""
    blobs = encode_rows(delta)
    rows = np.zeros(len(blobs), _ROW)
    names = delta.rows
    rows["kind"], rows["tier_s"] = names.kind, names.tier_s
    rows["series"], rows["start_s"] = names.series, names.start_s
    rows["counts"] = [len(counts) for counts, _, _ in blobs]
    rows["sums"] = [len(sums or b"") for _, sums, _ in blobs]
    parts = [part for counts, sums, _ in blobs for part in (counts, sums) if part]
    return b"".join((_HEAD.pack(len(rows)), rows.tobytes(), *parts))


def decode_additions(values: Sequence[bytes], into: Profiles | None = None) -> Profiles:
    """The sum of what `encode_additions` wrote, added to `into` where given."""
    whole = Profiles() if into is None else into
    for value in values:
        _add(whole, *rows_of(value))
    return whole


def read_additions(
    connection: sa.Connection, from_day: int, to_day: int, known: Collection[AdditionKey]
) -> tuple[list[AdditionKey], dict[AdditionKey, bytes]]:
    """(what waits for the days [from_day, to_day), the values of those that are not `known`)."""
    key = (additions.c.writer, additions.c.day, additions.c.number)
    days = sa.and_(additions.c.day >= from_day, additions.c.day < to_day)
    there = [AdditionKey(*row) for row in connection.execute(sa.select(*key).where(days))]
    new = sorted(set(there) - set(known))
    values: dict[AdditionKey, bytes] = {}
    for at in range(0, len(new), _VALUES_AT_ONCE):
        some = sa.tuple_(*key).in_([tuple(k) for k in new[at : at + _VALUES_AT_ONCE]])
        found = connection.execute(sa.select(*key, additions.c.data).where(some))
        values |= {AdditionKey(*names): data for *names, data in found}
    return there, values


def rows_of(value: bytes) -> tuple[RowKeys, list[bytes], list[bytes]]:
    """(keys, counts, sums) of the rows of one value."""
    (n,) = _HEAD.unpack_from(value)
    rows = np.frombuffer(value, _ROW, n, _HEAD.size)
    kind, tier_s, series, start_s = (
        rows[name].astype(np.int64) for name in ("kind", "tier_s", "series", "start_s")
    )
    lengths = np.stack((rows["counts"], rows["sums"]), axis=1).astype(np.int64).ravel()
    at = (_HEAD.size + rows.nbytes + np.concatenate(([0], np.cumsum(lengths)))).tolist()
    parts = [value[a:b] for a, b in pairwise(at)]
    return RowKeys(kind, tier_s, series, start_s, np.zeros(n, np.int64)), parts[0::2], parts[1::2]


def waiting_rows(
    connection: sa.Connection, kind: int, tier_s: int, series_ids: Collection[int], from_s: int, to_s: int
) -> list[tuple[int, int, bytes, bytes]]:
    """(series, start_s, counts, sums) of what is put aside, of windows of `tier_s` that start in
    [from_s, to_s); they may repeat."""
    days = additions.c.day.between(from_s // DAY_S, (to_s - 1 + tier_s) // DAY_S)
    wanted = np.array(sorted(series_ids), np.int64)
    found: list[tuple[int, int, bytes, bytes]] = []
    for value in connection.scalars(sa.select(additions.c.data).where(days)):
        keys, counts, sums = rows_of(value)
        start_s = keys.start_s // tier_s * tier_s
        mine = (keys.kind == kind) & (start_s >= from_s) & (start_s < to_s) & np.isin(keys.series, wanted)
        at, ids = start_s.tolist(), keys.series.tolist()
        found += [(ids[i], at[i], counts[i], sums[i]) for i in np.flatnonzero(mine).tolist()]
    return found


def _add(whole: Profiles, keys: RowKeys, counts: Sequence[bytes], sums: Sequence[bytes | None]) -> None:
    to = whole.rows_for(keys)
    row, cell, count = decode_counts(counts)
    whole.add_counts(to[row], cell, count)
    row, cell, value = decode_values(sums)
    whole.add_sums(to[row], cell, value)


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a flush's additions: `rows`, the whole sums to write, tier by tier; the rest, of
    `bytes_aside`, is put aside already."""

    rows: Sequence[Profiles] = ()
    bytes_aside: int = 0


def settle(
    connection: sa.Connection, writer: int, number: int, delta: Profiles, tiers_s: Sequence[int]
) -> Settled:
    """Divides what a flush adds (base tier) into rows to write and values put aside, in the caller's
    transaction, under the caller's swap.

    `number` grows with each flush of the writer. The rows of a day are written with all that was put aside
    for that day; so is the day for which most waits."""
    if not len(delta):
        return Settled()
    delta = _without_zeros(delta)
    days = delta.rows.start_s // DAY_S
    waiting = _waiting(connection, writer)
    written = _chosen_days(days, waiting)
    late = np.setdiff1d(days, written).tolist()
    aside = [(day, encode_additions(delta.where(days == day))) for day in late]
    if aside:
        connection.execute(
            sa.insert(additions),
            [{"writer": writer, "day": day, "number": number, "data": data} for day, data in aside],
        )
    whole = delta.where(np.isin(days, written)) if late else delta
    _take_waiting(connection, writer, [day for day in written if day in waiting], whole)
    rows = []
    for tier_s in tiers_s:
        summed = Profiles()
        summed.add(whole if tier_s == tiers_s[0] else whole.coarser(tier_s))
        _load(connection, writer, summed)
        rows.append(summed)
    return Settled(rows, sum(len(data) for _, data in aside))


def _chosen_days(days: Ints, waiting: Mapping[int, int]) -> list[int]:
    """The days whose rows are written now: those of few rows, and the one for which most waits."""
    present, n_rows = np.unique(days, return_counts=True)
    order = np.argsort(n_rows, kind="stable")
    fits = np.cumsum(n_rows[order]) <= ROWS_AT_ONCE
    chosen: list[int] = present[order][fits].tolist()
    others: list[int] = present[order][~fits].tolist()
    if others:
        chosen.append(max(others, key=lambda day: waiting.get(day, 0)))
    return chosen


def _waiting(connection: sa.Connection, writer: int) -> dict[int, int]:
    """How many values are put aside, by day."""
    query = (
        sa.select(additions.c.day, sa.func.count().label("n"))
        .where(additions.c.writer == writer)
        .group_by(additions.c.day)
    )
    return {row.day: row.n for row in connection.execute(query)}


def _take_waiting(connection: sa.Connection, writer: int, days: Sequence[int], whole: Profiles) -> None:
    """Adds what waits for the days to `whole`, and deletes it."""
    if not days:
        return
    mine = sa.and_(additions.c.writer == writer, additions.c.day.in_(days))
    waiting = sa.select(additions.c.data).where(mine).order_by(additions.c.day, additions.c.number)
    decode_additions(list(connection.scalars(waiting)), whole)
    connection.execute(sa.delete(additions).where(mine))


def _without_zeros(delta: Profiles) -> Profiles:
    """The profiles without the entries that cancelled out."""
    kept = Profiles()
    kept.rows_for(delta.rows)
    keys, counts = delta.counts
    left = counts != 0
    kept.add_counts(keys[left] >> CELL_BITS, keys[left] & _CELL_MASK, counts[left])
    keys, sums = delta.sums
    left = sums != 0
    kept.add_sums(keys[left] >> CELL_BITS, keys[left] & _CELL_MASK, sums[left])
    return kept


def _load(connection: sa.Connection, writer: int, summed: Profiles) -> None:
    """Adds what the writer has stored for the rows of `summed`, which are of one tier."""
    names = summed.rows
    for kind in np.unique(names.kind).tolist():
        mine = names[names.kind == kind]
        tier_s = int(mine.tier_s[0])
        starts, ids = np.unique(mine.start_s).tolist(), np.unique(mine.series).tolist()
        for at in range(0, len(ids), _SERIES_AT_ONCE):
            columns = (profiles.c.series, profiles.c.start_s, profiles.c.baseline)
            found = connection.execute(
                sa.select(*columns, profiles.c.counts, profiles.c.sums).where(
                    profiles.c.kind == kind,
                    profiles.c.tier_s == tier_s,
                    profiles.c.series.in_(ids[at : at + _SERIES_AT_ONCE]),
                    profiles.c.start_s.in_(starts),
                    profiles.c.writer == writer,
                )
            ).all()
            held = RowKeys.of(RowKey(kind, tier_s, r.series, r.start_s, r.baseline) for r in found)
            wanted = np.flatnonzero(summed.has(held))
            if len(wanted):
                rows = [found[i] for i in wanted.tolist()]
                _add(summed, held[wanted], [r.counts for r in rows], [r.sums for r in rows])
