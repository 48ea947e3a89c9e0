"""The ledger, against the records themselves, and step by step against all at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import QueryError, StoreBusy
from monitor.profiles.layout import Kind, Service
from monitor.records import Partition
from monitor.sli.windows import UsualBases
from monitor.slo import counting_book
from monitor.slo.counting import Ledger
from monitor.slo.objective import Meter, Outcomes, Subject, Under
from monitor.slo.standing import Exclusion
from monitor.store import Store
from monitor.store.retention import Retention, drop_expired
from tests.builders import T0_MS, record
from tests.filling import Writer
from tests.slo.counted import between, by_window, same

HOUR_S, DAY_S = 3600, 86_400
H0_S = T0_MS // 1000 // HOUR_S * HOUR_S
AVAILABILITY = Meter("fraud", Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT)))
FAST = Meter("fraud", Under(100.0))
BY_VERSION = Meter("fraud", AVAILABILITY.source, by=("version",))
GERMAN = Meter("fraud", AVAILABILITY.source, segment={"country": "DE"})
METERS = (AVAILABILITY, FAST, BY_VERSION, GERMAN)


def available(r: Mapping[str, Any]) -> bool:
    return r["status"] not in (500, 504)


def fast(r: Mapping[str, Any]) -> bool | None:
    return None if r["latency_ms"] is None else r["latency_ms"] <= 100


def ledger(store: Store, meters: Sequence[Meter] = METERS, **changes: Any) -> Ledger:
    asked: dict[str, Any] = {"fine_s": 3 * HOUR_S, "coarse_s": 2 * DAY_S, **changes}
    return Ledger(store, UsualBases(), meters, **asked)


def writer_of(store: Store, number: int = 0) -> Writer:
    return Writer(store, Partition("t", number), now_ms=(H0_S + 3 * DAY_S) * 1000)


def fill(store: Store, records: Sequence[dict[str, Any]]) -> Writer:
    writer = writer_of(store)
    writer.take(records)
    writer.flush()
    return writer


def at(second: int, i: int = 0, **changes: Any) -> dict[str, Any]:
    return record(id=f"{second}-{i}", ts=(H0_S + second) * 1000, **changes)


def test_requests_are_counted_by_the_minute_near_and_by_the_hour_far(store: Store) -> None:
    fill(store, [at(5), at(65, status=500), at(65, 1), at(6 * HOUR_S, status=504)])
    held = ledger(store)
    held.refresh(H0_S + 6 * HOUR_S + 60)
    tally = held.tally(AVAILABILITY, Subject("fraud"))
    assert tally.begin_s.tolist() == [H0_S, H0_S + 6 * HOUR_S]
    assert tally.end_s.tolist() == [H0_S + HOUR_S, H0_S + 6 * HOUR_S + 60]
    assert (tally.good.tolist(), tally.total.tolist()) == ([2, 0], [3, 1])
    assert tally.first_s == H0_S


def test_a_window_that_is_not_over_does_not_count(store: Store) -> None:
    fill(store, [at(5), at(65)])
    held = ledger(store)
    held.refresh(H0_S + 119)
    assert held.tally(AVAILABILITY, Subject("fraud")).end_s.tolist() == [H0_S + 60]
    held.refresh(H0_S + 120)
    assert held.tally(AVAILABILITY, Subject("fraud")).end_s.tolist() == [H0_S + 60, H0_S + 120]


def test_a_meter_has_its_subjects(store: Store) -> None:
    held = ledger(store)
    held.refresh(H0_S)
    assert held.subjects(AVAILABILITY) == [Subject("fraud")]
    assert held.subjects(BY_VERSION) == []
    assert len(held.tally(AVAILABILITY, Subject("fraud"))) == 0
    writer = fill(store, [at(0, version="1")])
    held.refresh(H0_S + 60)
    writer.take([at(1, version="2", status=500), at(61, 1, version="1")])
    writer.flush()
    held.refresh(H0_S + 120)
    assert held.subjects(BY_VERSION) == [Subject("fraud", "1"), Subject("fraud", "2")]
    assert held.subjects(GERMAN) == [Subject("fraud", segment=(("country", "DE"),))]
    sums = [
        held.tally(meter, subject).between(0, 2 * H0_S)
        for meter, subject in (
            (AVAILABILITY, Subject("fraud")),
            (BY_VERSION, Subject("fraud", "1")),
            (BY_VERSION, Subject("fraud", "2")),
        )
    ]
    assert sums == [(1, 3), (0, 2), (1, 1)]


def test_two_segment_labels_together_are_refused(store: Store) -> None:
    both = Meter("fraud", AVAILABILITY.source, segment={"country": "DE"}, by=("segment.plan",))
    with pytest.raises(QueryError, match="country and plan together"):
        ledger(store, [both]).refresh(H0_S)


def test_a_latency_counts_from_when_its_threshold_was_known(store: Store) -> None:
    fill(store, [at(5, latency_ms=50.0)])
    held = ledger(store, [Meter("fraud", Under(77.0)), FAST])
    held.refresh(H0_S + 60)
    assert len(held.tally(Meter("fraud", Under(77.0)), Subject("fraud"))) == 0
    assert held.tally(FAST, Subject("fraud")).good.tolist() == [1]


def test_what_an_exclusion_covers_is_left_out_of_its_objective_alone(store: Store) -> None:
    fill(store, [at(m * 60, status=500 if 10 <= m < 20 else 200) for m in range(120)])
    half = Exclusion(1, H0_S + 600, H0_S + 1200, "ann", "move", "fraud", "availability")
    held = ledger(store, fine_s=HOUR_S, exclusions=[half])
    held.refresh(H0_S + 6 * HOUR_S)
    subject = Subject("fraud")
    whole = held.tally(AVAILABILITY, subject, objective="other")
    assert whole.between(H0_S, H0_S + 7200) == (10, 120)
    assert len(whole) == 61  # the hour that is cut by the minute, the other one whole
    left = held.tally(AVAILABILITY, subject, objective="availability")
    assert left.between(H0_S, H0_S + 7200) == (0, 110)
    assert held.tally(AVAILABILITY, subject, objective="availability", excluded=False).between(
        half.from_s, half.to_s
    ) == (10, 10)
    held.exclude([])
    held.refresh(H0_S + 6 * HOUR_S)
    assert len(held.tally(AVAILABILITY, subject, objective="availability")) == 2


OUTCOME = st.sampled_from([200, 200, 500, 504, 404])
RECORDS = st.lists(
    st.tuples(
        st.integers(0, 9 * HOUR_S),  # how far back
        OUTCOME,
        st.sampled_from(["1", "2"]),
        st.sampled_from(["DE", "FR"]),
        st.sampled_from([None, 20.0, 100.0, 250.0]),
        st.sampled_from([1.0, 0.5]),
    ),
    max_size=12,
)
STEPS = st.lists(st.tuples(st.integers(0, 2), RECORDS, st.integers(0, 5 * HOUR_S)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from([0, 1, 4]))
def test_step_by_step_it_comes_to_what_the_records_are(steps: Any, fine_h: int) -> None:
    with TemporaryDirectory() as directory:
        store = Store.open(f"sqlite:///{Path(directory)}/m.db")
        writers = [writer_of(store, i) for i in range(3)]
        held = ledger(store, fine_s=fine_h * HOUR_S)
        seen: list[dict[str, Any]] = []
        now_s = H0_S + 10 * HOUR_S
        for writer, made, further_s in steps:
            now_s += further_s
            new = [
                record(
                    id=f"{len(seen)}-{i}",
                    ts=(now_s - back_s) * 1000,
                    status=status,
                    version=version,
                    segment={"country": country},
                    latency_ms=latency_ms,
                    sample_rate=rate,
                )
                for i, (back_s, status, version, country, latency_ms, rate) in enumerate(made)
            ]
            seen += new
            writers[writer].take(new)
            writers[writer].flush()
            held.refresh(now_s)
            _compare(held, seen, now_s)
        fresh = ledger(store, fine_s=fine_h * HOUR_S)
        fresh.refresh(now_s)
        for meter in METERS:
            assert held.subjects(meter) == fresh.subjects(meter)
            for subject in held.subjects(meter):
                same(held.tally(meter, subject), fresh.tally(meter, subject))
        store.close()


def _compare(held: Ledger, seen: Sequence[dict[str, Any]], now_s: int) -> None:
    to_s = now_s // 60 * 60
    hour_s = (now_s - HOUR_S) // HOUR_S * HOUR_S
    for meter, judge in ((AVAILABILITY, available), (FAST, fast), (BY_VERSION, available)):
        for subject in held.subjects(meter):
            mine = [r for r in seen if subject.version in (None, r["version"])]
            windows = by_window(mine, judge)
            tally = held.tally(meter, subject)
            for from_s in (0, hour_s):
                assert tally.between(from_s, to_s) == pytest.approx(between(windows, from_s, to_s))


def test_an_hour_that_is_cut_is_left_out_whole_once_its_minutes_are_gone(store: Store) -> None:
    fill(store, [at(m * 60) for m in range(120)])
    drop_expired(store, Retention(minute_days=0), {Kind.SERVICE: (60,)}, (H0_S + DAY_S) * 1000)
    half = Exclusion(1, H0_S + 600, H0_S + 1200, "ann", "move")
    held = ledger(store, fine_s=HOUR_S, exclusions=[half])
    held.refresh(H0_S + 6 * HOUR_S)
    assert held.tally(AVAILABILITY, Subject("fraud"), excluded=False).total.tolist() == [60, 60]
    assert held.tally(AVAILABILITY, Subject("fraud")).begin_s.tolist() == [H0_S + HOUR_S]


def test_what_a_failed_refresh_has_not_read_the_next_one_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = fill(store, [at(0), at(0, 1, status=500)])
    held = ledger(store)
    held.refresh(H0_S + 60)
    writer.take([at(30, 2), at(-5 * HOUR_S, 3)])
    writer.flush()
    with monkeypatch.context() as broken:
        broken.setattr(counting_book, "stored_cells", _refuse)
        with pytest.raises(StoreBusy):
            held.refresh(H0_S + 120)
    held.refresh(H0_S + 120)
    assert held.tally(AVAILABILITY, Subject("fraud")).total.tolist() == [1, 3]


def _refuse(*_: Any) -> None:
    raise StoreBusy("the store did not answer")
