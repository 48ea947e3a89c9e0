"""The detectors in the store: every closed window once, whatever crashes or competes."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitor.clock import StreamClock
from monitor.config import Config
from monitor.job.report import JobStatus
from monitor.service import Service
from monitor.store import Store
from monitor.store.detectors import ConceptAlarm, Held, held, list_alarms, swap
from monitor.watching import ConceptTask, watch
from tests.builders import encode, record
from tests.labelling import binary
from tests.outcomes import add_outcomes, labels_have_come_to
from tests.store.conftest import store

__all__ = ["store"]

HOUR_S = 3600
T0_S = 1_700_000_000 // HOUR_S * HOUR_S
HOURS = 120
END_MS = (T0_S + HOURS * HOUR_S) * 1000
HOLD_MS = 60_000
FOREVER_S = (0, 1 << 40)


def drifting(store: Store) -> None:
    """100 labels an hour; from the middle on a model that was right 9 times of 10 is right 6 times of 10."""
    rng = np.random.default_rng(3)
    ts_s = T0_S + np.repeat(np.arange(HOURS), 100) * HOUR_S
    truth = rng.integers(0, 2, len(ts_s))
    right = rng.random(len(ts_s)) < np.where(ts_s < T0_S + HOURS // 2 * HOUR_S, 0.9, 0.6)
    add_outcomes(store, binary(truth, np.where(right, truth, 1 - truth)), ts_s)


def found(store: Store) -> tuple[dict[str, Held], list[ConceptAlarm]]:
    return held(store, "fraud"), list_alarms(store, "fraud", *FOREVER_S)


@pytest.fixture
def at_once(tmp_path: Path) -> tuple[dict[str, Held], list[ConceptAlarm]]:
    """What one process finds that never stops."""
    plain = Store.open(f"sqlite:///{tmp_path}/plain.db")
    drifting(plain)
    labels_have_come_to(plain, END_MS, END_MS)
    assert watch(plain, HOUR_S, END_MS, HOLD_MS) > 0
    expected = found(plain)
    plain.close()
    return expected


def test_alarms_come_after_the_drift_begins(at_once: tuple[dict[str, Held], list[ConceptAlarm]]) -> None:
    kept, alarms = at_once
    assert kept["1"].last_s == T0_S + (HOURS - 1) * HOUR_S
    assert {a.detector for a in alarms} == {"adwin", "page_hinkley"}
    assert alarms[0].start_s >= T0_S + HOURS // 2 * HOUR_S
    assert all(a.after > a.before for a in alarms)


def test_hour_by_hour_is_the_same_as_at_once(store: Store, at_once: object) -> None:
    drifting(store)
    for hour in range(HOURS + 1):
        labels_have_come_to(store, (T0_S + hour * HOUR_S) * 1000, END_MS)
        watch(store, HOUR_S, END_MS, HOLD_MS)
        kept = held(store, "fraud")
        assert (kept["1"].last_s if kept else None) == (T0_S + (hour - 1) * HOUR_S if hour else None)
    assert found(store) == at_once


def test_two_replicas_take_no_window_twice(store: Store, at_once: object) -> None:
    drifting(store)
    begin = threading.Barrier(2)

    def replica() -> None:
        for hour in range(0, HOURS + 1, 10):
            labels_have_come_to(store, (T0_S + hour * HOUR_S) * 1000, END_MS)
            begin.wait(30)
            watch(store, HOUR_S, END_MS, HOLD_MS)
            begin.wait(30)

    threads = [threading.Thread(target=replica) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found(store) == at_once


CHILD = """
import sys
from monitor.service import Service
from monitor.store import Store
from monitor.watching import watch
import monitor.watching
monitor.watching._WINDOWS_AT_ONCE = 20
store = Store.open(sys.argv[1])
watch(store, 3600, int(sys.argv[2]), 60_000)
"""


def test_a_process_that_is_killed_in_a_step_changes_nothing(store: Store, at_once: object) -> None:
    """Killed before the third commit, again and again; each time two steps further."""
    drifting(store)
    labels_have_come_to(store, END_MS, END_MS)
    url = store.engine.url.render_as_string(hide_password=False)
    killed = 0
    while True:
        child = subprocess.run(
            [sys.executable, "-c", CHILD, url, str(END_MS)],
            env={**os.environ, "MONITOR_FAILPOINT": "detectors.before_commit:3"},
            timeout=120,
            check=False,
        )
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        killed += 1
    assert killed >= 2
    assert found(store) == at_once


def test_a_swap_from_a_state_that_is_gone_writes_nothing(store: Store) -> None:
    first, second = Held(0, "a"), Held(3600, "b")
    alarm = ConceptAlarm("fraud", "1", "adwin", 3600, 0.1, 0.4)
    assert swap(store, "fraud", "1", None, first, [], 0)
    assert not swap(store, "fraud", "1", None, second, [alarm], 0)
    assert swap(store, "fraud", "1", first, second, [alarm], 0)
    assert not swap(store, "fraud", "1", first, second, [alarm], 0)
    assert found(store) == ({"1": second}, [alarm])


def test_open_windows_wait_and_so_does_everything_without_labels(store: Store) -> None:
    drifting(store)
    assert watch(store, HOUR_S, END_MS, HOLD_MS) == 0
    assert found(store) == ({}, [])
    labels_have_come_to(store, (T0_S + 90 * 60) * 1000, END_MS)
    watch(store, HOUR_S, END_MS, HOLD_MS)
    assert held(store, "fraud")["1"].last_s == T0_S


def test_a_state_that_cannot_be_read_is_learnt_anew(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    drifting(store)
    broken = Held(T0_S + 9 * HOUR_S, "{}")
    swap(store, "fraud", "1", None, broken, [], 0)
    labels_have_come_to(store, END_MS, END_MS)
    assert watch(store, HOUR_S, END_MS, HOLD_MS) > 0
    assert "concept drift is learnt anew" in caplog.text
    assert held(store, "fraud")["1"].last_s == T0_S + (HOURS - 1) * HOUR_S


def test_the_task_of_one_replica_at_a_time(store: Store, at_once: object) -> None:
    drifting(store)
    labels_have_come_to(store, END_MS, END_MS)
    clock = StreamClock(END_MS)
    status = JobStatus(ready=True, problem=None)
    mine, theirs = (ConceptTask(store, name, HOUR_S, HOLD_MS, clock) for name in ("a", "b"))
    mine.run(status)
    mine.stop()
    theirs.run(status)
    theirs.stop()
    assert found(store) == at_once


def test_elec2_through_the_store(store: Store, shared: Path) -> None:
    """Hourly windows of two labels each, over 27 months."""
    frame = pd.read_csv(shared / "data/elec2/static_model_predictions.csv.gz")[:12_000]
    ts_s = 831_427_200 + frame.row.to_numpy() * 1800
    add_outcomes(store, binary(frame.target, frame.y_pred, frame.y_pred_proba), ts_s)
    end_ms = (int(ts_s.max()) + 86_400) * 1000
    labels_have_come_to(store, end_ms, end_ms)
    assert watch(store, HOUR_S, end_ms, HOLD_MS) > 0
    first = list_alarms(store, "fraud", *FOREVER_S)[0]
    assert 14_640 <= (first.start_s - 831_427_200) / 1800 <= 15_640


def test_a_run_until_caught_up_watches_to_the_end(tmp_path: Path) -> None:
    """Files of inferences and of labels, read once; the model gets worse half-way."""
    rng = np.random.default_rng(5)
    n = 4_000
    right = rng.random(n) < np.where(np.arange(n) < n // 2, 0.9, 0.5)
    for name in ("inferences", "labels"):
        (tmp_path / name).mkdir()
    with (
        open(tmp_path / "inferences/a.jsonl", "wb") as inferences,
        open(tmp_path / "labels/a.jsonl", "wb") as labels,
    ):
        for i in range(n):
            ts_ms = (T0_S + i * 60) * 1000
            inferences.write(encode(record(id=f"r{i}", ts=ts_ms, prediction=1, score=...)) + b"\n")
            labels.write(encode({"id": f"r{i}", "ts": ts_ms + 1000, "label": int(right[i])}) + b"\n")
    source = {
        kind: {"path": str(tmp_path / name), "lanes": 1}
        for kind, name in (("files", "inferences"), ("labels", "labels"))
    }
    url = f"sqlite:///{tmp_path}/run.db"
    Service(Config(store=url, source=source), web=False, follow=False).run(until_caught_up=True)
    opened = Store.open(url)
    alarms = list_alarms(opened, "fraud", *FOREVER_S)
    opened.close()
    assert alarms
    assert alarms[0].start_s >= T0_S + n // 2 * 60 - HOUR_S
