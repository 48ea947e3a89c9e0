"""The rows that a drift report compares: a window's random sample, and what its baseline has of rows."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from monitor.clock import rfc3339
from monitor.errors import QueryError
from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import ValueType
from monitor.profiles.layout import FeatureBin
from monitor.profiles.sample_rows import REDACTED
from monitor.profiles.samples import Reason, SampleSettings
from monitor.store.baseline_rows import rows_of
from monitor.store.baselines import Reference, reference_at
from monitor.store.samples import Found, last_window_s, list_samples
from monitor.store.store import Store

__all__ = ["Column", "DriftQuestion", "DriftRows", "drift_rows"]

Row: TypeAlias = Mapping[str, Any]

MAX_ROWS = 20_000
_DRAWN_ROWS = 2000
# More categories than these make no picture; the rest is one of its own.
_MAX_CATEGORIES = 30
_REST = "(other)"


@dataclass(frozen=True, slots=True)
class DriftQuestion:
    """Of which model, and when: from `from_ms` to `to_ms`, or the last `window_s` seconds sampled."""

    model: str
    version: str | None = None
    window_s: int = 3600
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of both sides, None for nulls: numbers, or texts where not `numeric`."""

    name: str
    numeric: bool
    current: Sequence[float | str | None]
    reference: Sequence[float | str | None]


@dataclass(frozen=True, slots=True)
class DriftRows:
    """What is compared, and sentences about how it came to be."""

    title: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]


def drift_rows(store: Store, question: DriftQuestion, settings: SampleSettings) -> DriftRows:
    """The window's sample and the baseline's rows. Raises QueryError where there is nothing to compare."""
    from_s, to_s = _range(store, question, settings)
    found = list_samples(
        store,
        settings,
        model=question.model,
        version=question.version,
        reasons=(Reason.RANDOM,),
        from_s=from_s,
        to_s=to_s,
        limit=MAX_ROWS,
    )
    when = f"{_time(from_s)} to {_time(to_s)}"
    if not found:
        raise QueryError(f"there is no sample of {_name(question)!r} from {when}; {_remedy(settings)}")
    current: list[Row] = list(_rows(found))
    reference = reference_at(store, question.model, question.version or "", to_s - 1, seasonal=False)
    if reference is None:
        raise QueryError(
            f"{question.model!r} has no baseline with counts yet: fit one with `monitor baseline fit`"
        )
    kept: list[Row] = [*rows_of(store, reference.baseline.id)]
    columns, left_out = _columns(current, kept or list(_drawn(reference)), reference)
    if not columns:
        raise QueryError(f"the sample of {_name(question)!r} has no feature that its baseline has too")
    return DriftRows(
        title=f"{_name(question)}, {when}",
        notes=tuple(_notes(found, settings, reference, len(kept), left_out)),
        columns=columns,
    )


def _range(store: Store, question: DriftQuestion, settings: SampleSettings) -> tuple[int, int]:
    if question.from_ms is not None or question.to_ms is not None:
        to_s = None if question.to_ms is None else -(-question.to_ms // 1000)
        if to_s is None:
            to_s = _end(store, question, settings)
        from_s = to_s - question.window_s if question.from_ms is None else question.from_ms // 1000
        if from_s >= to_s:
            raise QueryError("from: is not before to, or not before the last sample; turn them round")
        return from_s, to_s
    to_s = _end(store, question, settings)
    return to_s - question.window_s, to_s


def _end(store: Store, question: DriftQuestion, settings: SampleSettings) -> int:
    last_s = last_window_s(store, question.model, question.version)
    if last_s is None:
        raise QueryError(f"there is no sample of {_name(question)!r}; {_remedy(settings)}")
    return last_s + settings.window_s


def _remedy(settings: SampleSettings) -> str:
    if not settings.size(Reason.RANDOM):
        return "samples.random_per_window is 0: none is kept"
    return "see `monitor query --sli records` for when it had traffic"


def _name(question: DriftQuestion) -> str:
    return question.model if question.version is None else f"{question.model} {question.version}"


def _rows(found: Iterable[Found]) -> Iterator[Row]:
    for each in found:
        row = json.loads(each.sample.features or "{}")
        if each.sample.prediction is not None:
            row["@prediction"] = json.loads(each.sample.prediction)
        if each.sample.score is not None:
            row["@score"] = each.sample.score
        yield row


def _drawn(reference: Reference) -> Iterator[Row]:
    """Rows drawn from the baseline's counts, each feature by itself; the same ones each time."""
    n = min(_DRAWN_ROWS, reference.rows)
    rng = np.random.default_rng(reference.baseline.id)
    drawn = {}
    for i, name in enumerate(reference.names):
        feature = reference.features[name]
        if feature.bins is not None:
            whole = feature.contract is not None and feature.contract.type is ValueType.INTEGER
            drawn[name] = _values(rng, feature.bins, reference.counts[i], n, whole)
    for row in range(n):
        yield {name: values[row] for name, values in drawn.items() if values[row] is not None}


def _values(rng: np.random.Generator, bins: Bins, counts: Any, n: int, whole: bool) -> list[Any]:
    """Values as often as their bins were: uniform within a bin; in those that are open, their edge."""
    edges, categories = bins.edges, bins.categories
    n_bins = len(categories) if categories is not None else len(edges if edges is not None else ()) + 1
    held = counts[:n_bins].astype(np.float64)
    nulls = float(counts[FeatureBin.NULL])
    total = held.sum() + nulls
    if not total:
        return [None] * n
    chosen = rng.choice(n_bins + 1, size=n, p=np.append(held, nulls) / total)
    if categories is not None:
        return [categories[i] if i < n_bins else None for i in chosen.tolist()]
    if edges is None or not len(edges):
        return [None] * n
    low = np.append(edges[:1], edges)
    high = np.append(edges, edges[-1:])
    distinct = len(edges) > 1 and edges[-1] == np.nextafter(edges[-2], np.inf)
    share = np.zeros(n) if distinct else rng.random(n)
    at = np.minimum(chosen, n_bins - 1)
    values = low[at] + share * (high[at] - low[at])
    values = np.floor(values) if whole else values
    return [float(v) if i < n_bins else None for v, i in zip(values, chosen.tolist(), strict=True)]


def _columns(
    current: Sequence[Row], rows: Sequence[Row], reference: Reference
) -> tuple[tuple[Column, ...], list[str]]:
    """The columns that both sides have values of, and why others are left out."""
    names = {n for row in (*current, *rows) for n in row}
    columns, left_out = [], []
    for name in sorted(names, key=lambda n: (n.startswith("@"), n)):
        feature = reference.features.get(name)
        sides = [[row.get(name) for row in side] for side in (current, rows)]
        if any(REDACTED in side for side in sides):
            left_out.append(f"{name} is redacted")
            continue
        numeric = _is_numeric(feature.bins if feature is not None else None, sides)
        now, then = ([_number(v) if numeric else _text(v) for v in side] for side in sides)
        if not numeric:
            now, then = _bounded(now, then)
        lacking = [of for of, side in (("sample", now), ("baseline", then)) if all(v is None for v in side)]
        if lacking:
            left_out.append(f"{name} has no values in the {' and the '.join(lacking)}")
            continue
        columns.append(Column(name, numeric, now, then))
    return tuple(columns), left_out


def _is_numeric(bins: Bins | None, sides: Sequence[Sequence[Any]]) -> bool:
    if bins is not None:
        return bins.categories is None
    given = [v for side in sides for v in side if v is not None]
    return 2 * sum(_number(v) is not None for v in given) > len(given)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _bounded(now: Sequence[Any], then: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    seen = Counter(v for side in (then, now) for v in side if v is not None)
    if len(seen) <= _MAX_CATEGORIES:
        return list(now), list(then)
    kept = set(sorted(seen, key=lambda value: (-seen[value], value))[:_MAX_CATEGORIES])
    bounded = [[v if v is None or v in kept else _REST for v in side] for side in (now, then)]
    return bounded[0], bounded[1]


def _notes(
    found: Sequence[Found], settings: SampleSettings, reference: Reference, kept: int, left_out: Sequence[str]
) -> Iterator[str]:
    windows = {(f.version, f.sample.start_s) for f in found}
    minutes = settings.window_s / 60
    yield (
        f"Current: {len(found):,} records, a random {settings.size(Reason.RANDOM):,} at most of each of "
        f"{len(windows):,} windows of {minutes:g} min."
    )
    baseline = reference.baseline
    number = "the provisional baseline" if baseline.provisional else f"baseline {baseline.number}"
    if kept:
        yield f"Reference: {kept:,} of the {reference.rows:,} rows that {number} was fitted on, at random."
    else:
        yield (
            f"Reference: {min(_DRAWN_ROWS, reference.rows):,} rows drawn from the counts of {number} "
            f"({reference.rows:,} rows): each feature by itself, numbers uniformly within their bin."
        )
    if left_out:
        shown = "; ".join(left_out[:20]) + ("; .." if len(left_out) > 20 else "")
        yield f"Left out: {shown}."
    yield (
        "Evidently tests these samples with its own defaults. monitor's verdict counts every record: "
        f"monitor drift --model {reference.baseline.model}"
    )


def _time(at_s: int) -> str:
    return rfc3339(at_s * 1000).replace("T", " ").removesuffix(":00Z").removesuffix("Z") + " UTC"
