"""The names of profiles, in columns: thousands are compared, chosen and coarsened at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.records import Bools, Ints

__all__ = ["RowKey", "RowKeys"]


class RowKey(NamedTuple):
    """Names a profile of one writer: `tier_s` is the window's length, `start_s` its begin (epoch, UTC)."""

    kind: int
    tier_s: int
    series: int
    start_s: int
    baseline: int


@dataclass(frozen=True, slots=True, eq=False)
class RowKeys:
    """Names of `n` profiles: the fields of RowKey as columns (int64, n each). Iterates as RowKey."""

    kind: Ints
    tier_s: Ints
    series: Ints
    start_s: Ints
    baseline: Ints

    @classmethod
    def of(cls, keys: Iterable[RowKey]) -> "RowKeys":
        columns: Ints = np.array([*keys], np.int64).reshape(-1, len(RowKey._fields))
        return cls(*columns.T)

    @classmethod
    def windows(cls, kind: int, tier_s: int, series: Ints, start_s: Ints, baseline: int = 0) -> "RowKeys":
        """Names that differ in `series` and `start_s` (int64, n each) alone."""
        kinds, tiers, baselines = (np.full(len(series), same, np.int64) for same in (kind, tier_s, baseline))
        return cls(kinds, tiers, series, start_s, baselines)

    @classmethod
    def joined(cls, parts: Iterable["RowKeys"]) -> "RowKeys":
        return cls(*map(np.concatenate, zip(*(part.columns for part in parts), strict=True)))

    @property
    def columns(self) -> tuple[Ints, ...]:
        """In the order of RowKey's fields."""
        return self.kind, self.tier_s, self.series, self.start_s, self.baseline

    def __len__(self) -> int:
        return len(self.kind)

    def __iter__(self) -> Iterator[RowKey]:
        return map(RowKey._make, self.tuples())

    def __getitem__(self, chosen: "Ints | Bools | slice") -> "RowKeys":
        return RowKeys(*(column[chosen] for column in self.columns))

    def tuples(self) -> Iterator[tuple[int, ...]]:
        """As plain tuples, which equal RowKeys and cost a third."""
        return zip(*(column.tolist() for column in self.columns), strict=True)

    def coarser(self, tier_s: int) -> "RowKeys":
        """The windows of `tier_s` that these lie in, in the same order; they may repeat."""
        start_s = self.start_s - self.start_s % tier_s
        return RowKeys(self.kind, np.full(len(self), tier_s, np.int64), self.series, start_s, self.baseline)
