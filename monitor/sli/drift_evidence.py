"""The deciding test of drift: one p-value per feature, for whatever way it may have moved.

Numbers are asked six questions: did ranks move (Wilcoxon), did they spread (Mood), do the distribution
functions part anywhere (Kolmogorov-Smirnov), or at any decile of the reference by its own variance, did any
cell gain or lose, special cells among them, and did the cells change altogether (chi-squared). Categories
are asked the last two.
The smallest p, times the questions asked, decides: it keeps its level whatever the dependence (Bonferroni),
needs no simulation, and at one in 10,000 costs against the single best of them some 5 % of a shift.
Kolmogorov-Smirnov alone needs twice the change of a scale, and a chi-squared a third more shift of a mean.

Each p is conditional on the pooled counts, so the noise of both samples is in it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, kolmogorov

from monitor.records import Floats, Ints
from monitor.sli.drift_contrast import Contrasts, indicators, indicators_of, linear, tail_p, widest
from monitor.sli.drift_distance import shares
from monitor.sli.drift_shape import DECILES, VALUES, Cells, Shape

__all__ = ["ENOUGH", "Evidence", "pool_rare", "rank_contrasts", "weigh"]

# Rows that the smaller sample should have in a cell by the pooled share for its chi-squared to hold.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """`p` (float64, f); `location` and `scale` (float64, f): z of the ranks and of their spread, 0 for
    categories."""

    p: Floats
    location: Floats
    scale: Floats


def weigh(shape: Shape, reference: Ints, current: Ints, cells: Cells, dispersion: Floats) -> Evidence:
    """The evidence of (f, 256) counts and their cells; `dispersion` (float64, f) is at least 1."""
    pooled = cells.reference + cells.current
    best_cell, _ = widest(indicators(pooled, cells.current), dispersion)
    least = np.minimum(best_cell, _altogether(cells, dispersion))
    location, scale = np.zeros(len(shape)), np.zeros(len(shape))
    asked = np.full(len(shape), 2)
    if (numbers := np.flatnonzero(shape.numeric)).size:
        wide = dispersion[numbers]
        moved, spread = rank_contrasts(reference[numbers], current[numbers])
        apart = _apart(reference[numbers], current[numbers], wide)
        cut, _ = widest(_cuts(cells, numbers), wide)
        for p in (_single(moved, wide), _single(spread, wide), apart, cut):
            least[numbers] = np.minimum(least[numbers], p)
        location[numbers], scale[numbers] = moved.z, spread.z
        asked[numbers] = 6
    return Evidence(np.minimum(least * asked, 1.0), location, scale)


def rank_contrasts(reference: Ints, current: Ints) -> tuple[Contrasts, Contrasts]:
    """Of the numbers of (f, 256) counts: of mid-ranks in the pooled sample, and of their squared distance
    from the middle."""
    c = current[:, :VALUES]
    pooled = reference[:, :VALUES] + c
    upto = np.cumsum(pooled, axis=1)
    rank = (upto - pooled / 2) / np.maximum(upto[:, -1:], 1) - 0.5
    return linear(rank, pooled, c), linear(rank**2, pooled, c)


def _single(contrasts: Contrasts, dispersion: Floats) -> Floats:
    return np.where(contrasts.possible, tail_p(contrasts.z / np.sqrt(dispersion), contrasts.skew), 1.0)


def _cuts(cells: Cells, numbers: Ints) -> Contrasts:
    """More or fewer of the numbers below each of the nine cuts; a cut that repeats counts once."""
    reference, current = cells.reference[numbers, :DECILES], cells.current[numbers, :DECILES]
    upto, mine = np.cumsum(reference + current, axis=1), np.cumsum(current, axis=1)
    found = indicators_of(upto[:, :-1], mine[:, :-1], upto[:, -1:].astype(float), mine[:, -1:].astype(float))
    fresh = np.diff(upto[:, :-1], axis=1, prepend=0) > 0
    return Contrasts(found.z, found.skew, found.possible & fresh)


def _apart(reference: Ints, current: Ints, dispersion: Floats) -> Floats:
    """The Kolmogorov-Smirnov p of the numbers of (f, 256) counts, at most conservative where values are tied;
    with Stephens' correction for few rows."""
    r, c = reference[:, :VALUES], current[:, :VALUES]
    n, m = r.sum(axis=1), c.sum(axis=1)
    root = np.sqrt(n * (m / np.maximum(n + m, 1)))
    apart = np.abs(np.cumsum(shares(r), axis=1) - np.cumsum(shares(c), axis=1)).max(axis=1)
    p: Floats = kolmogorov((root + 0.12 + 0.11 / np.maximum(root, 0.1)) * apart / np.sqrt(dispersion))
    return np.where((n > 0) & (m > 0), p, 1.0)


def pool_rare(cells: Cells) -> tuple[Ints, Ints]:
    """The cells, (f, c + 1): those too rare for the smaller sample are pooled into one more, the last."""
    pooled = cells.reference + cells.current
    n, m = cells.reference.sum(axis=1), cells.current.sum(axis=1)
    expected = pooled * (np.minimum(n, m) / np.maximum(n + m, 1))[:, None]
    rare = expected < ENOUGH

    def kept(counts: Ints) -> Ints:
        rest = np.where(rare, counts, 0).sum(axis=1, keepdims=True)
        return np.concatenate((np.where(rare, 0, counts), rest), axis=1)

    return kept(cells.reference), kept(cells.current)


def _altogether(cells: Cells, dispersion: Floats) -> Floats:
    """The chi-squared p of those cells; what is rare even together goes to the smallest of the others."""
    reference, current = pool_rare(cells)
    n, m = reference.sum(axis=1).astype(np.float64), current.sum(axis=1).astype(np.float64)
    both = np.maximum(n + m, 1)
    pooled = reference + current
    few = np.flatnonzero((pooled[:, -1] > 0) & (pooled[:, -1] * np.minimum(n, m) / both < ENOUGH))
    if few.size:
        others = np.where(pooled[few, :-1] > 0, pooled[few, :-1], np.iinfo(np.int64).max)
        to = np.argmin(others, axis=1)
        for counts in (reference, current):
            counts[few, to] += counts[few, -1]
            counts[few, -1] = 0
        pooled[few] = reference[few] + current[few]
    share = pooled / both[:, None]
    off = current - m[:, None] * share
    terms = np.divide(off * off, share, out=np.zeros_like(share), where=pooled > 0)
    statistic = terms.sum(axis=1) * both / np.maximum(n * m, 1)
    freedom = np.count_nonzero(pooled, axis=1) - 1
    p = chdtrc(np.maximum(freedom, 1), statistic / dispersion)
    return np.where((freedom > 0) & (n > 0) & (m > 0), p, 1.0)
