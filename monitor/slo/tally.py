"""Good and all events over time, summed exactly over any windows that end with a slot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from monitor.records import Floats, Ints

__all__ = ["Tally"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Slots in order of time, none over another: slot i is [begin_s[i], end_s[i]) (int64) and has `good` of
    `total` events (float64, for records may be sampled). A slot without events need not be there.

    Slots may be of several lengths: hours where the past is long, base windows where it is near.
    """

    begin_s: Ints
    end_s: Ints
    good: Floats
    total: Floats
    _sums: "tuple[Floats, Floats]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zero = np.zeros(1)
        sums = tuple(np.concatenate((zero, np.cumsum(part))) for part in (self.total - self.good, self.total))
        object.__setattr__(self, "_sums", sums)

    @classmethod
    def empty(cls) -> Self:
        none = np.zeros(0, np.int64)
        return cls(none, none, np.zeros(0), np.zeros(0))

    @classmethod
    def of(cls, slots: Sequence[tuple[int, int, float, float]]) -> Self:
        """From (begin_s, end_s, good, total) each."""
        begin, end, good, total = (list(c) for c in zip(*slots, strict=True)) if slots else ([], [], [], [])
        return cls(
            np.array(begin, np.int64), np.array(end, np.int64), np.array(good, float), np.array(total, float)
        )

    def __len__(self) -> int:
        return len(self.begin_s)

    @property
    def first_s(self) -> int | None:
        """When its first event was, by the begin of its slot; None without any."""
        some = np.flatnonzero(self.total > 0)
        return int(self.begin_s[some[0]]) if len(some) else None

    def between(self, from_s: "Ints | int", to_s: "Ints | int") -> tuple[Floats, Floats]:
        """(bad, all) events of the slots that lie within [from_s, to_s), for each pair of bounds."""
        first = np.searchsorted(self.begin_s, from_s, side="left")
        last = np.maximum(np.searchsorted(self.end_s, to_s, side="right"), first)
        bad, total = self._sums
        return np.asarray(bad[last] - bad[first]), np.asarray(total[last] - total[first])

    def until(self, to_s: int) -> "Tally":
        """The slots that end by `to_s`: what was known then of a stream in order."""
        n = int(np.searchsorted(self.end_s, to_s, side="right"))
        return Tally(self.begin_s[:n], self.end_s[:n], self.good[:n], self.total[:n])
