"""A batch becomes profiles: every record is counted in its own window, once per marginal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from monitor.profiles.counting import compact
from monitor.profiles.features import BinSet, count_features
from monitor.profiles.profile import Profiles
from monitor.profiles.series import SeriesKey
from monitor.profiles.service import Marginal, count_service
from monitor.profiles.watermark import NEVER, Marks, advance
from monitor.records import Batch, Bools, Coded, Column, Ints

__all__ = ["Profiled", "Profiler", "Registry", "Settings"]

SKIP = -1


class Registry(Protocol):
    """Gives numbers to names; kept in the store, so that all processes agree."""

    def series(self, keys: Sequence[SeriesKey]) -> tuple[Ints, Bools]:
        """(ids, over): the id of each key, SKIP for a label that its model does not keep, and whether it
        went over a limit and fell into `other`. May block on the store."""

    def bins(self, model: str, columns: Mapping[str, Column], rows: int) -> BinSet:
        """The bins of the model's features, learning from `columns` what has none yet. May block."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`service_s` and `features_s` are the base windows; `thresholds` maps a threshold, ms, to its number."""

    thresholds: Mapping[float, int]
    service_s: int = 60
    features_s: int = 600
    disorder_ms: int = 10_000
    lateness_ms: int = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class Profiled:
    """What a batch adds (base tiers only), the watermark state after it, and what fell outside."""

    profiles: Profiles
    marks: Marks
    late: int
    too_late: int
    overflowed: int


class Profiler:
    """Counts batches into profiles. Pure but for the registry; not thread-safe."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._settings = settings

    def profile(self, batch: Batch, marks: Marks) -> Profiled:
        """The profiles of a batch that follows on `marks` in its partition's log."""
        settings = self._settings
        if not len(batch):
            return Profiled(Profiles(), marks, 0, 0, 0)
        before, after = advance(marks, batch.ts_ms, settings.disorder_ms)
        base_ms = settings.service_s * 1000
        known = before != NEVER
        late = known & (batch.ts_ms // base_ms * base_ms + base_ms <= before)
        too_late = known & (batch.ts_ms < np.maximum(before, 0) - settings.lateness_ms)
        # What is too late has no window any more; it is counted where the stream stands.
        at_ms = np.where(too_late, before, batch.ts_ms) if too_late.any() else batch.ts_ms
        profiles = Profiles()
        overflowed = self._service(profiles, batch, at_ms, late & ~too_late, too_late)
        self._features(profiles, batch if not too_late.any() else batch.select(~too_late))
        return Profiled(
            profiles,
            after,
            int(np.count_nonzero(late & ~too_late)),
            int(np.count_nonzero(too_late)),
            overflowed,
        )

    def live(self, batch: Batch, since_ms: int) -> Profiles:
        """The service and latency profiles of the records at or after `since_ms`, whatever their order."""
        fresh = batch.select(batch.ts_ms >= since_ms)
        profiles = Profiles()
        if len(fresh):
            none = np.zeros(len(fresh), np.bool_)
            self._service(profiles, fresh, fresh.ts_ms, none, none)
        return profiles

    def _service(self, profiles: Profiles, batch: Batch, at_ms: Ints, late: Bools, too_late: Bools) -> int:
        base_s = self._settings.service_s
        window = at_ms // (base_s * 1000)
        first = int(window.min())
        n_windows = int(window.max()) - first + 1
        triples, triple = _triples(batch)
        overflowed = 0
        for label, column in ((None, None), *batch.segments.items()):
            row, series, where, over = self._marginal(batch, triples, triple, label, column)
            overflowed += over
            chosen = slice(None) if where is None else where
            rows, index = compact(row * n_windows + (window[chosen] - first), len(series) * n_windows)
            marginal = Marginal(
                index=index,
                series=series[rows // n_windows],
                start_s=(rows % n_windows + first) * base_s,
                where=where,
            )
            count_service(profiles, batch, marginal, at_ms, late, too_late, self._settings)
        return overflowed

    def _marginal(
        self, batch: Batch, triples: list[SeriesKey], triple: Ints, label: str | None, column: Coded | None
    ) -> tuple[Ints, Ints, Ints | None, int]:
        """(index into series, series ids, rows of the batch or None for all, records over a limit)."""
        if label is None or column is None:
            keys, row, where = triples, triple, None
        else:
            where = np.flatnonzero(column.codes)
            size = len(column.names)
            pairs, row = compact(triple[where] * size + column.codes[where], len(triples) * size)
            keys = [
                triples[pair // size]._replace(label=label, value=column.names[pair % size] or "")
                for pair in pairs.tolist()
            ]
        series, over = self._registry.series(keys)
        overflowed = int(np.count_nonzero(over[row])) if over.any() else 0
        if (series == SKIP).any():
            kept = series[row] != SKIP
            where = np.flatnonzero(kept) if where is None else where[kept]
            row = row[kept]
        return row, series, where, overflowed

    def _features(self, profiles: Profiles, batch: Batch) -> None:
        for block in batch.features:
            served = ~batch.shadow[block.rows]
            if not served.all():
                keep = np.ones(len(batch), np.bool_)
                keep[block.rows] = served
                block = block.select(keep, np.arange(len(batch)))
            if not len(block.rows):
                continue
            bins = self._registry.bins(block.model, block.columns, len(block.rows))
            window = batch.ts_ms[block.rows] // (self._settings.features_s * 1000)
            first = int(window.min())
            n_windows = int(window.max()) - first + 1
            codes = batch.version.codes[block.rows].astype(np.int64)
            packed = codes * n_windows + (window - first)
            rows, index = compact(packed, len(batch.version.names) * n_windows)
            keys = [SeriesKey(block.model, batch.version.names[r // n_windows] or "") for r in rows.tolist()]
            series, _ = self._registry.series(keys)
            start_s = (rows % n_windows + first) * self._settings.features_s
            count_features(profiles, block, bins, index, series, start_s)


def _triples(batch: Batch) -> tuple[list[SeriesKey], Ints]:
    """The distinct (model, version, endpoint) of the batch, and each record's index among them."""
    n_versions, n_endpoints = len(batch.version.names), len(batch.endpoint.names)
    packed = (batch.model.codes.astype(np.int64) * n_versions + batch.version.codes) * n_endpoints
    packed += batch.endpoint.codes
    distinct, index = compact(packed, len(batch.model.names) * n_versions * n_endpoints)
    keys = [
        SeriesKey(
            batch.model.names[code // n_endpoints // n_versions] or "",
            batch.version.names[code // n_endpoints % n_versions] or "",
            batch.endpoint.names[code % n_endpoints] or "",
        )
        for code in distinct.tolist()
    ]
    return keys, index
