"""`monitor retraining ..`, the section of `monitor backtest`, and the task of the service."""

import json
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.config import load_config
from monitor.job.report import JobStatus
from monitor.requesting import RetrainingTask
from monitor.retraining.asking import Retrainer
from monitor.retraining.settings import policies
from monitor.store import Store, lease
from monitor.store.engine import writing
from monitor.store.events import write
from monitor.store.retraining import list_requests
from tests.builders import NOW_MS, record
from tests.cards.making import happened
from tests.cli.run import run
from tests.filling import fill

HOUR_MS = 3_600_000
CONFIG = """
store: sqlite:///{path}/m.db
source: {{files: {{path: {path}}}}}
models: {{fraud: {{}}}}
retraining:
- model: fraud
  when: {{age: {{above: 1h}}}}
  cool_down: 1h
  webhook: {{url: 'http://127.0.0.1:9/x'}}
  dry_run: false
"""
AT_MS = NOW_MS


@pytest.fixture
def config(tmp_path: Path, store: Store) -> str:
    old = happened(("training_run", NOW_MS - 9 * HOUR_MS, {}))
    with writing(store.engine) as connection:
        write(store, connection, old)
    for i in range(3):
        fill(store, [record(id=f"{i}-{n}", ts=NOW_MS - i * HOUR_MS) for n in range(3)])
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG.format(path=tmp_path))
    return str(path)


def task(store: Store, config: str, holder: str = "me") -> RetrainingTask:
    known = load_config(config)
    return RetrainingTask(
        store, Retrainer(store, policies(known), known.windows), holder, StreamClock(NOW_MS)
    )


def test_a_request_is_made_listed_approved_and_followed(config: str, store: Store) -> None:
    beside = task(store, config)
    beside.run(JobStatus(ready=True, problem=None, watermark_ms=NOW_MS))
    beside.stop()
    (asked,) = json.loads(run("retraining", "list", "-c", config, "--format", "json").out)[0]["requests"]
    assert (asked["status"], asked["gate"]) == ("waiting for approval", None)
    done = run("retraining", "approve", str(asked["id"]), "--as", "ada", "-c", config)
    assert (done.code, done.out) == (0, f"request {asked['id']} of fraud: approved by ada\n")
    again = run("retraining", "reject", str(asked["id"]), "--as", "bob", "-c", config)
    assert (again.code, again.err) == (2, f"monitor: request {asked['id']} was approved by ada already\n")
    with writing(store.engine) as connection:
        trained = {"id": "r-2", "version": "4", "request": asked["event"], "log_url": "https://ci/2"}
        write(store, connection, happened(("cost", 1, {}), ("training_run", NOW_MS + 5000, trained))[1:])
    shown = run("retraining", "show", str(asked["id"]), "--gate", "-c", config)
    # Version 4 does not serve yet, so that nothing can be said of it.
    assert shown.code == 3
    assert "status  succeeded" in shown.out
    assert "gate  not enough data" in shown.out
    assert "log url  https://ci/2" in shown.out
    assert "approved retraining of fraud" in run("audit", "log", "-c", config).out


def test_who_has_no_lease_asks_nothing(config: str, store: Store) -> None:
    lease.acquire(store, "retraining", "another", NOW_MS, 60_000)
    beside = task(store, config)
    beside.run(JobStatus(ready=True, problem=None, watermark_ms=NOW_MS))
    beside.stop()
    assert list_requests(store) == []


def test_what_is_behind_the_clock_asks_by_event_time(config: str, store: Store) -> None:
    beside = task(store, config)
    beside.run(JobStatus(ready=True, problem=None, watermark_ms=NOW_MS - HOUR_MS))
    beside.stop()
    (asked,) = list_requests(store)
    assert asked.at_ms <= NOW_MS - HOUR_MS


def test_a_backtest_says_when_it_would_have_asked_and_asks_nobody(config: str, store: Store) -> None:
    found = json.loads(run("backtest", "-c", config, "--format", "json").out)["retraining"]
    (one,) = found
    assert one["policy"] == "fraud"
    assert len(one["requests"]) == sum(one["looks"].values()) >= 2
    assert one["requests"][0]["reason"].startswith("training is 0.")
    assert "retraining fraud:" in run("backtest", "-c", config).out
    assert list_requests(store) == []


def test_what_is_not_there_is_an_error(config: str) -> None:
    for command in (("show", "9"), ("approve", "9")):
        ran = run("retraining", *command, "-c", config)
        assert (ran.code, ran.err) == (
            2,
            "monitor: there is no request 9; `monitor retraining list` shows them\n",
        )
