"""Intervals for a difference that hold at every look at once, however often one looks.

The normal mixture of Robbins (1970), as the mSPRT of Johari, Koomen, Pekelis and Walsh (Always Valid
Inference, Operations Research 2022): under no difference the likelihood ratio of a normal mixture of
differences against none exceeds 1 / alpha at any time with a probability of at most alpha (Ville's
inequality), for sums of many records asymptotically (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
Annals of Statistics 2024). Shares of few events are skewed: they are as far from a rate as the likelihood
says (`distance`).
"""

import math

__all__ = ["distance", "half_width", "mixing", "more_needed"]

_MOST_DOUBLINGS = 40


def mixing(variance: float, alpha: float) -> float:
    """The variance of the mixture for which the interval is narrowest once the difference is known with
    `variance` (Howard, Ramdas, McAuliffe and Sekhon 2021, section 3.5, by the expansion of its Lambert W)."""
    spread = 2 * math.log(1 / alpha)
    return variance * (spread + math.log1p(spread))


def half_width(variance: float, mixture: float, alpha: float) -> float:
    """How far the truth may be from a difference of such a variance: at no look further, but for a share of
    `alpha` of all runs."""
    whole = variance + mixture
    return math.sqrt(variance * whole / mixture * (2 * math.log(1 / alpha) + math.log(whole / variance)))


def distance(seen: float, rate: float) -> float:
    """How far a share that was `seen` is from a `rate` (both from 0 to 1, the rate between): as far as a
    normal one that is as unlikely, by the root of its deviance (McCullagh and Nelder 1989, section 2.3)."""
    some = seen * math.log(seen / rate) if seen > 0 else 0.0
    rest = (1 - seen) * math.log((1 - seen) / (1 - rate)) if seen < 1 else 0.0
    return math.sqrt(2 * max(some + rest, 0.0) * rate * (1 - rate))


def more_needed(n: int, variance: float, mixture: float, alpha: float, width: float) -> int | None:
    """How many more records, beside `n` that gave this variance, make the interval as narrow as `width` to
    either side; None for more than could ever come."""
    factor = 1.0
    for _ in range(_MOST_DOUBLINGS):
        if half_width(variance / factor, mixture, alpha) <= width:
            break
        factor *= 2
    else:
        return None
    low, high = factor / 2, factor
    for _ in range(20):
        middle = (low + high) / 2
        if half_width(variance / middle, mixture, alpha) <= width:
            high = middle
        else:
            low = middle
    return max(0, math.ceil(n * (max(high, 1.0) - 1)))
