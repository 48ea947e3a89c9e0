"""95 % confidence intervals, of many slots at once.

Arrays are float64, one item per slot; NaN stands for no value. `n` is the number behind a value, and may be
an effective number where records have weights.
"""

import numpy as np
from scipy.special import stdtrit

from monitor.records import Floats

__all__ = ["Z", "bounded", "deviation", "normal", "positive", "wilson"]

# The 97.5 % point of the normal distribution.
Z = 1.959963984540054

Interval = tuple[Floats, Floats]


def wilson(share: Floats, n: Floats) -> Interval:
    """Wilson's score interval of a share of `n` (Wilson 1927); within 0 to 1, and never of no width."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        low = (share + Z**2 / (2 * n) - spread) / (1 + Z**2 / n)
        high = (share + Z**2 / (2 * n) + spread) / (1 + Z**2 / n)
    # Rounding must not take the value itself out.
    return np.minimum(np.maximum(low, 0.0), share), np.maximum(np.minimum(high, 1.0), share)


def bounded(value: Floats, error: Floats, n: Floats) -> Interval:
    """Of a value within 0 to 1 with the standard error `error`: Wilson's interval at the effective size
    value (1 - value) / error^2 (Dean and Pagano 2015), at size `n` where the error is 0.

    A value at the very edge thus keeps an interval, and none leaves 0 to 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = value * (1 - value) / error**2
    return wilson(value, np.where((error > 0) & (size > 0), size, n))


def normal(value: Floats, error: Floats, n: Floats) -> Interval:
    """Value -+ t(n - 1) standard errors; none for fewer than two."""
    with np.errstate(invalid="ignore"):
        reach = stdtrit(np.where(n > 1, n - 1, np.nan), 0.975) * error
    return value - reach, value + reach


def positive(value: Floats, error: Floats, n: Floats) -> Interval:
    """As `normal`, on the scale of the logarithm: of a value that is never below 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = normal(np.log(value), error / value, n)
        # A square of nothing but zeros has no spread.
        still = (value == 0) & (error == 0)
    return np.where(still, value, np.exp(low)), np.where(still, value, np.exp(high))


def deviation(square: Floats, value: Floats, n: Floats) -> Floats:
    """The standard error of a mean `value` of `n`, from the mean of the squares; NaN for fewer than two."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(square - value**2, 0.0)
        # What rounding left of a constant's variance.
        variance = np.where(variance <= 1e-14 * square, 0.0, variance)
        found: Floats = np.sqrt(variance / np.where(n > 1, n - 1, np.nan))
    return found
