"""Watching one version's outcomes for concept drift: what the detectors need to know is learnt first.

`advance` is a step from state to state, as `concept.step`, which it prepares the outcomes for:

- Windows are put together until there are 50 labels, so that a window of few labels weighs no more than it
  should, and a value of many has noise that the detectors can judge by.
- The first 500 labels (in ten such blocks at least) tell by how much blocks of right and wrong outcomes vary
  more than independent ones would; of numbers, how large an error usually is and how much that varies. Then
  they are the first that the detectors see.
- Page-Hinkley's threshold for numbers follows from their variance s^2: a sum that falls by ph_delta a step
  climbs to the threshold h by chance with a probability of about exp(-2 ph_delta h / s^2).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from monitor.profiles.layout import Quality
from monitor.records import Ints
from monitor.sli.concept import Alarm, DetectorSettings, Outcomes, dispersion, step
from monitor.sli.quality_cells import QualityCells

__all__ = ["Seen", "advance", "seen_in"]

_FORMAT = 1
_BLOCK = 50
_LEARNT_FROM = 500
_BLOCKS_FROM = 10
# exp(-17): one false alarm in some ten million values.
_RARE = 17.0
_LEAST_THRESHOLD = 0.5


class Seen(NamedTuple):
    """The labelled predictions of one closed window, or of several up to the one that starts at `start_s`:
    how many, and how many were wrong (`wrong` -1 where they are numbers), or the sum of their |error|."""

    start_s: int
    labels: int
    wrong: int
    error: float

    @property
    def loss(self) -> float:
        return (self.error if self.wrong < 0 else self.wrong) / self.labels


def seen_in(cells: QualityCells, start_s: Ints) -> list[Seen]:
    """What each slot with labels has: classes where there are any, else numbers. `start_s` is ascending."""
    classified, correct = cells.counts(Quality.CLASSIFIED), cells.counts(Quality.CORRECT)
    measured, weight = cells.counts(Quality.MEASURED), cells.totals(Quality.MEASURED)
    errors = cells.totals(Quality.SUM_ABSOLUTE)
    found = []
    for i, start in enumerate(start_s.tolist()):
        n, right = int(classified[i]), int(correct[i])
        if n > 0:
            found.append(Seen(start, n, min(max(n - right, 0), n), 0.0))
        elif measured[i] > 0 and weight[i] > 0:
            n = int(measured[i])
            found.append(Seen(start, n, -1, max(float(errors[i] / weight[i]) * n, 0.0)))
    return found


@dataclass(frozen=True, slots=True)
class _Learnt:
    """`scale` is the usual |error|; 0 for classes."""

    dispersion: float
    scale: float
    ph_threshold: float

    @classmethod
    def of(cls, blocks: Sequence[Seen], settings: DetectorSettings) -> "_Learnt":
        if blocks[0].wrong >= 0:
            spread = dispersion([Outcomes.right_or_wrong(*b[:3]) for b in blocks])
            return cls(spread, 0.0, settings.ph_threshold)
        scale = sum(b.error for b in blocks) / sum(b.labels for b in blocks)
        values = [_scaled(b.loss, scale) for b in blocks]
        needed = _RARE * float(np.var(values, ddof=1)) / (2 * settings.ph_delta)
        return cls(1.0, scale, min(max(needed, _LEAST_THRESHOLD), settings.ph_threshold))


def _scaled(error: float, scale: float) -> float:
    """An error from 0 to 1, as the detectors want it: a quarter at the scale, and never flat."""
    return error / (error + 3 * scale) if error > 0 else 0.0


def _error(value: float, scale: float) -> float:
    return 3 * scale * value / max(1 - value, 1e-12)


@dataclass(slots=True)
class _Watch:
    settings: DetectorSettings
    numeric: bool | None = None
    block: Seen | None = None
    blocks: tuple[Seen, ...] = ()
    learnt: _Learnt | None = None
    detectors: str | None = None

    def take(self, window: Seen) -> Iterator[Alarm]:
        if self.numeric is not (window.wrong < 0):
            # Numbers where there were classes: another model under the same name.
            self.numeric, self.block, self.blocks = window.wrong < 0, None, ()
            self.learnt = self.detectors = None
        held = self.block
        if held is not None:
            wrong = -1 if window.wrong < 0 else held.wrong + window.wrong
            window = Seen(window.start_s, held.labels + window.labels, wrong, held.error + window.error)
        if window.labels < _BLOCK:
            self.block = window
            return
        self.block = None
        if self.learnt is None:
            self.blocks += (window,)
            if len(self.blocks) < _BLOCKS_FROM or sum(b.labels for b in self.blocks) < _LEARNT_FROM:
                return
            self.learnt = _Learnt.of(self.blocks, self.settings)
            ready, self.blocks = self.blocks, ()
        else:
            ready = (window,)
        yield from self._step(ready, self.learnt)

    def _step(self, blocks: Sequence[Seen], learnt: _Learnt) -> Iterator[Alarm]:
        settings = replace(self.settings, dispersion=learnt.dispersion, ph_threshold=learnt.ph_threshold)
        outcomes = [
            Outcomes.right_or_wrong(b.start_s, b.labels, b.wrong)
            if b.wrong >= 0
            else Outcomes(b.start_s, b.labels, _scaled(b.loss, learnt.scale))
            for b in blocks
        ]
        self.detectors, alarms = step(self.detectors, outcomes, settings)
        for alarm in alarms:
            before, after = alarm.before, alarm.after
            if blocks[0].wrong < 0:
                before, after = (_error(value, learnt.scale) for value in (before, after))
            yield Alarm(alarm.detector, alarm.start_s, before, after)

    def as_json(self) -> str:
        return json.dumps(
            {
                "numeric": self.numeric,
                "block": self.block,
                "blocks": self.blocks,
                "learnt": self.learnt
                and [self.learnt.dispersion, self.learnt.scale, self.learnt.ph_threshold],
                "detectors": self.detectors,
            },
            allow_nan=False,
        )

    @classmethod
    def restored(cls, text: str, settings: DetectorSettings) -> "_Watch":
        held: dict[str, Any] = json.loads(text)
        return cls(
            settings,
            held["numeric"],
            None if held["block"] is None else Seen(*held["block"]),
            tuple(Seen(*b) for b in held["blocks"]),
            None if held["learnt"] is None else _Learnt(*held["learnt"]),
            held["detectors"],
        )


def advance(
    state: str | None, windows: Sequence[Seen], settings: DetectorSettings | None = None
) -> tuple[str, list[Alarm]]:
    """(the state after the windows, the alarms in them); `state` is None before the first.

    The windows are closed, in order, and after all that were taken before. Alarms of numbers are in their
    units. Raises ValueError for a state that is damaged or by another release of river: start with None then.
    """
    settings = settings or DetectorSettings()
    watch = _Watch(settings) if state is None else _Watch.restored(_opened(state), settings)
    alarms = [alarm for window in windows for alarm in watch.take(window)]
    return _sealed(watch.as_json()), alarms


def _sealed(text: str) -> str:
    return json.dumps(
        {"format": _FORMAT, "river": version("river"), "crc32": crc32(text.encode()), "watch": text}
    )


def _opened(state: str) -> str:
    """river reads its own bytes without looking twice, so nothing else may reach it."""
    try:
        held = json.loads(state)
        text = str(held["watch"])
        wrong = (held["format"], held["river"]) != (_FORMAT, version("river"))
        if wrong or crc32(text.encode()) != held["crc32"]:
            raise ValueError("it is of another release of monitor or river, or damaged")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"the state of the concept drift detectors can't be read: {error}") from error
    return text
