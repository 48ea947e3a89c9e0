"""The profiler's registry, kept in the store: numbers for series and features, and bins, once for all."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import Bins, fit, present
from monitor.profiles.features import BinSet
from monitor.profiles.profiler import SKIP
from monitor.profiles.series import OTHER, SeriesKey
from monitor.records import Bools, Column, Ints
from monitor.store import baselines
from monitor.store.names import find_series, series_ids
from monitor.store.store import Store

__all__ = ["RegistryLimits", "StoreRegistry"]

_MAX_CACHED = 200_000


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
        self._baselines: dict[str, baselines.Baseline] = {}
        self._asked: defaultdict[str, set[str]] = defaultdict(set)
        self._samples: dict[tuple[str, str], list[Column]] = {}

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
        bounded = {key: self._bound(key.storable()) for key in keys}
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

    def _bound(self, key: SeriesKey) -> SeriesKey | None:
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

    def bins(self, model: str, columns: Mapping[str, Column], rows: int) -> BinSet:
        storable = SeriesKey(model).storable().model
        baseline = self._baselines.get(model)
        asked = self._asked[model]
        if baseline is None or columns.keys() - asked:
            asked.update(columns)
            # A name that no database can hold is never found again: such a feature is not profiled.
            names = [n for n in columns if "\0" not in n and len(n) <= 200][: self._limits.features]
            baseline = baselines.with_features(self._store, storable, names, self._now_ms())
            self._baselines[model] = baseline
        unfitted = [n for n, (_, bins) in baseline.features.items() if bins is None and n in columns]
        if unfitted:
            baseline = self._baselines[model] = self._fit(model, baseline, {n: columns[n] for n in unfitted})
        return BinSet(baseline.id, self._features_s, baseline.features)

    def _fit(
        self, model: str, baseline: baselines.Baseline, columns: Mapping[str, Column]
    ) -> baselines.Baseline:
        """Fits what has values enough, from this batch and those before it; the first fit stored holds."""
        ready: dict[int, Bins] = {}
        for name, column in columns.items():
            sample = self._samples.setdefault((model, name), [])
            if present(column):
                sample.append(column)
            if sum(map(present, sample)) >= self._limits.fit_values:
                ready[baseline.features[name][0]] = fit(sample, self._limits.categories)
                del self._samples[model, name]
        if not ready:
            return baseline
        return baselines.fitted(self._store, baseline, ready)
