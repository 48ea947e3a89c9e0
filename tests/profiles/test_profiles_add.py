"""Profiles add: in any order, cut anywhere, through bytes and back, up the tiers."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ingest.decode import Decoder
from monitor.profiles.codec import decode_counts, decode_values, encode_rows
from monitor.profiles.layout import CELL_BITS, SECONDS, Kind, Service, bucket_of, bucket_value
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiler, Settings
from monitor.profiles.rows import RowKey, RowKeys
from monitor.profiles.watermark import Marks, advance
from monitor.records import Batch
from monitor.store import Store
from monitor.store.registry import RegistryLimits, StoreRegistry
from tests.builders import T0_MS, chunk, encode, record

Plain = dict[tuple[RowKey, int], float]


@pytest.fixture(scope="module")
def profiler(tmp_path_factory: pytest.TempPathFactory) -> Profiler:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('s') / 'm.db'}")
    registry = StoreRegistry(store, RegistryLimits(), 600, lambda: 0)
    return Profiler(registry, Settings(thresholds={10.0: 1, 100.0: 2}))


def plain(profiles: Profiles) -> tuple[Plain, Plain, Plain]:
    """(counts, sums, maxima) by row and cell."""

    names = list(profiles.rows)

    def of(keys: np.ndarray, values: np.ndarray) -> Plain:
        mask = (1 << CELL_BITS) - 1
        pairs = zip(keys.tolist(), values.tolist(), strict=True)
        return {(names[k >> CELL_BITS], k & mask): v for k, v in pairs}

    return of(*profiles.counts), of(*profiles.sums), of(*profiles.maxima)


def assert_same(a: Profiles, b: Profiles) -> None:
    (counts_a, sums_a, max_a), (counts_b, sums_b, max_b) = plain(a), plain(b)
    assert counts_a == counts_b
    assert max_a == max_b
    assert sums_a == pytest.approx(sums_b, rel=1e-9)


def batch(records: list[dict[str, object]]) -> Batch:
    return Decoder().decode(chunk([encode(r) for r in records])).batch


records = st.lists(
    st.builds(
        record,
        ts=st.integers(T0_MS, T0_MS + 400_000),
        model=st.sampled_from(["a", "b"]),
        version=st.sampled_from(["1", "2", None]),
        endpoint=st.sampled_from(["/x", None]),
        segment=st.dictionaries(st.sampled_from(["country", "plan"]), st.sampled_from(["p", "q", None])),
        status=st.sampled_from([200, 404, 401, 500, 504, "error", "invalid", None]),
        latency_ms=st.one_of(st.none(), st.floats(0, 1e5)),
        mode=st.sampled_from(["online", "batch", None]),
        shadow=st.booleans(),
        cold_start=st.booleans(),
        sample_rate=st.sampled_from([1, 0.5, 0.1]),
        tokens_in=st.one_of(st.none(), st.integers(0, 50)),
        features=st.dictionaries(
            st.sampled_from("xyz"), st.one_of(st.none(), st.floats(-5, 5), st.just("t"))
        ),
    ),
    min_size=1,
    max_size=40,
)


@given(records, st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_and_any_cut_give_the_same_profiles(
    profiler: Profiler, rows: list[dict[str, object]], data: st.DataObject
) -> None:
    ordered = sorted(rows, key=lambda r: r["ts"])  # type: ignore[arg-type,return-value]  # integers
    whole = profiler.profile(batch(ordered), Marks()).profiles
    shuffled = data.draw(st.permutations(ordered))
    cut = data.draw(st.integers(0, len(shuffled)))
    parts = Profiles()
    for part in (shuffled[cut:], shuffled[:cut]):
        if part:
            # Lateness is a fact of the order, so it is left out of this comparison.
            parts.add(profiler.profile(batch(part), Marks(None, None, None)).profiles)
    late = int(Service.LATE)

    def without_late(p: Profiles) -> Profiles:
        kept = Profiles()
        keys, counts = p.counts
        keep = (keys & ((1 << CELL_BITS) - 1)) != late
        sum_keys, sums = p.sums
        keep_sums = (sum_keys & ((1 << CELL_BITS) - 1)) != late
        to = kept.rows_for(p.rows)
        mask = (1 << CELL_BITS) - 1
        kept.add_counts(to[keys[keep] >> CELL_BITS], keys[keep] & mask, counts[keep])
        kept.add_sums(to[sum_keys[keep_sums] >> CELL_BITS], sum_keys[keep_sums] & mask, sums[keep_sums])
        kept.add_maxima(to[p.maxima[0] >> CELL_BITS], p.maxima[0] & mask, p.maxima[1])
        return kept

    assert_same(without_late(whole), without_late(parts))


@given(records)
@settings(max_examples=100, deadline=None)
def test_outcomes_add_up_to_the_records(profiler: Profiler, rows: list[dict[str, object]]) -> None:
    counts, _, _ = plain(profiler.profile(batch(rows), Marks()).profiles)
    names = {r: profiler._registry.name(r.series) for r, _ in counts}  # type: ignore[attr-defined]  # the real registry
    served = sum(
        n for (r, cell), n in counts.items() if r.kind == Kind.SERVICE and cell < 6 and not names[r].label
    )
    assert served == sum(not r["shadow"] for r in rows)
    by_second = sum(
        n for (r, c), n in counts.items() if r.kind == Kind.SERVICE and c >= SECONDS and not names[r].label
    )
    assert by_second == served


entries = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 2**20 - 1), st.integers(-(2**40), 2**40)), max_size=60
)


@given(entries, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.floats(-1e9, 1e9)), max_size=9))
@settings(deadline=None)
def test_bytes_and_back(cells: list[tuple[int, int, int]], floats: list[tuple[int, int, float]]) -> None:
    profiles = Profiles()
    rows = profiles.rows_for(RowKeys.windows(1, 60, np.arange(10), np.zeros(10, np.int64)))
    row, cell, count = (np.array([c[i] for c in cells], np.int64) for i in range(3))
    profiles.add_counts(rows[row], cell, count)
    row, cell = (np.array([f[i] for f in floats], np.int64) for i in range(2))
    profiles.add_sums(rows[row], cell, np.array([f[2] for f in floats]))
    encoded = encode_rows(profiles)
    back = Profiles()
    rows = back.rows_for(profiles.rows)
    row, cell, count = decode_counts([e[0] for e in encoded])
    back.add_counts(rows[row], cell, count)
    row, cell, value = decode_values([e[1] for e in encoded])
    back.add_sums(rows[row], cell, value)
    assert plain(back) == plain(profiles)


@given(records)
@settings(max_examples=50, deadline=None)
def test_every_tier_holds_the_same_sums(profiler: Profiler, rows: list[dict[str, object]]) -> None:
    base = profiler.profile(batch(rows), Marks()).profiles
    counts, sums, maxima = plain(base)
    for tier_s in (3600, 86_400):
        coarse_counts, coarse_sums, coarse_maxima = plain(base.coarser(tier_s))
        assert all(row.tier_s == tier_s and row.start_s % tier_s == 0 for row, _ in coarse_counts)
        assert _by_cell(coarse_counts) == _by_cell(counts)
        assert _by_cell(coarse_sums) == pytest.approx(_by_cell(sums), rel=1e-9)
        assert max(coarse_maxima.values(), default=0) == max(maxima.values(), default=0)


def _by_cell(entries: Plain) -> Counter[tuple[int, int, int]]:
    """Totals over all windows, without the counts by the second."""
    totals: Counter[tuple[int, int, int]] = Counter()
    for (row, cell), n in entries.items():
        if not (row.kind == Kind.SERVICE and cell >= SECONDS):
            totals[row.kind, row.series, cell] += n  # type: ignore[assignment]  # counts and sums alike
    return totals


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50), st.data())
@settings(deadline=None)
def test_the_watermark_does_not_depend_on_batches(ts: list[int], data: st.DataObject) -> None:
    values = np.array(ts, np.int64)
    before, after = advance(Marks(), values, 10)
    cut = data.draw(st.integers(0, len(ts)))
    first, marks = advance(Marks(), values[:cut], 10)
    second, marks = advance(marks, values[cut:], 10)
    assert marks == after
    assert before.tolist() == [*first.tolist(), *second.tolist()]


def test_no_single_record_moves_the_watermark() -> None:
    _, marks = advance(Marks(), np.array([1000, 1001, 10**12], np.int64), 10)
    assert marks.watermark_ms == 1001 - 10


@given(st.floats(1e-5, 1e12))
def test_a_bucket_is_within_055_percent_of_its_values(value: float) -> None:
    middle = bucket_value(bucket_of(np.array([value])))[0]
    assert middle == pytest.approx(value, rel=0.0055)


def test_zero_has_a_bucket_of_its_own(tmp_path: Path) -> None:
    assert bucket_of(np.array([0.0])).tolist() == [0]
    assert bucket_value(np.array([0])).tolist() == [0.0]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 50), st.integers(1, 9)), max_size=60),
    st.integers(1, 20),
)
def test_stretches_of_the_rows_add_up_to_the_whole(entries: list[tuple[int, int, int]], cells: int) -> None:
    whole = Profiles()
    rows = whole.rows_for(RowKeys.of([RowKey(1, 60, series, 0, 0) for series in range(7)]))
    for series, cell, count in entries:
        one = np.array([cell], np.int64)
        whole.add_counts(rows[[series]], one, np.array([count], np.int64))
        whole.add_sums(rows[[series]], one, np.array([count / 2]))
    again = Profiles()
    stretches = list(whole.parts(cells))
    for stretch in stretches:
        again.add(stretch)
    assert [key for stretch in stretches for key in stretch.rows] == list(whole.rows)
    assert plain(again) == plain(whole)
