"""Which columns a series is counted in, and which series a model has, as arrays."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from monitor.records import Bools, Ints
from monitor.slo.counting_events import Events
from monitor.slo.objective import Subject

__all__ = ["Members"]


class Members:
    """`model` is the model's place of each of the `series` (int64, ascending)."""

    def __init__(
        self,
        columns: Iterable[tuple[Events, Subject, Sequence[int]]],
        models: Mapping[str, int],
    ) -> None:
        held = list(columns)
        pairs = [(n, i, models[subject.model]) for i, (_, subject, ns) in enumerate(held) for n in ns]
        table = np.array(pairs, np.int64).reshape(-1, 3)
        self.series, first = np.unique(table[:, 0], return_index=True)
        self.model: Ints = table[first, 2]
        self._n_models = len(models)
        self._columns_of_model = _Lists.of(
            np.array([models[subject.model] for _, subject, _ in held], np.int64),
            np.arange(len(held), dtype=np.int64),
            len(models),
        )
        sources = {source: None for source, _, _ in held}
        of_column = np.array([list(sources).index(source) for source, _, _ in held], np.int64)
        self._columns_of_series: dict[Events, _Lists] = {}
        for i, source in enumerate(sources):
            mine = table[of_column[table[:, 1]] == i] if len(table) else table
            index = np.searchsorted(self.series, mine[:, 0])
            self._columns_of_series[source] = _Lists.of(index, mine[:, 1], len(self.series))

    @property
    def sources(self) -> Collection[Events]:
        return self._columns_of_series.keys()

    def series_of(self, models: Ints) -> list[int]:
        """The series of the models."""
        found: list[int] = self.series[np.isin(self.model, models)].tolist()
        return found

    def places_of(self, series: Ints) -> tuple[Ints, Bools]:
        """(the place of each series in `series` (int64), which are there at all)."""
        if not len(self.series):
            return np.zeros(len(series), np.int64), np.zeros(len(series), np.bool_)
        place = np.minimum(np.searchsorted(self.series, series), len(self.series) - 1)
        return place, self.series[place] == series

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
