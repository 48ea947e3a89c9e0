"""/metrics as a real Prometheus sees it: scraped from running servers, read with PromQL."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from monitor.clock import StreamClock
from monitor.job.report import JobStatus
from monitor.store import tokens
from monitor.store.store import Store
from monitor.store.tokens import Role
from monitor.web import metric_names
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.gauges import GaugeRefresher, Reading
from monitor.web.metrics import MetricsSettings, ServiceMetrics
from monitor.web.server import WebServer
from monitor.web.settings import WebSettings
from tests.servers import Prometheus, PrometheusConfig
from tests.web.flushes import NOW_MS, Replica, request

pytestmark = pytest.mark.prometheus


class Process:
    """One replica of monitor: its metrics, its server, and the partition it reads."""

    def __init__(self, store: Store, number: int, **web: object) -> None:
        self.clock = StreamClock(NOW_MS)
        self.metrics = ServiceMetrics(self.clock, MetricsSettings(max_series_per_model=5))
        status = JobStatus(ready=True, problem=None, watermark_ms=NOW_MS - 12_000)
        self.metrics.watch(lambda: status)
        self.refresher = GaugeRefresher(self.metrics.gauges, f"process {number}", _read)
        self.replica = Replica(number)
        settings = WebSettings(**web)  # type: ignore[arg-type]  # passed on
        context = WebContext(store, self.clock, lambda: status, self.metrics, settings=settings)
        self.server = WebServer(create_app(context), "127.0.0.1", 0)
        self.server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


def _read(store: Store, now_ms: int) -> list[Reading]:
    return [Reading(metric_names.DATA_AGE, ("fraud",), 42.0)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/m.db")
    yield opened
    opened.close()


@pytest.fixture
def start(store: Store) -> Iterator[Callable[..., Process]]:
    """A function that starts a replica."""
    running: list[Process] = []

    def begin(**web: object) -> Process:
        running.append(Process(store, len(running), **web))
        return running[-1]

    yield begin
    for process in running:
        process.server.stop(1)


PrometheusFactory = Callable[[PrometheusConfig], Prometheus]


def watching(make: PrometheusFactory, *processes: Process, token: str | None = None) -> Prometheus:
    targets = {"monitor": [p.address for p in processes]}
    return make(PrometheusConfig(targets=targets, bearer_token=token))


def one(prometheus: Prometheus, promql: str) -> float:
    (sample,) = prometheus.query(promql)
    return sample.value


def interpolated(q: float, bounds: list[float], latencies: list[float]) -> float:
    """What histogram_quantile makes of exact buckets: linear within the bucket of rank q * n."""
    rank, below, low = q * len(latencies), 0, 0.0
    for bound in bounds:
        under = sum(s <= bound for s in latencies)
        if under >= rank:
            return low + (bound - low) * (rank - below) / (under - below)
        below, low = under, bound
    return bounds[-1]


def test_values_quantiles_ratios_and_exemplars(
    start: Callable[..., Process], prometheus_factory: PrometheusFactory
) -> None:
    process = start()
    rng = np.random.default_rng(3)
    latencies = np.round(rng.lognormal(4.6, 0.8, 4000), 3).tolist()
    statuses = rng.choice([200, 200, 200, 500, 404], 4000).tolist()
    records = [request(latency_ms=ms, status=s) for ms, s in zip(latencies, statuses, strict=True)]
    records[0] |= {"trace_id": "0af7651916cd43dd", "latency_ms": 5000.0}
    latencies[0] = 5000.0
    for at in range(0, 4000, 1000):
        process.metrics.committed(process.replica.flush(records[at : at + 1000], dead={"bad_json": 1}))
    prometheus = watching(prometheus_factory, process)
    prometheus.wait_for("sum(monitor_requests_total) == 4000")

    failed = one(prometheus, 'sum(monitor_requests_total{outcome=~"infrastructure|timeout"})')
    assert failed == statuses.count(500)
    good = one(prometheus, 'sum(monitor_request_latency_seconds_bucket{le="0.3"})')
    assert good == sum(ms <= 300 for ms in latencies)
    assert one(prometheus, "sum(monitor_request_latency_seconds_count)") == 4000
    bounds = sorted({2.0**i / 1000 for i in range(17)} | {0.1, 0.3})
    for q in (0.5, 0.95, 0.99):
        got = one(
            prometheus, f"histogram_quantile({q}, sum by (le) (monitor_request_latency_seconds_bucket))"
        )
        assert got == pytest.approx(interpolated(q, bounds, [ms / 1000 for ms in latencies]), rel=1e-9)
    mean = "sum(monitor_request_latency_seconds_sum) / sum(monitor_request_latency_seconds_count)"
    assert one(prometheus, mean) == pytest.approx(np.mean(latencies) / 1000, rel=0.006)
    assert one(prometheus, 'monitor_dead_letters_total{reason="bad_json"}') == 4
    assert one(prometheus, "monitor_watermark_delay_seconds") == 12
    assert one(prometheus, "monitor_up_ready") == 1
    assert one(prometheus, "process_resident_memory_bytes") > 1e6
    assert one(prometheus, "count(monitor_build_info)") == 1
    found = prometheus.api(
        "query_exemplars", query="monitor_request_latency_seconds_bucket", start="0", end=str(time.time())
    )
    assert [e["labels"] for series in found for e in series["exemplars"]] == [
        {"trace_id": "0af7651916cd43dd"}
    ]


def test_rates_follow_what_is_fresh_and_a_catch_up_is_no_spike(
    start: Callable[..., Process], prometheus_factory: PrometheusFactory
) -> None:
    process = start()
    process.metrics.committed(process.replica.flush([request()] * 10))
    prometheus = watching(prometheus_factory, process)
    prometheus.wait_for("sum(monitor_requests_total) == 10")
    old = [request(ts=NOW_MS - 3_000_000)] * 5000
    process.metrics.committed(process.replica.flush([*old, *[request()] * 3]))
    prometheus.wait_for("monitor_stale_records_total == 5000")
    assert one(prometheus, "sum(monitor_requests_total)") == 13
    assert one(prometheus, "monitor_records_total") == 5013
    assert one(prometheus, 'sum(increase(monitor_requests_total{outcome="ok"}[1m]))') < 30


def test_two_replicas_add_up_and_show_gauges_once(
    start: Callable[..., Process], store: Store, prometheus_factory: PrometheusFactory
) -> None:
    first, second = start(), start()
    first.metrics.committed(first.replica.flush([request()] * 7))
    second.metrics.committed(second.replica.flush([request()] * 5))
    fenced = first.replica.flush([request()] * 100)  # never told: its commit was refused
    assert fenced.records == 100
    assert [p.refresher.refresh(store, NOW_MS) for p in (first, second)] == [True, False]
    prometheus = watching(prometheus_factory, first, second)
    prometheus.wait_for("sum(monitor_requests_total) == 12")
    assert one(prometheus, "count(up == 1)") == 2
    assert one(prometheus, 'sum by (model) (monitor_request_latency_seconds_bucket{le="0.1"})') == 12
    (shown,) = prometheus.query("monitor_data_age_seconds")
    assert (shown.value, shown.labels["instance"]) == (42, first.address)

    first.refresher.release(store)
    assert second.refresher.refresh(store, NOW_MS + 1000)
    # The two are scraped one after the other, so for a scrape both, or neither, may be seen.
    moved = f'monitor_data_age_seconds{{instance="{second.address}"}} and on() '
    prometheus.wait_for(moved + "(count(monitor_data_age_seconds) == 1)")


def test_cardinality_is_bounded(start: Callable[..., Process], prometheus_factory: PrometheusFactory) -> None:
    process = start()
    process.metrics.committed(process.replica.flush([request(endpoint=f"/{i}") for i in range(40)]))
    prometheus = watching(prometheus_factory, process)
    prometheus.wait_for("sum(monitor_requests_total) == 40")
    assert one(prometheus, "count(count by (version, endpoint) (monitor_requests_total))") == 6
    assert one(prometheus, 'monitor_requests_total{endpoint="other",outcome="ok"}') == 35
    assert one(prometheus, 'monitor_metric_series_overflow_total{model="fraud"}') == 35


def test_prometheus_brings_its_token(
    start: Callable[..., Process], store: Store, prometheus_factory: PrometheusFactory
) -> None:
    secret = tokens.create(store, "prometheus", Role.VIEWER, NOW_MS)
    process = start(host="0.0.0.0")
    prometheus = watching(prometheus_factory, process, token=secret)
    prometheus.wait_for("up == 1")
    assert not math.isnan(one(prometheus, "monitor_records_total"))
