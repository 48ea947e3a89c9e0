"""How surprising a contrast between two samples is: its z and skewness over all ways to deal the pooled rows
into the two samples, and the p-value from both.

A contrast is the sum over the current sample of a score per cell. Given the pooled counts its mean,
variance and third moment are known exactly (drawing without replacement), so ties, rare cells and samples
of very different size need no approximation but that of the tail: a gamma with those moments (Pearson's
type III), which at a tail of 1e-5 is as good at an expected count of 0.1 as at 10,000.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc, gammaincc, ndtr

from monitor.records import Bools, Floats, Ints

__all__ = ["Contrasts", "indicators", "linear", "tail_p", "widest"]

# Below this the normal's tail is within a few percent of the gamma's wherever it matters.
_SYMMETRIC = 3e-3


@dataclass(frozen=True, slots=True)
class Contrasts:
    """`z` (float64) with mean 0 and variance 1 where nothing changed, 0 where nothing can be said; positive
    where the current sample has more. `skew` (float64) is its third moment; `possible` (bool) says where the
    pooled sample varies at all."""

    z: Floats
    skew: Floats
    possible: Bools


def linear(scores: Floats, pooled: Ints, current: Ints) -> Contrasts:
    """One contrast per row, of scores (f, c) on the cells of pooled and current counts (f, c)."""
    total = pooled.sum(axis=1).astype(np.float64)
    drawn = current.sum(axis=1).astype(np.float64)
    share = pooled / np.maximum(total, 1)[:, None]
    centred = scores - (share * scores).sum(axis=1, keepdims=True)
    second = (share * centred**2).sum(axis=1)
    third = (share * centred**3).sum(axis=1)
    return _standard((current * centred).sum(axis=1), drawn, total, second, third)


def indicators(pooled: Ints, current: Ints) -> Contrasts:
    """A contrast for each cell of (f, c): more or fewer rows in it than in all others."""
    total = pooled.sum(axis=1, keepdims=True).astype(np.float64)
    return indicators_of(pooled, current, total, current.sum(axis=1, keepdims=True).astype(np.float64))


def indicators_of(pooled: Ints, current: Ints, total: Floats, drawn: Floats) -> Contrasts:
    """The same for cells that may overlap, of samples of `total` and `drawn` rows (f, 1)."""
    share = pooled / np.maximum(total, 1)
    spread = share * (1 - share)
    return _standard(current - drawn * share, drawn, total, spread, spread * (1 - 2 * share))


def _standard(off: Floats, drawn: Floats, total: Floats, second: Floats, third: Floats) -> Contrasts:
    """Of the sum `off` of `drawn` scores out of `total` with those central moments (population, mean)."""
    left = total - drawn
    variance = drawn * left / np.maximum(total - 1, 1) * second
    moment = drawn * left * (left - drawn) / np.maximum((total - 1) * (total - 2), 1) * third
    # Scores are of the order of one: a second moment below this is rounding.
    possible = (second > 1e-15) & (drawn > 0) & (left > 0) & (total > 2)
    deviation = np.sqrt(np.where(possible, variance, 1.0))
    z = np.where(possible, off / deviation, 0.0)
    return Contrasts(z, np.where(possible, moment / deviation**3, 0.0), possible)


def widest(contrasts: Contrasts, dispersion: Floats) -> tuple[Floats, Ints]:
    """The two-sided p of the most surprising contrast of each row of (f, c), times how many there were; and
    which it was (int64, f). `dispersion` (f,) is a variance that divides z squared."""
    z = contrasts.z / np.sqrt(dispersion)[:, None]
    which = np.argmax(np.where(contrasts.possible, _roughly_normal(z, contrasts.skew), -1.0), axis=1)
    row = np.arange(len(z))
    p = tail_p(z[row, which], contrasts.skew[row, which])
    tried = contrasts.possible.sum(axis=1)
    return np.where(tried > 0, np.minimum(p * tried, 1.0), 1.0), which


def _roughly_normal(z: Floats, skew: Floats) -> Floats:
    """|z| made comparable between contrasts of different skewness (Wilson and Hilferty's cube root)."""
    g = np.where(np.abs(skew) > _SYMMETRIC, skew, 1.0)
    root = np.cbrt(np.maximum(1 + g * z / 2, 0.0))
    curved = 6 / g * (root - 1) + g / 6
    return np.abs(np.where(np.abs(skew) > _SYMMETRIC, curved, z))


def tail_p(z: Floats, skew: Floats) -> Floats:
    """The two-sided p-value: twice the smaller tail's, at most 1."""
    side = np.where(skew < 0, -z, z)
    bent = np.abs(skew) > _SYMMETRIC
    shape = 4 / np.where(bent, skew, 1.0) ** 2
    at = np.maximum(shape + side * np.sqrt(shape), 0.0)
    gamma = np.where(side > 0, gammaincc(shape, at), gammainc(shape, at))
    tail: Floats = np.where(bent, gamma, ndtr(-np.abs(z)))
    return np.minimum(2 * tail, 1.0)
