"""Power: the smallest change found in nine of ten windows, by window size, for ours and for others' tests.

A change of one feature of twenty: its p has to be below alpha / 20, which is where Benjamini and Hochberg put
the bar for a single one. Rows are drawn as counts on a grid, 2,000 cells of equal mass for continuous values.
Kolmogorov-Smirnov sees every cell of the grid; ours its 200 bins. Its critical distance is scipy's for
continuous values, and for ties and categories, where that is too strict, is found by simulation, so that it
raises as many false alarms as alpha / 20 allows: no fewer than ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from monitor.profiles.bins import Bins
from monitor.records import Bools, Floats, Ints
from monitor.sli.drift_evidence import weigh
from monitor.sli.drift_shape import Shape, cells_of, describe
from monitor.sli.drift_verdict import DriftSettings, effect_of
from tests.bench.drift_data import baseline_rows

__all__ = ["CHANGES", "METHODS", "Change", "Least", "least_changes"]

METHODS = ("ours", "ours_gated", "ks")
_FEATURES = 20
_BINS = 200
_GRID = 2_000
_FOUND = 0.9
_NULLS = 200_000


@dataclass(frozen=True, slots=True)
class Change:
    """`chances(size)` of the grid's cells after a change of that size (0: none, at most `most`);
    `categorical` and `continuous` say what the cells are."""

    name: str
    chances: Callable[[float], Floats]
    most: float
    categorical: bool = False
    continuous: bool = False


def _moved(law: stats.rv_continuous, kind: str) -> Callable[[float], Floats]:
    """On cells of equal mass: a shift in units of the law's scale, or a scale of 1 + size."""
    edges = law.ppf(np.arange(1, _GRID) / _GRID)

    def chances(size: float) -> Floats:
        upto = law.cdf(edges - size) if kind == "mean" else law.cdf(edges / (1 + size))
        return np.diff(upto, prepend=0.0, append=1.0)

    return chances


def _tied(kind: str) -> Callable[[float], Floats]:
    """Normal values rounded to halves of their deviation."""
    edges = np.arange(-3.25, 3.5, 0.5)

    def chances(size: float) -> Floats:
        at = edges - size if kind == "mean" else edges / (1 + size)
        return np.diff(stats.norm.cdf(at), prepend=0.0, append=1.0)

    return chances


def _category(size: float) -> Floats:
    """One of eight categories, the third of them, gains `size` of all rows at the cost of the others."""
    before = 1 / np.arange(1.0, 9)
    before /= before.sum()
    after = before * (1 - size / (1 - before[2]))
    after[2] = before[2] + size
    return after


CHANGES = (
    Change("mean_normal", _moved(stats.norm, "mean"), 3.0, continuous=True),
    Change("mean_heavy_tail", _moved(stats.t(2), "mean"), 4.0, continuous=True),
    Change("mean_laplace", _moved(stats.laplace, "mean"), 4.0, continuous=True),
    Change("mean_tied", _tied("mean"), 3.0),
    Change("scale_normal", _moved(stats.norm, "scale"), 12.0, continuous=True),
    Change("scale_heavy_tail", _moved(stats.t(2), "scale"), 12.0, continuous=True),
    Change("scale_tied", _tied("scale"), 12.0),
    Change("category", _category, 0.8, categorical=True),
)


@dataclass(frozen=True, slots=True)
class Least:
    """The smallest change that each method finds in 90 % of windows of `rows`; NaN where it finds none."""

    change: str
    rows: int
    size: dict[str, float]


def least_changes(changes: Sequence[Change], rows: int, windows: int) -> list[Least]:
    return [
        Least(change.name, rows, {m: _least(change, rows, windows, m) for m in METHODS}) for change in changes
    ]


def _least(change: Change, rows: int, windows: int, method: str) -> float:
    """By halving, with the same draws at each size as far as may be."""
    rng = np.random.default_rng((rows, len(change.name)))
    reference = rng.multinomial(baseline_rows(rows), change.chances(0.0), windows)
    found = _method(method, change, rows)

    def power(size: float) -> float:
        again = np.random.default_rng((rows, windows))
        return float(np.mean(found(reference, again.multinomial(rows, change.chances(size), windows))))

    if power(change.most) < _FOUND:
        return float("nan")
    # Sizes of interest fall as the root of the rows: halve on a scale of logarithms.
    low, high = change.most / 3_000, change.most
    for _ in range(11):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if power(middle) >= _FOUND else (middle, high)
    return high


def _method(method: str, change: Change, rows: int) -> Callable[[Ints, Ints], Bools]:
    settings = DriftSettings()
    level = settings.alpha / _FEATURES
    if method == "ks":
        critical = _critical(change, rows, level)
        return lambda reference, current: _distance(reference, current) > critical

    def ours(reference: Ints, current: Ints) -> Bools:
        before, now = _binned(change, reference), _binned(change, current)
        shape = _shape(change, reference.shape[1]).take(np.zeros(len(reference), np.int64))
        cells = cells_of(shape, before, now)
        plain = np.ones(len(reference))
        sure = weigh(shape, before, now, cells, plain).p < level
        return sure & (effect_of(cells, plain) >= settings.drifted_psi) if method == "ours_gated" else sure

    return ours


def _shape(change: Change, cells: int) -> Shape:
    if change.categorical:
        return describe({"x": Bins(categories=tuple(f"c{i}" for i in range(cells)))})
    return describe({"x": Bins(edges=np.arange(1.0, min(cells, _BINS)))})


def _binned(change: Change, counts: Ints) -> Ints:
    table = np.zeros((len(counts), 256), np.int64)
    joined = counts.reshape(len(counts), _BINS, -1).sum(axis=2) if change.continuous else counts
    table[:, : joined.shape[1]] = joined
    return table


def _distance(reference: Ints, current: Ints) -> Floats:
    upto = [np.cumsum(side, axis=1) / side.sum(axis=1, keepdims=True) for side in (reference, current)]
    return np.abs(upto[0] - upto[1]).max(axis=1)


def _critical(change: Change, rows: int, level: float) -> float:
    n = baseline_rows(rows)
    if change.continuous:
        return float(stats.kstwo.isf(level, round(n * rows / (n + rows))))
    rng = np.random.default_rng(rows)
    chances = change.chances(0.0)
    found = [
        _distance(rng.multinomial(n, chances, 20_000), rng.multinomial(rows, chances, 20_000))
        for _ in range(_NULLS // 20_000)
    ]
    return float(np.quantile(np.concatenate(found), 1 - level, method="lower"))
