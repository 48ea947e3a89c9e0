"""Twenty features without a change, drawn anew: normal, heavy-tailed, tied and categorical.

Imports numpy and pandas alone: the peers' scripts draw the same in environments of their own.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["CATEGORICAL", "NAMES", "NUMERIC", "baseline_rows", "draw", "frame", "masses"]

# Categories by their shares, the code being the category.
_SHARES = {
    "two": np.array([0.9, 0.1]),
    "rare": np.array([0.998, 0.002]),
    "five": np.full(5, 0.2),
    "ten": 1 / np.arange(1.0, 11),
    "fifty": 1 / np.arange(1.0, 51),
    "two_hundred": 1 / np.arange(1.0, 201),
}
CATEGORICAL = {name: shares / shares.sum() for name, shares in _SHARES.items()}
NUMERIC = (
    *(f"normal_{i}" for i in range(6)),
    "lognormal",
    "student",
    "pareto",
    "cauchy",
    "poisson",
    "rounded",
    "mostly_zero",
    "dice",
)
NAMES = (*NUMERIC, *CATEGORICAL)
_EQUAL = 200


def baseline_rows(rows: int) -> int:
    """Rows of the baseline of windows of `rows`: what a provisional one needs, no fewer than a window."""
    return max(5_000, rows)


def draw(name: str, rows: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A column of the feature; codes of categories are numbers too."""
    if name in CATEGORICAL:
        edges = np.cumsum(CATEGORICAL[name])[:-1]
        return np.searchsorted(edges, rng.random(rows), side="right").astype(np.float64)
    if name.startswith("normal"):
        return rng.standard_normal(rows)
    if name == "mostly_zero":
        return np.where(rng.random(rows) < 0.7, 0.0, rng.exponential(size=rows))
    made = {
        "lognormal": lambda: rng.lognormal(sigma=1.5, size=rows),
        "student": lambda: rng.standard_t(3, rows),
        "pareto": lambda: rng.pareto(1.5, rows),
        "cauchy": lambda: rng.standard_cauchy(rows),
        "poisson": lambda: rng.poisson(3, rows).astype(np.float64),
        "rounded": lambda: np.round(2 * rng.standard_normal(rows)) / 2,
        "dice": lambda: rng.integers(1, 7, rows).astype(np.float64),
    }
    return made[name]()


def frame(columns: int, rows: int, seed: int) -> pd.DataFrame:
    """Columns of normal numbers, slightly moved where `seed` is not 0."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f"x{i}": rng.normal(0.1 * bool(seed), 1, rows) for i in range(columns)})


def masses(name: str) -> NDArray[np.float64]:
    """The chance of each bin of the feature, for drawing counts instead of rows."""
    if name in CATEGORICAL:
        return CATEGORICAL[name]
    rng = np.random.default_rng(17)
    if name in ("poisson", "rounded", "dice", "mostly_zero"):
        values = draw(name, 1_000_000, rng)
        edges = np.unique(np.quantile(values, np.arange(1, _EQUAL) / _EQUAL))
        counts = np.bincount(np.searchsorted(edges, values, side="right"))
        return counts / counts.sum()
    return np.full(_EQUAL, 1 / _EQUAL)
