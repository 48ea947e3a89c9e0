"""From what a column holds to its type, bins and schema contract."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from monitor.baselines.sample import Sample
from monitor.profiles.bins import Bins, edges_of, most_frequent
from monitor.profiles.feature_contract import FeatureContract, ValueType

__all__ = ["Inferred", "infer", "mixture"]

# A column is of one type where that share of its values is; the others then are invalid values of it.
_OF_ONE_TYPE = 0.95
# Categories are closed where no more than this share of future values would be new (Good and Turing: the
# share of values seen only once).
_MOST_UNSEEN = 0.001
_BOOLEANS = frozenset(("true", "false"))
# The 99 % quantile of the normal distribution, for the bound of a null share.
_Z = 2.3263478740408408


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a feature is taken to be. `lower`: its texts are True and False in some spelling. `warnings` are
    sentences without the column's name."""

    bins: Bins
    contract: FeatureContract
    lower: bool
    warnings: tuple[str, ...]


def mixture(sample: Sample) -> str | None:
    """What a column of no one type holds; None where it is of one, but for a few values."""
    valued = sample.numbers + sample.texts
    if not valued or max(sample.numbers, sample.texts) / valued >= _OF_ONE_TYPE:
        return None
    return f"{sample.numbers} numbers and {sample.texts} texts"


def infer(sample: Sample, rows: int, categories: int, given: FeatureContract | None = None) -> Inferred:
    """The bins and the contract of a column of `rows` rows; `given` is an edited contract to keep to."""
    valued = sample.numbers + sample.infinite + sample.texts + sample.invalid
    tally = sample.tally()
    lower = bool(tally) and {t.lower() for t in tally} <= _BOOLEANS and not sample.many
    if lower:
        tally = _lowered(tally)
    numeric = (
        given.type.numeric if given is not None else sample.numbers >= sample.texts and sample.numbers > 0
    )
    warnings = list(_warnings(sample, numeric, rows))
    if numeric or not valued or not sample.texts:
        bins = Bins(edges=edges_of(sample.sampled()) if sample.numbers else np.zeros(0))
    else:
        bins = most_frequent(tally, categories)
    if given is not None:
        return Inferred(_with_categories(bins, given), given, lower, tuple(warnings))
    nulls = rows - valued
    bounds = (sample.minimum, sample.maximum) if numeric else (None, None)
    contract = FeatureContract(
        type=_type(sample, numeric, lower),
        required=nulls == 0 and rows > 0,
        minimum=bounds[0],
        maximum=bounds[1],
        categories=_closed(bins, tally, sample),
        null_share_max=_bound(nulls, rows) if nulls else 0.0,
    )
    return Inferred(bins, contract, lower, tuple(warnings))


def _lowered(tally: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text, n in tally.items():
        found[text.lower()] += n
    return found


def _warnings(sample: Sample, numeric: bool, rows: int) -> list[str]:
    found = []
    if numeric and sample.texts:
        found.append(f"{sample.texts} of its values are texts, not numbers: they count as invalid")
    if not numeric and sample.numbers and sample.texts:
        found.append(f"{sample.numbers} of its values are numbers, not texts: they count as invalid")
    if sample.invalid:
        found.append(f"{sample.invalid} of its values are lists or objects: they count as invalid")
    if sample.infinite:
        found.append(f"{sample.infinite} of its values are infinite")
    if rows and not sample.numbers and not sample.texts and not sample.invalid:
        found.append("has no values at all: any value that comes will count as drift")
    if numeric and sample.whole and rows > 1000 and sample.maximum - sample.minimum + 1 == sample.numbers:
        found.append("counts up, as an id does: leave it out with --features if it is one")
    if not numeric and sample.many and len(sample.tally()) > 0.5 * sum(sample.tally().values()):
        found.append(
            "nearly every value differs, as in an id, a date or free text: leave it out with --features"
        )
    return found


def _type(sample: Sample, numeric: bool, lower: bool) -> ValueType:
    if numeric:
        return ValueType.INTEGER if sample.whole else ValueType.NUMBER
    if not sample.texts:
        return ValueType.ANY
    return ValueType.BOOLEAN if lower else ValueType.TEXT


def _closed(bins: Bins, tally: Counter[str], sample: Sample) -> tuple[str, ...] | None:
    if bins.categories is None or sample.many or len(bins.categories) < len(tally):
        return None
    once = sum(n == 1 for n in tally.values())
    return bins.categories if once <= _MOST_UNSEEN * sum(tally.values()) else None


def _bound(nulls: int, rows: int) -> float:
    """The upper end of the one-sided 99 % interval of a share (Wilson), rounded up to four digits."""
    share, z2 = nulls / rows, _Z * _Z
    centre = share + z2 / (2 * rows)
    spread = _Z * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return min(1.0, math.ceil((centre + spread) / (1 + z2 / rows) * 10_000) / 10_000)


def _with_categories(bins: Bins, contract: FeatureContract) -> Bins:
    """The bins with one more for each category that only the contract has."""
    if bins.categories is None or contract.categories is None:
        return bins
    new = tuple(c for c in contract.categories if c not in bins.categories)
    return Bins(categories=(*bins.categories, *new)) if new else bins
