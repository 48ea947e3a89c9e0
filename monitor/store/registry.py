"""The profiler's registry, kept in the store: numbers for series and features, and bins, once for all."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import Bins, fit, present
from monitor.profiles.features import BinSet
from monitor.profiles.layout import CELL_BITS, FEATURE_STRIDE
from monitor.profiles.profiler import SKIP
from monitor.profiles.series import OTHER, SeriesKey
from monitor.records import Bools, Column, Ints
from monitor.store import fits
from monitor.store.activations import Activation, active, bind, last_activation, list_activations
from monitor.store.baselines import Baseline
from monitor.store.names import find_series, series_ids
from monitor.store.store import Store

__all__ = ["RegistryLimits", "StoreRegistry"]

_MAX_CACHED = 200_000
# Feature numbers that cells have room for, less those of the prediction and the score.
_MOST_FEATURES = (1 << CELL_BITS) // FEATURE_STRIDE - 3


@dataclass(frozen=True, slots=True)
class RegistryLimits:
    """Bounds per model. `labels(model)` lists the segment labels to keep, None for all."""

    series: int = 1000
    segment_values: int = 20
    features: int = 2000
    categories: int = 200
    fit_values: int = 2000
    labels: Callable[[str], Collection[str] | None] = lambda model: None


class StoreRegistry:
    """Implements profiler.Registry. Caches what it has read, for numbers never change."""

    def __init__(
        self, store: Store, limits: RegistryLimits, features_s: int, now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._limits = limits
        self._features_s = features_s
        self._now_ms = now_ms
        self._ids: dict[SeriesKey, tuple[int, bool]] = {}
        self._wholes: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._values: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._seen_models: set[str] = set()
        self._names: dict[int, SeriesKey] = {}
        self._said: dict[str, list[Activation]] = {}
        self._last_said: int | None = None
        self._provisional: dict[str, int] = {}
        self._bound: dict[tuple[int, int], int] = {}
        self._baselines: dict[int, Baseline] = {}
        self._asked: defaultdict[int, set[str]] = defaultdict(set)
        self._samples: dict[tuple[int, str], list[Column]] = {}

    def series(self, keys: Sequence[SeriesKey]) -> tuple[Ints, Bools]:
        if len(self._ids) > _MAX_CACHED:
            self._ids.clear()
        new = [k for k in dict.fromkeys(keys) if k not in self._ids]
        if new:
            self._register(new)
        found = [self._ids[k] for k in keys]
        return (
            np.array([i for i, _ in found], np.int64),
            np.array([over for _, over in found], np.bool_),
        )

    def name(self, series: int) -> SeriesKey:
        """The key of a series that this registry has numbered."""
        return self._names[series]

    def _register(self, keys: Sequence[SeriesKey]) -> None:
        for model in {k.storable().model for k in keys} - self._seen_models:
            self._seen_models.add(model)
            for known in find_series(self._store, model):
                self._note(known)
        bounded = {key: self._limited(key.storable()) for key in keys}
        kept = [b for b in dict.fromkeys(bounded.values()) if b is not None]
        numbers = dict(zip(kept, series_ids(self._store, kept), strict=True))
        for key, bound in bounded.items():
            if bound is None:
                self._ids[key] = (SKIP, False)
                continue
            self._ids[key] = (numbers[bound], bound != key.storable())
            self._names[numbers[bound]] = bound

    def _note(self, key: SeriesKey) -> None:
        if key.label:
            self._values[key.model, key.label].add(key.value)
        else:
            self._wholes[key.model].add((key.version, key.endpoint))

    def _limited(self, key: SeriesKey) -> SeriesKey | None:
        """The key within the limits: what goes over falls into `other`; None for a label not kept."""
        wholes, values = self._wholes[key.model], self._values[key.model, key.label]
        if (key.version, key.endpoint) not in wholes and len(wholes) >= self._limits.series:
            key = key._replace(version=OTHER, endpoint=OTHER)
        if key.label:
            kept = self._limits.labels(key.model)
            if kept is not None and key.label not in kept:
                return None
            if key.value not in values and len(values) >= self._limits.segment_values:
                key = key._replace(value=OTHER)
        self._note(key)
        return key

    def refresh(self) -> None:
        """Takes in what was said of baselines since it was last called; one cheap query where nothing was."""
        last = last_activation(self._store)
        if last == self._last_said:
            return
        said: dict[str, list[Activation]] = {}
        for each in list_activations(self._store):
            said.setdefault(each.model, []).append(each)
        self._said, self._last_said = said, last

    def baselines(self, series: Ints, start_s: Ints) -> Ints:
        if len(self._bound) > _MAX_CACHED:
            self._bound.clear()
        keys = list(zip(series.tolist(), start_s.tolist(), strict=True))
        new = [k for k in dict.fromkeys(keys) if k not in self._bound]
        if new:
            if self._last_said is None:
                self.refresh()
            self._bound |= bind(self._store, {(s, at): self._active(self._names[s], at) for s, at in new})
        return np.array([self._bound[k] for k in keys], np.int64)

    def _active(self, key: SeriesKey, at_s: int) -> int:
        number = active(self._said.get(key.model, ()), key.version, at_s)
        if number is not None:
            return number
        if key.model not in self._provisional:
            self._provisional[key.model] = fits.provisional(self._store, key.model, self._now_ms())
        return self._provisional[key.model]

    def bins(self, baseline: int, columns: Mapping[str, Column]) -> BinSet:
        known = self._baselines.get(baseline)
        asked = self._asked[baseline]
        if known is None or columns.keys() - asked:
            asked.update(columns)
            # A name that no database can hold is never found again: such a feature is not profiled.
            names = [n for n in columns if "\0" not in n and len(n) <= 200]
            limit = min(self._limits.features, _MOST_FEATURES) + 2
            known = self._baselines[baseline] = fits.register(self._store, baseline, names, limit)
        if known.provisional:
            unfitted = {n: columns[n] for n, f in known.features.items() if f.bins is None and n in columns}
            if unfitted:
                known = self._baselines[baseline] = self._fit(known, unfitted)
        return BinSet(baseline, self._features_s, known.features)

    def _fit(self, baseline: Baseline, columns: Mapping[str, Column]) -> Baseline:
        """Fits what has values enough, from this batch and those before it; the first fit stored holds."""
        ready: dict[int, Bins] = {}
        for name, column in columns.items():
            sample = self._samples.setdefault((baseline.id, name), [])
            if present(column):
                sample.append(column)
            if sum(map(present, sample)) >= self._limits.fit_values:
                ready[baseline.features[name].number] = fit(sample, self._limits.categories)
                del self._samples[baseline.id, name]
        return fits.fitted(self._store, baseline.id, ready) if ready else baseline
