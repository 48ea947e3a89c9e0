"""What a month will have cost, of its days so far."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.special import stdtrit

__all__ = ["METHOD", "Forecast", "forecast"]

METHOD = (
    "days to come use the mean of all days so far, from 14 days on that of the same weekdays; what is no "
    "usage comes once; 95 % interval by Student's t of how days differed from that"
)
_LEAST_DAYS, _WEEKLY_DAYS = 3, 14
_QUANTILE = 0.975


@dataclass(frozen=True, slots=True)
class Forecast:
    """The end of the month; `low` and `high` None where less than 3 days tell how days differ."""

    amount: float
    low: float | None
    high: float | None


def forecast(fixed: float, days: Sequence[float], length: int) -> Forecast:
    """`days` are what the month's days so far cost, from its first on, of `length`; `fixed` comes once."""
    spent, n = math.fsum(days) + fixed, len(days)
    left = range(n, length)
    if not left or not n:
        return Forecast(spent, spent, spent) if not left else Forecast(spent, None, None)
    weekly = n >= _WEEKLY_DAYS
    seen: defaultdict[int, list[float]] = defaultdict(list)
    for day, amount in enumerate(days):
        seen[day % 7 if weekly else 0].append(amount)
    mean = {key: fmean(values) for key, values in seen.items()}
    ahead: defaultdict[int, int] = defaultdict(int)
    for day in left:
        ahead[day % 7 if weekly else 0] += 1
    amount = spent + math.fsum(mean[key] * times for key, times in ahead.items())
    if n < _LEAST_DAYS:
        return Forecast(amount, None, None)
    freedom = n - len(seen)
    squares = math.fsum((value - mean[key]) ** 2 for key, values in seen.items() for value in values)
    # Each day to come varies by itself, and all of a weekday err with its mean.
    varies = math.fsum(times + times**2 / len(seen[key]) for key, times in ahead.items())
    half = float(stdtrit(freedom, _QUANTILE)) * math.sqrt(squares / freedom * varies)
    return Forecast(amount, amount - half, amount + half)
