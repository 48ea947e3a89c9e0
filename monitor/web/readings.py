"""What the store-read gauges show: each model's age, coverage and last indicators."""

from collections.abc import Callable, Sequence

from monitor.config import Config
from monitor.errors import QueryError
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store.names import models
from monitor.store.store import Store
from monitor.web import metric_names as names
from monitor.web.gauges import Reading

__all__ = ["gauge_reader"]

_SLIS = ("request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99", "coverage")
_WINDOWS = 5


def gauge_reader(config: Config) -> Callable[[Store, int], Sequence[Reading]]:
    """A function (store, now_ms) that reads every model's gauges over its last five closed windows."""
    window_ms = config.windows.service_s * 1000
    bases = {"service_base_s": config.windows.service_s, "features_base_s": config.windows.features_s}

    def read(store: Store, now_ms: int) -> list[Reading]:
        readings: list[Reading] = []
        end_ms = now_ms // window_ms * window_ms
        for model in models(store):
            for sli in (*_SLIS, "data_age"):
                question = Question(model, sli, end_ms - _WINDOWS * window_ms, end_ms)
                try:
                    found = answer(store, question, now_ms, **bases)
                except QueryError:
                    continue  # The model has nothing of the kind, such as latencies.
                value = found[0]["value"] if found else None
                if value is None:
                    continue
                if sli == "data_age":
                    readings.append(Reading(names.DATA_AGE, (model,), value))
                elif sli == "coverage":
                    readings.append(Reading(names.COVERAGE, (model,), value))
                else:
                    readings.append(Reading(names.SLI, (model, sli), value))
        return readings

    return read
