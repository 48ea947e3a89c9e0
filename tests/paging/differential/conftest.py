"""The real Alertmanager's answers, once for all tests that need them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, server_or_skip
from tests.paging.differential.recording import Recording, read_recordings, write_recordings
from tests.paging.differential.running import Counts, run_real, scenarios_of
from tests.paging.differential.scenario import Scenario
from tests.servers import Alertmanager

SEED = int(os.environ.get("MONITOR_SEED", "1"))
# Developers may keep answers, and compare with them again at once: MONITOR_RECORDED=1.
KEPT = ROOT / "build" / "differential"


@dataclass(frozen=True, slots=True)
class Answered:
    """The scenarios of a seed by name, and the answers to them."""

    scenarios: dict[str, Scenario]
    recordings: dict[str, Recording]

    def each(self) -> Iterator[tuple[Scenario, Recording]]:
        for name, scenario in self.scenarios.items():
            yield scenario, self.recordings[name]


@pytest.fixture(scope="session")
def answered() -> Answered:
    """All scenarios, run through the real one; takes one to two minutes."""
    arenas = scenarios_of(SEED, Counts())
    scenarios = {s.name: s for some in arenas.values() for s in some}
    return Answered(scenarios, _kept(KEPT / f"{SEED}.json") or _run(arenas, KEPT / f"{SEED}.json"))


def _kept(path: Path) -> dict[str, Recording] | None:
    kept = os.environ.get("MONITOR_RECORDED") == "1" and path.exists()
    return read_recordings(path) if kept else None


def _run(arenas: dict[str, list[Scenario]], path: Path) -> dict[str, Recording]:
    server_or_skip(lambda: Alertmanager({})).close()
    recordings = run_real(arenas)
    write_recordings(path, recordings)
    return recordings
