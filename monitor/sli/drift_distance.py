"""Distances between two samples of a feature, from their counts; many features at once.

Every function gives float64 (f,), finite wherever both sides have rows and NaN ("no value") where one has
none. `reference` and `current` are int64: (f, c) on the cells of `drift_shape.cells_of`, or (f, 256).
"""

import numpy as np
from scipy.special import chdtrc

from monitor.profiles.layout import FeatureBin
from monitor.records import Bools, Floats, Ints
from monitor.sli.drift_shape import VALUES, Shape, rows_of

__all__ = [
    "FLOOR",
    "chi_squared",
    "chi_squared_p",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "null_share",
    "psi",
    "shares",
    "unseen_share",
    "wasserstein",
]

# Shares below one in ten thousand count as that in a PSI, on both sides, so that an empty cell is no
# infinity. Others floor alike; nothing is scaled back to a sum of one.
FLOOR = 1e-4


def shares(counts: Ints) -> Floats:
    """Each cell's share of its row, 0 in a row without counts."""
    total = counts.sum(axis=1, keepdims=True)
    found: Floats = counts / np.maximum(total, 1)
    return found


def psi(reference: Ints, current: Ints) -> Floats:
    """The population stability index of (f, c) cells: sum of (q - p) ln(q / p), shares floored at FLOOR.

    Symmetric; 0 for equal shares and below 18.5 for any.
    """
    p, q = np.maximum(shares(reference), FLOOR), np.maximum(shares(current), FLOOR)
    return _valued(reference, current, ((q - p) * np.log(q / p)).sum(axis=1))


def jensen_shannon(reference: Ints, current: Ints) -> Floats:
    """The Jensen-Shannon distance of (f, c) cells, base 2, 0 to 1: the root of the divergence, as scipy's."""
    p, q = shares(reference), shares(current)
    middle = np.where(p + q > 0, (p + q) / 2, 1.0)
    divergence = (_relative(p, middle) + _relative(q, middle)).sum(axis=1) / 2
    return _valued(reference, current, np.sqrt(np.clip(divergence, 0.0, 1.0)))


def _relative(p: Floats, middle: Floats) -> Floats:
    ratio = np.where(p > 0, p / middle, 1.0)
    found: Floats = p * np.log2(ratio)
    return found


def chi_squared(reference: Ints, current: Ints) -> tuple[Floats, Ints]:
    """Pearson's statistic of the two-sample table of (f, c) cells, and its degrees of freedom (int64).

    Cells empty on both sides are left out, so a category that one side alone has counts and is finite.
    """
    n, m = reference.sum(axis=1).astype(np.float64), current.sum(axis=1).astype(np.float64)
    pooled = (reference + current).astype(np.float64)
    off = shares(current) - shares(reference)
    cells = np.divide(off * off, pooled, out=np.zeros_like(pooled), where=pooled > 0)
    statistic = cells.sum(axis=1) * n * m
    freedom = np.maximum(np.count_nonzero(pooled, axis=1) - 1, 0)
    return _valued(reference, current, statistic), freedom


def chi_squared_p(statistic: Floats, freedom: Ints) -> Floats:
    """The p-value of `chi_squared`; 1 without degrees of freedom."""
    p = chdtrc(np.maximum(freedom, 1), statistic)
    return np.where(np.isnan(statistic), np.nan, np.where(freedom > 0, p, 1.0))


def kolmogorov_smirnov(shape: Shape, reference: Ints, current: Ints) -> Floats:
    """The largest difference of the two distribution functions of the numbers, at the edges of the bins.

    Takes (f, 256). At most the exact statistic, and short of it by no more than one bin's share. 1 where one
    side alone has numbers; NaN for a categorical feature.
    """
    r, c = reference[:, :VALUES], current[:, :VALUES]
    apart = np.abs(np.cumsum(shares(r), axis=1) - np.cumsum(shares(c), axis=1)).max(axis=1)
    n, m = r.sum(axis=1), c.sum(axis=1)
    apart = np.where((n > 0) & (m > 0), np.minimum(apart, 1.0), ((n > 0) | (m > 0)).astype(np.float64))
    return _of_numbers(shape.numeric, reference, current, apart)


def wasserstein(shape: Shape, reference: Ints, current: Ints) -> Floats:
    """How far the numbers moved, in standard deviations of the reference (at least 0.001, as Evidently).

    Takes (f, 256); every value counts as lying at its bin's `Shape.points`. Where one side alone has numbers,
    the whole reach of the bins; NaN for a categorical feature.
    """
    r, c = reference[:, :VALUES], current[:, :VALUES]
    # Scaled to 1 first, so that neither differences nor squares overflow.
    scale = np.maximum(np.abs(shape.points).max(axis=1), 1e-300)
    points = shape.points / scale[:, None]
    inside = np.arange(VALUES - 1) < (shape.size - 1)[:, None]
    gaps = np.where(inside, np.diff(points, axis=1), 0.0)
    p, q = shares(r), shares(c)
    apart = np.abs(np.cumsum(p, axis=1) - np.cumsum(q, axis=1))[:, :-1]
    n, m = r.sum(axis=1), c.sum(axis=1)
    apart = np.where(((n > 0) != (m > 0))[:, None], 1.0, apart)
    moved = (apart * gaps).sum(axis=1)
    mean = (p * points).sum(axis=1)
    deviation = np.sqrt((p * (points - mean[:, None]) ** 2).sum(axis=1))
    # At 1e-300 or so the bound of 0.001 is above all there is; the quotient then is 0.
    with np.errstate(over="ignore"):
        normed = moved / np.maximum(deviation, np.minimum(0.001 / scale, 1e300))
    return _of_numbers(shape.numeric, reference, current, normed)


def null_share(current: Ints) -> Floats:
    """The share of rows without a value, of (f, 256)."""
    return _share(current, int(FeatureBin.NULL))


def unseen_share(current: Ints) -> Floats:
    """The share of rows with a category that the baseline does not have, of (f, 256)."""
    return _share(current, int(FeatureBin.OTHER))


def _share(counts: Ints, cell: int) -> Floats:
    rows = rows_of(counts)
    return np.where(rows > 0, counts[:, cell] / np.maximum(rows, 1), np.nan)


def _valued(reference: Ints, current: Ints, value: Floats) -> Floats:
    known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
    return np.where(known, value, np.nan)


def _of_numbers(numeric: Bools, reference: Ints, current: Ints, value: Floats) -> Floats:
    known = numeric & (rows_of(reference) > 0) & (rows_of(current) > 0)
    return np.where(known, value, np.nan)
