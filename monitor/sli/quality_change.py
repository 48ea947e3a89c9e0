"""Quality in a window against the baseline's."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.special import ndtri

from monitor.records import Floats
from monitor.sli.quality import Metric
from monitor.sli.quality_cells import Estimates
from monitor.sli.quality_contrast import Limits, difference
from monitor.sli.quality_intervals import Z

__all__ = ["ChangeSettings", "QualityChange", "QualityState", "compare_quality"]


class QualityState(Enum):
    """How quality is, next to the baseline's."""

    HELD = "held"
    LOST = "lost"
    IMPROVED = "improved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Quality is lost where it is worse by more than `tolerance` of the baseline's value, and by more than
    chance gives at level `alpha` (two-sided), over at least `min_labels` labels."""

    tolerance: float = 0.05
    alpha: float = 0.001
    min_labels: int = 50


@dataclass(frozen=True, slots=True)
class QualityChange:
    """`worse` is by how much of the baseline's value the metric is worse (negative: better), `low` and `high`
    the limits of the difference, window less baseline, at the level asked for. NaN for none."""

    metric: str
    state: QualityState
    value: float
    baseline: float
    worse: float
    low: float
    high: float
    labels: int
    sentence: str


def compare_quality(
    metric: Metric,
    window: Estimates,
    baseline: Estimates,
    settings: ChangeSettings | None = None,
    slot: int = 0,
) -> QualityChange:
    """The metric in a slot of the window against the first slot of the baseline's.

    The test: the interval of the difference (`difference`, from both intervals drawn out to the level asked
    for; of shares it is Newcombe's test of two proportions) lies on the worse side of 0. Raises ValueError
    for a metric of which neither more nor less is better.
    """
    settings = settings or ChangeSettings()
    if metric.higher_is_better is None:
        raise ValueError(f"{metric.name}: neither more nor less of it is better; it can't be lost")
    one, other = _at(window, slot, settings.alpha), _at(baseline, 0, settings.alpha)
    labels = int(window.count[slot])
    value, reference = float(one.value[0]), float(other.value[0])
    reason = _unknown(window, baseline, slot, labels, settings.min_labels)
    apart = difference(one, other)
    low, high = float(apart.low[0]), float(apart.high[0])
    down = -1.0 if metric.higher_is_better else 1.0
    worse = down * (value - reference) / abs(reference) if reference else down * np.sign(value - reference)
    if reason is None and np.isnan((low, high)).any():
        reason = "there is no interval to judge it by"
    if reason is not None:
        sentence = f"{metric.name}: {reason}"
        nan = float("nan")
        return QualityChange(
            metric.name, QualityState.UNKNOWN, value, reference, nan, nan, nan, labels, sentence
        )
    state = QualityState.HELD
    if abs(worse) > settings.tolerance:
        beyond = (low > 0) if value > reference else (high < 0)
        if beyond:
            state = QualityState.LOST if worse > 0 else QualityState.IMPROVED
    sentence = _sentence(metric, state, value, reference, float(worse), labels, settings)
    return QualityChange(metric.name, state, value, reference, float(worse), low, high, labels, sentence)


def _at(found: Estimates, slot: int, alpha: float) -> Limits:
    """The slot's value, its interval drawn out from 95 % to 1 - alpha."""
    at = slice(slot, slot + 1)
    value: Floats = found.value[at]
    reach = float(-ndtri(alpha / 2)) / Z
    return Limits(value, value - (value - found.low[at]) * reach, value + (found.high[at] - value) * reach)


def _unknown(window: Estimates, baseline: Estimates, slot: int, labels: int, fewest: int) -> str | None:
    if window.reason(slot):
        return window.reason(slot)
    if baseline.reason(0):
        return f"the baseline has none: {baseline.reason(0)}"
    if labels < fewest:
        return f"too few labels ({labels} of at least {fewest})"
    return None


def _sentence(
    metric: Metric,
    state: QualityState,
    value: float,
    baseline: float,
    worse: float,
    labels: int,
    settings: ChangeSettings,
) -> str:
    figures = f"{metric.name} is {value:.4g}, was {baseline:.4g} ({labels:,} labels)"
    if state is QualityState.LOST:
        return f"{figures}: worse by {_percent(worse)}, more than chance gives"
    if state is QualityState.IMPROVED:
        return f"{figures}: better by {_percent(-worse)}, more than chance gives"
    if worse > settings.tolerance:
        return f"{figures}: worse by {_percent(worse)}, which may be chance"
    return f"{figures}: held"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
