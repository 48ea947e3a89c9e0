"""Violations of the schema contract in a window, from its counts: a rate for each feature, and a total."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc

from monitor.profiles.feature_contract import FeatureContract
from monitor.profiles.features import Feature
from monitor.profiles.layout import FeatureBin
from monitor.records import Floats, Ints
from monitor.store.baselines import Reference

__all__ = ["KINDS", "Violations", "violations"]

# A value of a wrong type; beyond the range; not whole; not finite; of an unknown category; a required
# feature that is not there; nulls beyond what the baseline had; a feature that the baseline knows nothing of.
KINDS = ("type", "range", "fractional", "not_finite", "unseen", "missing", "null_surge", "unexpected")
# Nulls are a surge where so many would come by chance less often than this.
_SURGE_P = 0.001


@dataclass(frozen=True, slots=True)
class Violations:
    """`rates[kind][i]` (float64) is the share of the window's rows that break the contract of `names[i]` in
    that way, `rate` (float64) all its ways together, at most 1; `total` the share of all values looked at
    that do. All are 0 in a window without rows."""

    names: tuple[str, ...]
    rates: Mapping[str, Floats]
    rate: Floats
    total: float


def violations(reference: Reference, rows: int, counts: Ints) -> Violations:
    """What `counts` (int64, (f, 256), NULL filled in, in the order of `reference.names`) of a window of
    `rows` rows break of the reference's contracts.

    Nulls are a surge where their number is above that of a binomial draw with the contract's
    `null_share_max` (inferred: the upper 99 % bound of the baseline's own share) at p < 0.001. Features that
    the model has and the baseline does not are unexpected; a provisional baseline expects all.
    """
    found = {kind: np.zeros(len(reference.names)) for kind in KINDS}
    for i, name in enumerate(reference.names):
        feature = reference.features[name]
        for kind, n in _broken(feature, counts[i], rows, reference.baseline.provisional).items():
            found[kind][i] = n
    rates = {kind: n / max(rows, 1) for kind, n in found.items()}
    rate = np.minimum(sum(rates.values(), np.zeros(len(reference.names))), 1.0)
    return Violations(reference.names, rates, rate, float(rate.mean()) if len(rate) else 0.0)


def _broken(feature: Feature, counts: Ints, rows: int, provisional: bool) -> Mapping[str, int]:
    """How many rows break the contract in each way that any does."""
    valued = rows - int(counts[FeatureBin.NULL])
    if feature.contract is None:
        fitted = feature.bins is not None or provisional
        return {"type": int(counts[FeatureBin.INVALID])} if fitted else {"unexpected": valued}
    contract = feature.contract
    return {
        "type": int(counts[FeatureBin.INVALID]),
        "range": int(counts[FeatureBin.BELOW]) + int(counts[FeatureBin.ABOVE]),
        "fractional": int(counts[FeatureBin.FRACTIONAL]),
        "not_finite": int(counts[FeatureBin.NONFINITE]),
        "unseen": _unseen(feature, contract, counts),
        **_nulls(contract, int(counts[FeatureBin.NULL]), rows),
    }


def _unseen(feature: Feature, contract: FeatureContract, counts: Ints) -> int:
    if contract.categories is None:
        return 0
    held = feature.bins.categories if feature.bins is not None and feature.bins.categories else ()
    allowed = set(contract.categories)
    barred = sum(int(counts[i]) for i, category in enumerate(held) if category not in allowed)
    return barred + int(counts[FeatureBin.OTHER])


def _nulls(contract: FeatureContract, nulls: int, rows: int) -> Mapping[str, int]:
    if contract.required:
        return {"missing": nulls}
    # P(more than nulls - 1 of rows) under the binomial distribution.
    surge = (
        nulls > contract.null_share_max * rows and bdtrc(nulls - 1, rows, contract.null_share_max) < _SURGE_P
    )
    return {"null_surge": nulls if surge else 0}
