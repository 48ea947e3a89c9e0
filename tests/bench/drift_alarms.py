"""False alarms: windows without a change, each with a fresh baseline, and 20 weeks against one baseline."""

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from monitor.profiles.bins import Bins, bin_column, fit
from monitor.records import Coded, Column, Floats, Ints
from monitor.sli.drift_shape import Shape, describe
from monitor.sli.drift_verdict import DriftSettings, State, assess, confirmed
from tests.bench import drift_data

__all__ = ["Alarms", "alarms", "alerts_in"]

T = TypeVar("T")

# From that many rows on, counts are drawn instead of rows: the same law at a hundredth of the time.
_AS_COUNTS = 1_000_000
# A baseline of a stream is fitted on a sketch; beyond this many rows its first ones stand for that.
_FITTED_ON = 20_000


@dataclass(frozen=True, slots=True)
class Alarms:
    """Of `windows`: those with any drifted feature, and those where any q alone is below alpha."""

    windows: int = 0
    drifted: int = 0
    significant: int = 0

    def __add__(self, other: "Alarms") -> "Alarms":
        return Alarms(
            self.windows + other.windows,
            self.drifted + other.drifted,
            self.significant + other.significant,
        )


def alarms(rows: int, windows: int, workers: int = 2) -> Alarms:
    """Of `windows` seeded windows of `rows`, each with a baseline of its own."""
    return sum(_spread(partial(_alarms, rows), windows, workers), Alarms())


def _spread(work: Callable[[range], T], windows: int, workers: int) -> list[T]:
    """The results of `work` on stretches of the windows, in processes of their own."""
    step = max(1, -(-windows // (4 * workers)))
    parts = [range(at, min(at + step, windows)) for at in range(0, windows, step)]
    if workers < 2:
        return [work(part) for part in parts]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(work, parts))


def _alarms(rows: int, windows: range) -> Alarms:
    settings = DriftSettings()
    total = Alarms()
    masses = {name: drift_data.masses(name) for name in drift_data.NAMES}
    for window in windows:
        rng = np.random.default_rng((rows, window))
        make = _counted(rows, masses, rng) if rows >= _AS_COUNTS else _drawn(rows, rng)
        found = assess(*make, None, settings)
        total += Alarms(1, int((found.state == State.DRIFTED).any()), int((found.q < settings.alpha).any()))
    return total


def _drawn(rows: int, rng: np.random.Generator) -> tuple[Shape, Ints, Ints]:
    """Rows drawn, bins fitted on the baseline's, all counted."""
    bins: dict[str, Bins | None] = {}
    table = np.zeros((2, len(drift_data.NAMES), 256), np.int64)
    for i, name in enumerate(drift_data.NAMES):
        before = _column(name, drift_data.draw(name, drift_data.baseline_rows(rows), rng))
        now = _column(name, drift_data.draw(name, rows, rng))
        sample = (
            before.select(np.arange(len(before.codes)) < _FITTED_ON) if isinstance(before, Coded) else before
        )
        bins[name] = fit([sample if isinstance(sample, Coded) else sample[:_FITTED_ON]], 240)
        for side, column in enumerate((before, now)):
            table[side, i] = np.bincount(bin_column(bins[name], column), minlength=256)
    return describe(bins), table[0], table[1]


def _column(name: str, values: Floats) -> Column:
    if name not in drift_data.CATEGORICAL:
        return values
    names = [f"c{i:03d}" for i in range(len(drift_data.CATEGORICAL[name]))]
    return Coded(values.astype(np.int32) + 1, [None, *names])


def _counted(rows: int, masses: Mapping[str, Floats], rng: np.random.Generator) -> tuple[Shape, Ints, Ints]:
    table = np.zeros((2, len(masses), 256), np.int64)
    for side, n in enumerate((drift_data.baseline_rows(rows), rows)):
        for i, chances in enumerate(masses.values()):
            table[side, i, : len(chances)] = rng.multinomial(n, chances)
    return _known(masses), table[0], table[1]


def _known(masses: Mapping[str, Floats]) -> Shape:
    """The shape of features with those chances of bins."""
    bins: dict[str, Bins | None] = {
        name: Bins(categories=tuple(f"c{i:03d}" for i in range(len(chances))))
        if name in drift_data.CATEGORICAL
        else Bins(edges=np.arange(1.0, len(chances)))
        for name, chances in masses.items()
    }
    return describe(bins)


def alerts_in(rows: int, windows: int, models: int, workers: int = 2) -> float:
    """Alerts per model: how often drift of any feature came to be confirmed in `windows` windows of `rows`
    in a row, without a change, against one baseline; the mean over `models`."""
    work = partial(_alerts, rows, windows)
    return sum(_spread(work, models, workers)) / models


def _alerts(rows: int, windows: int, models: range) -> int:
    masses = {name: drift_data.masses(name) for name in drift_data.NAMES}
    settings = DriftSettings()
    alerts = 0
    for model in models:
        rng = np.random.default_rng((rows, windows, model))
        shape, reference, _ = _counted(rows, masses, rng)
        states = np.zeros((windows, len(shape)), np.int64)
        for i in range(windows):
            current = np.zeros_like(reference)
            for j, chances in enumerate(masses.values()):
                current[j, : len(chances)] = rng.multinomial(rows, chances)
            states[i] = assess(shape, reference, current, None, settings).state
        found = confirmed(states, settings)
        alerts += int((np.diff(found.astype(np.int8), axis=0, prepend=0) == 1).sum())
    return alerts
