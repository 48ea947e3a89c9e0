"""What the store-read gauges show: each model's age, coverage and last indicators."""

from collections.abc import Callable, Iterator, Sequence

from monitor.clock import DAY_MS, HOUR_MS
from monitor.config import Config
from monitor.profiles.watermark import PartitionMark, overall
from monitor.records import Carries
from monitor.sli.drift_verdict import State
from monitor.sli.query import answer
from monitor.sli.question import Question, Time
from monitor.sli.verdicts import DriftQuestion, drift
from monitor.sli.windows import Bases
from monitor.store.names import models
from monitor.store.ownership import list_progress
from monitor.store.store import Store
from monitor.web import metric_names as names
from monitor.web.gauges import Reading

__all__ = ["gauge_reader"]

_SLIS = ("request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99")
# Of the labels that came in the last day.
_QUALITY_SLIS = ("accuracy", "mae")
# Of the predictions of the last day.
_LABEL_SLIS = ("label_coverage",)
# Drift and quality are of hours and days: they needn't be read as often as the gauges are.
_SLOW_MS = 300_000
_WINDOWS = 5
_TOO_OLD_MS = 900_000


def gauge_reader(config: Config) -> Callable[[Store, int], Sequence[Reading]]:
    """A function (store, now_ms) that reads every model's gauges over its last five closed windows.

    A window is closed once the watermark of all partitions has passed it. While the watermark is more
    than 15 minutes behind, as in a catch-up, only the age of the data is shown.
    """
    base_s, max_hold_ms = config.windows.service_s, config.stream.max_hold_ms
    slow = _Slow(config)

    def read(store: Store, now_ms: int) -> list[Reading]:
        marks = [
            PartitionMark(p.marks.watermark_ms, p.idle_since_ms is not None, p.updated_ms)
            for p in list_progress(store, Carries.RECORDS)
        ]
        watermark_ms = overall(marks, now_ms, max_hold_ms)
        found: list[Reading] = []
        for model in models(store):
            found.extend(_values(store, Question(model, "data_age"), now_ms, config.windows))
            if watermark_ms is None or now_ms - watermark_ms > _TOO_OLD_MS:
                continue
            end_ms = min(now_ms, watermark_ms) // (base_s * 1000) * base_s * 1000
            for sli in (*_SLIS, "coverage"):
                question = Question(model, sli, end_ms - _WINDOWS * base_s * 1000, end_ms)
                found.extend(_values(store, question, now_ms, config.windows))
            found.extend(slow.of(store, model, end_ms, now_ms))
        return found

    return read


class _Slow:
    """Drift in the last closed hour and quality over the last day, read every five minutes."""

    def __init__(self, config: Config) -> None:
        self._bases, self._most = config.windows, config.limits.metric_series_per_model
        self._read: dict[str, tuple[int, int, Sequence[Reading]]] = {}

    def of(self, store: Store, model: str, end_ms: int, now_ms: int) -> Sequence[Reading]:
        hour_ms = end_ms // HOUR_MS * HOUR_MS
        known = self._read.get(model)
        if known is not None and known[0] == hour_ms and 0 <= now_ms - known[1] < _SLOW_MS:
            return known[2]
        found = (*self._drift(store, model, hour_ms), *self._quality(store, model, hour_ms, now_ms))
        self._read[model] = (hour_ms, now_ms, found)
        return found

    def _drift(self, store: Store, model: str, end_ms: int) -> Iterator[Reading]:
        question = DriftQuestion(model, end_ms - 1)
        by_version = [v for v in drift(store, question, self._bases) if v["features"]]
        if not by_version:
            return
        psi: dict[str, float] = {}
        drifted: set[str] = set()
        for feature in (f for version in by_version for f in version["features"]):
            name = feature["feature"]
            if feature["psi"] is not None:
                psi[name] = max(psi.get(name, 0.0), feature["psi"])
            if feature["state"] == State.DRIFTED.label:
                drifted.add(name)
        worst = sorted(psi, key=lambda name: (-psi[name], name))
        for name in worst[: self._most]:
            yield Reading(names.DRIFT_PSI, (model, name), psi[name])
        yield Reading(names.DRIFT_NOT_SHOWN, (model,), max(0, len(worst) - self._most))
        yield Reading(names.DRIFTED_FEATURES, (model,), len(drifted))
        of_model = [v["model_drift"] for v in by_version if v["model_drift"] is not None]
        if of_model:
            yield Reading(names.MODEL_DRIFT, (model,), max(of_model))

    def _quality(self, store: Store, model: str, end_ms: int, now_ms: int) -> Iterator[Reading]:
        by_time = ((_QUALITY_SLIS, Time.LABEL), (_LABEL_SLIS, Time.PREDICTION))
        for sli, time in ((sli, time) for slis, time in by_time for sli in slis):
            question = Question(model, sli, end_ms - DAY_MS, end_ms, time=time)
            yield from _values(store, question, now_ms, self._bases)


_OWN_METRIC = {"data_age": names.DATA_AGE, "coverage": names.COVERAGE}


def _values(store: Store, question: Question, now_ms: int, bases: Bases) -> Iterator[Reading]:
    """The indicator over its one window, unless no record is behind it."""
    for row in answer(store, question, now_ms, bases):
        if row["value"] is not None:
            metric = _OWN_METRIC.get(question.sli, names.SLI)
            labels = (question.model,) if metric is not names.SLI else (question.model, question.sli)
            yield Reading(metric, labels, row["value"])
