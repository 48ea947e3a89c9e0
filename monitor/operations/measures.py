"""What can be measured of operations: by name, from the events of a model.

A measure is of one of three shapes. `Marks`: things that happen, each with a value (a training took so long),
folded over a window, and countable one by one by an objective. `Steps`: something that holds from one event
to the next, or grows older (the age of the model). `Spans`: what needs the traffic of the windows as well.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np

from monitor.clock import DAY_S
from monitor.ingest.events.kinds import Data
from monitor.operations.facts import Facts
from monitor.records import Floats, Ints

__all__ = [
    "Fold",
    "Mark",
    "Marks",
    "Measure",
    "Passing",
    "Spans",
    "Step",
    "Steps",
    "Traffic",
    "Windowed",
    "measured",
]

Mark: TypeAlias = tuple[int, float]


class Fold(Enum):
    """What the marks of a window come to."""

    MEAN = "mean"
    SUM = "sum"
    PER_DAY = "number per day"


class Passing(Enum):
    """What becomes of a step's value as time passes."""

    HOLDS = "it stays"
    GROWS_OLDER = "seconds since that moment, ms"
    RUNS_OUT = "seconds until that moment, ms"


@dataclass(frozen=True, slots=True)
class Step:
    """From `from_ms` on: a value, or a moment in ms (see Passing); NaN for none."""

    from_ms: int
    value: float


class Traffic(Protocol):
    """The requests of the model in the same windows."""

    def total(self, sli: str) -> Floats:
        """An indicator of all of them, by window; NaN for none."""

    def by_version(self) -> Mapping[str, Floats]:
        """The requests of each version, by window."""


@dataclass(frozen=True, slots=True)
class Windowed:
    """Windows [begin_s, end_s) (int64, n)."""

    begin_s: Ints
    end_s: Ints


@dataclass(frozen=True, slots=True)
class Marks:
    """`marks` gives (when, ms, and value) each, in any order."""

    marks: Callable[[Facts], Iterable[Mark]]
    fold: Fold = Fold.MEAN

    def values(self, facts: Facts, windows: Windowed) -> tuple[Floats, Ints]:
        at_ms, value = _columns(self.marks(facts))
        first = np.searchsorted(at_ms, windows.begin_s * 1000)
        last = np.searchsorted(at_ms, windows.end_s * 1000)
        sums = np.concatenate((np.zeros(1), np.cumsum(value)))
        n = (last - first).astype(np.int64)
        total = sums[last] - sums[first]
        if self.fold is Fold.MEAN:
            return np.where(n > 0, total / np.maximum(n, 1), np.nan), n
        # Nothing happened is a figure once anything ever did.
        since = windows.end_s * 1000 > (at_ms[0] if len(at_ms) else np.inf)
        if self.fold is Fold.PER_DAY:
            total = n * DAY_S / (windows.end_s - windows.begin_s)
        return np.where(since, total, np.nan), n


@dataclass(frozen=True, slots=True)
class Steps:
    """`steps` in any order; of two at one moment the last holds. A window has the value of its end."""

    steps: Callable[[Facts], Iterable[Step]]
    passing: Passing = Passing.HOLDS

    def values(self, facts: Facts, windows: Windowed) -> tuple[Floats, Ints]:
        at_ms, value = _columns((step.from_ms, step.value) for step in self.steps(facts))
        end_ms = windows.end_s * 1000
        at = np.searchsorted(at_ms, end_ms, side="left") - 1
        held = np.where(at >= 0, value[np.maximum(at, 0)] if len(value) else np.nan, np.nan)
        match self.passing:
            case Passing.GROWS_OLDER:
                held = (end_ms - held) / 1000
            case Passing.RUNS_OUT:
                held = (held - end_ms) / 1000
        return held, (~np.isnan(held)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Spans:
    """Values (float64, NaN for none) and how much is behind each (int64), by window."""

    spans: Callable[[Facts, Windowed, Traffic], tuple[Floats, Ints]]


@dataclass(frozen=True, slots=True)
class Measure:
    """`unit` as in the catalogue of indicators; `kinds` are the events that it is made of."""

    name: str
    unit: str
    meaning: str
    kinds: tuple[type[Data], ...]
    shape: Marks | Steps | Spans


def measured(measure: Measure, facts: Facts, windows: Windowed, traffic: Traffic) -> tuple[Floats, Ints]:
    """The value of each window (NaN for none), and how many events or requests are behind it."""
    shape = measure.shape
    if isinstance(shape, Spans):
        return shape.spans(facts, windows, traffic)
    return shape.values(facts, windows)


def _columns(pairs: Iterable[Mark]) -> tuple[Ints, Floats]:
    """In the order of time, and at one moment in that in which they came."""
    found: Sequence[Mark] = list(pairs)
    at_ms = np.array([at for at, _ in found], np.int64)
    order = np.argsort(at_ms, kind="stable")
    return at_ms[order], np.array([value for _, value in found], np.float64)[order]
