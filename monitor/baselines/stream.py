"""Baselines from the stored stream: of a range on purpose, and of a model's first windows by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from monitor.baselines.counts import encode
from monitor.clock import DAY_S
from monitor.errors import QueryError
from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.features import Feature
from monitor.profiles.layout import FEATURE_ROWS, FEATURE_STRIDE, FeatureBin, Kind
from monitor.records import Floats, Ints
from monitor.store.baselines import Baseline, features_of, find, waiting
from monitor.store.fits import Counts, NewBaseline, keep_reference
from monitor.store.names import find_series, models
from monitor.store.read import extent, read_cells
from monitor.store.store import Store

__all__ = ["from_stream", "keep_references"]

WHOLE = -1
_WINDOWS_AT_ONCE = 72
# What the first windows must come to before they are a reference.
_PROVISIONAL_WINDOWS, _PROVISIONAL_ROWS = 6, 5_000
_MOST_WINDOWS, _MOST_WINDOW_FEATURES = 64, 1 << 15
_NULL, _UNBINNED, _ATTRIBUTION = (
    int(b) for b in (FeatureBin.NULL, FeatureBin.UNBINNED, FeatureBin.ATTRIBUTION)
)
_BESIDE = (int(FeatureBin.BELOW), int(FeatureBin.ABOVE), int(FeatureBin.FRACTIONAL), _ATTRIBUTION)
Spread = Callable[[Ints], Floats]


@dataclass(frozen=True, slots=True)
class _Window:
    """A stored window on one baseline, summed over series and writers: `counts` (int64, (f, 256)) with NULL
    filled in, `sums` (float64, f) of |attribution|."""

    start_s: int
    baseline: int
    rows: int
    counts: Ints
    sums: Floats


def _windows(
    store: Store, series: Sequence[int], tier_s: int, from_s: int, to_s: int, width: Mapping[int, int]
) -> Iterator[_Window]:
    """The stored windows that begin in [from_s, to_s), in order, one for each baseline counted on in them;
    `width` is how many features each baseline has."""
    for begin in range(from_s, to_s, _WINDOWS_AT_ONCE * tier_s):
        end = min(to_s, begin + _WINDOWS_AT_ONCE * tier_s)
        cells = read_cells(store, Kind.FEATURES, tier_s, series, begin, end)
        for start_s, baseline in sorted(
            set(zip(cells.start_s.tolist(), cells.baseline.tolist(), strict=True))
        ):
            mine = (cells.start_s == start_s) & (cells.baseline == baseline)
            size = (width.get(baseline, 0) + 1) * FEATURE_STRIDE
            chosen = mine[cells.row] & (cells.cell < size)
            table = np.bincount(cells.cell[chosen], weights=cells.count[chosen], minlength=size)
            counts = table.astype(np.int64)
            rows = int(counts[FEATURE_ROWS])
            chosen = mine[cells.sum_row] & (cells.sum_cell < size)
            sums: Floats = np.bincount(
                cells.sum_cell[chosen], weights=cells.sum_value[chosen], minlength=size
            ).astype(np.float64)
            counts = counts.reshape(-1, FEATURE_STRIDE)[1:]
            counts[:, _NULL] = 0
            counts[:, _NULL] = rows - counts.sum(axis=1) + counts[:, _BESIDE].sum(axis=1)
            yield _Window(start_s, baseline, rows, counts, sums.reshape(-1, FEATURE_STRIDE)[1:, _ATTRIBUTION])


class _Sum:
    """Adds up windows: the whole, some of them one by one, and the hours of the week."""

    def __init__(self, features: int, time_zone: str | None = None) -> None:
        self.rows = self.windows = 0
        self._counts = np.zeros((features, FEATURE_STRIDE), np.int64)
        self._sums = np.zeros(features)
        self._each: list[Ints] = []
        self._step = 1
        self._most = max(8, min(_MOST_WINDOWS, _MOST_WINDOW_FEATURES // max(1, features)))
        self._zone = None if time_zone is None else ZoneInfo(time_zone)
        self._hours: dict[int, Ints] = {}
        self._hour_rows: dict[int, int] = {}

    def add(self, window: _Window) -> None:
        f = len(window.counts)
        self._counts[:f] += window.counts
        self._counts[f:, _NULL] += window.rows
        self._sums[:f] += window.sums
        if self.windows % self._step == 0:
            self._each.append(window.counts.astype(np.int64))
            if len(self._each) > 2 * self._most:
                self._each, self._step = self._each[::2], 2 * self._step
        if self._zone is not None:
            local = datetime.fromtimestamp(window.start_s, UTC).astimezone(self._zone)
            hour = local.weekday() * 24 + local.hour
            known = self._hours.setdefault(hour, np.zeros_like(self._counts))
            known[:f] += window.counts
            self._hour_rows[hour] = self._hour_rows.get(hour, 0) + window.rows
        self.rows += window.rows
        self.windows += 1

    def slots(self, spread: Spread) -> dict[int, Counts]:
        """The counts, WHOLE and by hour of the week."""
        dispersion = spread(np.stack([self._padded(each) for each in self._each]))
        sums = {i + 1: float(value) for i, value in enumerate(self._sums)}
        found = {WHOLE: encode(self.rows, self.windows, _numbered(self._counts), sums, dispersion)}
        for hour, counts in self._hours.items():
            found[hour] = encode(self._hour_rows[hour], 0, _numbered(counts), {}, None)
        return found

    def _padded(self, counts: Ints) -> Ints:
        missing = len(self._counts) - len(counts)
        return np.pad(counts, ((0, missing), (0, 0))) if missing else counts

    @property
    def counts(self) -> Ints:
        return self._counts


def _numbered(counts: Ints) -> dict[int, Ints]:
    return {i + 1: table for i, table in enumerate(counts)}


def _series(store: Store, model: str, version: str) -> list[int]:
    """The whole series of a model's version, of all versions for ''."""
    keys = find_series(store, model).items()
    return [i for k, i in keys if not k.label and not k.endpoint and version in ("", k.version)]


def from_stream(
    store: Store,
    model: str,
    version: str,
    author: str,
    from_s: int,
    to_s: int,
    features_s: int,
    spread: Spread,
    time_zone: str | None = None,
) -> NewBaseline:
    """A baseline of what was counted in [from_s, to_s), on the bins that it was counted on.

    Raises QueryError where nothing was, or on several baselines.
    """
    series = _series(store, model, version)
    width = {b.id: len(b.features) for b in features_of(store, model)}
    for tier_s in sorted({features_s, 3600, DAY_S}):
        begin, end = from_s // tier_s * tier_s, -(-to_s // tier_s) * tier_s
        found = list(_baselines_in(store, series, tier_s, begin, end, width))
        if found:
            break
    else:
        raise QueryError(f"--from: {_nothing(store, model, version, series, features_s)}")
    if len({b for _, b in found}) > 1:
        raise QueryError(f"--from: {_several(store, found)}")
    source = find(store, found[0][1])
    total = _Sum(len(source.features), time_zone)
    for window in _windows(store, series, tier_s, begin, end, width):
        total.add(window)
    features = {n: _taken_over(f, total.counts[f.number - 1], total.rows) for n, f in source.features.items()}
    return NewBaseline(
        model=model,
        version=version,
        author=author,
        source=f"stream: {_time(begin)} to {_time(end)}, bins of baseline {source.number}",
        features=features,
        slots=total.slots(spread),
        time_zone=time_zone,
    )


def _baselines_in(
    store: Store, series: Sequence[int], tier_s: int, from_s: int, to_s: int, width: Mapping[int, int]
) -> Iterator[tuple[int, int]]:
    """(begin, baseline) of the first window, and of each that was counted on another than the one before."""
    last = None
    for begin in range(from_s, to_s, 10 * _WINDOWS_AT_ONCE * tier_s):
        end = min(to_s, begin + 10 * _WINDOWS_AT_ONCE * tier_s)
        cells = read_cells(store, Kind.FEATURES, tier_s, series, begin, end)
        for start_s, baseline in sorted(
            set(zip(cells.start_s.tolist(), cells.baseline.tolist(), strict=True))
        ):
            if baseline != last and baseline in width:
                last = baseline
                yield start_s, baseline


def _nothing(store: Store, model: str, version: str, series: Sequence[int], features_s: int) -> str:
    of = f"{model!r} version {version!r}" if version else repr(model)
    known = extent(store, int(Kind.FEATURES), features_s, series)
    if known is None:
        hint = (
            f"there is {', '.join(map(repr, models(store)[:10]))}"
            if not series
            else "it has no features stored"
        )
        return f"nothing is stored of {of}; {hint}"
    stored = f"from {_time(known[0])} to {_time(known[1] + features_s)}"
    return f"nothing is stored of {of} then; its features are {stored}"


def _several(store: Store, found: Sequence[tuple[int, int]]) -> str:
    changes = ", ".join(f"{find(store, b).number} from {_time(s)}" for s, b in found[:5])
    return (
        f"the range was counted on several baselines ({changes}{', ..' if len(found) > 5 else ''}), whose "
        "bins differ; choose a range within one"
    )


def _time(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _taken_over(feature: Feature, counts: Ints, rows: int) -> Feature:
    """The feature with its contract, or one inferred from the counts where it had none."""
    if feature.contract is not None or feature.bins is None:
        return feature
    nulls = int(counts[_NULL])
    closed = feature.bins.categories if counts[int(FeatureBin.OTHER)] == 0 else None
    contract = FeatureContract(
        type=_type(feature.bins),
        required=nulls == 0 and rows > 0,
        categories=closed,
        null_share_max=min(1.0, round(1.1 * nulls / max(1, rows) + 0.001, 4)) if nulls else 0.0,
    )
    return feature._replace(contract=contract)


def _type(bins: Bins) -> ValueType:
    if bins.categories is None:
        return ValueType.NUMBER
    return ValueType.BOOLEAN if set(bins.categories) <= {"false", "true"} else ValueType.TEXT


def keep_references(store: Store, features_s: int, watermark_ms: int, spread: Spread) -> int:
    """Stores the reference of every provisional baseline that has windows enough by now; returns how many.

    It is made of the model's first windows that are complete, those left out in which a feature still was
    without bins. Safe on several replicas: whoever stores first holds.
    """
    return sum(
        _keep(store, find(store, number), features_s, watermark_ms, spread) for number in waiting(store)
    )


def _keep(store: Store, provisional: Baseline, features_s: int, watermark_ms: int, spread: Spread) -> bool:
    series = _series(store, provisional.model, "")
    known = extent(store, int(Kind.FEATURES), features_s, series)
    if known is None or not _rows_enough(store, series):
        return False
    total = _Sum(len(provisional.features))
    complete_s = watermark_ms // 1000 // features_s * features_s
    width = {provisional.id: len(provisional.features)}
    for window in _windows(store, series, features_s, known[0], complete_s, width):
        if window.baseline != provisional.id or _unfitted(provisional, window):
            continue
        total.add(window)
        if total.windows >= _PROVISIONAL_WINDOWS and total.rows >= _PROVISIONAL_ROWS:
            return keep_reference(store, provisional.id, total.slots(spread)[WHOLE])
    return False


def _rows_enough(store: Store, series: Sequence[int]) -> bool:
    """One look at the days, so that a quiet model's many windows aren't read again and again."""
    days = extent(store, int(Kind.FEATURES), DAY_S, series)
    if days is None:
        return False
    cells = read_cells(store, Kind.FEATURES, DAY_S, series, days[0], days[1] + DAY_S)
    return int(cells.count[cells.cell == FEATURE_ROWS].sum()) >= _PROVISIONAL_ROWS


def _unfitted(baseline: Baseline, window: _Window) -> bool:
    """Whether a feature that has bins by now was counted without them in the window."""
    unbinned = window.counts[:, _UNBINNED]
    return any(f.bins is not None and unbinned[f.number - 1] > 0 for f in baseline.features.values())
