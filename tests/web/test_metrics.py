"""ServiceMetrics: what a scrape sees of committed flushes, read back with Prometheus's own parsers."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from monitor.clock import StreamClock
from monitor.ingest.source import Lag
from monitor.job.report import JobStatus
from monitor.records import Partition
from monitor.web import metric_names
from monitor.web.gauges import Reading
from monitor.web.metrics import MetricsSettings, ServiceMetrics
from tests.web.flushes import NOW_MS, Replica, request

OPEN = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def clock() -> StreamClock:
    return StreamClock(NOW_MS)


@pytest.fixture
def metrics(clock: StreamClock) -> ServiceMetrics:
    return ServiceMetrics(clock)


def samples(metrics: ServiceMetrics, name: str, **labels: str) -> list[Sample]:
    """The samples of that name whose labels include these."""
    body, _ = metrics.exposition("")
    return [
        s
        for family in text_string_to_metric_families(body.decode())
        for s in family.samples
        if s.name == name and labels.items() <= s.labels.items()
    ]


def value(metrics: ServiceMetrics, name: str, **labels: str) -> float:
    (one,) = samples(metrics, name, **labels)
    return float(one.value)


def buckets(metrics: ServiceMetrics, **labels: str) -> Mapping[float, float]:
    found = samples(metrics, "monitor_request_latency_seconds_bucket", **labels)
    return {float(s.labels["le"]): float(s.value) for s in found}


def test_requests_are_counted_by_outcome(metrics: ServiceMetrics) -> None:
    statuses = [200, 200, 200, 500, 504, 404, 403]
    metrics.committed(Replica().flush([request(status=s) for s in statuses]))
    series = {"model": "fraud", "version": "3", "endpoint": "/predict"}
    got = {s.labels["outcome"]: s.value for s in samples(metrics, "monitor_requests_total", **series)}
    assert got == {"ok": 3, "infrastructure": 1, "timeout": 1, "client": 1, "auth": 1, "quality": 0}


def test_a_segment_is_no_series_of_its_own(metrics: ServiceMetrics) -> None:
    metrics.committed(Replica().flush([request(segment={"country": "DE", "plan": "basic"})] * 4))
    assert value(metrics, "monitor_requests_total", outcome="ok") == 4
    assert buckets(metrics)[math.inf] == 4


def test_buckets_are_exact_at_thresholds_and_powers_of_two(metrics: ServiceMetrics) -> None:
    rng = np.random.default_rng(7)
    latencies = [
        *np.round(rng.lognormal(4.5, 1.2, 3000), 2).tolist(),
        0,
        1,
        64,
        100,
        128,
        300,
        300.01,
        70_000,
    ]
    replica = Replica()
    for part in (latencies[:1000], latencies[1000:]):
        metrics.committed(replica.flush([request(latency_ms=ms) for ms in part]))
    got = buckets(metrics)
    assert {0.1, 0.3, 0.128, math.inf} <= set(got)
    for le, n in got.items():
        assert n == sum(ms <= le * 1000 for ms in latencies), le
    assert value(metrics, "monitor_request_latency_seconds_count") == len(latencies)
    assert value(metrics, "monitor_request_latency_seconds_sum") == pytest.approx(
        sum(latencies) / 1000, rel=0.006
    )


def test_sampled_records_count_for_the_requests_they_stand_for(metrics: ServiceMetrics) -> None:
    records = [request(sample_rate=0.1, latency_ms=50, tokens_in=7, cost=0.5)] * 3 + [request(latency_ms=200)]
    metrics.committed(Replica().flush(records))
    assert value(metrics, "monitor_requests_total", outcome="ok") == pytest.approx(31)
    got = buckets(metrics)
    assert (got[0.1], got[0.3], got[math.inf]) == (pytest.approx(30), pytest.approx(31), pytest.approx(31))
    assert value(metrics, "monitor_tokens_total", direction="in") == pytest.approx(210)
    assert value(metrics, "monitor_cost_total") == pytest.approx(15)
    assert value(metrics, "monitor_sampled_records_total") == 3


def test_cold_starts_and_tokens(metrics: ServiceMetrics) -> None:
    metrics.committed(Replica().flush([request(cold_start=True, tokens_in=3, tokens_out=5), request()]))
    assert value(metrics, "monitor_cold_starts_total") == 1
    assert value(metrics, "monitor_tokens_total", direction="out") == 5


def test_a_batch_job_enters_no_latency_histogram(metrics: ServiceMetrics) -> None:
    metrics.committed(Replica().flush([request(mode="batch", latency_ms=9000)]))
    assert value(metrics, "monitor_requests_total", outcome="ok") == 1
    assert buckets(metrics) == {}


def test_a_catch_up_is_counted_apart_and_is_no_spike(metrics: ServiceMetrics) -> None:
    replica = Replica()
    old = [request(ts=NOW_MS - 3_000_000 + i) for i in range(500)]
    metrics.committed(replica.flush(old))
    metrics.committed(replica.flush([*old[:100], request(), request()]))
    assert value(metrics, "monitor_requests_total", outcome="ok") == 2
    assert value(metrics, "monitor_stale_records_total") == 600
    assert value(metrics, "monitor_records_total") == 602


def test_what_was_not_committed_leaves_no_trace(metrics: ServiceMetrics) -> None:
    replica = Replica()
    fenced = replica.flush([request()] * 5)
    metrics.committed(replica.flush([request()]))
    assert fenced.records == 5
    assert value(metrics, "monitor_requests_total", outcome="ok") == 1


def test_counters_of_a_flush(metrics: ServiceMetrics) -> None:
    told = {"dead": {"bad_json": 3}, "unknown_fields": {"zip": 2}, "late": 4, "too_late": 5, "overflowed": 6}
    metrics.committed(Replica().flush([request()], **told, crowded_out={"label": 7}))
    assert value(metrics, "monitor_dead_letters_total", reason="bad_json") == 3
    assert value(metrics, "monitor_unknown_fields_total", field="zip") == 2
    assert value(metrics, "monitor_late_records_total") == 4
    assert value(metrics, "monitor_too_late_records_total") == 5
    assert value(metrics, "monitor_overflowed_series_total") == 6
    assert value(metrics, "monitor_flush_bytes_total") == 1000
    assert value(metrics, "monitor_crowded_out_total", half="label") == 7
    assert value(metrics, "monitor_flush_seconds_bucket", le="0.025") == 1


def test_unknown_fields_are_bounded(metrics: ServiceMetrics) -> None:
    metrics.committed(Replica().flush([request()], unknown_fields={f"f{i}": 1 for i in range(500)}))
    found = samples(metrics, "monitor_unknown_fields_total")
    assert len(found) == 65
    assert value(metrics, "monitor_unknown_fields_total", field="other") == 500 - 64


def test_pairs_over_the_cap_fall_into_other_and_are_counted(clock: StreamClock) -> None:
    metrics = ServiceMetrics(clock, MetricsSettings(max_series_per_model=10))
    replica = Replica()
    for _ in range(2):
        metrics.committed(replica.flush([request(endpoint=f"/{i}") for i in range(25)]))
    metrics.committed(replica.flush([request(model="churn", endpoint="/a")]))
    found = samples(metrics, "monitor_requests_total", outcome="ok", model="fraud")
    assert len(found) == 11
    assert sum(s.value for s in found) == 50
    assert value(metrics, "monitor_requests_total", outcome="ok", version="other", endpoint="other") == 30
    assert value(metrics, "monitor_metric_series_overflow_total", model="fraud") == 30
    assert value(metrics, "monitor_requests_total", outcome="ok", model="churn", endpoint="/a") == 1


def test_models_are_bounded(clock: StreamClock) -> None:
    metrics = ServiceMetrics(clock, MetricsSettings(max_models=3))
    metrics.committed(Replica().flush([request(model=f"m{i}") for i in range(9)]))
    shown = {s.labels["model"] for s in samples(metrics, "monitor_requests_total")}
    assert len(shown) == 4
    assert "other" in shown
    assert value(metrics, "monitor_requests_total", outcome="ok", model="other") == 6


def test_many_series_grow_the_matrix(metrics: ServiceMetrics) -> None:
    replica = Replica(thresholds={float(ms): i + 1 for i, ms in enumerate(range(50, 1000, 50))})
    metrics.committed(replica.flush([request(version=f"v{i}", latency_ms=10 * i) for i in range(90)]))
    assert len(samples(metrics, "monitor_requests_total", outcome="ok")) == 90
    assert buckets(metrics, version="v20")[0.2] == 1
    assert buckets(metrics, version="v20")[0.15] == 0


def test_a_threshold_that_nobody_counts_any_more_is_not_shown(metrics: ServiceMetrics) -> None:
    flush = Replica().flush([request(latency_ms=20)], thresholds_ms={1: 100.0, 2: 300.0, 9: 250.0})
    metrics.committed(flush)
    assert 0.25 not in buckets(metrics)
    assert {0.1, 0.3} <= set(buckets(metrics))


def test_a_threshold_that_comes_later_never_makes_buckets_fall(clock: StreamClock) -> None:
    metrics = ServiceMetrics(clock)
    metrics.committed(Replica().flush([request(latency_ms=ms) for ms in (10, 50, 200, 400)]))
    metrics.committed(Replica(thresholds={100.0: 1, 200.0: 4}).flush([request(latency_ms=150)]))
    ordered = [n for _, n in sorted(buckets(metrics).items())]
    assert ordered == sorted(ordered)
    assert buckets(metrics)[0.2] >= 3


def test_an_exemplar_is_on_its_bucket_in_openmetrics(metrics: ServiceMetrics) -> None:
    records = [request(latency_ms=20, trace_id="fast"), request(latency_ms=250, trace_id="abc123")]
    metrics.committed(Replica().flush(records))
    body, content_type = metrics.exposition(OPEN)
    assert content_type.startswith("application/openmetrics-text")
    found = {
        s.labels["le"]: s.exemplar
        for family in openmetrics.text_string_to_metric_families(body.decode())
        for s in family.samples
        if s.exemplar is not None
    }
    assert list(found) == ["0.256"]
    exemplar = found["0.256"]
    assert exemplar is not None
    assert exemplar.labels == {"trace_id": "abc123"}
    assert exemplar.value == 0.25


def test_a_trace_id_that_openmetrics_forbids_is_left_out(metrics: ServiceMetrics) -> None:
    flush = Replica().flush([request(trace_id="x")])
    (exemplar,) = flush.exemplars
    longer = type(exemplar)(exemplar.series, 50.0, "x" * 200, NOW_MS)
    metrics.committed(Replica().flush([request()], exemplars=(longer,)))
    assert b"# {" not in metrics.exposition(OPEN)[0]


def test_label_values_of_any_kind_survive(metrics: ServiceMetrics) -> None:
    odd = 'a"b\\c\nd é'
    metrics.committed(Replica().flush([request(endpoint=odd, trace_id='q"\\')]))
    assert value(metrics, "monitor_requests_total", outcome="ok", endpoint=odd) == 1
    list(openmetrics.text_string_to_metric_families(metrics.exposition(OPEN)[0].decode()))


def test_the_health_of_the_job_is_shown(metrics: ServiceMetrics) -> None:
    status = JobStatus(
        ready=True,
        problem=None,
        lags={Partition("t", 0): Lag(70, 100), Partition("t", 1): Lag(5, None)},
        watermark_ms=NOW_MS - 12_500,
        paused=True,
        pending_records=9,
        last_commit_ms=NOW_MS,
        failed_partitions={Partition("t", 1): "gone"},
    )
    metrics.watch(lambda: status)
    assert value(metrics, "monitor_partition_lag_records", topic="t", partition="0") == 30
    assert samples(metrics, "monitor_partition_lag_records", partition="1") == []
    assert value(metrics, "monitor_watermark_delay_seconds") == 12.5
    assert value(metrics, "monitor_paused") == 1
    assert value(metrics, "monitor_up_ready") == 1
    assert value(metrics, "monitor_pending_records") == 9
    assert value(metrics, "monitor_failed_partitions") == 1
    assert value(metrics, "process_resident_memory_bytes") > 1e6


def test_both_formats_parse_and_hold_only_listed_metrics(metrics: ServiceMetrics) -> None:
    metrics.committed(Replica().flush([request(cost=1, tokens_in=2)], dead={"x": 1}, unknown_fields={"y": 1}))
    metrics.watch(lambda: JobStatus(ready=True, problem=None, watermark_ms=1, last_commit_ms=1))
    metrics.answered("/metrics", "GET", 200)
    metrics.rejected("rate")
    metrics.gauges.show([Reading(metric_names.DATA_AGE, ("fraud",), 3.0)], NOW_MS + 1)
    text = list(text_string_to_metric_families(metrics.exposition("")[0].decode()))
    opened = list(openmetrics.text_string_to_metric_families(metrics.exposition(OPEN)[0].decode()))
    listed = {m.name.removesuffix("_total") for m in metric_names.ALL}
    for families, names in ((text, listed), (opened, {n.removesuffix("_info") for n in listed})):
        got = {f.name.removesuffix("_total") for f in families}
        assert {n for n in got if n.startswith("monitor_")} == names
    assert len({m.name for m in metric_names.ALL}) == len(metric_names.ALL)
