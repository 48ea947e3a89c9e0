"""PSI of ten columns of a DataFrame in memory: Scouter's `compute_drift` and ours, in turns.

Ours counts the columns on 200 bins, as a profile needs them, and takes the PSI on deciles from the counts;
Scouter counts on ten, on all cores. Each starts from the same DataFrame and a profile of 100,000 rows made
before. Of each round the best of several calls; a ratio is the median of rounds.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from monitor.profiles.bins import Bins, bin_column, fit
from monitor.records import Ints
from monitor.sli.drift_distance import psi
from monitor.sli.drift_shape import DECILES, cells_of, coarse, describe
from tests.bench import drift_data
from tests.bench.environments import python_of, run_peer
from tests.bench.figures import Figure, at_least, plain

__all__ = ["NAMES", "Size", "measure"]

_PEER = Path(__file__).resolve().parent / "peer_scouter.py"
_COLUMNS = 10
NAMES = ("ours_vs_scouter", "scouter_rows", "ours_rows_psi")


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of the windows, of which the hardest ratio counts; calls of a round; rounds."""

    rows: tuple[int, ...] = (10_000, 100_000)
    repeats: int = 50
    rounds: int = 5


def measure(size: Size) -> list[Figure]:
    """Rows a second of both at the largest window, and the smallest ratio of any."""
    python = python_of("scouter")
    reference = drift_data.frame(_COLUMNS, 100_000, 0)
    ratios, rates = [], {}
    for rows in size.rows:
        pairs = []
        for _ in range(size.rounds):
            peer = run_peer([python, _PEER, _COLUMNS, len(reference), rows, size.repeats])
            pairs.append((_ours(reference, rows, size.repeats), float(peer["seconds"])))
        ratios.append(statistics.median(theirs / ours for ours, theirs in pairs))
        rates[rows] = (rows / min(ours for ours, _ in pairs), rows / min(theirs for _, theirs in pairs))
    ours, theirs = rates[max(size.rows)]
    return [
        at_least("ours_vs_scouter", min(ratios), "ratio", 1.0),
        plain("scouter_rows", theirs, "rows/s"),
        plain("ours_rows_psi", ours, "rows/s"),
    ]


def _ours(reference: pd.DataFrame, rows: int, repeats: int) -> float:
    """The best seconds from the DataFrame to the PSI of each column."""
    bins: dict[str, Bins | None] = {name: fit([reference[name].to_numpy()], 0) for name in reference}
    shape, counts = describe(bins), _count(bins, reference)
    before = cells_of(shape, counts, counts)
    current = drift_data.frame(_COLUMNS, rows, 1)
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        psi(before.reference, coarse(shape.numeric, _count(bins, current), before.cut, DECILES))
        best = min(best, time.perf_counter() - begun)
    return best


def _count(bins: dict[str, Bins | None], frame: pd.DataFrame) -> Ints:
    columns = zip(bins.values(), frame.to_numpy().T, strict=True)
    return np.stack([np.bincount(bin_column(b, column), minlength=256) for b, column in columns])
