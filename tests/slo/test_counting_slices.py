"""Slices of time in the ledger: measured once, and again where something was written since."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.sli.query import answer, find
from monitor.sli.question import Question, Time
from monitor.slo import counting_gauge
from monitor.slo.objective import Bound, Meter, Subject
from monitor.store import Store
from tests.builders import record
from tests.slo.counted import same
from tests.slo.test_counting import DAY_S, H0_S, HOUR_S, at, fill, ledger, writer_of
from tests.slo.test_counting_quality import ledger as quality_ledger
from tests.store.test_pairs import BEGIN_MS, LABELS, RECORDS, Bench

SLOW = Meter("fraud", Bound("latency_p50", at_most=100.0), slice_s=300)
SLOW_BY_VERSION = Meter("fraud", Bound("latency_p50", at_most=100.0), slice_s=300, by=("version",))
QUIET = Meter("fraud", Bound("records", at_most=2), slice_s=7200)
NULLS = Meter("fraud", Bound("null_share", at_most=0.5, feature="amount"), slice_s=600)
METERS = (SLOW, SLOW_BY_VERSION, QUIET, NULLS)
FRAUD = Subject("fraud")


def test_slices_are_good_within_the_bound_and_absent_without_a_value(store: Store) -> None:
    fill(store, [at(0, latency_ms=50.0), at(650, latency_ms=500.0), at(1000, latency_ms=None)])
    held = ledger(store, [SLOW])
    held.refresh(H0_S + 1800)
    tally = held.tally(SLOW, FRAUD)
    assert tally.begin_s.tolist() == [H0_S, H0_S + 600]
    assert tally.end_s.tolist() == [H0_S + 300, H0_S + 900]
    assert (tally.good.tolist(), tally.total.tolist()) == ([1, 0], [1, 1])


def test_a_slice_waits_for_its_delay(store: Store) -> None:
    fill(store, [at(0)])
    late = Meter("fraud", SLOW.source, slice_s=300, delay_s=600)
    held = ledger(store, [late])
    held.refresh(H0_S + 899)
    assert len(held.tally(late, FRAUD)) == 0
    held.refresh(H0_S + 900)
    assert held.tally(late, FRAUD).begin_s.tolist() == [H0_S]


def test_what_was_measured_is_not_measured_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []

    def counted(store: Store, question: Question, *rest: Any) -> Any:
        asked.append(question)
        return find(store, question, *rest)

    monkeypatch.setattr(counting_gauge, "find", counted)
    writer = fill(store, [at(s) for s in range(0, 1800, 100)])
    held = ledger(store, [SLOW])
    held.refresh(H0_S + 1800)
    assert len(asked) == 1
    again = ledger(store, [SLOW])
    again.refresh(H0_S + 1800)
    assert len(asked) == 1
    same(held.tally(SLOW, FRAUD), again.tally(SLOW, FRAUD))
    writer.take([at(400, 1, latency_ms=900.0)])
    writer.flush()
    again.refresh(H0_S + 1860)
    assert [(q.from_ms, q.to_ms) for q in asked[1:]] == [((H0_S + 300) * 1000, (H0_S + 600) * 1000)]


def test_the_newest_slices_are_measured_first(store: Store) -> None:
    fill(store, [at(s) for s in range(0, 3000, 300)])
    held = ledger(store, [SLOW], most_slices=4)
    sizes = []
    for _ in range(3):
        held.refresh(H0_S + 3000)
        sizes.append(held.tally(SLOW, FRAUD).begin_s.tolist())
    assert sizes == [[H0_S + s for s in range(first, 3000, 300)] for first in (1800, 600, 0)]


def test_quality_is_measured_by_either_time(store: Store) -> None:
    bench = Bench(store)
    bench.writers[RECORDS].write([bench.prediction("a")], [])
    bench.writers[LABELS].write([], [bench.label("a")])
    meter = Meter("fraud", Bound("accuracy", at_least=0.5), slice_s=HOUR_S)
    held = quality_ledger(store, [meter])
    held.refresh(BEGIN_MS // 1000 + 2 * DAY_S)
    hour_s = BEGIN_MS // 1000 // HOUR_S * HOUR_S
    learnt, told = (held.tally(meter, FRAUD, time) for time in (Time.LABEL, Time.PREDICTION))
    assert (learnt.begin_s.tolist(), told.begin_s.tolist()) == ([hour_s + DAY_S], [hour_s])
    assert (learnt.good.tolist(), told.good.tolist()) == ([0], [0])


RECORDS_MADE = st.lists(
    st.tuples(
        st.integers(0, 5 * HOUR_S),
        st.sampled_from(["1", "2"]),
        st.sampled_from([None, 20.0, 100.0, 250.0]),
        st.sampled_from([None, 3.0]),
    ),
    max_size=10,
)
STEPS = st.lists(
    st.tuples(st.integers(0, 1), RECORDS_MADE, st.integers(0, 2 * HOUR_S)), min_size=1, max_size=5
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_step_by_step_it_comes_to_what_questions_answer(steps: Any) -> None:
    with TemporaryDirectory() as directory:
        store = Store.open(f"sqlite:///{Path(directory)}/m.db")
        writers = [writer_of(store, i) for i in range(2)]
        held = ledger(store, METERS)
        now_s, n = H0_S + 10 * HOUR_S, 0
        for writer, made, further_s in steps:
            now_s += further_s
            new = []
            for back_s, version, latency_ms, amount in made:
                n += 1
                changes = {"version": version, "latency_ms": latency_ms, "features": {"amount": amount}}
                new.append(record(id=str(n), ts=(now_s - back_s) * 1000, **changes))
            writers[writer].take(new)
            writers[writer].flush()
            held.refresh(now_s)
            _compare(store, held, now_s)
        fresh = ledger(store, METERS)
        fresh.refresh(now_s)
        for meter in METERS:
            for subject in held.subjects(meter):
                same(held.tally(meter, subject), fresh.tally(meter, subject))
        store.close()


def _compare(store: Store, held: Any, now_s: int) -> None:
    for meter in METERS:
        step_s, bound = meter.slice_s, meter.source
        subjects: Sequence[Subject] = held.subjects(meter)
        for subject in subjects:
            asked = Question(
                "fraud",
                bound.sli,
                (now_s - DAY_S) // step_s * step_s * 1000,
                now_s // step_s * step_s * 1000,
                step_s,
                version=subject.version,
                feature=bound.feature,
            )
            try:
                answers = answer(store, asked, now_s * 1000)
            except QueryError:  # no feature has come yet
                answers = []
            values = [row["value"] for row in answers if row["value"] is not None]
            tally = held.tally(meter, subject)
            assert len(tally) == len(values), (meter, subject)
            assert tally.good.tolist() == [float(bound.good(v)) for v in values]
