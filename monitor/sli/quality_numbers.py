"""Quality of predicted numbers, from sums of the errors; an error is prediction less label."""

import numpy as np

from monitor.profiles.layout import Quality
from monitor.records import Bools, Floats
from monitor.sli.quality_cells import Estimates, QualityCells, Why, known, ratio
from monitor.sli.quality_intervals import bounded, deviation, normal, positive

__all__ = ["bias", "mae", "mape", "r2", "rmse", "tracking_signal", "wape"]


def _lacking(cells: QualityCells) -> list[tuple[Bools, Why]]:
    return [
        (cells.counts(Quality.LABELLED) <= 0, Why.NO_LABELS),
        (cells.counts(Quality.MEASURED) <= 0, Why.NO_NUMBERS),
    ]


def _mean(cells: QualityCells, cell: Quality) -> Floats:
    return ratio(cells.totals(cell), cells.totals(Quality.MEASURED))


def mae(cells: QualityCells) -> Estimates:
    count = cells.counts(Quality.MEASURED)
    value, size = _mean(cells, Quality.SUM_ABSOLUTE), cells.size(count)
    error = deviation(_mean(cells, Quality.SUM_SQUARED), value, size)
    return known(value, positive(value, error, size), count, *_lacking(cells))


def rmse(cells: QualityCells) -> Estimates:
    """The interval is the root of the mean square's, which needs the fourth powers. It is too narrow where
    few errors make up most of the sum: about 90 % instead of 95 % for 300 log-normal errors."""
    count = cells.counts(Quality.MEASURED)
    square, size = _mean(cells, Quality.SUM_SQUARED), cells.size(count)
    low, high = positive(square, deviation(_mean(cells, Quality.SUM_FOURTH), square, size), size)
    return known(np.sqrt(square), (np.sqrt(low), np.sqrt(high)), count, *_lacking(cells))


def mape(cells: QualityCells) -> Estimates:
    """Mean |error / label| over the labels that aren't zero."""
    count, weight = cells.counts(Quality.NONZERO), cells.totals(Quality.NONZERO)
    value, size = ratio(cells.totals(Quality.SUM_RELATIVE), weight), cells.size(count)
    error = deviation(ratio(cells.totals(Quality.SUM_RELATIVE_SQUARED), weight), value, size)
    lacking = (*_lacking(cells), (count <= 0, Why.ZERO_LABELS))
    return known(value, positive(value, error, size), count, *lacking)


def wape(cells: QualityCells) -> Estimates:
    """The sum of |error| over the sum of |label|; the error of the quotient is by the delta method."""
    count = cells.counts(Quality.MEASURED)
    value = ratio(cells.totals(Quality.SUM_ABSOLUTE), cells.totals(Quality.SUM_ACTUAL_ABSOLUTE))
    size = cells.size(count)
    square = (
        _mean(cells, Quality.SUM_SQUARED)
        - 2 * value * _mean(cells, Quality.SUM_ABSOLUTE_ACTUAL)
        + value**2 * _mean(cells, Quality.SUM_ACTUAL_SQUARED)
    )
    spread = deviation(np.maximum(square, 0.0), np.zeros(cells.n), size)
    error = ratio(spread, _mean(cells, Quality.SUM_ACTUAL_ABSOLUTE))
    lacking = (*_lacking(cells), (cells.totals(Quality.SUM_ACTUAL_ABSOLUTE) <= 0, Why.ZERO_LABELS))
    return known(value, positive(value, error, size), count, *lacking)


def bias(cells: QualityCells) -> Estimates:
    """The mean error: above 0 where predictions are too high."""
    count = cells.counts(Quality.MEASURED)
    value, size = _mean(cells, Quality.SUM_ERROR), cells.size(count)
    error = deviation(_mean(cells, Quality.SUM_SQUARED), value, size)
    return known(value, normal(value, error, size), count, *_lacking(cells))


def tracking_signal(cells: QualityCells) -> Estimates:
    """The sum of the errors over the mean |error| (Brown 1959): n where every prediction is too high, -n
    where too low. The interval is that of sum(error) / sum(|error|), times n."""
    count = cells.counts(Quality.MEASURED)
    share = ratio(cells.totals(Quality.SUM_ERROR), cells.totals(Quality.SUM_ABSOLUTE))
    size = cells.size(count)
    square = (1 + share**2) * _mean(cells, Quality.SUM_SQUARED) - 2 * share * _mean(
        cells, Quality.SUM_SIGNED_SQUARED
    )
    spread = deviation(np.maximum(square, 0.0), np.zeros(cells.n), size)
    error = ratio(spread, _mean(cells, Quality.SUM_ABSOLUTE))
    low, high = bounded((1 + share) / 2, error / 2, size)
    lacking = (*_lacking(cells), (cells.totals(Quality.SUM_ABSOLUTE) <= 0, Why.NO_ERRORS))
    interval = (2 * low - 1) * count, (2 * high - 1) * count
    return known(share * count, interval, count, *lacking)


def r2(cells: QualityCells) -> Estimates:
    """The coefficient of determination; below 0 where the labels' mean predicts better. The error is by the
    delta method: of error^2 - (1 - R2) (label - mean)^2 over the labels' variance."""
    count = cells.counts(Quality.MEASURED)
    first, second = _mean(cells, Quality.SUM_ACTUAL), _mean(cells, Quality.SUM_ACTUAL_SQUARED)
    third, fourth = _mean(cells, Quality.SUM_ACTUAL_CUBED), _mean(cells, Quality.SUM_ACTUAL_FOURTH)
    square = _mean(cells, Quality.SUM_SQUARED)
    variance = second - first**2
    flat = ~(variance > 1e-13 * second)
    rest = ratio(square, np.where(flat, 0.0, variance))
    crossed = (
        _mean(cells, Quality.SUM_SQUARED_ACTUAL_SQUARED)
        - 2 * first * _mean(cells, Quality.SUM_SQUARED_ACTUAL)
        + first**2 * square
    )
    central = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    moment = _mean(cells, Quality.SUM_FOURTH) - 2 * rest * crossed + rest**2 * central
    size = cells.size(count)
    error = ratio(deviation(np.maximum(moment, 0.0), np.zeros(cells.n), size), np.where(flat, 0.0, variance))
    low, high = positive(rest, error, size)
    lacking = (*_lacking(cells), (flat, Why.CONSTANT_LABELS))
    return known(1 - rest, (1 - high, 1 - low), count, *lacking)
