"""What a model has been like so far: the figures that a start on objectives rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.errors import QueryError
from monitor.sli.expecting import entries_of
from monitor.sli.quality import find_metric
from monitor.sli.quality_cells import QualityCells
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question
from monitor.sli.windows import Bases
from monitor.store.baselines import references
from monitor.store.names import find_series
from monitor.store.store import Store

__all__ = ["Seen", "look"]

_DAY_MS, _HOUR_S = 86_400_000, 3600
_BACK_MS = 30 * _DAY_MS
# With fewer labels in a slice its quality is mostly chance.
_LABELS = 200
_SLICES_S = (_HOUR_S, 2 * _HOUR_S, 3 * _HOUR_S, 6 * _HOUR_S, 12 * _HOUR_S, 24 * _HOUR_S)


@dataclass(frozen=True, slots=True)
class Seen:
    """Figures over [from_ms, to_ms), the last 30 days that have records; None where nothing is known.

    Times are in ms, shares from 0 to 1. `fresh_share` is of the hours, those with any request;
    `drift_free_share` of those with features, those without drift. `quality` holds metrics of the stream by
    name, `slices` their values in slices of those lengths, s, that have labels enough to tell; `validated`
    holds those of the newest baseline that has validation labels.
    """

    requests: int = 0
    from_ms: int = 0
    to_ms: int = 0
    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    error_share: float | None = None
    fresh_share: float | None = None
    drift_free_share: float | None = None
    violation_share: float | None = None
    labels: int = 0
    label_share: float | None = None
    label_lag_p95_ms: float | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    slices: Mapping[str, Mapping[int, tuple[float, ...]]] = field(default_factory=dict)
    validated: Mapping[str, float] = field(default_factory=dict)
    baseline: int | None = None


def look(store: Store, model: str, metrics: Iterable[str], now_ms: int, bases: Bases) -> Seen | None:
    """The figures of a model, `metrics` those of quality that are asked for; None where nothing is stored."""
    if not find_series(store, model):
        return None
    newest = answer(store, Question(model, "data_age"), now_ms, bases)
    if not newest:
        return None
    end_ms = now_ms - int((newest[0]["value"] or 0) * 1000) + 1000
    asked = _Asking(store, model, end_ms - _BACK_MS, end_ms, now_ms, bases)
    records = asked.each("records", max(_HOUR_S, bases.service_s))
    with_some = [i for i, row in enumerate(records) if row["count"]]
    hours = records[with_some[0] :] if with_some else []
    drifted = asked.values("drifted_share", max(_HOUR_S, bases.features_s))
    names = list(metrics)
    validated, number = _validated(store, model, names)
    quality = {name: value for name in names if (value := asked.one("value", name)) is not None}
    labels = int(asked.one("count", "label_lag_p95") or 0)
    lengths_s = _lengths_s(labels, len(hours), bases.quality_s)
    return Seen(
        requests=sum(row["count"] for row in records),
        from_ms=max(end_ms - _BACK_MS, end_ms - len(hours) * _HOUR_S * 1000),
        to_ms=end_ms,
        latency_p95_ms=asked.one("value", "latency_p95"),
        latency_p99_ms=asked.one("value", "latency_p99"),
        error_share=asked.one("value", "error_rate"),
        fresh_share=sum(row["count"] > 0 for row in hours) / len(hours) if hours else None,
        drift_free_share=sum(v == 0 for v in drifted) / len(drifted) if drifted else None,
        violation_share=asked.one("value", "schema_violation_rate"),
        labels=labels,
        label_share=asked.one("value", "label_coverage"),
        label_lag_p95_ms=asked.one("value", "label_lag_p95"),
        quality=quality,
        slices={name: {s: asked.values(name, s) for s in lengths_s} for name in quality},
        validated=validated,
        baseline=number,
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """The same questions for each indicator."""

    store: Store
    model: str
    from_ms: int
    to_ms: int
    now_ms: int
    bases: Bases

    def each(self, sli: str, step_s: int | None = None) -> list[Answer]:
        """The answers over time; none where the indicator can't be asked of this model."""
        question = Question(self.model, sli, self.from_ms, self.to_ms, step_s)
        try:
            return answer(self.store, question, self.now_ms, self.bases)
        except QueryError:
            return []

    def values(self, sli: str, step_s: int) -> tuple[float, ...]:
        """The values that there are, window by window."""
        return tuple(row["value"] for row in self.each(sli, step_s) if row["value"] is not None)

    def one(self, what: str, sli: str) -> float | None:
        """The value, or the count, over the whole."""
        found = self.each(sli)
        return found[0][what] if found else None  # type: ignore[literal-required] # value or count


def _lengths_s(labels: int, hours: int, base_s: int) -> list[int]:
    """The slices of whole base windows that have labels enough; the longest anyhow."""
    fitting = [s for s in _SLICES_S if s % base_s == 0] or [base_s]
    per_s = labels / (max(1, hours) * _HOUR_S)
    return [s for s in fitting if per_s * s >= _LABELS] or fitting[-1:]


def _validated(store: Store, model: str, metrics: Iterable[str]) -> tuple[dict[str, float], int | None]:
    """The quality over the validation labels of the newest baseline that has any, and its number."""
    for reference in reversed(references(store, model)):
        if reference.quality is None:
            continue
        cells = QualityCells.of(entries_of(reference.quality))
        found = {}
        for name in metrics:
            metric = find_metric(name)
            value = float(metric.compute(cells).value[0]) if metric else float("nan")
            if value == value:
                found[name] = value
        if found:
            return found, reference.baseline.number
    return {}, None
