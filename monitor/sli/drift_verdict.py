"""The verdict on a window: all features of a model at once, and several windows before anybody is told.

A feature has drifted where its effect is large enough to matter and its evidence is too strong for chance.
Either alone is noise: in large windows everything is significant, in small ones everything looks large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from monitor.records import Bools, Floats, Ints
from monitor.sli.drift_distance import psi
from monitor.sli.drift_evidence import Evidence, pool_rare, weigh
from monitor.sli.drift_shape import Cells, Shape, cells_of, rows_of

__all__ = ["Assessment", "DriftSettings", "State", "assess", "benjamini_hochberg", "confirmed", "effect_of"]


class State(IntEnum):
    """What a verdict says; `label` is what people read."""

    NONE = 0
    WATCH = 1
    DRIFTED = 2
    TOO_FEW = 3

    @property
    def label(self) -> str:
        return "too few rows" if self is State.TOO_FEW else self.name.lower()


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """When a feature counts as drifted.

    `drifted`: effect of `drifted_psi` or more, and q below `alpha`. `watch`: an effect of `watch_psi` or more
    with q below `alpha` (real, not large yet), or of `drifted_psi` or more with q below `watch_alpha` (large,
    may be chance). Below `min_rows` on either side there is no verdict. PSI 0.1 and 0.2 are the thresholds
    that people know; one in 1,000 lets all features of a model together raise a false alarm in one window
    of 1,000 at most, before confirmation. `confirm_windows` of `confirm_of` windows confirm.
    """

    watch_psi: float = 0.1
    drifted_psi: float = 0.2
    alpha: float = 0.001
    watch_alpha: float = 0.05
    min_rows: int = 50
    confirm_windows: int = 2
    confirm_of: int = 3


@dataclass(frozen=True, slots=True)
class Assessment:
    """Per feature (f,): rows of both sides (int64), `psi`, `effect`, `p` and `q` (float64, NaN where too few
    rows), `state` (int64, of State), and what it was decided on."""

    reference_rows: Ints
    rows: Ints
    psi: Floats
    effect: Floats
    p: Floats
    q: Floats
    state: Ints
    cells: Cells
    evidence: Evidence


def assess(
    shape: Shape, reference: Ints, current: Ints, dispersion: Floats | None, settings: DriftSettings
) -> Assessment:
    """Holds `current` (int64, (f, 256)) against `reference`; `dispersion` (float64, f) is that of the
    baseline's own windows, None for 1. The features are judged together: pass all of a model's."""
    wide = np.ones(len(shape)) if dispersion is None else np.maximum(np.nan_to_num(dispersion, nan=1.0), 1.0)
    cells = cells_of(shape, reference, current)
    n, m = rows_of(reference), rows_of(current)
    few = (n < max(settings.min_rows, 1)) | (m < max(settings.min_rows, 1))
    evidence = weigh(shape, reference, current, cells, wide)
    p = np.where(few, np.nan, evidence.p)
    q = benjamini_hochberg(p)
    effect = np.where(few, np.nan, effect_of(cells, wide))
    large, sure = effect >= settings.drifted_psi, q < settings.alpha
    watch = (sure & (effect >= settings.watch_psi)) | (large & (q < settings.watch_alpha))
    state = np.select(
        [few, large & sure, watch],
        [int(State.TOO_FEW), int(State.DRIFTED), int(State.WATCH)],
        int(State.NONE),
    )
    raw = np.where(few, np.nan, psi(cells.reference, cells.current))
    return Assessment(n, m, raw, effect, p, q, state, cells, evidence)


def effect_of(cells: Cells, dispersion: Floats) -> Floats:
    """The PSI less what sampling alone makes of it, at least 0, float64 (f,).

    Cells too rare to be told from chance are pooled into one first. Of B cells and equal populations the PSI
    has the mean (B - 1)(1/n + 1/m), times the dispersion.
    """
    reference, current = pool_rare(cells)
    n, m = np.maximum(reference.sum(axis=1), 1), np.maximum(current.sum(axis=1), 1)
    kinds = np.maximum(np.count_nonzero(reference + current, axis=1) - 1, 0)
    found = psi(reference, current) - dispersion * kinds * (1 / n + 1 / m)
    return np.where(np.isnan(found), np.nan, np.maximum(found, 0.0))


def benjamini_hochberg(p: Floats) -> Floats:
    """The q-value of each p among all that are not NaN: the least false-discovery rate at which it counts."""
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")[::-1]]
    scaled = p[order] * len(known) / np.arange(len(known), 0, -1)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return q


def confirmed(states: Sequence[Sequence[int]] | Ints, settings: DriftSettings | None = None) -> Bools:
    """Whether each feature's drift was confirmed as of each window, bool (w, f).

    `states` (w, f) are the verdicts of consecutive windows, the oldest first. Drift is confirmed where
    `confirm_windows` of the last `confirm_of` windows say `drifted`. A window with too few rows says nothing:
    it is passed over, and what held before it holds on.
    """
    rule = settings or DriftSettings()
    table = np.atleast_2d(np.asarray(states, np.int64))
    found = np.zeros(table.shape, np.bool_)
    for j in range(table.shape[1]):
        said = table[:, j] != State.TOO_FEW
        drifted = np.cumsum(np.concatenate(([0], table[said, j] == State.DRIFTED)))
        end = np.arange(1, len(drifted))
        enough = drifted[end] - drifted[np.maximum(end - rule.confirm_of, 0)] >= rule.confirm_windows
        latest = np.cumsum(said) - 1
        found[:, j] = np.concatenate((enough, [False]))[latest]
    return found
