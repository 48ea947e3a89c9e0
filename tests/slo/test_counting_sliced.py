"""Slices of events: by share, by age, by what is usual; against definitions read out one by one."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.profiles.layout import Service
from monitor.slo.counting_sliced import busy, fresh, sliced
from monitor.slo.objective import Fresh, Meter, Outcomes, Subject, Traffic
from monitor.slo.tally import Tally
from monitor.store import Store
from tests.builders import record
from tests.slo.counted import same
from tests.slo.test_counting import DAY_S, H0_S, HOUR_S, at, fill, ledger, writer_of

FRAUD = Subject("fraud")
STALE = Meter("fraud", Fresh(600), slice_s=300)
BY_SLICE = Meter("fraud", Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT)), slice_s=300, slice_target=0.75)
BUSY = Meter("fraud", Traffic(0.5), slice_s=600)


def minutes(counts: dict[int, float], good: float = 0) -> Tally:
    return Tally.of([(m * 60, m * 60 + 60, good, n) for m, n in sorted(counts.items())])


def told(tally: Tally) -> dict[int, bool]:
    return {int(b): bool(g) for b, g in zip(tally.begin_s, tally.good, strict=True)}


MINUTES = st.dictionaries(st.integers(0, 300), st.integers(1, 20), min_size=1, max_size=40)


@given(MINUTES, st.sampled_from([60, 300, 420, 3600]), st.integers(60, 4000), st.integers(0, 100))
def test_a_slice_is_fresh_while_the_newest_record_is_young(
    counts: dict[int, int], slice_s: int, at_most_s: int, from_m: int
) -> None:
    slots = [(m * 60, m * 60 + 60, n * 2 + 1, 5) for m, n in sorted(counts.items())]  # newest at n * 2
    found = told(fresh(Tally.of(slots), slice_s, at_most_s, from_m * 60, 20_000))
    newest = [(end, begin + n - 1) for begin, end, n, _ in slots]
    wanted = {}
    for begin in range(0, 20_000 // slice_s * slice_s, slice_s):
        end = begin + slice_s
        ages = [end - at_s for slot_end, at_s in newest if slot_end <= end]
        if ages and begin >= from_m * 60:
            wanted[begin] = min(ages) <= at_most_s
    assert found == wanted


@given(MINUTES, st.sampled_from([60, 300, 420]), st.sampled_from([0.5, 0.99, 1.0]))
def test_a_slice_of_events_is_good_from_its_target_on(
    counts: dict[int, int], slice_s: int, target: float
) -> None:
    slots = [(m * 60, m * 60 + 60, n // 2, n) for m, n in sorted(counts.items())]
    slots += [(30_000 * 60, 30_060 * 60, 1, 1)]  # an hour, which is in no such slice
    found = told(sliced(Tally.of(slots), slice_s, target))
    wanted = {}
    for begin in {s[0] // slice_s * slice_s for s in slots[:-1]}:
        mine = [s for s in slots if begin <= s[0] and s[1] <= begin + slice_s]
        if mine:
            wanted[begin] = sum(s[2] for s in mine) >= target * sum(s[3] for s in mine)
    assert found == wanted


@settings(max_examples=60)
@given(
    st.dictionaries(st.integers(0, 24 * 32), st.integers(0, 200), min_size=5, max_size=300),
    st.integers(24, 24 * 31),
    st.sampled_from([900, 3600]),
)
def test_what_is_usual_is_the_least_median_of_the_same_hours(
    by_hour: dict[int, int], from_h: int, slice_s: int
) -> None:
    slots = [(h * 3600, h * 3600 + 900, 0, n) for h, n in sorted(by_hour.items()) if n]
    events = Tally.of(slots)

    def median_before(hour: int, first: int) -> float | None:
        for step, n in ((168, 4), (24, 7)):
            before = [hour - step * k for k in range(1, n + 1) if hour - step * k > first // 3600]
            if before:
                return median(by_hour.get(h, 0) for h in before)
        return None

    found = told(busy(events, slice_s, 0.5, from_h * 3600, 33 * DAY_S))
    first = events.first_s
    wanted = {}
    for begin in range(from_h * 3600, 33 * DAY_S, slice_s) if first is not None else ():
        hour = begin // 3600
        about = [median_before(h, first) for h in (hour, hour - 1, hour + 1)]
        usual = None if about[0] is None else min(n for n in about if n is not None) * slice_s / 3600
        if usual is not None and usual >= 10 and begin >= first:
            n_requests = sum(n for b, _, _, n in slots if begin <= b < begin + slice_s)
            wanted[begin] = n_requests > 0 and n_requests >= 0.5 * usual
    assert found == wanted


def test_after_a_nightly_job_there_is_no_silence() -> None:
    """2,000 requests within forty minutes of one hour, else 60 an hour."""
    night = {h * 60 + m: 50 if h % 24 == 5 and m < 40 else 1 for h in range(72) for m in range(60)}
    found = told(busy(minutes(night), 300, 0.1, 48 * HOUR_S, 72 * HOUR_S))
    assert not found  # at five requests a slice nothing can be told
    night = {m: n * 10 for m, n in night.items()}
    dead = {m: n for m, n in night.items() if not 66 * 60 <= m < 67 * 60}
    found = told(busy(minutes(dead), 300, 0.1, 48 * HOUR_S, 72 * HOUR_S))
    assert [begin for begin, good in found.items() if not good] == list(range(66 * HOUR_S, 67 * HOUR_S, 300))


def test_a_dead_server_shows_in_its_age_and_in_its_traffic(store: Store) -> None:
    week = [s for day in range(-14, 0) for s in range(day * DAY_S - HOUR_S, day * DAY_S + 3 * HOUR_S, 30)]
    writer = writer_of(store)
    writer.take([at(s) for s in (*week, *range(0, HOUR_S, 30))])
    writer.flush()
    held = ledger(store, [STALE, BUSY], coarse_s=DAY_S, fine_s=2 * HOUR_S)
    held.refresh(H0_S + 2 * HOUR_S)
    busy_slices, fresh_slices = told(held.tally(BUSY, FRAUD)), told(held.tally(STALE, FRAUD))
    assert [busy_slices[H0_S + s] for s in range(0, 2 * HOUR_S, 600)] == [True] * 6 + [False] * 6
    assert [fresh_slices[H0_S + s] for s in range(3000, 2 * HOUR_S, 300)] == [True] * 3 + [False] * 11


RECORDS = st.lists(
    st.tuples(st.integers(0, 5 * HOUR_S), st.sampled_from([200, 200, 500])), min_size=1, max_size=10
)
STEPS = st.lists(st.tuples(RECORDS, st.integers(0, 2 * HOUR_S)), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_step_by_step_it_comes_to_what_it_is_at_once(steps: Any) -> None:
    with TemporaryDirectory() as directory:
        store = Store.open(f"sqlite:///{Path(directory)}/m.db")
        writer, meters = writer_of(store), [STALE, BY_SLICE, BUSY]
        held = ledger(store, meters, fine_s=HOUR_S, near=[BUSY])
        now_s, seen = H0_S + 10 * HOUR_S, []
        for made, further_s in steps:
            now_s += further_s
            new = [(now_s - back_s, status) for back_s, status in made]
            writer.take(
                [
                    record(id=f"{len(seen)}-{i}", ts=at_s * 1000, status=status)
                    for i, (at_s, status) in enumerate(new)
                ]
            )
            writer.flush()
            seen += new
            held.refresh(now_s)
        until_s = now_s // 60 * 60
        seconds = sorted(at_s for at_s, _ in seen if at_s < until_s)
        fresh_slices = told(held.tally(STALE, FRAUD))
        for begin_s, good in fresh_slices.items():
            newest = max(s for s in seconds if s < begin_s + 300)
            assert good == (begin_s + 300 - newest <= 600)
        if seconds:
            first_s = seconds[0] // 300 * 300
            assert list(fresh_slices) == list(range(first_s, now_s // 300 * 300, 300))
        again = ledger(store, meters, fine_s=HOUR_S, near=[BUSY])
        again.refresh(now_s)
        for meter in meters:
            same(held.tally(meter, FRAUD), again.tally(meter, FRAUD))
        store.close()


def test_a_slice_without_a_target_has_to_be_good_throughout(store: Store) -> None:
    fill(store, [at(0), at(10, status=500), at(300), at(600, status=500)])
    meter = Meter("fraud", BY_SLICE.source, slice_s=300)
    held = ledger(store, [meter])
    held.refresh(H0_S + 900)
    assert told(held.tally(meter, FRAUD)) == {H0_S: False, H0_S + 300: True, H0_S + 600: False}


@pytest.mark.parametrize("slice_s", [60, 300])
def test_nothing_seen_has_no_slices(slice_s: int) -> None:
    none = Tally.empty()
    assert len(fresh(none, slice_s, 60, 0, 6000)) == 0
    assert len(busy(none, slice_s, 0.5, 0, 6000)) == 0
    assert len(sliced(none, slice_s, 0.5)) == 0
