"""The verdict on a version, from what is stored of it and of the one before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np

from monitor.clock import rfc3339
from monitor.errors import QueryError
from monitor.records import Floats, Ints
from monitor.sli.canary.arms import Latencies, Rates
from monitor.sli.canary.contrast import Change, Measure, quality_change, quantile_change, rate_change
from monitor.sli.canary.verdict import Judgement, Verdict, judge, sentence
from monitor.sli.catalogue import Counted, Per, Quantile, find_sli
from monitor.sli.compute import counted
from monitor.sli.entries import Entries, Grouping, join, place
from monitor.sli.quality import Metric
from monitor.sli.query import find, groups_in, stored_windows
from monitor.sli.question import Question, scope_of, unknown
from monitor.sli.windows import Bases, UsualBases, Windows, base_of, cover, tiers
from monitor.store.names import find_series
from monitor.store.store import Store

__all__ = ["CONFIDENCE", "USUAL_SLIS", "CanaryAnswer", "CanaryQuestion", "Margins", "ask_canary"]

_USUAL = UsualBases()
_REQUESTS = "request_rate"
USUAL_SLIS = ("error_rate", "quality_error_rate", "latency_p50", "latency_p95", "latency_p99")
CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class Margins:
    """How much worse a candidate may be: latencies and quality as a share of the champion's, rates of errors
    in points of a share."""

    latency: float = 0.05
    errors: float = 0.005
    quality: float = 0.05


@dataclass(frozen=True, slots=True)
class CanaryQuestion:
    """`candidate` against `champion` (None: the other version with most requests), from its first record on
    if not `from_ms`. `slis` are rates of errors, percentiles of times and metrics of quality. `by`
    names a segment label: then like is compared with like. All intervals together hold with `confidence`."""

    model: str
    candidate: str
    champion: str | None = None
    slis: Sequence[str] = USUAL_SLIS
    from_ms: int | None = None
    to_ms: int | None = None
    by: str | None = None
    margins: Margins = Margins()
    confidence: float = CONFIDENCE


class CanaryAnswer(TypedDict):
    """`changes` are of the indicators: both values, the change with its interval, its verdict and a sentence.
    A change is above 0 where the candidate is worse; None for what isn't known, or has no bound."""

    model: str
    candidate: str
    champion: str
    start: str
    end: str
    by: str | None
    confidence: float
    verdict: str
    needed: int | None
    reasons: list[str]
    changes: list[dict[str, Any]]


def ask_canary(store: Store, question: CanaryQuestion, bases: Bases = _USUAL) -> CanaryAnswer:
    """The verdict. Raises QueryError for what isn't there or can't be compared."""
    if not 0.5 <= question.confidence < 1:
        raise QueryError("confidence: must be from 50 % to below 100 %")
    if not question.slis:
        raise QueryError("sli: name at least one")
    window = _window(store, question, bases)
    champion = question.champion or _champion(store, question, window, bases)
    if champion == question.candidate:
        raise QueryError("champion: is the candidate itself; name the version that it is to replace")
    alpha = (1 - question.confidence) / len(question.slis)
    side = _Sides(store, replace(question, champion=champion), window, bases)
    return _answer(question, champion, window, judge([side.change(sli, alpha) for sli in question.slis]))


def _window(store: Store, question: CanaryQuestion, bases: Bases) -> Windows:
    """The time that the candidate was there."""
    keys = find_series(store, question.model)
    for name in filter(None, (question.candidate, question.champion)):
        if keys and name not in {k.version for k in keys}:
            raise unknown("version", name, (k.version for k in keys))
    of = Question(question.model, _REQUESTS, question.from_ms, question.to_ms, version=question.candidate)
    scope = scope_of(store, of)
    window = stored_windows(store, of, scope, base_of(bases, scope.sli.kind))
    if window is None:
        raise QueryError(f"candidate: nothing of version {question.candidate!r} is stored in that time")
    return window


def _asked(model: str, sli: str, window: Windows, by: Sequence[str]) -> Question:
    return Question(model, sli, window.from_s * 1000, window.to_s * 1000, by=by)


def _champion(store: Store, question: CanaryQuestion, window: Windows, bases: Bases) -> str:
    """The other version with most requests."""
    found = find(store, _asked(question.model, _REQUESTS, window, ("version",)), bases)
    requests: dict[str, int] = {}
    for i, group in enumerate(found.groups if found is not None else ()):
        assert found is not None
        if group.version and group.version != question.candidate:
            requests[group.version] = int(found.values.count[i])
    if not any(requests.values()):
        raise QueryError(
            f"champion: no other version of {question.model!r} had requests from "
            f"{rfc3339(window.from_s * 1000)} on; name one, and a time"
        )
    return max(requests, key=lambda name: (requests[name], name))


class _Sides:
    """Reads both versions, indicator by indicator."""

    def __init__(self, store: Store, question: CanaryQuestion, window: Windows, bases: Bases) -> None:
        self._store, self._question, self._window, self._bases = store, question, window, bases

    def change(self, name: str, alpha: float) -> Change:
        sli, margins = find_sli(name), self._question.margins
        formula = sli.formula
        if isinstance(formula, Metric):
            if formula.higher_is_better is None:
                raise QueryError(f"sli: neither more nor less {name} is better; it can't be worse")
            one, other = self._measures(name)
            return quality_change(name, one, other, formula.higher_is_better, margins.quality, alpha)
        if isinstance(formula, Quantile) and formula.q is not None:
            before, now = self._latencies(name)
            return quantile_change(name, formula.q, before, now, margins.latency, alpha)
        if isinstance(formula, Counted) and formula.per is Per.RECORD and sli.unit == "share":
            rates, theirs = self._rates(name, formula)
            return rate_change(name, rates, theirs, margins.errors, alpha)
        raise QueryError(
            f"sli: {name} can't be compared; rates of errors, percentiles of times and metrics of quality can"
        )

    def _read(self, name: str) -> tuple[Entries, list[int], list[int]]:
        """(entries, and the slots of the champion and of the candidate by stratum)."""
        q = self._question
        by = ("version",) if q.by is None else ("version", q.by)
        asked = _asked(q.model, name, self._window, by)
        scope = scope_of(self._store, asked)
        base_s = base_of(self._bases, scope.sli.kind)
        groups, grouping = groups_in(self._store, asked, scope, self._window, base_s)
        entries = self._entries(scope.sli.kind, base_s, grouping)
        place_of = {(g.version, *g.segment.values()): i for i, g in enumerate(groups)}
        strata = sorted({key[1:] for key in place_of})
        champion, candidate = ([place_of.get((v, *s), -1) for s in strata] for v in (q.champion, q.candidate))
        return entries, champion, candidate

    def _entries(self, kind: Any, base_s: int, grouping: Grouping) -> Entries:
        parts = cover(self._window, tiers(base_s))
        return join(place(self._store, kind, parts, self._window, grouping), grouping.n)

    def _rates(self, name: str, formula: Counted) -> Iterator[Rates]:
        entries, *sides = self._read(name)
        found = counted(entries, formula, self._window.step_s)
        for side in sides:
            n, share = _taken(found.count, side), _taken(found.value, side)
            yield Rates(n, np.where(n > 0, share, 0.0))

    def _latencies(self, name: str) -> Iterator[Latencies]:
        entries, *sides = self._read(name)
        for side in sides:
            stratum = np.full(entries.n_slots, -1, np.int64)
            for i, slot in enumerate(side):
                if slot >= 0:
                    stratum[slot] = i
            yield Latencies.of(entries, stratum, len(side))

    def _measures(self, name: str) -> Iterator[Measure]:
        asked = _asked(self._question.model, name, self._window, ("version",))
        found = find(self._store, asked, self._bases)
        slots = {g.version: i for i, g in enumerate(found.groups)} if found is not None else {}
        for version in (self._question.champion, self._question.candidate):
            slot = slots.get(version)
            beside = None if found is None else found.values.beside
            if found is None or slot is None or beside is None:
                yield Measure(np.nan, np.nan, np.nan, 0)
                continue
            value, n = float(found.values.value[slot]), int(found.values.count[slot])
            yield Measure(value, float(beside.low[slot]), float(beside.high[slot]), n)


def _taken(values: Ints | Floats, slots: Sequence[int]) -> Any:
    """The values of the slots, 0 for those that aren't there."""
    return np.array([values[i] if i >= 0 else 0 for i in slots], values.dtype)


def _answer(question: CanaryQuestion, champion: str, window: Windows, judged: Judgement) -> CanaryAnswer:
    return CanaryAnswer(
        model=question.model,
        candidate=question.candidate,
        champion=champion,
        start=rfc3339(window.from_s * 1000),
        end=rfc3339(window.to_s * 1000),
        by=question.by,
        confidence=question.confidence,
        verdict=str(judged.verdict),
        needed=judged.needed,
        reasons=list(judged.reasons),
        changes=[_shown(change, verdict) for change, verdict in judged.changes],
    )


def _shown(change: Change, verdict: Verdict) -> dict[str, Any]:
    def known(value: float) -> float | None:
        return value if np.isfinite(value) else None

    return {
        "sli": change.sli,
        "unit": change.unit,
        "champion": known(change.champion),
        "candidate": known(change.candidate),
        "n_champion": change.n_champion,
        "n_candidate": change.n_candidate,
        "change": known(change.change),
        "low": known(change.low),
        "high": known(change.high),
        "margin": change.margin,
        "verdict": str(verdict),
        "needed": change.needed,
        "left_out": change.left_out,
        "sentence": sentence(change),
    }
