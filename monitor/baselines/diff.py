"""What differs between two baselines of a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract
from monitor.profiles.layout import FeatureBin
from monitor.records import Floats, Ints
from monitor.sli.drift_distance import psi
from monitor.store.baselines import Reference

__all__ = ["Difference", "differences"]

_GROUPS = 10
_NULL, _OTHER = int(FeatureBin.NULL), int(FeatureBin.OTHER)


@dataclass(frozen=True, slots=True)
class Difference:
    """One feature of two baselines; where only one has it, `change` says so and the distances are None.

    `compared` says on what the distances rest: "same bins" and "common bins" are exact; "estimated" draws
    each distribution as straight lines between its edges, which is off by a bin's share at most; "not"
    where nothing can be compared.
    """

    feature: str
    change: str
    compared: str
    psi: float | None = None
    ks: float | None = None
    null_share: tuple[float, float] | None = None
    importance: tuple[float | None, float | None] | None = None


def differences(a: Reference, b: Reference) -> list[Difference]:
    """Of every feature that `a` or `b` has bins for, by name: what changed from `a` to `b`."""
    mine, theirs = _fitted(a), _fitted(b)
    found = []
    for name in sorted({*mine, *theirs}):
        if name not in theirs or name not in mine:
            found.append(Difference(name, "removed" if name in mine else "added", "not"))
            continue
        i, j = a.names.index(name), b.names.index(name)
        compared, psi_value, ks = _distances(mine[name], theirs[name], a.counts[i], b.counts[j])
        weights = (_known(a.importance[i]), _known(b.importance[j]))
        found.append(
            Difference(
                name,
                _change(mine[name], theirs[name], a.features[name].contract, b.features[name].contract),
                compared,
                psi_value,
                ks,
                (_share(a, i), _share(b, j)),
                None if weights == (None, None) else weights,
            )
        )
    return found


def _fitted(reference: Reference) -> dict[str, Bins]:
    return {n: f.bins for n, f in reference.features.items() if f.bins is not None}


def _share(reference: Reference, i: int) -> float:
    return float(reference.counts[i, _NULL]) / max(1, reference.rows)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _change(a: Bins, b: Bins, before: FeatureContract | None, after: FeatureContract | None) -> str:
    """What of the type, the categories and the contract differs, in words; "" for nothing."""
    said: list[str] = []
    if a.categories is not None and b.categories is not None:
        new, gone = set(b.categories) - set(a.categories), set(a.categories) - set(b.categories)
        said += [f"{len(new)} new categories ({_some(new)})"] if new else []
        said += [f"{len(gone)} categories gone ({_some(gone)})"] if gone else []
    if before is None or after is None:
        return "; ".join(said)
    if before.type != after.type:
        said.insert(0, f"type {before.type} -> {after.type}")
    if (before.minimum, before.maximum) != (after.minimum, after.maximum):
        ranges = (f"[{_bound(c.minimum)}, {_bound(c.maximum)}]" for c in (before, after))
        said.append(f"range {' -> '.join(ranges)}")
    if before.required != after.required:
        said.append("required now" if after.required else "no longer required")
    if (before.categories is None) != (after.categories is None):
        said.append("categories open now" if after.categories is None else "categories closed now")
    return "; ".join(said)


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", .." if len(names) > 3 else "")


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _distances(a: Bins, b: Bins, before: Ints, after: Ints) -> tuple[str, float | None, float | None]:
    """(what they rest on, PSI, KS); PSI on deciles of `a` (or its categories) and the nulls."""
    if not before[: int(FeatureBin.BELOW)].sum() + before[_OTHER] or not after.sum():
        return "not", None, None
    if a.categories is not None and b.categories is not None:
        names = sorted({*a.categories, *b.categories})
        rows = [_by_category(bins, counts, names) for bins, counts in ((a, before), (b, after))]
        exact = not (before[_OTHER] or after[_OTHER]) or a.categories == b.categories
        return "same bins" if exact else "estimated", _psi(*rows), None
    if a.edges is None or b.edges is None:
        return "not", None, None
    if np.array_equal(a.edges, b.edges):
        compared, edges = "same bins", a.edges
    else:
        edges = np.intersect1d(a.edges, b.edges)
        compared = "common bins"
        if len(edges) < min(_GROUPS - 1, len(a.edges), len(b.edges)):
            compared, edges = "estimated", np.union1d(a.edges, b.edges)
    p, q = (
        _upto(bins.edges, counts, edges)
        for bins, counts in ((a, before), (b, after))
        if bins.edges is not None
    )
    ks = float(np.abs(p - q).max()) if len(edges) else 0.0
    cut = np.zeros(0, np.int64)
    if len(edges):
        deciles = np.searchsorted(p, np.arange(1, _GROUPS) / _GROUPS)
        cut = np.unique(np.minimum(deciles, len(edges) - 1))
    rows = [_grouped(upto, cut, counts) for upto, counts in ((p, before), (q, after))]
    return compared, _psi(*rows), ks


def _by_category(bins: Bins, counts: Ints, names: Sequence[str]) -> Ints:
    place = {name: i for i, name in enumerate(bins.categories or ())}
    return np.array([*(counts[place[n]] if n in place else 0 for n in names), counts[_OTHER], counts[_NULL]])


def _upto(own: Floats, counts: Ints, edges: Floats) -> Floats:
    """The share of the numbers below each of `edges`: exact on the bins' own, on a line between."""
    values = counts[: len(own) + 1]
    total = max(1, int(values.sum()))
    below = np.cumsum(values)[:-1] / total
    return np.interp(edges, own, below) if len(own) else np.zeros(len(edges))


def _grouped(upto: Floats, at: Ints, counts: Ints) -> Ints:
    """Counts between the edges chosen, and the nulls."""
    valued = int(counts[: int(FeatureBin.BELOW)].sum())
    parts = np.diff(np.concatenate(([0.0], upto[at], [1.0]))) * valued
    return np.append(np.round(parts).astype(np.int64), counts[_NULL])


def _psi(before: Ints, after: Ints) -> float:
    return float(psi(before[None], after[None])[0])
