"""How long a question takes: latency_p99 of one model with 4 series from 4 partitions, in process.

The store holds a day by the minute, 30 days by the hour and a year by the day at 10 requests/s and
series. Each figure is the median of `repeats` answers after one that warms the cache.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store.store import Store
from tests.bench.figures import Figure, at_most, plain
from tests.bench.history import MODEL, History, fill
from tests.bench.rates import sqlite_store

__all__ = ["NAMES", "Size", "measure"]

_UNTIL_S = 1_750_032_000  # a midnight
_ASKED = (
    ("query_day_by_minute_ms", 60, 1.0, 200.0),
    ("query_30d_by_hour_ms", 3_600, 30.0, 200.0),
    ("query_year_by_day_ms", 86_400, 365.0, 100.0),
)
NAMES = tuple(name for base, *_ in _ASKED for name in (base, base.replace("_ms", "_by_series_ms")))


@dataclass(frozen=True, slots=True)
class Size:
    """The share of each range that is filled and asked for, and how often."""

    share: float = 1.0
    repeats: int = 9


def measure(size: Size) -> list[Figure]:
    """All figures of this module."""
    figures = []
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        for name, tier_s, days, target_ms in _ASKED:
            history = History(tier_s, max(days * size.share, 2 * tier_s / 86_400), _UNTIL_S)
            fill(store, history)
            value = _median_ms(store, history, (), size.repeats)
            figures.append(at_most(name, value, "ms", target_ms))
            by_series = _median_ms(store, history, ("version", "endpoint"), size.repeats)
            figures.append(plain(name.replace("_ms", "_by_series_ms"), by_series, "ms"))
        store.close()
    return figures


def _median_ms(store: Store, history: History, by: Sequence[str], repeats: int) -> float:
    begin_s = history.starts()[0]
    question = Question(MODEL, "latency_p99", begin_s * 1000, history.until_s * 1000, history.tier_s, by)
    spent = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        answer(store, question, history.until_s * 1000)
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent[1:])
