"""Quality in one window beside that of the baseline: what the verdict on a model is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from monitor.profiles.layout import Kind, Quality
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKey, RowKeys
from monitor.profiles.series import SeriesKey
from monitor.sli.comparing import first_labels
from monitor.sli.drifting import Against
from monitor.sli.entries import Grouping, join, place
from monitor.sli.estimated import EXPECTED
from monitor.sli.expecting import calibration_of, entries_of
from monitor.sli.model_verdict import ExpectedQuality
from monitor.sli.quality import Metric, find_metric
from monitor.sli.quality_cells import QualityCells
from monitor.sli.quality_change import QualityChange, QualityState, compare_quality
from monitor.sli.quality_labels import label_coverage
from monitor.sli.question import Group
from monitor.sli.windows import Windows, cover, tiers
from monitor.store.baselines import Reference
from monitor.store.names import find_series
from monitor.store.store import Store

__all__ = ["ModelQuality", "WindowQuality"]

# So many labels are enough to compare with, where no baseline has any.
_ENOUGH = 500
# What a model may be judged by; of equals the first.
_JUDGED_BY = (
    (Quality.CLASSIFIED, "accuracy"),
    (Quality.MEASURED, "mae"),
    (Quality.RANKED, "ndcg_at_10"),
    (Quality.EXTRACTED, "exact_match"),
    (Quality.RATED, "rating_mean"),
)


@dataclass(frozen=True, slots=True)
class WindowQuality:
    """`coverage` is the share of the window's predictions that have labels, NaN for no predictions;
    `expected` is there where the labels aren't yet, and scores are."""

    change: QualityChange
    coverage: float
    expected: ExpectedQuality | None


class ModelQuality:
    """The quality of a model's groups in windows, by the time of the predictions, or, of kind LEARNED, by
    that of the labels.

    A window is widened to whole windows of quality. It is held against the validation labels of its
    baseline; without those against the first days of the version, or of the model where the version is new,
    that have 500 labels together, if they were over before it began; or, if asked for, the window before.
    """

    def __init__(
        self, store: Store, model: str, quality_s: int, against: Against, kind: Kind = Kind.QUALITY
    ) -> None:
        self._store, self._model, self._quality_s, self._against = store, model, quality_s, against
        self._kind = kind
        self._series = find_series(store, model)

    def of(self, group: Group, window: Windows, reference: Reference | None) -> WindowQuality:
        """Of one group in the one window; `reference` is the baseline that it is on."""
        ids = _ids(self._series, group)
        begin = window.from_s // self._quality_s * self._quality_s
        end = -(-window.to_s // self._quality_s) * self._quality_s
        now = self._cells(ids, begin, end)
        before = self._before(group, ids, begin, end, now, reference)
        metric = _judged_by(now, before)
        change = compare_quality(metric, metric.compute(now), metric.compute(before))
        expected = None
        if change.state is QualityState.UNKNOWN and now.counts(Quality.WITH_CLASS)[0] > 0:
            expected = self._expected(group, ids, now, change)
        return WindowQuality(change, float(label_coverage(now).value[0]), expected)

    def _cells(self, ids: list[int], from_s: int, to_s: int) -> QualityCells:
        window = Windows(from_s, to_s - from_s, 1)
        grouping = Grouping(np.array(ids, np.int64), np.zeros(len(ids), np.int64), 1)
        parts = cover(window, tiers(self._quality_s))
        return QualityCells.of(join(place(self._store, self._kind, parts, window, grouping), 1))

    def _before(
        self,
        group: Group,
        ids: list[int],
        begin: int,
        end: int,
        now: QualityCells,
        reference: Reference | None,
    ) -> QualityCells:
        if self._against is Against.PREVIOUS:
            return self._cells(ids, 2 * begin - end, begin)
        if reference is not None and reference.quality is not None:
            validated = QualityCells.of(entries_of(reference.quality))
            seen = [cell for cell, _ in _JUDGED_BY if now.counts(cell)[0] > 0]
            if any(validated.counts(cell)[0] > 0 for cell in seen or [c for c, _ in _JUDGED_BY]):
                return validated
        own = self._first(ids, begin)
        if group.version is None or own.counts(Quality.LABELLED)[0] > 0:
            return own
        # A version that is new is held against those before it.
        return self._first(_ids(self._series, replace(group, version=None)), begin)

    def _first(self, ids: list[int], until_s: int) -> QualityCells:
        """The first days with enough labels; without any cells where none was over by then."""
        found = first_labels(self._store, ids, _ENOUGH, until_s)
        return QualityCells.of_profiles(_nothing()) if found is None else found

    def _expected(
        self, group: Group, ids: list[int], now: QualityCells, change: QualityChange
    ) -> ExpectedQuality | None:
        """What the scores promise, where there is a value to hold it against."""
        calibration = calibration_of(self._store, self._model, group.version, ids)
        if calibration is None or change.metric != "accuracy":
            return None
        expected = EXPECTED["expected_accuracy"]
        value = float(expected.compute(now, calibration).value[0])
        if np.isnan(value) or np.isnan(change.baseline):
            return None
        return ExpectedQuality(expected.name, value, change.baseline)


def _nothing() -> Profiles:
    """Profiles of one slot with nothing in it."""
    profiles = Profiles()
    profiles.rows_for(RowKeys.of([RowKey(int(Kind.QUALITY), 0, 0, 0, 0)]))
    return profiles


def _ids(series: Mapping[SeriesKey, int], group: Group) -> list[int]:
    label, value = next(iter(group.segment.items()), ("", ""))
    return sorted(
        number
        for key, number in series.items()
        if group.version in (None, key.version) and (key.label, key.value) == (label, value)
    )


def _judged_by(now: QualityCells, before: QualityCells) -> Metric:
    """By what most of the predictions can be judged by, of the window or else of what it is held against: of
    a regression some numbers happen to be whole, and look like classes."""
    for cells in (now, before):
        most, name = max(
            ((int(cells.counts(cell)[0]), name) for cell, name in _JUDGED_BY), key=lambda found: found[0]
        )
        if most > 0:
            return _metric(name)
    return _metric("accuracy")


def _metric(name: str) -> Metric:
    found = find_metric(name)
    if found is None:
        raise LookupError(f"there is no metric {name!r}")
    return found
