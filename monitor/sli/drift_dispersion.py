"""How much more the windows of a baseline differ from one another than chance alone would have them."""

import numpy as np
from scipy.special import chdtr, chdtri

from monitor.records import Floats, Ints
from monitor.sli.drift_distance import chi_squared
from monitor.sli.drift_evidence import pool_rare, rank_contrasts
from monitor.sli.drift_shape import DECILES, VALUES, Cells, coarse, deciles, rows_of

__all__ = ["dispersion"]

# Fewer windows say nothing about their spread; smaller ones are noise.
_WINDOWS = 5
_ROWS = 30
# The share of windows, the least unusual, that is looked at: an incident within the baseline is no habit.
_KEPT = 0.8


def dispersion(window_counts: Ints) -> Floats:
    """By what factor the variance between windows exceeds that of independent rows, float64 (f,), >= 1.

    `window_counts` (int64, (w, f, 256)) are the baseline's windows one by one. Each is held against all the
    others together: a chi-squared per degree of freedom over ten groups of neighbouring cells and the
    special ones, and the square of its ranks' shift. Of both the mean of the least 80 % of windows, over
    what that would be by chance; the larger of the two. Under five windows of 30 rows it is 1.
    """
    w, f = window_counts.shape[:2]
    total: Ints = window_counts.sum(axis=0)
    cut = deciles(np.full(f, VALUES), total)
    everything = np.ones(f, np.bool_)
    spread, moved, freedom = np.full((w, f), np.nan), np.full((w, f), np.nan), np.ones((w, f))
    for i, counts in enumerate(window_counts):
        rest = total - counts
        before, now = (coarse(everything, each, cut, DECILES) for each in (rest, counts))
        statistic, degrees = chi_squared(*pool_rare(Cells(before, now, cut)))
        usable = (rows_of(counts) >= _ROWS) & (rows_of(rest) >= _ROWS)
        freedom[i] = np.maximum(degrees, 1)
        spread[i] = np.where(usable & (degrees > 0), statistic / freedom[i], np.nan)
        location, _ = rank_contrasts(rest, counts)
        moved[i] = np.where(usable & location.possible, location.z**2, np.nan)
    return np.maximum(np.maximum(_trimmed(spread, freedom), _trimmed(moved, np.ones((w, f)))), 1.0)


def _trimmed(values: Floats, freedom: Floats) -> Floats:
    """The mean of each column's least values over that of a chi-squared per degree of freedom; 1 for columns
    with few. NaN stands for a window without value."""
    known = np.count_nonzero(~np.isnan(values), axis=0)
    kept = np.ceil(known * _KEPT).astype(np.int64)
    least = np.sort(values, axis=0)
    upto = np.cumsum(np.nan_to_num(least), axis=0)
    mean = upto[np.maximum(kept - 1, 0), np.arange(values.shape[1])] / np.maximum(kept, 1)
    k = np.median(freedom, axis=0)
    share = kept / np.maximum(known, 1)
    # The mean of a chi-squared below its quantile is k times the distribution of k + 2 degrees there.
    quantile = chdtri(k, np.clip(1 - share, 1e-12, 1.0))
    expected = chdtr(k + 2, quantile) / np.maximum(share, 1e-12)
    return np.where(known >= _WINDOWS, mean / np.maximum(expected, 1e-12), 1.0)
