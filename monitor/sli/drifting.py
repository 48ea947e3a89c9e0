"""Drift as an indicator: windows of features held against their baseline, or each against the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

import numpy as np

from monitor.clock import HOUR_S
from monitor.profiles.layout import FEATURE_STRIDE
from monitor.records import Floats, Ints
from monitor.sli.drift import distances
from monitor.sli.drift_attribution import attribution_ndcg, model_drift
from monitor.sli.drift_shape import Shape, describe
from monitor.sli.drift_verdict import DriftSettings, State, assess
from monitor.sli.entries import Placed
from monitor.sli.feature_counts import FeatureCounts, feature_counts
from monitor.sli.schema_violations import violations
from monitor.sli.windows import Windows
from monitor.store.baselines import Baseline, Reference, reference
from monitor.store.store import Store

__all__ = ["Against", "Drifting", "Held", "ModelStatistic", "References", "broken", "distance", "of_model"]


class Against(StrEnum):
    """What a window is held against."""

    BASELINE = "baseline"
    PREVIOUS = "previous"


class ModelStatistic(Enum):
    """A figure of a model's features together."""

    EFFECT = "mean effect, weighted by importance"
    DRIFTED = "share of the features that drifted"
    ATTRIBUTION = "how well the order of the attributions holds"


class References:
    """The baselines of a model and what they hold, each read once."""

    def __init__(self, store: Store, baselines: Sequence[Baseline]) -> None:
        self._store = store
        self.baselines: Mapping[int, Baseline] = {b.id: b for b in baselines}
        self._read: dict[tuple[int, int | None], Reference | None] = {}
        self._shapes: dict[tuple[int, tuple[str, ...]], Shape] = {}

    def numbers(self, names: Sequence[str]) -> dict[int, list[int]]:
        """The number of each feature under each baseline, -1 where it lacks it."""
        return {
            b.id: [b.features[n].number if n in b.features else -1 for n in names]
            for b in self.baselines.values()
        }

    def names(self) -> list[str]:
        """Every feature that a baseline has bins for, the newest baseline's first."""
        newest_first = sorted(self.baselines.values(), key=lambda b: b.id, reverse=True)
        return list(
            dict.fromkeys(n for b in newest_first for n, f in b.features.items() if f.bins is not None)
        )

    def all_names(self) -> list[str]:
        """Every feature that a baseline knows, with bins or without."""
        return list(dict.fromkeys(n for b in self.baselines.values() for n in b.features))

    def shape(self, baseline: int, names: tuple[str, ...]) -> Shape:
        """What the features are on the bins of a baseline."""
        if (baseline, names) not in self._shapes:
            features = self.baselines[baseline].features
            bins = {n: features[n].bins if n in features else None for n in names}
            self._shapes[baseline, names] = describe(bins)
        return self._shapes[baseline, names]

    def at(self, baseline: int, start_s: int, step_s: int) -> Reference | None:
        """What a window is held against, None where the baseline has no counts yet. Where it has those of
        each hour of the week, and the window lies within one, they are of that hour."""
        hour_s = start_s // HOUR_S * HOUR_S
        within = self.baselines[baseline].time_zone is not None and start_s + step_s <= hour_s + HOUR_S
        key = (baseline, hour_s if within else None)
        if key not in self._read:
            self._read[key] = reference(self._store, baseline, key[1])
        return self._read[key]


@dataclass(frozen=True, slots=True)
class Held:
    """One window's features beside what they are held against; all arrays are of the `names`, in order.
    `found` is the reference of the window's baseline, whatever the window is held against.

    `reference` and `current` (int64, (f, 256)) are counts; `dispersion`, `importance`,
    `reference_attribution` and `attribution` are float64 (f,).
    """

    baseline: Baseline
    names: tuple[str, ...]
    shape: Shape
    rows: int
    reference: Ints
    current: Ints
    dispersion: Floats
    importance: Floats
    reference_attribution: Floats
    attribution: Floats
    found: Reference | None = None

    def of(self, names: Sequence[str]) -> "Held":
        """Only the features `names`, in that order."""
        at = {n: i for i, n in enumerate(self.names)}
        rows = np.array([at[n] for n in names], np.int64)
        return Held(
            baseline=self.baseline,
            names=tuple(names),
            shape=self.shape.take(rows),
            rows=self.rows,
            reference=self.reference[rows],
            current=self.current[rows],
            dispersion=self.dispersion[rows],
            importance=self.importance[rows],
            reference_attribution=self.reference_attribution[rows],
            attribution=self.attribution[rows],
            found=self.found,
        )

    def binned(self) -> list[str]:
        """The features that the baseline has bins for."""
        features = self.baseline.features
        return [n for n in self.names if n in features and features[n].bins is not None]


class Drifting:
    """Holds the windows of some features of a model against their references."""

    def __init__(self, references: References, names: Sequence[str], against: Against) -> None:
        self._references = references
        self._names: tuple[str, ...] = tuple(names)
        self._against = against
        self._numbers = references.numbers(names)

    @property
    def n_features(self) -> int:
        return len(self._names)

    def read(self, windows: Windows) -> Windows:
        """The windows to read: one more, before the first, where each is held against the one before."""
        earlier = int(self._against is Against.PREVIOUS)
        return Windows(windows.from_s - earlier * windows.step_s, windows.step_s, windows.n + earlier)

    def held(
        self, placed: Sequence[Placed], windows: Windows, n_groups: int
    ) -> tuple[list[Held | None], Ints]:
        """Every slot of the windows, group by group, beside its reference, and its records (int64).

        `placed` are the rows of `read(windows)`. None where there is no record, or no reference yet.
        """
        read = self.read(windows)
        counts = feature_counts(placed, n_groups * read.n, self._numbers)
        slots = np.arange(n_groups * read.n).reshape(n_groups, read.n)[:, read.n - windows.n :].reshape(-1)
        begins = read.from_s + slots % read.n * read.step_s
        held = [
            self._held(counts, slot, start, read.step_s)
            for slot, start in zip(slots.tolist(), begins.tolist(), strict=True)
        ]
        return held, counts.rows[slots]

    def _held(self, counts: FeatureCounts, slot: int, start_s: int, step_s: int) -> Held | None:
        baseline = int(counts.baseline[slot])
        if baseline == 0:
            return None
        f = len(self._names)
        found = self._references.at(baseline, start_s, step_s)
        at = {n: i for i, n in enumerate(found.names)} if found is not None else {}
        index = np.array([at.get(n, -1) for n in self._names], np.int64)
        dispersion, importance, attributed = np.ones(f), np.full(f, np.nan), np.full(f, np.nan)
        before = np.zeros((f, FEATURE_STRIDE), np.int64)
        if found is not None:
            known = index >= 0
            dispersion[known] = found.dispersion[index[known]]
            importance[known] = found.importance[index[known]]
            attributed[known] = found.attribution[index[known]]
            before[known] = found.counts[index[known]]
        if self._against is Against.PREVIOUS:
            if counts.baseline[slot - 1] != baseline:
                return None
            before, attributed = counts.counts[slot - 1], counts.attribution[slot - 1]
        elif found is None:
            return None
        return Held(
            baseline=self._references.baselines[baseline],
            names=self._names,
            shape=self._references.shape(baseline, self._names),
            rows=int(counts.rows[slot]),
            reference=before,
            current=counts.counts[slot],
            dispersion=dispersion,
            importance=importance,
            reference_attribution=attributed,
            attribution=counts.attribution[slot],
            found=found,
        )


def distance(held: Sequence[Held | None], statistic: str) -> Floats:
    """A distance, by its name in drift.Distances, of the one feature of each item; NaN for None."""
    value = np.full(len(held), np.nan)
    by_baseline: dict[int, list[int]] = {}
    for i, each in enumerate(held):
        if each is not None:
            by_baseline.setdefault(each.baseline.id, []).append(i)
    for places in by_baseline.values():
        chosen = [each for i in places if (each := held[i]) is not None]
        shape = chosen[0].shape.take(np.zeros(len(chosen), np.int64))
        before = np.concatenate([each.reference for each in chosen])
        now = np.concatenate([each.current for each in chosen])
        value[places] = getattr(distances(shape, before, now), statistic)
    return value


def broken(held: Sequence[Held | None], feature: str | None) -> Floats:
    """The share of the values of a feature, or of all (None), that break the schema contract; each item has
    all features that a baseline knows."""
    value = np.full(len(held), np.nan)
    for i, each in enumerate(held):
        if each is None or each.found is None:
            continue
        names = each.found.names
        result = violations(each.found, each.rows, each.of(names).current)
        if feature is None:
            value[i] = result.total
        elif feature in names:
            value[i] = result.rate[names.index(feature)]
    return value


def of_model(held: Sequence[Held | None], statistic: ModelStatistic) -> Floats:
    """A figure of all features of each item together; NaN for None and where there is none."""
    found = (None if each is None else _of_model(each, statistic) for each in held)
    return np.array([np.nan if value is None else value for value in found], np.float64)


def _of_model(held: Held, statistic: ModelStatistic) -> float | None:
    if statistic is ModelStatistic.ATTRIBUTION:
        return attribution_ndcg(held.reference_attribution, held.attribution)
    found = assess(held.shape, held.reference, held.current, held.dispersion, DriftSettings())
    if statistic is ModelStatistic.EFFECT:
        return model_drift(found.effect, held.importance)
    judged = found.state != State.TOO_FEW
    return float((found.state[judged] == State.DRIFTED).mean()) if judged.any() else None
