"""Fairness between the groups that a segment label makes."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from monitor.clock import rfc3339
from monitor.errors import QueryError
from monitor.profiles.layout import Kind
from monitor.sli.entries import join, place
from monitor.sli.fairness import MIN_GROUP, Contrast, Fairness, fairness
from monitor.sli.quality_cells import Estimates, QualityCells
from monitor.sli.query import groups_in, stored_windows
from monitor.sli.question import Question, scope_of
from monitor.sli.windows import Bases, UsualBases, Windows, cover, tiers
from monitor.store.store import Store

__all__ = ["FairnessAnswer", "FairnessQuestion", "ask_fairness"]

_USUAL = UsualBases()
_RATES = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "accuracy",
    "calibration_gap",
    "calibration_error",
)
_CONTRASTS = (
    "selection_ratio",
    "selection_difference",
    "equal_opportunity",
    "false_positive_difference",
    "equalized_odds",
    "calibration_difference",
)


@dataclass(frozen=True, slots=True)
class FairnessQuestion:
    """The groups are the values of the segment label `by`; groups of fewer than `minimum` predictions are not
    shown."""

    model: str
    by: str
    from_ms: int | None = None
    to_ms: int | None = None
    version: str | None = None
    minimum: int = MIN_GROUP


class FairnessAnswer(TypedDict):
    """`groups` have for each rate {value, low, high, count, why}; `contrasts` for each way to compare them
    {value, low, high, lowest, highest, why}; `hidden` names the groups that are too small to show."""

    start: str
    end: str
    model: str
    version: str | None
    by: str
    groups: list[dict[str, Any]]
    contrasts: dict[str, dict[str, Any]]
    hidden: list[str]


def ask_fairness(store: Store, question: FairnessQuestion, bases: Bases = _USUAL) -> FairnessAnswer | None:
    """How the model treats the groups; None where nothing is stored. Raises QueryError."""
    if question.by.removeprefix("segment.") in ("version", "endpoint"):
        raise QueryError(f"by: {question.by} makes no groups of people; name a segment label")
    if question.minimum < 1:
        raise QueryError("minimum: a group has at least one prediction")
    asked = Question(
        question.model,
        "accuracy",
        question.from_ms,
        question.to_ms,
        by=(question.by,),
        version=question.version,
    )
    scope = scope_of(store, asked)
    window = stored_windows(store, asked, scope, bases.quality_s)
    if window is None:
        return None
    groups, grouping = groups_in(store, asked, scope, window, bases.quality_s)
    placed = place(store, Kind.QUALITY, cover(window, tiers(bases.quality_s)), window, grouping)
    names = [next(iter(group.segment.values())) for group in groups]
    found = fairness(QualityCells.of(join(placed, len(names))), names, question.minimum)
    return _answer(question, window, found)


def _answer(question: FairnessQuestion, window: Windows, found: Fairness) -> FairnessAnswer:
    rates = {name: getattr(found.rates, name) for name in _RATES}
    return FairnessAnswer(
        start=rfc3339(window.from_s * 1000),
        end=rfc3339(window.to_s * 1000),
        model=question.model,
        version=question.version,
        by=question.by.removeprefix("segment."),
        groups=[
            {"group": name, **{rate: _estimate(of, i) for rate, of in rates.items()}}
            for i, name in enumerate(found.groups)
        ],
        contrasts={name: _contrast(getattr(found, name)) for name in _CONTRASTS},
        hidden=list(found.hidden),
    )


def _estimate(found: Estimates, i: int) -> Mapping[str, Any]:
    def known(values: Sequence[float] | np.ndarray[Any, Any]) -> float | None:
        return None if np.isnan(values[i]) else float(values[i])

    return {
        "value": known(found.value),
        "low": known(found.low),
        "high": known(found.high),
        "count": int(found.count[i]),
        "why": found.reason(i) or None,
    }


def _contrast(found: Contrast) -> dict[str, Any]:
    shown = dataclasses.asdict(found)
    shown["why"] = shown.pop("reason") or None
    return shown
