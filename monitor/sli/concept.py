"""Detectors of concept drift over closed windows: ADWIN and Page-Hinkley, as river has them.

`step` takes the state after the windows so far and the next window's outcomes, and gives the state after it.
The state is JSON text, so that it can be stored with what it was made from: a restart changes nothing.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.profiles.layout import Quality
from monitor.records import Floats, Ints
from monitor.sli.quality_cells import QualityCells

__all__ = ["Alarm", "DetectorSettings", "Outcomes", "dispersion", "losses", "outcomes_of", "step"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """`adwin_delta` bounds ADWIN's false alarms per test; Page-Hinkley forgives `ph_delta` of a rise of the
    loss, and alarms where what is left adds up to `ph_threshold`. A window gives at most `per_window` values,
    each the mean of as many outcomes as it takes. `dispersion` is that of the baseline's windows
    (`dispersion`): outcomes that come in runs count for fewer, or each run is an alarm.

    Page-Hinkley doesn't forget (river's `alpha` is 1): with river's default the sum wanders about a level,
    and is sooner or later far above its own lowest, without any change.
    """

    adwin_delta: float = 0.002
    ph_delta: float = 0.01
    ph_threshold: float = 100.0
    per_window: int = 200
    dispersion: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The joined outcomes of one closed window from `start_s`: how many, and their mean loss, 0 to 1.

    `wrong` is how many were wrong, where an outcome is right or wrong; None where it has degrees: such a
    window gives one value.
    """

    start_s: int
    count: int
    loss: float
    wrong: int | None = None

    @classmethod
    def right_or_wrong(cls, start_s: int, count: int, wrong: int) -> "Outcomes":
        return cls(start_s, count, wrong / count if count else 0.0, wrong)


def outcomes_of(cells: QualityCells, start_s: Ints, scale: float | None = None) -> list[Outcomes]:
    """The outcomes of each slot with labels; `start_s` (int64, slots) ascending. Of classes by whether they
    were right; else of numbers: the mean |error| over twice `scale` (the baseline's mean absolute error), at
    most 1. Without classes and without a scale there are none."""
    classified = cells.counts(Quality.CLASSIFIED)
    wrong = classified - cells.counts(Quality.CORRECT)
    measured, errors = cells.counts(Quality.MEASURED), cells.totals(Quality.SUM_ABSOLUTE)
    weight = cells.totals(Quality.MEASURED)
    found = []
    for slot, start in enumerate(start_s.tolist()):
        if classified[slot] > 0:
            found.append(Outcomes.right_or_wrong(start, int(classified[slot]), int(wrong[slot])))
        elif measured[slot] > 0 and scale:
            loss = min(float(errors[slot] / weight[slot]) / (2 * scale), 1.0)
            found.append(Outcomes(start, int(measured[slot]), loss))
    return found


@dataclass(frozen=True, slots=True)
class Alarm:
    """A detector (`adwin` or `page_hinkley`) found in the window from `start_s` that the mean loss, `before`
    until then, is another; `worse` where it has risen."""

    detector: str
    start_s: int
    before: float
    after: float

    @property
    def worse(self) -> bool:
        return self.after > self.before


def dispersion(windows: Sequence[Outcomes]) -> float:
    """By how much the shares of wrong outcomes vary more between windows than independent outcomes would
    (Pearson's chi-squared over its degrees of freedom), at least 1; 1 for fewer than two windows."""
    held = [(w.wrong, w.count) for w in windows if w.wrong is not None and w.count > 0]
    wrong, count = np.array(held, np.float64).reshape(-1, 2).T
    share = wrong.sum() / max(count.sum(), 1.0)
    if len(held) < 2 or not 0 < share < 1:
        return 1.0
    squared = ((wrong - share * count) ** 2 / (count * share * (1 - share))).sum()
    return max(1.0, float(squared) / (len(held) - 1))


def losses(window: Outcomes, settings: DetectorSettings) -> Floats:
    """The values that the detectors see of a window, in order (float64).

    The order within a window is not known: wrong outcomes are dealt at random, the same for the same window,
    over blocks of equal size. To spread them evenly would hide the noise that a detector weighs.
    """
    if not window.count:
        return np.zeros(0)
    if window.wrong is None:
        return np.array([window.loss])
    blocks = max(1, min(round(window.count / settings.dispersion), settings.per_window))
    sizes = np.full(blocks, window.count // blocks)
    sizes[: window.count % blocks] += 1
    dealt = np.random.default_rng(abs(window.start_s)).multivariate_hypergeometric(sizes, window.wrong)
    found: Floats = dealt / sizes
    return found


def step(
    state: str | None, windows: Sequence[Outcomes], settings: DetectorSettings | None = None
) -> tuple[str, tuple[Alarm, ...]]:
    """(the state after the windows, the alarms in them); `state` is None before the first.

    Windows come in order of their begin. One that isn't after the last one taken was there already, and
    changes nothing. A state that this version of river doesn't understand raises ValueError.
    """
    settings = settings or DetectorSettings()
    held = _Detectors.fresh(settings) if state is None else _Detectors.restored(state, settings)
    alarms = [alarm for window in windows if window.start_s > held.last_s for alarm in held.take(window)]
    return held.as_json(), tuple(alarms)


@dataclass(slots=True)
class _Detectors:
    """river's two detectors (without types of their own) between two windows."""

    settings: DetectorSettings
    adwin: Any
    page_hinkley: Any
    last_s: int

    @classmethod
    def fresh(cls, settings: DetectorSettings) -> "_Detectors":
        # river takes a second to import, and only this needs it.
        from river import drift

        river: Any = drift
        page_hinkley = river.PageHinkley(
            delta=settings.ph_delta, threshold=settings.ph_threshold, alpha=1.0, mode="up"
        )
        return cls(settings, river.ADWIN(delta=settings.adwin_delta), page_hinkley, -(1 << 62))

    def take(self, window: Outcomes) -> list[Alarm]:
        """At most one alarm of each detector: the first."""
        self.last_s = window.start_s
        found: dict[str, Alarm] = {}
        for loss in losses(window, self.settings).tolist():
            before = self.adwin.estimation
            self.adwin.update(loss)
            if self.adwin.drift_detected:
                found.setdefault("adwin", Alarm("adwin", window.start_s, before, window.loss))
            mean = self._mean
            self.page_hinkley.update(loss)
            if self.page_hinkley.drift_detected:
                alarm = Alarm("page_hinkley", window.start_s, mean, window.loss)
                found.setdefault("page_hinkley", alarm)
        return list(found.values())

    @property
    def _mean(self) -> float:
        return float(self.page_hinkley._x_mean.get())

    def as_json(self) -> str:
        """Numbers and, of ADWIN's window, the bytes that river makes of it. No pickle: what is read back
        from a store must not be able to run."""
        adwin, page_hinkley = self.adwin.__getstate__(), self.page_hinkley.__getstate__()
        mean = page_hinkley["_x_mean"]
        numbers = {name: _plain(page_hinkley[name]) for name in _NUMBERS}
        return json.dumps(
            {
                "format": _FORMAT,
                "last_s": self.last_s,
                "adwin": {
                    "detected": adwin["_drift_detected"],
                    "window": base64.b64encode(adwin["_helper"].__getstate__()).decode(),
                },
                "page_hinkley": {**numbers, "n": mean.n, "mean": mean.get()},
            },
            allow_nan=False,
        )

    @classmethod
    def restored(cls, text: str, settings: DetectorSettings) -> "_Detectors":
        found = cls.fresh(settings)
        try:
            held: dict[str, Any] = json.loads(text)
            if held["format"] != _FORMAT:
                raise ValueError(f"format {held['format']}")
            found.last_s = int(held["last_s"])
            adwin, page_hinkley = found.adwin.__getstate__(), held["page_hinkley"]
            adwin["_helper"].__setstate__(base64.b64decode(held["adwin"]["window"], validate=True))
            found.adwin.__dict__["_drift_detected"] = bool(held["adwin"]["detected"])
            mean = type(found.page_hinkley._x_mean)._from_state(page_hinkley["n"], page_hinkley["mean"])
            numbers = {name: _number(page_hinkley[name]) for name in _NUMBERS}
        except Exception as error:  # river's own: of any kind
            raise ValueError(
                f"the state of the concept drift detectors can't be read ({error}); start them anew"
            ) from error
        found.page_hinkley.__dict__.update(numbers, _x_mean=mean)
        return found


_NUMBERS = ("_drift_detected", "_sum_increase", "_sum_decrease", "_min_increase", "_max_decrease")


def _plain(value: Any) -> Any:
    """JSON has no infinity."""
    return None if value == float("inf") else value


def _number(value: Any) -> Any:
    return float("inf") if value is None else value
