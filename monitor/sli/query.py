"""Answers: an indicator over windows and groups, from the store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np

from monitor.clock import DAY_S
from monitor.errors import QueryError
from monitor.profiles.layout import SECONDS, Kind
from monitor.records import Carries, Floats
from monitor.sli.catalogue import OUTCOMES, Broken, Counted, Distance, Lost, Operational, Quantile, Special
from monitor.sli.comparing import Compared, compared_values, first_labels
from monitor.sli.compute import counted, measured, null_share
from monitor.sli.coverage import covered
from monitor.sli.drifting import Drifting, ModelStatistic, References, broken, distance, of_model
from monitor.sli.entries import Beside, Grouping, Values, join, place
from monitor.sli.estimated import Calibration
from monitor.sli.expecting import Foretold, calibration_of, expected_values
from monitor.sli.operational import events_extent, operational_values
from monitor.sli.peak import peak_per_s
from monitor.sli.quality import Metric
from monitor.sli.quality_cells import QualityCells, Why
from monitor.sli.quality_loss import quality_loss
from monitor.sli.quality_values import quality_values
from monitor.sli.question import Group, Question, Scope, scope_of, unknown
from monitor.sli.windows import (
    MAX_ANSWERS,
    Bases,
    UsualBases,
    Windows,
    base_of,
    cover,
    stored_range,
    tiers,
    windows,
)
from monitor.store.baselines import features_of
from monitor.store.ownership import list_gaps, list_progress
from monitor.store.read import extent, present
from monitor.store.store import Store

__all__ = ["Answer", "Found", "answer", "find", "groups_in", "stored_windows"]

# Windows x series that are read at once: few enough for arrays that the allocator reuses.
_ROWS_AT_ONCE = 2_000
_LABELS_ENOUGH = 1_000
_USUAL = UsualBases()


class Answer(TypedDict):
    """An indicator in one window of one group. Times are RFC 3339, UTC.

    `version` and `endpoint` are None and `segment` empty where they were summed over; `value` is None
    where no record is behind it. `estimate` is there, and true, where sampled records were scaled up;
    `coverage`, a share, where it is below 1: not all records of the window are in. Quality has its 95 %
    interval `low` to `high`, the share of the predictions whose label has come, the median of how long
    those took, s, and `why` there is no value.
    """

    start: str
    end: str
    model: str
    version: str | None
    endpoint: str | None
    segment: Mapping[str, str]
    value: float | None
    count: int
    estimate: NotRequired[bool]
    coverage: NotRequired[float]
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    label_coverage: NotRequired[float | None]
    label_lag_p50_s: NotRequired[float | None]
    why: NotRequired[str]


def answer(
    store: Store,
    question: Question,
    now_ms: int,
    bases: Bases = _USUAL,
) -> list[Answer]:
    """The answer, group by group, each from its first window to its last. Reads the store.

    The range is widened to whole steps, as `start` and `end` say. Without a range it is that of the
    stored data; nothing stored gives an empty list. Raises QueryError with what to do instead.
    """
    scope = scope_of(store, question)
    if scope.sli.formula is Special.DATA_AGE:
        return _data_age(store, question, scope, now_ms, bases.service_s)
    found = _found(store, question, scope, bases, None)
    if found is None:
        return []
    coverage = _coverage(store, found.windows)
    return _answers(question.model, found.groups, found.windows, found.values, coverage)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as arrays: `values` has a slot for each group and window, group * windows + window."""

    groups: Sequence[Group]
    windows: Windows
    values: Values


def find(
    store: Store, question: Question, bases: Bases, references: References | None = None
) -> Found | None:
    """As `answer`, for whoever asks much and often: as arrays, and with what the model's features are held
    against (`references`) read before. None where nothing is stored.

    Raises QueryError as `answer` does, and for the age of data, which has no windows.
    """
    scope = scope_of(store, question)
    if scope.sli.formula is Special.DATA_AGE:
        raise QueryError(f"{scope.sli.name}: it is that of now, and has no windows")
    return _found(store, question, scope, bases, references)


def _found(
    store: Store, question: Question, scope: Scope, bases: Bases, references: References | None
) -> Found | None:
    base_s = base_of(bases, scope.sli.kind)
    asked = stored_windows(store, question, scope, base_s)
    if asked is None:
        return None
    groups, grouping = groups_in(store, question, scope, asked, base_s)
    if asked.n * len(groups) > MAX_ANSWERS:
        raise QueryError(
            f"{asked.n} windows of {len(groups)} groups are more than {MAX_ANSWERS} values: take a longer "
            "step, a shorter range, or fewer groups"
        )
    computation = _Computation(store, question, scope, groups, grouping, base_s, references)
    return Found(groups, asked, computation.values(asked))


def _coverage(store: Store, asked: Windows) -> Floats:
    return covered(list_progress(store, Carries.RECORDS), list_gaps(store), asked)


def stored_windows(store: Store, question: Question, scope: Scope, base_s: int) -> Windows | None:
    from_ms, to_ms = question.from_ms, question.to_ms
    if from_ms is not None and to_ms is not None:
        return windows(from_ms // 1000, -(-to_ms // 1000), question.step_s, base_s)
    kind = _witness(scope.sli.kind)
    extents = {tier_s: extent(store, kind, tier_s, list(scope.series)) for tier_s in tiers(base_s)}
    if isinstance(scope.sli.formula, Operational):
        extents = {base_s: events_extent(store, question.model, base_s)}
    stored = stored_range({tier_s: e for tier_s, e in extents.items() if e is not None})
    if stored is None:
        return None
    from_s = stored[0] if from_ms is None else from_ms // 1000
    to_s = stored[1] if to_ms is None else -(-to_ms // 1000)
    return windows(from_s, to_s, question.step_s, base_s) if from_s < to_s else None


def _witness(kind: Kind) -> Kind:
    """The kind of profile that is there wherever one of `kind` may be: a request need not have a time."""
    return kind if kind in (Kind.FEATURES, Kind.QUALITY, Kind.LEARNED) else Kind.SERVICE


def groups_in(
    store: Store, question: Question, scope: Scope, asked: Windows, base_s: int
) -> tuple[list[Group], Grouping]:
    """The groups, sorted, and which series belong to which; those without a record are left out."""
    series = scope.series
    if scope.grouped:
        ids = list(series)
        kind = _witness(scope.sli.kind)
        there: set[int] = set()
        for part in cover(asked, tiers(base_s)):
            there |= present(store, kind, part.tier_s, ids, part.from_s, part.to_s)
        series = {number: group for number, group in series.items() if number in there}
    names: dict[tuple[str, ...], Group] = {}
    for group in series.values():
        names.setdefault(_sort_key(group), group)
    if not names and not scope.grouped:
        only = Group(question.version, question.endpoint, dict(question.segment))
        names[_sort_key(only)] = only
    order = {key: i for i, key in enumerate(sorted(names))}
    ids = sorted(series)
    of = np.array([order[_sort_key(series[number])] for number in ids], np.int64)
    return [names[key] for key in order], Grouping(np.array(ids, np.int64), of, len(order))


def _sort_key(group: Group) -> tuple[str, ...]:
    return (
        group.version or "",
        group.endpoint or "",
        *(v for kv in sorted(group.segment.items()) for v in kv),
    )


class _Computation:
    """Computes one indicator, block by block of windows."""

    def __init__(
        self,
        store: Store,
        question: Question,
        scope: Scope,
        groups: Sequence[Group],
        grouping: Grouping,
        base_s: int,
        references: References | None = None,
    ) -> None:
        self._store, self._question, self._sli = store, question, scope.sli
        self._groups, self._grouping, self._base_s = groups, grouping, base_s
        self._feature = _feature_numbers(store, question) if question.feature else {}
        self._drifting: Drifting | None = None
        formula = scope.sli.formula
        if isinstance(formula, Distance | ModelStatistic | Broken):
            references = references or References(store, features_of(store, question.model))
            names = [question.feature] if question.feature else references.names()
            names = references.all_names() if isinstance(formula, Broken) else names
            self._drifting = Drifting(references, names, question.against)
        self._calibration: Calibration | None = None
        self._first_labels: QualityCells | None = None
        if formula is Compared.LABEL_DRIFT:
            self._first_labels = first_labels(store, list(scope.series), _LABELS_ENOUGH)
        if isinstance(formula, Foretold):
            series = list(scope.series)
            self._calibration = calibration_of(store, question.model, question.version, series)

    def values(self, asked: Windows) -> Values:
        """The values of all slots, group * windows + window."""
        blocks = [(block, self._block(block)) for block in self._blocks(asked)]

        def joined(parts: Sequence[object], name: str) -> Any:
            tables = [
                getattr(p, name).reshape(self._grouping.n, b.n)
                for (b, _), p in zip(blocks, parts, strict=True)
            ]
            return np.concatenate(tables, axis=1).reshape(-1)

        parts = [v for _, v in blocks]
        besides = [v.beside for v in parts if v.beside is not None]
        beside = Beside(*(joined(besides, name) for name in Beside.__slots__)) if besides else None
        return Values(joined(parts, "value"), joined(parts, "count"), joined(parts, "estimate"), beside)

    def _blocks(self, asked: Windows) -> Iterator[Windows]:
        rows_per_window = len(self._grouping.ids) * max(1, asked.step_s // self._tier_s(asked))
        if self._drifting is not None:
            rows_per_window *= max(1, self._drifting.n_features // 4)
        at_once = max(1, _ROWS_AT_ONCE // max(1, rows_per_window))
        for first in range(0, asked.n, at_once):
            n = min(at_once, asked.n - first)
            yield Windows(asked.from_s + first * asked.step_s, asked.step_s, n)

    def _tier_s(self, asked: Windows) -> int:
        return max(part.tier_s for part in cover(asked, tiers(self._base_s)))

    def _block(self, block: Windows) -> Values:
        formula, n_slots = self._sli.formula, self._grouping.n * block.n
        if isinstance(formula, Lost):
            return quality_loss(
                self._store, self._question, self._groups, block, self._sli.kind, self._base_s
            )
        if isinstance(formula, Operational):
            return operational_values(self._store, self._question.model, formula.measure, block, self._ask)
        if self._drifting is not None:
            return self._drifted(self._drifting, block)
        parts = cover(block, tiers(self._base_s))
        placed = place(self._store, self._sli.kind, parts, block, self._grouping)
        if isinstance(formula, Quantile):
            return measured(join(placed, n_slots), formula)
        if formula is Special.NULL_SHARE:
            return null_share(placed, n_slots, self._feature)
        if isinstance(formula, Metric):
            return quality_values(placed, n_slots, formula, self._sli.kind == Kind.LEARNED)
        if isinstance(formula, Compared):
            return compared_values(placed, self._grouping.n, n_slots, formula, self._first_labels)
        if isinstance(formula, Foretold):
            return expected_values(placed, n_slots, formula, self._calibration)
        if isinstance(formula, Counted):
            return counted(join(placed, n_slots), formula, block.step_s)
        served = counted(join(placed, n_slots), Counted(OUTCOMES), block.step_s)
        if formula is Special.PEAK:
            per_s = peak_per_s(
                self._store, self._question.model, self._groups, self._grouping, block, self._base_s
            )
            return Values(np.where(served.count > 0, per_s, np.nan), served.count, served.estimate)
        share = np.tile(_coverage(self._store, block), self._grouping.n)
        return Values(share, served.count, np.zeros(n_slots, np.bool_))

    def _ask(self, sli: str, by: tuple[str, ...], block: Windows) -> tuple[Sequence[Group], Floats]:
        """Another indicator of the same model over the same windows: the groups, and (groups, windows)."""
        asked = Question(self._question.model, sli, block.from_s * 1000, block.to_s * 1000, block.step_s, by)
        try:
            scope = scope_of(self._store, asked)
        except QueryError:
            return [], np.zeros((0, block.n))  # no record has come yet
        groups, grouping = groups_in(self._store, asked, scope, block, self._base_s)
        computation = _Computation(self._store, asked, scope, groups, grouping, self._base_s)
        return groups, computation.values(block).value.reshape(len(groups), block.n)

    def _drifted(self, drifting: Drifting, block: Windows) -> Values:
        read = drifting.read(block)
        placed = place(self._store, self._sli.kind, cover(read, tiers(self._base_s)), read, self._grouping)
        held, rows = drifting.held(placed, block, self._grouping.n)
        formula = self._sli.formula
        if isinstance(formula, Distance):
            value = distance(held, formula.statistic)
        elif isinstance(formula, Broken):
            value = broken(held, self._question.feature)
        else:
            assert isinstance(formula, ModelStatistic)
            value = of_model(held, formula)
        return Values(value, rows, np.zeros(len(rows), np.bool_))


def _feature_numbers(store: Store, question: Question) -> dict[int, int]:
    """The feature's number under each baseline of its model. Raises QueryError where it has none."""
    name = question.feature or ""
    baselines = features_of(store, question.model)
    numbers = {b.id: b.features[name].number for b in baselines if name in b.features}
    if not numbers:
        raise unknown("feature", name, (known for b in baselines for known in b.features))
    return numbers


def _answers(
    model: str, groups: Sequence[Group], asked: Windows, values: Values, share: Floats
) -> list[Answer]:
    bounds = asked.from_s + np.arange(asked.n + 1, dtype=np.int64) * asked.step_s
    times = [f"{t}Z" for t in np.datetime_as_string(bounds.astype("datetime64[s]")).tolist()]
    complete = share.tolist()
    value, count, estimate = values.value.tolist(), values.count.tolist(), values.estimate.tolist()
    found: list[Answer] = []
    for i, group in enumerate(groups):
        for window in range(asked.n):
            slot = i * asked.n + window
            row = Answer(
                start=times[window],
                end=times[window + 1],
                model=model,
                version=group.version,
                endpoint=group.endpoint,
                segment=group.segment,
                value=value[slot] if value[slot] == value[slot] else None,
                count=count[slot],
            )
            if estimate[slot]:
                row["estimate"] = True
            if complete[window] < 1:
                row["coverage"] = complete[window]
            if values.beside is not None:
                _add_beside(row, values.beside, slot)
            found.append(row)
    return found


def _add_beside(row: Answer, beside: Beside, slot: int) -> None:
    low, high = float(beside.low[slot]), float(beside.high[slot])
    share, lag_ms = float(beside.label_coverage[slot]), float(beside.label_lag_p50_ms[slot])
    row["low"], row["high"] = None if np.isnan(low) else low, None if np.isnan(high) else high
    row["label_coverage"] = None if np.isnan(share) else share
    row["label_lag_p50_s"] = None if np.isnan(lag_ms) else lag_ms / 1000
    if row["value"] is None:
        row["why"] = Why(int(beside.why[slot])).text


def _data_age(store: Store, question: Question, scope: Scope, now_ms: int, base_s: int) -> list[Answer]:
    """One answer per group: from the second of the newest record to now; the range does not matter."""
    everything = Windows(0, now_ms // 1000 // DAY_S * DAY_S + 2 * DAY_S, 1)
    groups, grouping = groups_in(store, question, scope, everything, base_s)
    found: list[Answer] = []
    for i, group in enumerate(groups):
        newest = _newest(store, grouping.ids[grouping.group == i].tolist(), base_s)
        if newest is not None:
            at_s, records = newest
            bounds = Windows(at_s, max(1, now_ms // 1000 - at_s), 1)
            age_s = np.array([max(0, now_ms - at_s * 1000) / 1000])
            age = Values(age_s, np.array([records]), np.zeros(1, np.bool_))
            found += _answers(question.model, [group], bounds, age, np.ones(1))
    return found


def _newest(store: Store, series: Sequence[int], base_s: int) -> tuple[int, int] | None:
    """(the second of the newest request, how many there were in it); None without any.

    Where only coarser tiers are left, it is the window that stands for its newest second.
    """
    for tier_s in tiers(base_s):
        last = extent(store, Kind.SERVICE, tier_s, series)
        if last is None:
            continue
        window = Windows(last[1], tier_s, 1)
        grouping = Grouping(np.array(series, np.int64), np.zeros(len(series), np.int64), 1)
        entries = join(place(store, Kind.SERVICE, cover(window, (tier_s,)), window, grouping), 1)
        second = entries.cell[entries.cell >= SECONDS] - SECONDS
        if not len(second):
            return last[1], int(counted(entries, Counted(OUTCOMES), tier_s).count[0])
        newest = int(second.max())
        return last[1] + newest, int(entries.count[entries.cell == SECONDS + newest].sum())
    return None
