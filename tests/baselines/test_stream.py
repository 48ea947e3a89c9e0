"""Baselines from the stored stream: taken over on purpose, and the first windows by themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.baselines.stream import from_stream, keep_references
from monitor.clock import StreamClock
from monitor.errors import QueryError
from monitor.ingest.source import Ownership
from monitor.job.job import Job
from monitor.job.settings import JobSettings
from monitor.profiles.layout import FeatureBin, Kind
from monitor.records import Partition
from monitor.store import Store, fits
from monitor.store.activations import activate, next_window_s
from monitor.store.baselines import features_of, reference, reference_at
from monitor.store.names import find_series
from monitor.store.read import read_cells
from monitor.store.registry import RegistryLimits
from tests.baselines.files import alike
from tests.builders import T0_MS, encode, record
from tests.fakes import MemoryLog, MemorySource
from tests.filling import SETTINGS, Writer
from tests.making import AMOUNT, new_baseline

WINDOW_S = SETTINGS.features_s
FIRST_S = T0_MS // 1000 // WINDOW_S * WINDOW_S
NULL, ATTRIBUTION = int(FeatureBin.NULL), int(FeatureBin.ATTRIBUTION)


def fill(store: Store, windows: range, rows: int = 50, **changes: Any) -> None:
    rng = np.random.default_rng(windows.start)
    writer = Writer(store)
    writer.take(
        [
            record(
                id=f"{w}-{i}",
                ts=(FIRST_S + w * WINDOW_S) * 1000 + i,
                features={"amount": float(rng.normal(15, 5)), "gap": None if i % 4 else 1.0},
                attributions={"amount": 0.5},
                **changes,
            )
            for w in windows
            for i in range(rows)
        ]
    )
    writer.flush()


def taken(store: Store, from_w: int, to_w: int, **options: Any) -> fits.NewBaseline:
    begin, end = (FIRST_S + w * WINDOW_S for w in (from_w, to_w))
    return from_stream(store, "fraud", "", "ann", begin, end, WINDOW_S, alike, **options)


def test_a_range_of_the_stream_becomes_a_baseline(store: Store) -> None:
    bins = {"amount": AMOUNT, "gap": AMOUNT, "@score": AMOUNT}
    source = fits.create(store, new_baseline(features=bins), 0, 0)
    fill(store, range(10))
    activate(store, source.id, FIRST_S + 10 * WINDOW_S, "ann", 0, retired=True)
    made = fits.create(
        store, taken(store, 2, 7, time_zone="UTC"), 0, next_window_s(store, "fraud", "", WINDOW_S)
    )
    found = reference(store, made.id)
    assert found is not None
    assert (found.rows, found.windows) == (250, 5)
    assert found.features["amount"].bins is not None
    np.testing.assert_array_equal(found.features["amount"].bins.edges, AMOUNT.edges)  # type: ignore[arg-type]  # edges
    i = found.names.index("gap")
    assert found.counts[i, [0, NULL]].tolist() == [65, 185]
    assert found.attribution[found.names.index("amount")] == 0.5
    assert found.counts[:, :ATTRIBUTION].sum(axis=1).tolist() == [250] * len(found.names)
    assert {s for s in taken(store, 2, 7, time_zone="UTC").slots if s >= 0}
    assert made.source is not None
    assert "bins of baseline 1" in made.source


def test_a_range_over_several_baselines_is_refused(store: Store) -> None:
    fits.create(store, new_baseline(), 0, FIRST_S + 3 * WINDOW_S)
    fill(store, range(6))
    with pytest.raises(QueryError, match=r"on several baselines .0 from .*, 1 from .*choose a range"):
        taken(store, 0, 6)


def test_an_empty_range_is_refused(store: Store) -> None:
    with pytest.raises(QueryError, match="nothing is stored of 'fraud'; there is "):
        taken(store, 0, 6)
    fill(store, range(2))
    with pytest.raises(
        QueryError, match="its features are from 2023-11-14T22:10:00Z to 2023-11-14T22:30:00Z"
    ):
        taken(store, 3000, 3006)


def test_the_first_complete_windows_become_the_reference(store: Store) -> None:
    fill(store, range(8), rows=1000)
    complete_ms = (FIRST_S + 7 * WINDOW_S) * 1000
    number = features_of(store, "fraud")[0].id
    assert keep_references(store, WINDOW_S, complete_ms - 1 - WINDOW_S * 1000, alike) == 0
    assert reference(store, number) is None
    assert keep_references(store, WINDOW_S, complete_ms, alike) == 1
    assert keep_references(store, WINDOW_S, complete_ms + 10**9, alike) == 0
    found = reference_at(store, "fraud", "3", FIRST_S)
    assert found is not None
    assert (found.baseline.provisional, found.baseline.number, found.rows, found.windows) == (
        True,
        0,
        6000,
        6,
    )
    assert found.counts[:, int(FeatureBin.UNBINNED)].max() == 0 or found.features["gap"].bins is not None


def test_few_rows_are_no_reference_yet(store: Store) -> None:
    fill(store, range(20))
    assert keep_references(store, WINDOW_S, T0_MS * 2, alike) == 0


def test_a_job_changes_baselines_in_simulated_time(tmp_path: Path) -> None:
    """Records before, across and after an activation, a late one, and a restart: no window mixes."""
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    clock, log = StreamClock(T0_MS), MemoryLog(append_ms=T0_MS + 10**8)

    def job() -> tuple[Job, MemorySource]:
        held: list[MemorySource] = []

        def opened(owner: Ownership) -> MemorySource:
            held.append(MemorySource(log, owner))
            return held[0]

        settings = JobSettings(owner="t", flush_interval_ms=0, poll_timeout_s=0.0)
        made = Job(store, opened, settings, clock)
        held[0].later(lambda: held[0].give([Partition("memory", 0)]))
        made.step()
        return made, held[0]

    def send(runner: Job, *windows: int) -> None:
        for w in windows:
            log.append(0, encode(record(ts=(FIRST_S + w * WINDOW_S) * 1000 + 5000)))
        runner.step()
        runner.flush()
        runner._housekeeping()

    first, _ = job()
    send(first, 0, 1, 2)
    made = fits.create(store, new_baseline(), 0, next_window_s(store, "fraud", "", WINDOW_S))
    first._housekeeping()
    send(first, 2, 3, 4)
    second, _ = job()
    send(second, 1, 4, 5)
    activate(store, made.id, FIRST_S + 6 * WINDOW_S, "ann", 0, retired=True)
    send(second)
    send(second, 5, 6)
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, list(find_series(store, "fraud").values()), 0, 2**40)
    on = {
        ((int(s) - FIRST_S) // WINDOW_S, int(b)) for s, b in zip(cells.start_s, cells.baseline, strict=True)
    }
    provisional = features_of(store, "fraud")[0].id
    expected = dict.fromkeys((0, 1, 2, 6), provisional) | dict.fromkeys((3, 4, 5), made.id)
    assert on == set(expected.items())
    store.close()


def test_features_by_segment_when_asked(store: Store) -> None:
    settings = JobSettings(
        owner="t",
        feature_segments={"fraud": ("country",)},
        registry=RegistryLimits(labels=lambda model: ["country"]),
    )
    made = fits.create(store, new_baseline(contracts={}), 0, FIRST_S + WINDOW_S)
    writer = Writer(store, settings=settings)
    countries = ("DE", "DE", "FR", None)
    writer.take(
        [
            record(
                id=f"{w}{i}",
                ts=(FIRST_S + w * WINDOW_S) * 1000,
                segment={"country": c, "plan": "x"},
                features={"amount": 15.0},
            )
            for w in range(2)
            for i, c in enumerate(countries)
        ]
    )
    writer.flush()
    names = {i: k for k, i in find_series(store, "fraud").items()}
    cells = read_cells(store, Kind.FEATURES, WINDOW_S, list(names), 0, 2**40)
    rows = cells.cell == 0
    counted = {
        (names[int(s)].value, (int(t) - FIRST_S) // WINDOW_S, int(b)): int(n)
        for s, t, b, n in zip(
            *(part[cells.row[rows]] for part in (cells.series, cells.start_s, cells.baseline)),
            cells.count[rows],
            strict=True,
        )
    }
    provisional = features_of(store, "fraud")[0].id
    assert counted == {
        (value, w, b): n
        for w, b in ((0, provisional), (1, made.id))
        for value, n in (("", 4), ("DE", 2), ("FR", 1))
    }
    assert {k.label for k in names.values() if k.endpoint == ""} == {"", "country"}
