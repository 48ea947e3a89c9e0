"""What a drift report compares, and what it says about it."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from monitor.baselines.stream import keep_references
from monitor.errors import QueryError
from monitor.job.settings import JobSettings
from monitor.profiles.bins import Bins
from monitor.profiles.layout import FEATURE_STRIDE, FeatureBin
from monitor.profiles.samples import SampleSettings
from monitor.reports.drift_rows import DriftQuestion, DriftRows, _values, drift_rows
from monitor.sli.drift_dispersion import dispersion
from monitor.store import Store
from tests.builders import PARTITION, T0_MS
from tests.filling import Writer, fill
from tests.reports.conftest import N, stream

USUAL = SampleSettings()


@pytest.fixture
def store(fitted: str) -> Iterator[Store]:
    opened = Store.open(fitted)
    yield opened
    opened.close()


def rows(store: Store, **asked: object) -> DriftRows:
    return drift_rows(store, DriftQuestion("fraud", **asked), USUAL)  # type: ignore[arg-type]  # as the test says


def test_the_last_hour_against_the_rows_that_the_baseline_was_fitted_on(store: Store) -> None:
    found = rows(store)
    columns = {c.name: c for c in found.columns}
    assert list(columns) == ["amount", "code", "constant", "email", "plan", "visits", "@prediction", "@score"]
    windows = len({(T0_MS + i * 1000) // 600_000 for i in range(N)})
    assert len(columns["amount"].current) == 100 * windows
    assert len(columns["amount"].reference) == 2000
    assert {c.name for c in found.columns if c.numeric} == {"amount", "constant", "visits", "@score"}
    sides = (columns["amount"].reference, columns["amount"].current)
    mean = [np.mean([v for v in side if v is not None]) for side in sides]
    assert mean[0] == pytest.approx(10, abs=0.3)
    assert mean[1] == pytest.approx(13, abs=0.5)
    assert len(set(columns["code"].reference)) == 31  # 30, and the rest
    assert found.title.startswith("fraud, 2023-11-14 22:00 UTC to ")
    assert found.notes[1] == "Reference: 2,000 of the 3,000 rows that baseline 1 was fitted on, at random."


def test_a_range_and_a_version(store: Store) -> None:
    found = rows(store, from_ms=T0_MS, to_ms=T0_MS + 1000, version="3")
    assert len(found.columns[0].current) == 100
    with pytest.raises(QueryError, match="no sample of 'fraud 4'"):
        rows(store, version="4")
    with pytest.raises(QueryError, match="no sample of 'fraud' from 2023-11-13 22:14 UTC to"):
        rows(store, from_ms=T0_MS - 86_400_000, to_ms=T0_MS - 80_000_000)
    with pytest.raises(QueryError, match="turn them round"):
        rows(store, from_ms=T0_MS, to_ms=T0_MS)


def test_without_a_sample_it_says_why(store: Store) -> None:
    with pytest.raises(QueryError, match=r"random_per_window is 0"):
        drift_rows(store, DriftQuestion("none"), SampleSettings(random_per_window=0))


def test_without_a_reference_it_says_what_to_do(url: str) -> None:
    store = Store.open(url)
    fill(store, stream(1, 0.0))
    with pytest.raises(QueryError, match="no baseline with counts yet: fit one"):
        rows(store)
    store.close()


def test_a_redacted_column_is_left_out(store: Store) -> None:
    later = T0_MS + 10_000_000
    one = Writer(store, PARTITION, JobSettings(owner="test", samples=SampleSettings(redact=("email",))))
    one.now_ms = later
    one.take([r | {"ts": r["ts"] + 5_000_000} for r in stream(2, 0.0)])
    one.flush()
    found = rows(store)
    assert "email" not in {c.name for c in found.columns}
    assert "Left out: email is redacted." in found.notes


def test_a_provisional_baseline_gives_rows_drawn_from_its_counts(url: str) -> None:
    store = Store.open(url)
    hours = [
        r | {"id": f"{hour}-{r['id']}", "ts": r["ts"] + hour * 2_500_000}
        for hour in range(3)
        for r in stream(hour, 0.0)
    ]
    one = Writer(store, now_ms=T0_MS + 20_000_000)
    one.take(hours)
    one.flush()
    keep_references(store, 600, T0_MS + 20_000_000, dispersion)
    found = rows(store)
    columns = {c.name: c for c in found.columns}
    assert "2,000 rows drawn from the counts of the provisional baseline" in found.notes[1]
    assert "each feature by itself, numbers uniformly within their bin" in found.notes[1]
    drawn = [v for v in columns["amount"].reference if isinstance(v, float)]
    assert np.mean(drawn) == pytest.approx(10, abs=0.3)
    assert np.std(drawn) == pytest.approx(2, abs=0.3)
    store.close()


def test_numbers_are_drawn_as_often_as_their_bins_were() -> None:
    counts = np.zeros(FEATURE_STRIDE, np.int64)
    counts[:4] = 100, 400, 300, 0
    counts[FeatureBin.NULL] = 200
    drawn = _values(np.random.default_rng(1), Bins(edges=np.array([0.0, 10.0, 20.0])), counts, 10_000, False)
    assert sum(v is None for v in drawn) == pytest.approx(2000, abs=150)
    assert sum(v == 0.0 for v in drawn) == pytest.approx(1000, abs=120)
    within = [v for v in drawn if v is not None and 0 < v < 10]
    assert len(within) == pytest.approx(4000, abs=200)
    assert np.mean(within) == pytest.approx(5, abs=0.2)
    assert all(v is None or 0 <= v <= 20 for v in drawn)


def test_few_distinct_values_are_drawn_themselves() -> None:
    edges = np.array([1.0, 2.0, np.nextafter(2.0, np.inf)])
    counts = np.zeros(FEATURE_STRIDE, np.int64)
    counts[:4] = 0, 300, 700, 0
    drawn = Counter(_values(np.random.default_rng(1), Bins(edges=edges), counts, 1000, False))
    assert set(drawn) == {1.0, 2.0}
    texts = Counter(_values(np.random.default_rng(1), Bins(categories=("a", "b", "c")), counts, 1000, False))
    assert set(texts) == {"b", "c"}
    nothing = np.zeros(FEATURE_STRIDE, np.int64)
    assert _values(np.random.default_rng(1), Bins(categories=("a",)), nothing, 2, False) == [None, None]
