"""The flush: absolute sums, one owner at a time, all or nothing."""

import numpy as np
import pytest

from monitor.errors import Fenced, StoreBusy
from monitor.profiles.layout import Kind, Service
from monitor.records import Partition
from monitor.store import Store, dead, flush, ownership
from monitor.store.names import find_series
from monitor.store.read import read_cells
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import SETTINGS, Writer, fill

DAY_S = 86_400


def served(store: Store, tier_s: int = 60, model: str = "fraud") -> int:
    """OK answers of a model over all stored windows of a tier, segment marginals left out."""
    ids = [i for k, i in find_series(store, model).items() if not k.label]
    cells = read_cells(store, Kind.SERVICE, tier_s, ids, 0, 2**40)
    return int(cells.count[cells.cell == Service.OK].sum())


def test_flushes_add_up_in_every_tier(store: Store) -> None:
    writer = Writer(store)
    for i in range(5):
        writer.take([record(ts=T0_MS + i * 20_000, id=f"{i}-{j}") for j in range(10)])
        writer.flush()
    assert [served(store, tier) for tier in (60, 3600, DAY_S)] == [50, 50, 50]


def test_partitions_add_up(store: Store) -> None:
    for number in range(3):
        fill(store, [record()] * 4, Partition("t", number))
    assert served(store) == 12


def test_a_new_owner_reads_on_from_the_last_commit(store: Store) -> None:
    first = Writer(store)
    first.take([record()] * 3)
    first.flush()
    first.take([record()] * 100)
    second = Writer(store)
    assert second.state.position == 3
    second.take([record()] * 2)
    second.flush()
    assert served(store) == 5


def test_an_owner_that_lost_its_partition_writes_nothing(store: Store) -> None:
    zombie = Writer(store)
    zombie.take([record(), b"oops"])
    heir = Writer(store)
    with pytest.raises(Fenced, match=r"t\[0\]: another process owns"):
        zombie.flush()
    assert served(store) == 0
    assert dead.totals(store) == {}
    heir.take([record(), b"oops"])
    heir.flush()
    assert served(store) == 1
    assert dead.totals(store)["dead_letter", "bad_json"] == 1


def test_without_the_swap_the_same_schedule_counts_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the compare-and-swap is there for."""
    monkeypatch.setattr(flush, "_swap", lambda connection, f: None)
    zombie = Writer(store)
    zombie.take([record(), b"oops"])
    heir = Writer(store, now_ms=NOW_MS)
    heir.take([record(), b"oops"])
    heir.flush()
    zombie.flush()
    assert dead.totals(store)["dead_letter", "bad_json"] == 2


@pytest.mark.parametrize("landed", [True, False])
def test_a_commit_without_an_answer_is_settled(
    store: Store, monkeypatch: pytest.MonkeyPatch, landed: bool
) -> None:
    writer = Writer(store)
    writer.take([record()] * 7)
    real = flush.writing

    def failing(engine):  # type: ignore[no-untyped-def]  # stands in for a context manager
        from contextlib import contextmanager

        @contextmanager
        def cut():  # type: ignore[no-untyped-def]  # as above
            with real(engine) as connection:
                yield connection
                if not landed:
                    raise StoreBusy("the connection broke before COMMIT")
            raise StoreBusy("the connection broke after COMMIT")

        return cut()

    monkeypatch.setattr(flush, "writing", failing)
    if landed:
        writer.flush()
    else:
        with pytest.raises(StoreBusy):
            writer.flush()
        monkeypatch.setattr(flush, "writing", real)
        writer.flush()
    assert served(store) == 7


def test_late_data_counts_in_its_closed_window_and_raises_its_revision(store: Store) -> None:
    writer = Writer(store)
    writer.take([record(ts=T0_MS)] + [record(ts=T0_MS + 600_000)] * 3)
    writer.flush()
    writer.take([record(ts=T0_MS + 1)])
    writer.flush()
    ids = list(find_series(store, "fraud").values())
    cells = read_cells(store, Kind.SERVICE, 60, ids, T0_MS // 1000, T0_MS // 1000 + 60)
    assert set(cells.revision.tolist()) == {1}
    assert served(store) == 5
    late = int(cells.count[cells.cell == Service.LATE].sum())
    assert late == 2  # in the whole series and in its one segment


def test_a_record_past_retention_is_counted_where_the_stream_stands(store: Store) -> None:
    now = T0_MS + 20 * DAY_S * 1000
    fill_from = [record(ts=now - 1000), record(ts=now - 500), record(ts=now), record(ts=T0_MS)]
    writer = Writer(store, now_ms=now)
    writer.take(fill_from)
    writer.flush()
    assert served(store) == 3
    ids = [i for k, i in find_series(store, "fraud").items() if not k.label]
    cells = read_cells(store, Kind.SERVICE, 60, ids, 0, 2**40)
    at = cells.start_s[cells.row[cells.cell == Service.TOO_LATE]]
    assert at.tolist() == [(now - 1000 - SETTINGS.disorder_ms) // 60_000 * 60]


def test_dead_letters_are_capped_and_the_rest_counted(store: Store) -> None:
    writer = Writer(store)
    writer.take([b"oops %d" % i for i in range(30)])
    prepared = writer.state.prepare(store, SETTINGS.tiers_s, NOW_MS)
    flush.commit(store, prepared, dead.Cap(rows=10, payload_bytes=1000))
    assert len(dead.list_kept(store)) == 10
    assert dead.totals(store) == {("dead_letter", "bad_json"): 30, ("dead_letter_dropped", "cap"): 20}
    kept = dead.list_kept(store, limit=1)[0]
    assert (kept.place, kept.reason, kept.payload) == ("t[0]@0", "bad_json", b"oops 0")


def test_a_reset_records_the_gap_and_fences_the_owner(store: Store) -> None:
    writer = fill(store, [record()] * 3)
    before = ownership.reset(store, writer.state.claim.partition, 10, "log truncated", NOW_MS)
    assert before is not None
    assert before.next_offset == 3
    (gap,) = ownership.list_gaps(store)
    assert (gap.from_offset, gap.to_offset, gap.reason) == (3, 10, "log truncated")
    writer.take([record()])
    with pytest.raises(Fenced):
        writer.flush()
    assert Writer(store).state.position == 10
    assert ownership.reset(store, Partition("t", 9), 0, "none such", NOW_MS) is None


def test_quantiles_survive_the_store(store: Store) -> None:
    rng = np.random.default_rng(3)
    latencies = rng.lognormal(3, 1, 5000)
    fill(store, [record(latency_ms=float(v)) for v in latencies])
    ids = [i for k, i in find_series(store, "fraud").items() if not k.label]
    cells = read_cells(store, Kind.LATENCY, 60, ids, 0, 2**40)
    assert int(cells.count.sum()) == 5000
    assert cells.max_value.tolist() == [latencies.max()]
