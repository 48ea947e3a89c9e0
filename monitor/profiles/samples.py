"""Samples of records to look at: a few of each window and reason, the same ones whatever the batching.

Each reason ranks the records of a window; the k lowest are kept, by (rank, hash of the id, hash of id and
time). So samples merge like counts: of two sets of records, the k lowest of both are the k lowest of each
one's k. A record that a producer sent twice is in a sample once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.counting import compact
from monitor.profiles.hashing import hashes_of, identity_of, moments_of
from monitor.profiles.layout import Service
from monitor.profiles.notes import Notes
from monitor.profiles.series import SeriesKey
from monitor.records import Batch, Bools, Floats, Ints

__all__ = ["NO_BOUND", "Bound", "Groups", "Picked", "Reason", "SampleSettings", "groups_of", "lowest", "pick"]

_SEED = 0x5EED
_FAILURES = (Service.INFRASTRUCTURE, Service.TIMEOUT, Service.QUALITY)
_ONLINE = 0


class Reason(IntEnum):
    """Why a record was sampled; stored. RANDOM is any record, whatever it is like.

    SLOW ranks online requests by their latency, SCHEMA and TAIL by how many features are concerned, WRONG
    numbers by the size of their error; what is equal, and the rest, is ranked by hash alone.
    """

    RANDOM = 1
    SLOW = 2
    FAILED = 3
    SCHEMA = 4
    TAIL = 5
    WRONG = 6


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How many records are kept of each window of `window_s` and reason, and how much of them.

    With `per_window` 0 none is kept. `redact` are patterns (`card_*`) of the features whose values are
    masked, `@prediction` among them; without `features` none is kept.
    """

    per_window: int = 10
    random_per_window: int = 100
    window_s: int = 600
    redact: tuple[str, ...] = ()
    features: bool = True

    def size(self, reason: int) -> int:
        """How many records of a window are kept for that reason."""
        if reason == Reason.RANDOM:
            return self.random_per_window if self.per_window else 0
        return self.per_window


# (rank, hash, moment): where a record stands for a reason; the lowest are kept.
Bound: TypeAlias = tuple[float, int, int]
NO_BOUND: Bound = (float("inf"), 0, 0)


@dataclass(frozen=True, slots=True)
class Groups:
    """The windows that a batch lies in: `keys[i]` and `start_s[i]` (int64) name one, and `rows[i]` (int64)
    of the batch is in window `group[i]` (int64). Shadow traffic and what was too late is in none."""

    keys: list[SeriesKey]
    start_s: Ints
    rows: Ints
    group: Ints


@dataclass(frozen=True, slots=True)
class Picked:
    """Records that may be among the lowest of their window for a reason: rows of the batch, their `group`,
    `rank` and hashes (int64 and float64, n each)."""

    reason: Reason
    rows: Ints
    group: Ints
    rank: Floats
    hashes: Ints
    moments: Ints


def groups_of(batch: Batch, dropped: Bools | None, window_s: int) -> Groups:
    """The feature windows, by model and version, of a batch's records."""
    usable = ~batch.shadow if dropped is None else ~(batch.shadow | dropped)
    rows = np.flatnonzero(usable)
    if not len(rows):
        return Groups([], rows, rows, rows)
    whole = len(rows) == len(batch)
    ts_ms = batch.ts_ms if whole else batch.ts_ms[rows]
    model, version = (c.codes if whole else c.codes[rows] for c in (batch.model, batch.version))
    window = ts_ms // (window_s * 1000)
    first = int(window.min())
    width = int(window.max()) - first + 1
    n_versions = len(batch.version.names)
    packed = (model.astype(np.int64) * n_versions + version) * width + (window - first)
    found, group = compact(packed, len(batch.model.names) * n_versions * width)
    of = (found // width).tolist()
    keys = [
        SeriesKey(batch.model.names[c // n_versions] or "", batch.version.names[c % n_versions] or "")
        for c in of
    ]
    return Groups(keys, (found % width + first) * window_s, rows, group)


def pick(
    batch: Batch,
    groups: Groups,
    notes: Notes | None,
    settings: SampleSettings,
    bounds: Mapping[Reason, Sequence[Bound]],
) -> Iterator[Picked]:
    """For each reason the records that may be among the lowest of their windows; few, but for new windows.

    `bounds` gives the highest that each group keeps so far, NO_BOUND while it has room.
    """
    if not len(groups.rows):
        return
    whole = len(groups.rows) == len(batch)
    hashes = hashes_of(batch.ids if whole else [batch.ids[i] for i in groups.rows.tolist()], _SEED)
    for reason, among, rank in _ranked(batch, groups, notes):
        k = settings.size(reason)
        if not k or not len(groups.rows if among is None else among):
            continue
        group = groups.group if among is None else groups.group[among]
        mine = hashes if among is None else hashes[among]
        chosen = _within(group, rank, mine, bounds[reason])
        group, mine = group[chosen], mine[chosen]
        rank = np.zeros(len(mine)) if rank is None else rank[chosen]
        few = lowest(group, rank, mine, k)
        at = chosen[few] if among is None else among[chosen[few]]
        rows = groups.rows[at]
        yield Picked(
            reason,
            rows,
            group[few],
            rank[few],
            mine[few],
            moments_of(_identities(batch, rows), batch.ts_ms[rows]),
        )


def _identities(batch: Batch, rows: Ints) -> NDArray[np.uint64]:
    models = batch.model.codes[rows].tolist()
    found = [
        identity_of(batch.model.names[m] or "", batch.ids[i])
        for i, m in zip(rows.tolist(), models, strict=True)
    ]
    return np.array(found, np.uint64)


def _ranked(
    batch: Batch, groups: Groups, notes: Notes | None
) -> Iterator[tuple[Reason, Ints | None, Floats | None]]:
    """(reason, index into groups.rows or None for all, the rank of each or None for all alike)."""
    rows = groups.rows
    yield Reason.RANDOM, None, None
    latency = batch.measures.get("latency_ms")
    if latency is not None:
        timed = np.flatnonzero((latency >= 0)[rows] & (batch.mode[rows] == _ONLINE))
        yield Reason.SLOW, timed, -latency[rows[timed]]
    failure = np.zeros(len(Service), np.bool_)
    failure[list(_FAILURES)] = True
    yield Reason.FAILED, np.flatnonzero(failure[batch.outcome[rows]]), None
    for reason, counts in () if notes is None else ((Reason.SCHEMA, notes.schema), (Reason.TAIL, notes.tail)):
        noted = np.flatnonzero(counts[rows])
        yield reason, noted, -counts[rows[noted]].astype(np.float64)


def _within(group: Ints, rank: Floats | None, hashes: Ints, bounds: Sequence[Bound]) -> Ints:
    """The indices of the records that are not above the bounds of their groups."""
    if len(bounds) == 1:
        # One window a batch is the rule; then nothing is gathered.
        highest, at = bounds[0][0], bounds[0][1]
        if rank is None:
            return np.flatnonzero(hashes <= at) if highest == 0 else np.arange(len(hashes))
        return np.flatnonzero((rank < highest) | ((rank == highest) & (hashes <= at)))
    ranks = np.array([b[0] for b in bounds])[group]
    limits = np.array([b[1] for b in bounds])[group]
    mine = 0.0 if rank is None else rank
    return np.flatnonzero((mine < ranks) | ((mine == ranks) & (hashes <= limits)))


def lowest(group: Ints, rank: Floats, hashes: Ints, k: int) -> Ints:
    """The indices of the k lowest by (rank, hash) of each group, and of what is equal to the highest of
    these."""
    if len(group) <= k:
        return np.arange(len(group))
    order = np.argsort(group, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(group[order])) + 1, len(group)).tolist()
    parts, begin = [], 0
    for end in ends:
        mine = order[begin:end]
        parts.append(mine if end - begin <= k else mine[_lowest_of(rank[mine], hashes[mine], k)])
        begin = end
    return np.concatenate(parts)


def _lowest_of(rank: Floats, hashes: Ints, k: int) -> Ints:
    """At least k different ones, as far as there are: a record may have been sent twice."""
    wanted = k
    while True:
        chosen = _lowest_alike(rank, hashes, wanted)
        different = len({*zip(rank[chosen].tolist(), hashes[chosen].tolist(), strict=True)})
        if different >= k or len(chosen) == len(rank):
            return chosen
        wanted = min(2 * wanted, len(rank))


def _lowest_alike(rank: Floats, hashes: Ints, k: int) -> Ints:
    highest = np.partition(rank, k - 1)[k - 1]
    below, equal = rank < highest, rank == highest
    room = k - int(np.count_nonzero(below))
    limit = np.partition(hashes[equal], room - 1)[room - 1]
    return np.flatnonzero(below | (equal & (hashes <= limit)))
