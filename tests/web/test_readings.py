"""What the gauges say of models: whole windows behind the watermark, and nothing that is out of date."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.config import Config
from monitor.store import ownership
from monitor.store.store import Store
from monitor.web.readings import gauge_reader
from tests.builders import PARTITION, T0_MS, record
from tests.filling import Writer, fill

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


def test_nothing_stored_shows_nothing(store: Store) -> None:
    assert shown(store, T0_MS) == {}
