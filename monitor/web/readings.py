"""What the store-read gauges show: each model's age, coverage and last indicators."""

from collections.abc import Callable, Iterator, Sequence

from monitor.config import Config
from monitor.profiles.watermark import PartitionMark, overall
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.sli.windows import Bases
from monitor.store.names import models
from monitor.store.ownership import list_progress
from monitor.store.store import Store
from monitor.web import metric_names as names
from monitor.web.gauges import Reading

__all__ = ["gauge_reader"]

_SLIS = ("request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99")
_WINDOWS = 5
_TOO_OLD_MS = 900_000


def gauge_reader(config: Config) -> Callable[[Store, int], Sequence[Reading]]:
    """A function (store, now_ms) that reads every model's gauges over its last five closed windows.

    A window is closed once the watermark of all partitions has passed it. While the watermark is more
    than 15 minutes behind, as in a catch-up, only the age of the data is shown.
    """
    base_s, max_hold_ms = config.windows.service_s, config.stream.max_hold_ms

    def read(store: Store, now_ms: int) -> list[Reading]:
        marks = [
            PartitionMark(p.marks.watermark_ms, p.idle_since_ms is not None, p.updated_ms)
            for p in list_progress(store)
            if not p.labels
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
        return found

    return read


_OWN_METRIC = {"data_age": names.DATA_AGE, "coverage": names.COVERAGE}


def _values(store: Store, question: Question, now_ms: int, bases: Bases) -> Iterator[Reading]:
    """The indicator over its one window, unless no record is behind it."""
    for row in answer(store, question, now_ms, bases):
        if row["value"] is not None:
            metric = _OWN_METRIC.get(question.sli, names.SLI)
            labels = (question.model,) if metric is not names.SLI else (question.model, question.sli)
            yield Reading(metric, labels, row["value"])
