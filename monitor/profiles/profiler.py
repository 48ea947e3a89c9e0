"""A batch becomes profiles: every record is counted in its own window, once per marginal."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from monitor.profiles.counting import compact
from monitor.profiles.features import BinSet, FeatureRows, count_features
from monitor.profiles.notes import BlockNotes, Notes
from monitor.profiles.profile import Profiles
from monitor.profiles.series import SeriesKey
from monitor.profiles.service import Marginal, count_service
from monitor.profiles.watermark import NEVER, Marks, advance
from monitor.records import Batch, Bools, Coded, Column, FeatureBlock, Ints

__all__ = ["Profiled", "Profiler", "Registry", "Settings"]

SKIP = -1


class Registry(Protocol):
    """Gives numbers to names; kept in the store, so that all processes agree."""

    def series(self, keys: Sequence[SeriesKey]) -> tuple[Ints, Bools]:
        """(ids, over): the id of each key, SKIP for a label that its model does not keep, and whether it
        went over a limit and fell into `other`. May block on the store."""

    def baselines(self, series: Ints, start_s: Ints) -> Ints:
        """The baseline (int64) that each feature window of a whole series is counted on: the one active at
        its begin for the series' version, and once one counted in it the same for ever. May block."""

    def bins(self, baseline: int, columns: Mapping[str, Column]) -> BinSet:
        """The bins of a baseline's features, learning from `columns` what may be learnt. May block."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`service_s` and `features_s` are the base windows; `thresholds` maps a threshold, ms, to its number.

    `feature_segments` names, by model, the labels by whose values features are counted too. With `notes` the
    profiler says what is odd about each record.
    """

    thresholds: Mapping[float, int]
    service_s: int = 60
    features_s: int = 600
    disorder_ms: int = 10_000
    lateness_ms: int = 14 * 86_400_000
    feature_segments: Mapping[str, Collection[str]] = field(default_factory=dict)
    notes: bool = False


@dataclass(frozen=True, slots=True)
class Profiled:
    """What a batch adds (base tiers only), the watermark state after it, and what fell outside.

    `dropped` (bool, rows of the batch) marks the records that were too late, None where none was; `notes`
    are there where the settings ask for them.
    """

    profiles: Profiles
    marks: Marks
    late: int
    too_late: int
    overflowed: int
    dropped: Bools | None = None
    notes: Notes | None = None


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
        any_too_late = bool(too_late.any())
        notes = self._features(profiles, batch.select(~too_late) if any_too_late else batch)
        return Profiled(
            profiles,
            after,
            int(np.count_nonzero(late & ~too_late)),
            int(np.count_nonzero(too_late)),
            overflowed,
            too_late if any_too_late else None,
            notes.spread(~too_late) if notes is not None and any_too_late else notes,
        )

    def live(self, batch: Batch, since_ms: int) -> Profiles:
        """The service and latency profiles of the records at or after `since_ms`, whatever their order."""
        fresh = batch.select(batch.ts_ms >= since_ms)
        profiles = Profiles()
        if len(fresh):
            none = np.zeros(len(fresh), np.bool_)
            self._service(profiles, fresh, fresh.ts_ms, none, none)
        return profiles

    def series_of(self, batch: Batch) -> tuple[Ints, Ints]:
        """(whole, marginals): each record's whole series (int64, n), and the series of its segment labels
        (int64, n x labels), SKIP where it has no value or the label is not kept. May block."""
        triples, triple = _triples(batch)
        columns = []
        for label, column in ((None, None), *batch.segments.items()):
            row, series, where, _ = self._marginal(batch, triples, triple, label, column)
            of_record = np.full(len(batch), SKIP, np.int64)
            of_record[slice(None) if where is None else where] = series[row]
            columns.append(of_record)
        return columns[0], np.stack(columns[1:], axis=1) if columns[1:] else np.zeros(
            (len(batch), 0), np.int64
        )

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

    def _features(self, profiles: Profiles, batch: Batch) -> Notes | None:
        notes = Notes(len(batch)) if self._settings.notes else None
        for block in batch.features:
            served = ~batch.shadow[block.rows]
            if not served.all():
                keep = np.ones(len(batch), np.bool_)
                keep[block.rows] = served
                block = block.select(keep, np.arange(len(batch)))
            if len(block.rows):
                self._block(profiles, batch, block, notes)
        return notes

    def _block(self, profiles: Profiles, batch: Batch, block: FeatureBlock, notes: Notes | None) -> None:
        """Counts a block, the records of each baseline apart; there is one but for a change."""
        window = batch.ts_ms[block.rows] // (self._settings.features_s * 1000)
        first = int(window.min())
        n_windows = int(window.max()) - first + 1
        packed = batch.version.codes[block.rows] * n_windows + (window - first)
        groups, group = compact(packed, len(batch.version.names) * n_windows)
        keys = [SeriesKey(block.model, batch.version.names[g // n_windows] or "") for g in groups.tolist()]
        start_s = (groups % n_windows + first) * self._settings.features_s
        series, _ = self._registry.series(keys)
        whole = FeatureRows(group, series, start_s)
        marginals = [whole, *self._marginals(batch, block, keys, whole)]
        baseline = self._registry.baselines(series, start_s)
        numbers = np.unique(baseline)
        for number in numbers.tolist():
            bins = self._registry.bins(number, block.columns)
            mine = None if len(numbers) == 1 else (baseline == number)[group]
            part, rows = (block, marginals) if mine is None else _where(batch, block, marginals, mine)
            noted = None if notes is None else BlockNotes(len(part.rows))
            count_features(profiles, part, bins, rows, noted)
            if notes is not None and noted is not None:
                noted.missing(part, bins)
                noted.add_to(notes, part.rows)

    def _marginals(
        self, batch: Batch, block: FeatureBlock, keys: list[SeriesKey], whole: FeatureRows
    ) -> Iterator[FeatureRows]:
        """The values of the labels by which the model's features are counted too."""
        for label in self._settings.feature_segments.get(block.model, ()):
            if label not in batch.segments:
                continue
            codes, names = batch.segments[label].codes[block.rows], batch.segments[label].names
            where = np.flatnonzero(codes)
            pairs, index = compact(whole.index[where] * len(names) + codes[where], len(keys) * len(names))
            of, value = pairs // len(names), (pairs % len(names)).tolist()
            named = [
                keys[g]._replace(label=label, value=names[v] or "")
                for g, v in zip(of.tolist(), value, strict=True)
            ]
            series, _ = self._registry.series(named)
            kept = (series != SKIP)[index]
            rows, index = compact(index[kept], len(series))
            yield FeatureRows(index, series[rows], whole.start_s[of[rows]], where[kept])


def _where(
    batch: Batch, block: FeatureBlock, marginals: Sequence[FeatureRows], mine: Bools
) -> tuple[FeatureBlock, list[FeatureRows]]:
    """The block's records where `mine`, and what the marginals have of them."""
    keep = np.zeros(len(batch), np.bool_)
    keep[block.rows[mine]] = True
    position = np.cumsum(mine) - 1
    rows = []
    for m in marginals:
        kept = mine if m.where is None else mine[m.where]
        profiles, index = compact(m.index[kept], len(m.series))
        where = None if m.where is None else position[m.where[kept]]
        rows.append(FeatureRows(index, m.series[profiles], m.start_s[profiles], where))
    return block.select(keep, np.arange(len(batch))), rows


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
