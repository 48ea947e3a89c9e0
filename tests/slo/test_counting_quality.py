"""Labelled predictions in the ledger: by either time, corrected, and put aside for now."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sli.query import answer
from monitor.sli.question import Question, Time
from monitor.sli.windows import UsualBases
from monitor.slo.counting import Ledger
from monitor.slo.objective import Correct, Meter, Subject
from monitor.store import Store, additions
from tests.slo.counted import same
from tests.store.test_pairs import BEGIN_MS, DAY_MS, LABELS, RECORDS, Bench

HOUR_S, DAY_S = 3600, 86_400
RIGHT = Meter("fraud", Correct())
FRAUD = Subject("fraud")


def ledger(store: Store, meters: Sequence[Meter] = (RIGHT,)) -> Ledger:
    return Ledger(store, UsualBases(), meters, fine_s=DAY_S, coarse_s=40 * DAY_S)


def test_alerts_learn_when_the_label_comes_and_reports_say_when_it_was_predicted(store: Store) -> None:
    bench = Bench(store)
    bench.writers[RECORDS].write([bench.prediction("a"), bench.prediction("b", value="no")], [])
    bench.writers[LABELS].write([], [bench.label("a"), bench.label("b", BEGIN_MS + DAY_MS + 3_600_000)])
    held = ledger(store)
    held.refresh(BEGIN_MS // 1000 + 2 * DAY_S)
    hour_s = BEGIN_MS // 1000 // HOUR_S * HOUR_S
    learnt = held.tally(RIGHT, FRAUD)
    assert learnt.begin_s.tolist() == [hour_s + DAY_S, hour_s + DAY_S + HOUR_S]
    assert (learnt.good.tolist(), learnt.total.tolist()) == ([0, 1], [1, 1])
    told = held.tally(RIGHT, FRAUD, Time.PREDICTION)
    assert (told.begin_s.tolist(), told.good.tolist(), told.total.tolist()) == ([hour_s], [1], [2])


STEPS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 7), st.integers(0, 3 * DAY_S), st.sampled_from(["yes", "no"])),
            max_size=4,
        ),
        st.lists(
            st.tuples(st.integers(0, 7), st.integers(0, 5 * DAY_S), st.sampled_from(["yes", "no"])),
            max_size=6,
        ),
        st.integers(0, 2 * DAY_S),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(STEPS, st.sampled_from([1, 500]))
def test_step_by_step_it_comes_to_what_a_question_answers(steps: Any, rows_at_once: int) -> None:
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(additions, "ROWS_AT_ONCE", rows_at_once)
        store = Store.open(f"sqlite:///{Path(directory)}/m.db")
        bench, held = Bench(store), ledger(store)
        now_s = BEGIN_MS // 1000 + 6 * DAY_S
        for predicted, told, further_s in steps:
            made = [bench.prediction(f"{n}", BEGIN_MS + at * 1000, value) for n, at, value in predicted]
            bench.writers[RECORDS].write(made, [])
            labels = [bench.label(f"{n}", BEGIN_MS + at * 1000, value) for n, at, value in told]
            bench.writers[LABELS].write([], labels)
            now_s += further_s
            held.refresh(now_s)
            for time in Time:
                _compare(store, held, time, now_s)
        fresh = ledger(store)
        fresh.refresh(now_s)
        for time in Time:
            same(held.tally(RIGHT, FRAUD, time), fresh.tally(RIGHT, FRAUD, time))
        store.close()


def _compare(store: Store, held: Ledger, time: Time, now_s: int) -> None:
    tally = held.tally(RIGHT, FRAUD, time)
    found = {b: (g, n) for b, g, n in zip(tally.begin_s, tally.good, tally.total, strict=True)}
    begin_s = BEGIN_MS // 1000 // HOUR_S * HOUR_S
    asked = Question("fraud", "accuracy", begin_s * 1000, now_s // HOUR_S * HOUR_S * 1000, HOUR_S, time=time)
    answers = answer(store, asked, now_s * 1000)
    for i, row in enumerate(answers):
        good, total = found.get(begin_s + i * HOUR_S, (0.0, 0.0))
        if total > 0:
            assert row["value"] == pytest.approx(good / total)
            assert row["count"] == total
        else:
            assert row["value"] is None
