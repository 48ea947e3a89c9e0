"""Alertmanager's own acceptance scenarios, by ours and by the real one."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import server_or_skip
from tests.paging.differential.acceptance import READABLE, Wanted, scenario_of
from tests.paging.differential.arena import Arena
from tests.paging.differential.differences import judge
from tests.paging.differential.ours import Ours
from tests.paging.differential.recording import Arrival
from tests.paging.differential.running import run_arenas
from tests.paging.differential.scenario import Reported
from tests.servers import Alertmanager

_BEGINS_MS = 1_700_000_000_000
_TOLERANCE_MS = 150


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, Any]:
    path = shared / "oracles" / "alertmanager-scenarios.json"
    if not path.exists():
        pytest.skip("there is no ../shared/oracles/alertmanager-scenarios.json beside the project")
    return dict(json.loads(path.read_text()))


@pytest.mark.parametrize("name", READABLE)
def test_ours_tells_what_is_wanted(name: str, facts: dict[str, Any]) -> None:
    scenario, wanted = scenario_of(name, facts)
    arrivals = Ours(scenario, _BEGINS_MS).run()
    for each in wanted:
        within = [a for a in arrivals if each.from_ms <= a.at_ms <= each.to_ms]
        assert len(within) == 1, (each, arrivals)
        assert _agrees(within[0], each), (each, within[0])


def _agrees(arrival: Arrival, wanted: Wanted) -> bool:
    told = list(arrival.body["alerts"])
    if len(told) != len(wanted.alerts):
        return False
    return all(any(_is(alert, each) for alert in told) for each in wanted.alerts)


def _is(alert: dict[str, Any], wanted: Reported) -> bool:
    starts_ms, ends_ms = _ms(alert["startsAt"]), _ms(alert["endsAt"])
    return (
        wanted.labels.items() <= alert["labels"].items()
        and (wanted.annotations == alert["annotations"])
        and (wanted.starts_ms is None or abs(starts_ms - wanted.starts_ms) <= _TOLERANCE_MS)
        and (alert["status"] == "resolved") is (wanted.ends_ms is not None)
        and (wanted.ends_ms is None or abs(ends_ms - wanted.ends_ms) <= _TOLERANCE_MS)
    )


def _ms(moment: str) -> float:
    if moment.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(moment).timestamp() * 1000 - _BEGINS_MS


def test_the_real_one_tells_the_same(facts: dict[str, Any]) -> None:
    server_or_skip(lambda: Alertmanager({})).close()
    scenarios = [scenario_of(name, facts)[0] for name in READABLE]
    wrong = []
    for _ in range(3):
        recordings = run_arenas([Arena(scenarios)])
        verdicts = [judge(s, recordings[s.name]) for s in scenarios]
        if not (wrong := [v for v in verdicts if v.needed is None]):
            return
        scenarios = [v.scenario for v in wrong]
    assert not wrong, "\n".join(f"{v.scenario.name} {v.left}" for v in wrong)
