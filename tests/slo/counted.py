"""What a ledger should come to, counted from the records themselves."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from monitor.slo.tally import Tally

__all__ = ["between", "by_window", "same"]

Judge = Callable[[Mapping[str, Any]], "bool | None"]


def by_window(
    records: Iterable[Mapping[str, Any]], judge: Judge, base_s: int = 60
) -> dict[int, tuple[float, float]]:
    """(good, all) by the begin of the window; `judge` says good, bad, or None for what does not count."""
    found: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for record in records:
        verdict = judge(record)
        if verdict is not None:
            start_s = record["ts"] // 1000 // base_s * base_s
            good, total = found[start_s]
            weight = 1 / record.get("sample_rate", 1)
            found[start_s] = (good + weight * verdict, total + weight)
    return dict(found)


def between(windows: Mapping[int, tuple[float, float]], from_s: int, to_s: int) -> tuple[float, float]:
    """(bad, all) of the windows that begin in [from_s, to_s)."""
    mine = [each for start_s, each in windows.items() if from_s <= start_s < to_s]
    return sum(total - good for good, total in mine), sum(total for _, total in mine)


def same(one: Tally, other: Tally) -> None:
    """Asserts that they are the same, slot by slot."""
    for name in ("begin_s", "end_s", "good", "total"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, err_msg=name)
