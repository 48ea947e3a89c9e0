"""From the list of metrics to families of prometheus_client, and the two counters that we keep ourselves."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family

from monitor.web.metric_names import Metric

__all__ = ["BoundedCounter", "Distribution", "counter", "gauge", "histogram", "info", "le_label"]

OTHER = "other"


def counter(metric: Metric, values: Iterable[tuple[Sequence[str], float]]) -> Family:
    """A counter family; each value comes with its label values."""
    family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def gauge(metric: Metric, values: Iterable[tuple[Sequence[str], float]]) -> Family:
    """A gauge family; each value comes with its label values."""
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def histogram(metric: Metric) -> HistogramMetricFamily:
    """An empty histogram family."""
    return HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)


def info(metric: Metric, values: Mapping[str, str]) -> Family:
    return InfoMetricFamily(metric.name.removesuffix("_info"), metric.meaning, value=dict(values))


def le_label(bound: float) -> str:
    """A bucket's bound as Prometheus writes it."""
    return "+Inf" if bound == float("inf") else repr(bound)


class BoundedCounter:
    """Counts by one name, of which there are at most `limit`; those that come later count as `other`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, float] = {}

    def add(self, name: str, n: float) -> None:
        known = name in self._counts or len(self._counts) < self._limit
        name = name if known else OTHER
        self._counts[name] = self._counts.get(name, 0) + n

    def values(self) -> list[tuple[Sequence[str], float]]:
        return [((name,), n) for name, n in self._counts.items()]


class Distribution:
    """A histogram of one measure over fixed, ascending bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self, metric: Metric) -> Family:
        family = histogram(metric)
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, n in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += n
            buckets.append((le_label(bound), total))
        family.add_metric((), buckets, self._sum)
        return family
