"""The labels themselves, clicks, lists, texts, ratings and events foretold."""

from collections.abc import Callable

import numpy as np

from monitor.profiles.layout import Quality, bucket_value
from monitor.records import Bools, Floats, Ints
from monitor.sli.quality_cells import Estimates, QualityCells, Why, cumulative, known, ratio, summed
from monitor.sli.quality_classes import share_of
from monitor.sli.quality_intervals import Z, bounded, deviation, normal, positive, wilson
from monitor.sli.quantile import quantiles

__all__ = [
    "correction_rate",
    "ctr",
    "disagreement_rate",
    "exact_match",
    "hit_rate",
    "label_coverage",
    "label_lag",
    "label_positive_share",
    "lead_time",
    "mrr",
    "ndcg",
    "rating_mean",
    "token_f1",
]


def _unlabelled(cells: QualityCells) -> tuple[Bools, Why]:
    return cells.counts(Quality.LABELLED) <= 0, Why.NO_LABELS


def label_coverage(cells: QualityCells) -> Estimates:
    """Counted without weights: a label's weight is not known before it comes."""
    count = cells.counts(Quality.PREDICTED)
    value = ratio(cells.counts(Quality.LABELLED).astype(np.float64), count.astype(np.float64))
    interval = wilson(value, count.astype(np.float64))
    return known(value, interval, count, (count <= 0, Why.NO_PREDICTIONS))


def label_lag(cells: QualityCells, q: float) -> Estimates:
    """The q-quantile of the labels' lags, ms, of each label alike; its interval runs between the order
    statistics n q -+ 1.96 sqrt(n q (1 - q))."""
    lag, n = cells.lag, cells.n
    count = summed(lag.slot, lag.count, n)
    unknown = np.full(n, np.nan)
    value = quantiles(lag.slot, lag.cell, lag.count.astype(np.float64), unknown, q)
    reach = Z * np.sqrt(count * q * (1 - q))
    low, high = (_statistic(lag.slot, lag.cell, lag.count, np.floor(count * q + s * reach)) for s in (-1, 1))
    interval = np.fmin(low, value), np.fmax(high, value)
    whole = np.rint(count).astype(np.int64)
    return known(value, interval, whole, (whole <= 0, Why.NO_LABELS))


def _statistic(slot: Ints, bucket: Ints, count: Ints, k: Floats) -> Floats:
    """The k-th value of each slot from 0, its first or last where k is out of range; NaN for no values."""
    n = len(k)
    whole = summed(slot, count, n)
    place = np.clip(k, 0.0, np.maximum(whole - 1, 0.0))
    before = cumulative(slot, count.astype(np.float64))
    mine = (before <= place[slot]) & (place[slot] < before + count)
    found = np.full(n, np.nan)
    found[slot[mine]] = bucket_value(bucket[mine])
    return found


def correction_rate(cells: QualityCells) -> Estimates:
    return share_of(cells, (Quality.CORRECTED,), (Quality.LABELLED,), empty=Why.NO_LABELS)


def disagreement_rate(cells: QualityCells) -> Estimates:
    whole = (Quality.ANNOTATED,)
    return share_of(cells, (Quality.DISAGREED,), whole, _unlabelled(cells), empty=Why.NO_ANNOTATORS)


def label_positive_share(cells: QualityCells) -> Estimates:
    return share_of(cells, (Quality.ACTUAL_POSITIVE,), (Quality.LABELLED,), empty=Why.NO_LABELS)


def ctr(cells: QualityCells) -> Estimates:
    return share_of(cells, (Quality.ACTUAL_POSITIVE,), (Quality.PREDICTED,), empty=Why.NO_PREDICTIONS)


def hit_rate(cells: QualityCells) -> Estimates:
    return share_of(cells, (Quality.HIT,), (Quality.RANKED,), _unlabelled(cells), empty=Why.NO_LISTS)


def exact_match(cells: QualityCells) -> Estimates:
    return share_of(cells, (Quality.EXACT,), (Quality.EXTRACTED,), _unlabelled(cells), empty=Why.NO_TEXTS)


def ndcg(cells: QualityCells) -> Estimates:
    sums = Quality.SUM_NDCG, Quality.SUM_NDCG_SQUARED
    return _mean(cells, Quality.RANKED, *sums, bounded, Why.NO_LISTS)


def mrr(cells: QualityCells) -> Estimates:
    sums = Quality.SUM_RECIPROCAL_RANK, Quality.SUM_RECIPROCAL_RANK_SQUARED
    return _mean(cells, Quality.RANKED, *sums, bounded, Why.NO_LISTS)


def token_f1(cells: QualityCells) -> Estimates:
    sums = Quality.SUM_TOKEN_F1, Quality.SUM_TOKEN_F1_SQUARED
    return _mean(cells, Quality.EXTRACTED, *sums, bounded, Why.NO_TEXTS)


def rating_mean(cells: QualityCells) -> Estimates:
    sums = Quality.SUM_RATING, Quality.SUM_RATING_SQUARED
    return _mean(cells, Quality.RATED, *sums, normal, Why.NO_RATINGS, labelled=False)


def lead_time(cells: QualityCells) -> Estimates:
    """Seconds."""
    sums = Quality.SUM_LEAD_MS, Quality.SUM_LEAD_S_SQUARED
    return _mean(cells, Quality.FORETOLD, *sums, positive, Why.NONE_FORETOLD, unit=1000.0)


def _mean(
    cells: QualityCells,
    behind: Quality,
    part: Quality,
    squares: Quality,
    interval: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]],
    empty: Why,
    *,
    labelled: bool = True,
    unit: float = 1.0,
) -> Estimates:
    """The weighted mean of a sum, over `unit`; the squares are of that already."""
    count, weight = cells.counts(behind), cells.totals(behind)
    size = cells.size(count)
    value = ratio(cells.totals(part) / unit, weight)
    error = deviation(ratio(cells.totals(squares), weight), value, size)
    lacking = ([_unlabelled(cells)] if labelled else []) + [(count <= 0, empty)]
    return known(value, interval(value, error, size), count, *lacking)
