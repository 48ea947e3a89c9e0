"""A few scenarios in real time, by the same calls: `monitor pager` and the real Alertmanager side by side."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.conftest import server_or_skip
from tests.paging.differential.arena import Arena
from tests.paging.differential.comparing import Tolerance, divergence
from tests.paging.differential.recording import Recording
from tests.paging.differential.running import run_arenas
from tests.paging.differential.scenario import Expire, Push, Reported, Scenario, Silenced, Target
from tests.servers import Alertmanager
from tests.web.pager_sites import RunningPager

pytestmark = pytest.mark.alertmanager

_LATE_MS = 1_500


class OursInPlace:
    """`monitor pager`, asked like the real one."""

    def __init__(self, document: Mapping[str, Any], directory: Path) -> None:
        self._pager = RunningPager(directory, document)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pager.close()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        response = httpx.request(method, f"{self._pager.url}{path}", json=body, timeout=10)
        response.raise_for_status()
        return response.json() if response.text else None


def alert(name: str, starts_ms: int, ends_ms: int | None = None, **annotations: str) -> Reported:
    return Reported({"alertname": name, "model": "fraud"}, starts_ms, ends_ms, annotations)


def scenario(name: str, *steps: Any, by: tuple[str, ...] = ("alertname",), **more: Any) -> Scenario:
    route = {
        **{"receiver": "a", "group_by": list(by), "group_wait": "1s", "group_interval": "4s"},
        "repeat_interval": more.pop("repeat", "1h"),
    }
    receivers = {"a": (Target(), Target(send_resolved=False))}
    return Scenario(name, route, receivers, tuple(steps), 16_000, resolve_timeout_ms=600_000, **more)


# Flushes are at 3, 7, 11 and 15 s.
SCENARIOS = (
    scenario("ends", Push(2_000, (alert("A", 2_000),)), Push(9_000, (alert("A", 2_000, 9_000),))),
    scenario("repeats", Push(2_000, (alert("A", 2_000),)), repeat="6s"),
    scenario(
        "grows",
        Push(2_000, (alert("A", 2_000), alert("B", 2_000))),
        Push(5_000, (alert("C", 5_000, summary="third"), alert("A", 2_000, 5_000))),
        by=("model",),
    ),
    scenario(
        "silence",
        Silenced(500, "s", (("alertname", "=~", "A|B"),), 1_000, 60_000),
        Push(2_000, (alert("A", 2_000), alert("C", 2_000))),
        Expire(9_000, "s"),
    ),
    scenario(
        "inhibit",
        Push(2_000, (alert("A", 2_000),)),
        Push(2_500, (alert("B", 2_500),)),
        Push(9_500, (alert("A", 2_000, 9_500),)),
        inhibit=(
            {"source_matchers": ["alertname=A"], "target_matchers": ["alertname=B"], "equal": ["model"]},
        ),
    ),
)


def test_the_drop_in_tells_what_the_real_one_tells(tmp_path: Path) -> None:
    server_or_skip(lambda: Alertmanager({})).close()
    for _ in range(2):
        ours, real = _both(tmp_path)
        tolerance = Tolerance(early_ms=_LATE_MS, late_ms=_LATE_MS)
        wrong = [
            str(found)
            for s in SCENARIOS
            if (found := divergence(s, ours[s.name].arrivals, real[s.name].arrivals, 0, tolerance))
            is not None
        ]
        assert all(real[s.name].arrivals for s in SCENARIOS)
        if not wrong:
            return
    assert not wrong, "\n".join(wrong)


def _both(directory: Path) -> tuple[dict[str, Recording], dict[str, Recording]]:
    found: list[dict[str, Recording]] = [{}, {}]

    def run(index: int, arena: Arena) -> None:
        found[index] = run_arenas([arena])

    theirs = Arena(SCENARIOS)
    mine = Arena(SCENARIOS, serve=lambda document: OursInPlace(document, _fresh(directory)))
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate((mine, theirs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found[0], found[1]


def _fresh(directory: Path) -> Path:
    """A folder without a store of an earlier run."""
    made = directory / str(len(list(directory.iterdir())))
    made.mkdir()
    return made
