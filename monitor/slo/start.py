"""A start on a model's objectives: what people usually ask for, fitted to what the model has been like.

A target that the model does not meet today is a budget spent before the first day: then the nearest that it
does meet is proposed, and what to aim for is said beside it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.sli.quality import find_metric
from monitor.slo.seen import Seen

__all__ = ["METRICS", "ModelType", "Proposal", "guess", "metrics_of", "proposals"]

_TARGETS = (99.9, 99.5, 99.0, 98.0, 95.0, 90.0, 80.0)
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_HOUR_S = 3600
_NEAR = 0.05
# A budget of 10 % leaves room where a bound has been met by 95 % so far.
_MOSTLY = 90.0


class ModelType(StrEnum):
    """What a model predicts, and so what its quality is."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    FORECASTING = "forecasting"
    RANKING = "ranking"
    TEXT = "text"


METRICS: Mapping[ModelType, tuple[str, ...]] = {
    ModelType.CLASSIFICATION: ("accuracy", "f1", "roc_auc"),
    ModelType.REGRESSION: ("mae", "rmse", "r2"),
    ModelType.FORECASTING: ("wape", "mae", "rmse"),
    ModelType.RANKING: ("ndcg_at_10", "mrr", "hit_rate"),
    ModelType.TEXT: ("token_f1", "exact_match", "rating_mean"),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An objective as a file has it, with what to say above it. One that is not `sure` is left as a comment
    to fill in."""

    name: str
    keys: Mapping[str, str]
    comments: Sequence[str]
    sure: bool = True


def metrics_of(type: ModelType | None) -> tuple[str, ...]:
    """The metrics of quality to ask for; of all types where none is given."""
    types = list(ModelType) if type is None else [type]
    return tuple(dict.fromkeys(name for each in types for name in METRICS[each]))


def guess(seen: Seen) -> ModelType:
    """What a model seems to predict, by what its labels let be computed: classes that are numbers look like
    numbers."""
    special = (ModelType.RANKING, ModelType.TEXT, ModelType.REGRESSION)
    return next((t for t in special if METRICS[t][0] in seen.quality), ModelType.CLASSIFICATION)


def proposals(seen: Seen, type: ModelType, thresholds_ms: Sequence[float]) -> Iterator[Proposal]:
    """The objectives to start with. `thresholds_ms` are those that latency has been counted by, rising."""
    yield _availability(seen)
    for q, value_ms, aim_ms in ((95, seen.latency_p95_ms, 300), (99, seen.latency_p99_ms, 1000)):
        yield _latency(q, value_ms, aim_ms, thresholds_ms)
    yield _freshness(seen)
    yield from _features(seen)
    yield from _quality(seen, type)
    yield from _labels(seen)
    yield from _operations()


def _availability(seen: Seen) -> Proposal:
    if seen.error_share is None:
        return Proposal(
            "availability", {"objective": "99.9"}, ["Under 0.1 % of the requests fail or time out."]
        )
    said = f"{seen.error_share * 100:.2g} % of the requests failed or timed out so far"
    target = _reached(1 - seen.error_share)
    comments = [f"{said}." if target == _TARGETS[0] else f"{said}: 99.9 is what to aim for."]
    return Proposal("availability", {"objective": f"{target:g}"}, comments)


def _reached(share: float) -> float:
    """The highest of the usual targets, in percent, that a share of good events meets."""
    return next((target for target in _TARGETS if share * 100 >= target), _TARGETS[-1])


def _latency(q: int, value_ms: float | None, aim_ms: int, thresholds_ms: Sequence[float]) -> Proposal:
    name, keys = f"latency p{q}", {"indicator": "latency", "objective": f"{q}"}
    aim = _duration(aim_ms)
    if value_ms is None:
        return Proposal(name, {**keys, "under": aim}, [f"{q} % of the answers come within {aim}."])
    said = f"{q} % of the answers came within {_ms(value_ms)} so far"
    if value_ms <= aim_ms:
        return Proposal(name, {**keys, "under": aim}, [f"{said}."])
    counted = [t for t in thresholds_ms if t >= value_ms and t > aim_ms and t == int(t)]
    under_ms = int(counted[0]) if counted else math.ceil(value_ms / 1000) * 1000
    return Proposal(name, {**keys, "under": _duration(under_ms)}, [f"{said}: {aim} is what to aim for."])


def _freshness(seen: Seen) -> Proposal:
    keys = {"indicator": "data_freshness", "at_most": "1h"}
    if seen.fresh_share is None:
        return Proposal("freshness", {**keys, "objective": "99"}, ["There is a record younger than an hour."])
    target = min(99.0, _reached(seen.fresh_share))
    said = f"{seen.fresh_share * 100:.4g} % of the hours so far had records."
    return Proposal("freshness", {**keys, "objective": f"{target:g}"}, [said])


def _features(seen: Seen) -> Iterator[Proposal]:
    drift = {"indicator": "drift_free", "slice": "1h"}
    if seen.drift_free_share is None:
        said = ["Against a baseline: monitor baseline fit. Without one, against the stream's first days."]
        yield Proposal("drift free", {**drift, "objective": "95"}, said)
    else:
        said = [f"In {seen.drift_free_share * 100:.3g} % of the hours so far no feature had drifted."]
        sure = seen.drift_free_share * 100 >= _TARGETS[-1]
        if not sure:
            said.append("An objective that is missed from the first day teaches to look away: see why first.")
        target = min(95.0, _reached(seen.drift_free_share))
        yield Proposal("drift free", {**drift, "objective": f"{target:g}"}, said, sure)
    if seen.violation_share is not None:
        said = [f"{seen.violation_share * 100:.2g} % of the values broke the schema contract so far."]
        at_most = "1%" if seen.violation_share <= 0.01 else f"{math.ceil(seen.violation_share * 120)}%"
        keys = {"indicator": "schema_validity", "objective": "99", "at_most": at_most}
        yield Proposal("schema", keys, said)


def _quality(seen: Seen, type: ModelType) -> Iterator[Proposal]:
    """The first metric of the type that has a value; the others with their figures beside it."""
    names = METRICS[type]
    known = [name for name in names if name in seen.validated or name in seen.quality]
    if not known:
        bound = ("at_least", "90%") if _higher(names[0]) else ("at_most", "10")
        keys = {"indicator": names[0], "objective": "95", bound[0]: bound[1]}
        yield Proposal("quality", keys, ["No label has come yet: fill in what it should be."], sure=False)
    for i, name in enumerate(known):
        yield _within(seen, name, "quality" if i == 0 else name, sure=i == 0)


def _within(seen: Seen, metric: str, name: str, *, sure: bool) -> Proposal:
    """Within 5 % of the baseline's, or of the stream's so far."""
    of_baseline, so_far = seen.validated.get(metric), seen.quality.get(metric)
    usual = of_baseline if of_baseline is not None else so_far or 0.0
    whose = f"of baseline {seen.baseline}" if of_baseline is not None else "so far"
    comments = [f"{metric} within 5 % of the {usual:.4g} {whose}."]
    if of_baseline is not None and so_far is not None:
        comments.append(f"So far it was {so_far:.4g}.")
    steady = _steady(seen.slices.get(metric, {}), usual, higher=_higher(metric))
    key = "at_least" if _higher(metric) else "at_most"
    keys = {"indicator": metric, "objective": f"{steady.target:g}", key: f"{steady.bound:g}"}
    if steady.slice_s != _HOUR_S:
        keys["slice"] = _duration(steady.slice_s * 1000)
    return Proposal(name, keys, [*comments, *steady.comments], sure)


@dataclass(frozen=True, slots=True)
class _Steady:
    """A bound, the slices that it is held in, and how many percent of them have to be within."""

    bound: float
    slice_s: int = _HOUR_S
    target: float = 95.0
    comments: tuple[str, ...] = ()


def _steady(slices: Mapping[int, Sequence[float]], usual: float, *, higher: bool) -> _Steady:
    """Within 5 % of what is usual, in the shortest slices that mostly were; where none were, what most of the
    slices so far had: short slices vary by chance, and by the hour of the day."""
    sign = -1 if higher else 1
    aim = float(f"{usual + sign * _NEAR * abs(usual):.3g}")
    shares = {s: sum((v - aim) * sign <= 0 for v in held) / len(held) for s, held in slices.items() if held}
    if not shares:
        return _Steady(aim)
    mostly = [s for s, share in sorted(shares.items()) if share * 100 >= _MOSTLY]
    slice_s = mostly[0] if mostly else max(shares, key=lambda s: (shares[s], -s))
    span, share = _duration(slice_s * 1000), shares[slice_s] * 100
    if mostly:
        return _Steady(
            aim, slice_s, min(95.0, _reached(share / 100)), (f"{share:.3g} % of the slices of {span} were.",)
        )
    worst_first = sorted(slices[slice_s], reverse=not higher)
    had = float(f"{worst_first[len(worst_first) // 20]:.3g}")
    said = f"Only {share:.3g} % of the slices of {span} were: {aim:g} is what to aim for, "
    return _Steady(had, slice_s, _MOSTLY, (f"{said}95 % of them had {had:g}.",))


def _higher(metric: str) -> bool:
    found = find_metric(metric)
    return found is not None and found.higher_is_better is True


def _labels(seen: Seen) -> Iterator[Proposal]:
    if not seen.labels or seen.label_share is None or seen.label_lag_p95_ms is None:
        return
    days = max(1, math.ceil(seen.label_lag_p95_ms / _DAY_MS))
    at_least = math.floor(seen.label_share * 90)
    said = f"{seen.label_share * 100:.3g} % of the predictions have a label so far, 95 % of those within "
    keys = {"indicator": "label_coverage", "objective": "95", "at_least": f"{at_least}%"}
    keys |= {"slice": "1d", "delay": f"{days}d", "alerts": "[]"}
    comments = [f"{said}{days} d.", "Days are few: look at it weekly, it alerts nobody."]
    if at_least > 0:
        yield Proposal("labels", keys, comments)


def _operations() -> Iterator[Proposal]:
    said = ["Counts nothing until there are training events."]
    yield Proposal("training", {"indicator": "training_success", "objective": "95"}, said)
    lead = {"indicator": "deployment_lead_time", "objective": "95", "at_most": "1d"}
    yield Proposal("lead time", lead, ["Counts nothing until there are deployment events."])


def _ms(value: float) -> str:
    return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"


def _duration(ms: int) -> str:
    for unit, size in (("d", _DAY_MS), ("h", _HOUR_MS), ("m", 60_000), ("s", 1000)):
        if ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
