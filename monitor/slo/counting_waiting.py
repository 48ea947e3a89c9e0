"""Events of labelled predictions that are put aside, and count as if they stood in the profiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import sqlalchemy as sa

from monitor.profiles.layout import Kind
from monitor.records import Floats, Ints
from monitor.slo.counting_events import Events, Thresholds, events_of
from monitor.store.additions import AdditionKey, read_additions, rows_of
from monitor.store.read import cells_of

__all__ = ["Waiting", "WaitingRows"]

_DAY_S = 86_400
_KINDS = (Kind.QUALITY, Kind.LEARNED)


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """Base windows of series, which may repeat, and (good, total) of each by source (float64). `tag` is a
    number of the value that it is from; all others are int64 too."""

    series: Ints
    start_s: Ints
    tag: Ints
    events: Mapping[Events, tuple[Floats, Floats]]

    @classmethod
    def joined(cls, parts: Sequence["WaitingRows"], sources: Iterable[Events]) -> "WaitingRows":
        none = np.zeros(0, np.int64)
        return cls(
            np.concatenate([none, *(p.series for p in parts)]),
            np.concatenate([none, *(p.start_s for p in parts)]),
            np.concatenate([none, *(p.tag for p in parts)]),
            {
                source: (
                    np.concatenate([np.zeros(0), *(p.events[source][0] for p in parts)]),
                    np.concatenate([np.zeros(0), *(p.events[source][1] for p in parts)]),
                )
                for source in sources
            },
        )


class Waiting:
    """What is put aside for some days, each value read once."""

    def __init__(self, sources: Sequence[Events]) -> None:
        self._sources = tuple(sources)
        self._held: dict[AdditionKey, dict[Kind, WaitingRows]] = {}

    def refresh(self, connection: sa.Connection, from_s: int, to_s: int, thresholds: Thresholds) -> None:
        """Reads what has been put aside since, and forgets what has been written into the profiles."""
        there, new = read_additions(connection, from_s // _DAY_S, -(-to_s // _DAY_S), self._held.keys())
        for key, value in new.items():
            self._held[key] = {kind: self._decoded(key, value, kind, thresholds) for kind in _KINDS}
        self._held = {key: self._held[key] for key in there}

    def _decoded(self, key: AdditionKey, value: bytes, kind: Kind, thresholds: Thresholds) -> WaitingRows:
        keys, counts, sums = rows_of(value)
        rows = [
            (series, start_s, 0, 0, counts[i], sums[i], None)
            for i, (series, start_s) in enumerate(
                zip(keys.series.tolist(), keys.start_s.tolist(), strict=True)
            )
            if keys.kind[i] == kind
        ]
        cells = cells_of(rows)
        tag = np.full(len(cells.series), crc32(repr(tuple(key)).encode()), np.int64)
        return WaitingRows(cells.series, cells.start_s, tag, events_of(cells, self._sources, thresholds))

    def rows(self, kind: Kind) -> WaitingRows:
        """All that waits for profiles of a kind."""
        return WaitingRows.joined([held[kind] for held in self._held.values()], self._sources)
