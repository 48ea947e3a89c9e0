"""What the gauges say of models: whole windows behind the watermark, and nothing that is out of date."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitor.config import Config
from monitor.config.model import LimitsConfig
from monitor.store import ownership
from monitor.store.store import Store
from monitor.web.readings import gauge_reader
from tests.builders import PARTITION, T0_MS, record
from tests.filling import Writer, fill
from tests.labelling import binary
from tests.outcomes import add_outcomes
from tests.sli.test_window_verdicts import fitted

MINUTE_MS = 60_000
read = gauge_reader(Config())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/m.db")
    yield opened
    opened.close()


@pytest.fixture
def writer(store: Store) -> Writer:
    """Four minutes of 20 requests each, the last not closed yet; every third fails."""
    records = [
        record(
            id=f"r{i}",
            ts=T0_MS + i // 20 * MINUTE_MS + i * 10,
            latency_ms=float(i + 1),
            status=500 if i % 3 == 0 else 200,
        )
        for i in range(80)
    ]
    return fill(store, records)


def shown(store: Store, now_ms: int) -> dict[tuple[str, ...], float]:
    return {(r.metric.name, *r.labels): r.value for r in read(store, now_ms)}


def test_indicators_are_of_the_windows_that_are_closed(store: Store, writer: Writer) -> None:
    now_ms = T0_MS + 3 * MINUTE_MS + 5_000
    got = shown(store, now_ms)
    assert got["monitor_data_age_seconds", "fraud"] == pytest.approx(5, abs=1)
    assert got["monitor_sli", "fraud", "error_rate"] == pytest.approx(14 / 40)
    assert got["monitor_sli", "fraud", "latency_p99"] == pytest.approx(40, rel=0.02)
    assert got["monitor_sli", "fraud", "request_rate"] == pytest.approx(40 / 300)
    assert got["monitor_coverage", "fraud"] == 1


def test_a_catch_up_shows_its_age_only(store: Store, writer: Writer) -> None:
    assert set(shown(store, T0_MS + 30 * MINUTE_MS)) == {("monitor_data_age_seconds", "fraud")}


def test_a_quiet_model_has_an_age_and_no_indicators(store: Store, writer: Writer) -> None:
    now_ms = T0_MS + 60 * MINUTE_MS
    claim = writer.state.claim
    ownership.mark_idle(store, claim.writer, claim.epoch, now_ms - 1000, now_ms)
    got = shown(store, now_ms)
    assert got["monitor_data_age_seconds", "fraud"] > 3000
    assert not [key for key in got if key[0] == "monitor_sli"]
    assert claim.partition == PARTITION


def test_drift_is_of_the_last_closed_hour_and_the_worst_features_come_first(store: Store) -> None:
    hour_ms = 60 * MINUTE_MS
    begin_ms = T0_MS // hour_ms * hour_ms
    random = np.random.default_rng(1)
    fitted(store, {n: random.normal(0, 1, 5_000) for n in ("amount", "age", "price")}, None)
    shifts = {"amount": 0.0, "age": 3.0, "price": 1.0}
    drawn = {n: random.normal(by, 1, 500) for n, by in shifts.items()}
    records = [
        record(
            id=f"r{i}",
            ts=begin_ms - hour_ms + i * 7_200,
            version="1",
            features={n: float(drawn[n][i]) for n in drawn},
            prediction=...,
            score=...,
        )
        for i in range(500)
    ]
    writer = fill(store, records)
    random_labels = random.integers(0, 2, 500)
    ts_s = (begin_ms - hour_ms) // 1000 + np.arange(500) * 7
    add_outcomes(store, binary(random_labels, random_labels), ts_s)
    claim = writer.state.claim
    now_ms = begin_ms + MINUTE_MS
    ownership.mark_idle(store, claim.writer, claim.epoch, now_ms - 1000, now_ms)
    got = shown(store, now_ms)
    assert got["monitor_drifted_features", "fraud"] == 2
    psi = {key[2]: value for key, value in got.items() if key[0] == "monitor_drift_psi"}
    assert set(psi) == {"amount", "age", "price"}
    assert got["monitor_drift_features_not_shown", "fraud"] == 0
    assert got["monitor_model_drift", "fraud"] > 0.2
    assert got["monitor_sli", "fraud", "accuracy"] == 1
    assert got["monitor_sli", "fraud", "label_coverage"] == 1
    few = gauge_reader(Config(limits=LimitsConfig(metric_series_per_model=1)))
    by_name = {(r.metric.name, *r.labels): r.value for r in few(store, now_ms)}
    assert ("monitor_drift_psi", "fraud", "age") in by_name
    assert ("monitor_drift_psi", "fraud", "price") not in by_name
    assert by_name["monitor_drift_features_not_shown", "fraud"] == 2


def test_nothing_stored_shows_nothing(store: Store) -> None:
    assert shown(store, T0_MS) == {}
