"""Samples after crashes, takeovers, zombies and lost answers: those of a run without any."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.profiles.samples import Reason, SampleSettings
from monitor.store.names import models
from monitor.store.samples import list_samples
from monitor.store.store import Store
from tests.exactly_once.conftest import Fresh
from tests.exactly_once.records import Generator
from tests.exactly_once.simulation import SAMPLES, Process, Simulation
from tests.fakes import MemoryLog

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 25
# Wrong predictions are picked where labels are joined, and taken back by corrections: see tests/job.
REASONS = tuple(reason for reason in Reason if reason is not Reason.WRONG)
FAILPOINTS = ("flush.before_swap", "flush.after_swap", "flush.before_commit", "flush.after_commit")


def sampled(store: Store, settings: SampleSettings) -> list[tuple[Any, ...]]:
    """Every sample of the store under its model's and version's names."""
    found = []
    for model in models(store):
        for each in list_samples(store, settings, model=model, reasons=REASONS, limit=100_000):
            s = each.sample
            found.append(
                (model, each.version, s.start_s, s.reason, s.bound, s.id, s.ts_ms, s.prediction, s.features)
            )
    return sorted(found, key=repr)


def test_every_schedule_keeps_the_same_samples(fresh_store: Fresh) -> None:
    reasons = set()
    for seed in range(SEEDS):
        with fresh_store(seed) as store, fresh_store(1000 + seed) as undisturbed:
            simulation = Simulation(store, seed)
            simulation.run(30)
            process = Process(undisturbed, simulation.log, "alone")
            read_all(process, simulation.log)
            wanted = sampled(undisturbed, SAMPLES)
            reasons |= {row[3] for row in wanted}
            assert sampled(store, SAMPLES) == wanted, f"seed {seed}"
    assert reasons == set(REASONS)


def read_all(process: Process, log: MemoryLog) -> None:
    process.source.later(lambda: process.source.give(log.values))
    process.job.step()
    while process.job.step():
        pass
    process.job.flush()


def run(folder: Path, name: str, failpoint: str = "") -> int:
    """Reads the folder's log into a store of that name; returns how the program ended."""
    config = folder / f"{name}.json"
    config.write_text(
        json.dumps(
            {
                "store": f"sqlite:///{folder}/{name}.db",
                "source": {"files": {"path": str(folder / "log"), "lanes": 2}},
                "stream": {"flush_records": 150, "flush_interval": "10ms"},
                "samples": {"per_window": 2, "random_per_window": 3},
                "web": {"port": 0},
            }
        )
    )
    command = [sys.executable, "-m", "monitor.cli", "run", "-c", str(config), "--until-caught-up"]
    environment = {**os.environ, "MONITOR_FAILPOINT": failpoint}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False)
    return done.returncode


def test_killed_at_each_point_of_a_flush(tmp_path: Path) -> None:
    """The program itself, on files, killed and started again."""
    (tmp_path / "log").mkdir()
    generator = Generator(5, 2)
    for lane in range(2):
        lines = [sent.payload + b"\n" for sent in generator.take(600)]
        (tmp_path / "log" / f"{lane}.jsonl").write_bytes(b"".join(lines))
    assert run(tmp_path, "whole") == 0
    for failpoint in FAILPOINTS:
        if run(tmp_path, "killed", f"{failpoint}:1") != -signal.SIGKILL:
            pytest.fail(f"the program was not killed at {failpoint}")
        with (tmp_path / "log" / "0.jsonl").open("ab") as log:
            log.writelines(sent.payload + b"\n" for sent in generator.take(100))
    assert run(tmp_path, "killed") == 0
    assert run(tmp_path, "whole") == 0
    stores = [Store.open(f"sqlite:///{tmp_path}/{name}.db") for name in ("whole", "killed")]
    found = [sampled(store, SAMPLES) for store in stores]
    for store in stores:
        store.close()
    assert found[0] == found[1]
    assert len(found[0]) > 20
