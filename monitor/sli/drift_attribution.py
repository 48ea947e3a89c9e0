"""Drift of a whole model: of the order of its features' attributions, and of its features together."""

import numpy as np

from monitor.records import Floats

__all__ = ["attribution_ndcg", "model_drift"]


def attribution_ndcg(reference: Floats, current: Floats) -> float | None:
    """How well the current order of the features by mean |attribution| keeps that of the reference, 0 to 1.

    The normalised discounted cumulative gain: features in the order of `current` (f,), each worth its
    `reference` (f,) over log2(1 + place), over the same in the order of `reference`. Equal currents share
    their places' mean worth, as in scikit-learn's ndcg_score. 1 where the reference has no attribution;
    None without features or without a current one (all NaN); a NaN otherwise counts as 0.
    """
    if not len(reference) or np.isnan(reference).all() or np.isnan(current).all():
        return None
    worth, now = np.nan_to_num(np.abs(reference)), np.nan_to_num(np.abs(current))
    discount = 1 / np.log2(np.arange(len(worth)) + 2)
    ideal = float(np.sort(worth)[::-1] @ discount)
    if ideal == 0:
        return 1.0
    _, tie, size = np.unique(-now, return_inverse=True, return_counts=True)
    mean_worth = np.bincount(tie, weights=worth) / size
    return min(float(np.repeat(mean_worth, size) @ discount) / ideal, 1.0)


def model_drift(effect: Floats, importance: Floats | None = None) -> float | None:
    """The mean of the features' effects weighted by importance: sum(|w| e) / sum(|w|).

    Features without an effect (NaN) are left out, an unknown importance (NaN) counts as the mean of the
    known ones, and all weigh alike where none is known or all are 0. None where no feature has an effect.
    """
    weight = np.ones(len(effect)) if importance is None else np.abs(importance)
    known = ~np.isnan(weight)
    weight = np.where(known, weight, weight[known].mean() if known.any() else 1.0)
    measured = ~np.isnan(effect)
    if not measured.any():
        return None
    weight, effect = weight[measured], effect[measured]
    if weight.sum() == 0:
        weight = np.ones(len(weight))
    return float(weight @ effect / weight.sum())
