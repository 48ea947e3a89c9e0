"""Whom series belong to, and which columns they are counted in, as arrays."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from monitor.records import Bools, Ints
from monitor.slo.counting_events import Events
from monitor.slo.objective import Subject

__all__ = ["Members", "Owners"]


class Owners:
    """`owner` (int64) is the place of whom each of the `series` (int64, ascending) belongs to."""

    def __init__(self, pairs: Ints) -> None:
        """`pairs` (n, 2) are (series, owner), and may repeat."""
        self.series, first = np.unique(pairs[:, 0], return_index=True)
        self.owner: Ints = pairs[first, 1]

    def series_of(self, owners: Ints) -> list[int]:
        """The series of these owners."""
        found: list[int] = self.series[np.isin(self.owner, owners)].tolist()
        return found

    def places_of(self, series: Ints) -> tuple[Ints, Bools]:
        """(the place of each series in `series` (int64), which are there at all)."""
        if not len(self.series):
            return np.zeros(len(series), np.int64), np.zeros(len(series), np.bool_)
        place = np.minimum(np.searchsorted(self.series, series), len(self.series) - 1)
        return place, self.series[place] == series


class Members(Owners):
    """Series that belong to models, and are counted in columns."""

    def __init__(
        self,
        columns: Iterable[tuple[Events, Subject, Sequence[int]]],
        models: Mapping[str, int],
    ) -> None:
        held = list(columns)
        pairs = [(n, models[subject.model], i) for i, (_, subject, ns) in enumerate(held) for n in ns]
        table = np.array(pairs, np.int64).reshape(-1, 3)
        super().__init__(table[:, :2])
        self._columns_of_model = _Lists.of(
            np.array([models[subject.model] for _, subject, _ in held], np.int64),
            np.arange(len(held), dtype=np.int64),
            len(models),
        )
        sources = {source: None for source, _, _ in held}
        of_column = np.array([list(sources).index(source) for source, _, _ in held], np.int64)
        self._columns_of_series: dict[Events, _Lists] = {}
        for i, source in enumerate(sources):
            mine = table[of_column[table[:, 2]] == i] if len(table) else table
            index = np.searchsorted(self.series, mine[:, 0])
            self._columns_of_series[source] = _Lists.of(index, mine[:, 2], len(self.series))

    @property
    def sources(self) -> Collection[Events]:
        return self._columns_of_series.keys()

    def columns_of_models(self, models: Ints) -> tuple[Ints, Ints]:
        """(i, column): every column of `models[i]`."""
        return self._columns_of_model.each(models)

    def columns_of_series(self, source: Events, index: Ints) -> tuple[Ints, Ints]:
        """(i, column): every column of the source that the series at the place `index[i]` is counted in."""
        return self._columns_of_series[source].each(index)


class _Lists:
    """Lists of numbers, one after the other."""

    def __init__(self, ends: Ints, items: Ints) -> None:
        self._begins = np.concatenate((np.zeros(1, np.int64), ends))
        self._items = items

    @classmethod
    def of(cls, key: Ints, items: Ints, n: int) -> "_Lists":
        """List k has the items whose key is k, below n."""
        order = np.argsort(key, kind="stable")
        return cls(np.cumsum(np.bincount(key, minlength=n)), items[order])

    def each(self, keys: Ints) -> tuple[Ints, Ints]:
        """(i, item): every item of the list keys[i]."""
        size = self._begins[keys + 1] - self._begins[keys]
        i = np.repeat(np.arange(len(keys)), size)
        within = np.arange(len(i)) - np.repeat(np.cumsum(size) - size, size)
        return i, self._items[self._begins[keys][i] + within]
