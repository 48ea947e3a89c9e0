"""How often a canary that is alike is called worse, and how soon one that is slower is.

Every minute of a day is looked at: all at once by arithmetic that leaves out only what can't be called worse
(`suspects`, and a test that it leaves out no other), and those left by the product's own verdict.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from monitor.sli.canary.verdict import Verdict, judge
from tests.bench.figures import Figure, at_least, at_most, plain
from tests.sli.canary.simulated import Served, looks, suspects

__all__ = ["NAMES", "Size", "measure"]

NAMES = ("canary_false_worse_share", "canary_found_in_10_min_share", "canary_found_after_p50_min")
_PER_MINUTE, _SHARE = 12_000, 0.05
# The defaults of `monitor canary verdict`; like versions are held to no margin at all, which is harder.
_ALPHA, _MARGINS = 0.01 / 4, (0.05, 0.005)


@dataclass(frozen=True, slots=True)
class Size:
    """Runs of versions that are alike, looked at every minute of a `day`; and of one that is a fifth slower,
    looked at for `minutes`."""

    alike: int = 2_000
    slower: int = 500
    minutes: int = 60
    day: int = 1_440
    processes: int = 2


def measure(size: Size) -> list[Figure]:
    """All figures of this module: 200 requests a second, 5 % of them to the canary."""
    with ProcessPoolExecutor(size.processes) as pool:
        worse = sum(pool.map(_called_worse, range(size.alike), [size.day] * size.alike, chunksize=10))
        found = list(pool.map(_found_after, range(size.slower), [size.minutes] * size.slower, chunksize=10))
    soon = sum(after is not None and after <= 10 for after in found) / size.slower
    middle = float(np.median([size.minutes if after is None else after for after in found]))
    return [
        at_most("canary_false_worse_share", worse / size.alike, "share", 0.01),
        at_least("canary_found_in_10_min_share", soon, "share", 0.95),
        plain("canary_found_after_p50_min", middle, "min"),
    ]


def _pair(seed: int, minutes: int, slower: float) -> tuple[Served, Served]:
    rng = np.random.default_rng(seed)
    champion = Served(rng, minutes, _PER_MINUTE * (1 - _SHARE))
    return champion, Served(rng, minutes, _PER_MINUTE * _SHARE, slower=slower)


def _called_worse(seed: int, minutes: int) -> bool:
    """Whether one that is alike is called worse at any look."""
    pair = _pair(seed, minutes, 1.0)
    return any(
        judge(looks(*pair, minute, _ALPHA, (0.0, 0.0))).verdict is Verdict.WORSE
        for minute in suspects(*pair, _ALPHA).tolist()
    )


def _found_after(seed: int, minutes: int) -> int | None:
    """After how many minutes the p99 of one that is a fifth slower is called worse."""
    pair = _pair(seed + 1_000_000, minutes, 1.2)
    for minute in range(minutes):
        p99 = [change for change in looks(*pair, minute, _ALPHA, _MARGINS) if change.sli == "latency_p99"]
        if judge(p99).verdict is Verdict.WORSE:
            return minute + 1
    return None
