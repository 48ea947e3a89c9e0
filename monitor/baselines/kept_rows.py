"""A few of the rows that a baseline is fitted on, for reports to show beside a window's sample."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from monitor.baselines.sample import row_hashes
from monitor.profiles.sample_rows import Redaction, values_at
from monitor.records import Column, Ints

__all__ = ["KeptRows"]

Row: TypeAlias = dict[str, Any]


class KeptRows:
    """The `most` rows with the lowest hashes of their numbers, whatever the batches; only these are ever made
    into rows. Nulls are left out, features that `redaction` masks are masked."""

    def __init__(self, redaction: Redaction, most: int = 2000) -> None:
        self._redaction, self._most = redaction, most
        self._rows: dict[tuple[int, int], Row] = {}
        self._highest: tuple[int, int] | None = None

    def add(self, first: int, n: int, columns: Mapping[str, Column]) -> None:
        """Takes the rows from number `first` on; `columns` are by feature."""
        hashes = row_hashes(first, n).astype(np.int64)
        at: Ints = np.arange(n) if self._highest is None else np.flatnonzero(hashes <= self._highest[0])
        if len(at) > self._most:
            limit = np.partition(hashes[at], self._most - 1)[self._most - 1]
            at = at[hashes[at] <= limit]
        rows: list[Row] = [{} for _ in range(len(at))]
        for name, column in columns.items():
            for row, value in zip(rows, values_at(column, at, self._redaction.masks(name)), strict=True):
                if value is not None:
                    row[name] = value
        self._rows |= zip(zip(hashes[at].tolist(), (first + at).tolist(), strict=True), rows, strict=True)
        lowest = sorted(self._rows)[: self._most]
        self._rows = {key: self._rows[key] for key in lowest}
        self._highest = lowest[-1] if len(lowest) == self._most else None

    def rows(self) -> tuple[Row, ...]:
        """The rows, in the order of their hashes: as good as shuffled."""
        return tuple(self._rows[key] for key in sorted(self._rows))
