"""What predictions and labels must come to, found for each prediction by itself, in plain Python."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.profiles.series import SeriesKey

__all__ = ["QUALITY_S", "Label", "Prediction", "Rank", "count_pairs", "crowded_out"]

QUALITY_S = 3600
_MOST = 256  # predictions that are kept under one key, those of the highest rank

Rank = tuple[int, str, int, int]
Row = tuple[str, int, SeriesKey, int]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as it was logged; `join` names what it is joined by, `rank` is (ts, topic, partition,
    offset)."""

    join: tuple[str, str]
    model: str
    id: str
    value: Any
    score: float | None
    series: tuple[SeriesKey, ...]
    rank: Rank


@dataclass(frozen=True, slots=True)
class Label:
    """A label as it was logged."""

    join: tuple[str, str]
    model: str | None
    annotator: str | None
    value: Any
    rank: Rank


def count_pairs(
    predictions: Iterable[Prediction], labels: Iterable[Label]
) -> dict[Row, Counter[tuple[Any, ...]]]:
    """Counts by row (kind, tier, series, start) and cell; of all tiers."""
    given: defaultdict[tuple[str, str], defaultdict[tuple[Any, ...], list[Label]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for label in labels:
        given[label.join][label.model, label.annotator].append(label)
    counts: defaultdict[Row, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    kept = (p for latest in _latest(predictions).values() for p in latest[:_MOST])
    for p in kept:
        fits = [g for (model, _), g in given[p.join].items() if model in (None, p.model)]
        for row, cell in _cells(p, fits):
            counts[row][cell] += 1
    return dict(counts)


def crowded_out(predictions: Iterable[Prediction]) -> int:
    """How many predictions are dropped, for their key has more than are kept."""
    return sum(max(0, len(latest) - _MOST) for latest in _latest(predictions).values())


def _latest(predictions: Iterable[Prediction]) -> dict[tuple[str, str], list[Prediction]]:
    """By what they are joined by, the newest of each model and id, the highest rank first."""
    found: defaultdict[tuple[str, str], dict[tuple[str, str], Prediction]] = defaultdict(dict)
    for p in predictions:
        known = found[p.join].get((p.model, p.id))
        if known is None or p.rank > known.rank:
            found[p.join][p.model, p.id] = p
    by_rank = {join: sorted(each.values(), key=lambda p: p.rank) for join, each in found.items()}
    return {join: each[::-1] for join, each in by_rank.items()}


def _newest(labels: Sequence[Label]) -> Label:
    return max(labels, key=lambda label: label.rank)


def _cells(p: Prediction, groups: Sequence[Sequence[Label]]) -> Iterator[tuple[Row, tuple[Any, ...]]]:
    cells: list[tuple[Any, ...]] = [("predicted",)]
    at = [("quality", p.rank[0])]
    if groups:
        group = max(groups, key=lambda g: _newest(g).rank)
        label = _newest(group)
        at.append(("learned", label.rank[0]))
        cells.append(("labelled",))
        cells.append(("lag", _bucket(max(label.rank[0] - p.rank[0], 0))))
        if len({_plain(told.value) for told in group}) > 1:
            cells.append(("corrected",))
        cells += _annotations(groups)
        cells += _classes(p.value, label.value)
    for kind, ms in at:
        for series in p.series:
            for tier_s in (QUALITY_S, 86_400):
                start_s = ms // 1000 // tier_s * tier_s
                for cell in cells:
                    yield (kind, tier_s, series, start_s), cell


def _annotations(groups: Sequence[Sequence[Label]]) -> Iterator[tuple[str]]:
    by_annotator: defaultdict[str, list[Label]] = defaultdict(list)
    for group in groups:
        for label in group:
            if label.annotator is not None:
                by_annotator[label.annotator].append(label)
    if len(by_annotator) >= 2:
        yield ("annotated",)
        if len({_plain(_newest(told).value) for told in by_annotator.values()}) > 1:
            yield ("disagreed",)


def _classes(predicted: Any, actual: Any) -> Iterator[tuple[Any, ...]]:
    a, b = _class(predicted), _class(actual)
    if a is None or b is None:
        return
    words, digits = ("true", "false"), ("1", "0")
    if a in words and b in digits:
        b = words[digits.index(b)]
    elif a in digits and b in words:
        b = digits[words.index(b)]
    yield ("classified",)
    yield ("confusion", a, b)
    if a == b:
        yield ("correct",)


def _class(value: Any) -> str | None:
    """The canonical text of a class; None for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) and abs(value) < 1000 else None
    return value if isinstance(value, str) else None


def _plain(value: Any) -> Any:
    return {"true": "1", "false": "0"}.get(_class(value) or "", _class(value) or value)


def _bucket(value: float) -> int:
    return 0 if value == 0 else math.ceil(math.log2(value) * 64) + 20 * 64
