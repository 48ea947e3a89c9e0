"""Drift of a model's features in a window: distances, verdicts, and the words for them.

Pure: counts in, values out. Counts are int64 (f, 256) in the layout of `FeatureBin` with NULL filled in,
`reference` those of the baseline (or of the period before), `current` those of the window.
"""

from dataclasses import dataclass

import numpy as np

from monitor.records import Floats, Ints
from monitor.sli.drift_distance import (
    chi_squared,
    chi_squared_p,
    jensen_shannon,
    kolmogorov_smirnov,
    null_share,
    psi,
    unseen_share,
    wasserstein,
)
from monitor.sli.drift_shape import Shape, cells_of
from monitor.sli.drift_verdict import DriftSettings, State, assess
from monitor.sli.drift_words import sentence

__all__ = ["Distances", "Verdict", "distances", "judge"]


@dataclass(frozen=True, slots=True)
class Distances:
    """Per feature, float64 (f,), finite; NaN only where a side has no rows, and in `ks` and `wasserstein` for
    a categorical feature. `null_share` and `unseen_share` are those of the current side."""

    psi: Floats
    ks: Floats
    js: Floats
    chi2: Floats
    chi2_p: Floats
    wasserstein: Floats
    null_share: Floats
    unseen_share: Floats


def distances(shape: Shape, reference: Ints, current: Ints) -> Distances:
    """All distances. PSI, Jensen-Shannon and chi-squared are on the deciles of the reference or on the
    categories, and on the special cells; KS and Wasserstein are of the numbers, on the fine bins."""
    cells = cells_of(shape, reference, current)
    statistic, freedom = chi_squared(cells.reference, cells.current)
    return Distances(
        psi=psi(cells.reference, cells.current),
        ks=kolmogorov_smirnov(shape, reference, current),
        js=jensen_shannon(cells.reference, cells.current),
        chi2=statistic,
        chi2_p=chi_squared_p(statistic, freedom),
        wasserstein=wasserstein(shape, reference, current),
        null_share=null_share(current),
        unseen_share=unseen_share(current),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one feature. `effect` is the PSI less what sampling alone makes of it, `p` accounts for the noise of
    both samples and the baseline's own unrest, `q` for the number of features; None where too few rows."""

    feature: str
    state: State
    effect: float | None
    psi: float | None
    p: float | None
    q: float | None
    rows: int
    reference_rows: int
    sentence: str


def judge(
    shape: Shape,
    reference: Ints,
    current: Ints,
    dispersion: Floats | None = None,
    settings: DriftSettings | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on all features of a model; see `drift_verdict.assess`."""
    rule = settings or DriftSettings()
    found = assess(shape, reference, current, dispersion, rule)
    return tuple(
        Verdict(
            feature=name,
            state=State(int(found.state[i])),
            effect=_known(found.effect[i]),
            psi=_known(found.psi[i]),
            p=_known(found.p[i]),
            q=_known(found.q[i]),
            rows=int(found.rows[i]),
            reference_rows=int(found.reference_rows[i]),
            sentence=sentence(shape, found, i, rule),
        )
        for i, name in enumerate(shape.names)
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
