"""A stream that is scraped while it comes in: a real Prometheus with the rules that monitor writes for it,
and monitor itself, tell of the same outage within one evaluation interval of monitor's."""

import contextlib
import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.service import Service
from monitor.slo.prometheus import budget_rules, counted
from monitor.slo.prometheus.budget_rules import budget_groups
from monitor.slo.prometheus.groups import document
from monitor.slo.prometheus.naming import Links
from monitor.slo.settings import from_config
from tests.builders import encode, record
from tests.servers import Prometheus, PrometheusConfig
from tests.servers.ports import free_ports
from tests.waiting import until

BASE_S, STEP_S = 10, 2
# For a period of a day windows shrink to a thirtieth: to a minute and twenty seconds. It fires above 28.8 %.
CONFIG = """
store: sqlite:///{directory}/m.db
source: {{files: {{path: {directory}/spool}}}}
web: {{port: {port}}}
windows: {{service: {base}s}}
stream: {{disorder: 1s}}
slo: {{generic: false, policies: []}}
models:
  fraud:
    objectives:
      availability:
        objective: 99
        window: 1d
        alerts: [{{spent: 2, long: 30m, short: 10m, severity: page}}]
"""
FIRING = 'ALERTS{alertname="AvailabilityBudgetBurn",alertstate="firing",model="fraud"}'


@dataclass(slots=True)
class Stream:
    """Requests that are logged as time passes, fifty a second; `failing`: all of them fail from now on."""

    path: Path
    failing: bool = False

    def run(self, stop: threading.Event) -> None:
        number = itertools.count()
        while not stop.wait(0.1):
            at_ms, status = time.time_ns() // 1_000_000, 503 if self.failing else 200
            lines = [encode(record(id=f"r{next(number)}", ts=at_ms + i, status=status)) for i in range(5)]
            with open(self.path, "ab") as log:
                log.write(b"\n".join(lines) + b"\n")


@pytest.fixture
def started() -> Iterator[Callable[[Callable[[threading.Event], None], Callable[[], None]], None]]:
    """Runs functions in threads that are stopped at the end, the last first."""
    with contextlib.ExitStack() as running:

        def start(run: Callable[[threading.Event], None], end: Callable[[], None]) -> None:
            stop = threading.Event()
            thread = threading.Thread(target=run, args=(stop,))
            running.callback(thread.join, 20)
            running.callback(end)
            running.callback(stop.set)
            thread.start()

        yield start


def rules_of(path: Path, config_file: Path) -> Path:
    """The rules that monitor writes for the one objective."""
    (objective,) = from_config(load_config(config_file)).objectives
    path.write_text(document(budget_groups(objective, Links())))
    return path


def history(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v1/alerts/history?model=fraud", timeout=5) as answer:
        return [change for change in json.loads(answer.read()) if change["after"] == "firing"]


@pytest.mark.timeout(150)
def test_both_tell_of_an_outage_within_one_interval(
    tmp_path: Path,
    prometheus_factory: Callable[[PrometheusConfig], Prometheus],
    started: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (counted, budget_rules):  # half a minute is a third of such windows
        monkeypatch.setattr(module, "STEP_S", STEP_S)
    (port,) = free_ports(1)
    (tmp_path / "spool").mkdir()
    config_file = tmp_path / "monitor.yaml"
    config_file.write_text(CONFIG.format(directory=tmp_path, port=port, base=BASE_S))
    stream = Stream(tmp_path / "spool" / "log.jsonl")
    started(stream.run, lambda: None)
    service = Service(load_config(config_file))
    started(lambda _: service.run(), service.stop)
    url = f"http://127.0.0.1:{port}"
    prometheus = prometheus_factory(
        PrometheusConfig({"monitor": [f"127.0.0.1:{port}"]}, [rules_of(tmp_path / "rules.yaml", config_file)])
    )
    prometheus.wait_for("sum(monitor_requests_total) > 1500", 50)
    assert (history(url), prometheus.query(FIRING)) == ([], [])

    stream.failing, begun_s = True, time.time()
    (theirs,) = prometheus.wait_for(FIRING, 45)
    until(lambda: history(url), 2 * BASE_S)
    (ours,) = history(url)
    at_s = datetime.fromisoformat(ours["at"]).timestamp()
    assert 0 < theirs.time_s - begun_s < 30
    # Monitor looks at whole windows only, Prometheus scrapes each second and evaluates every two.
    assert abs(theirs.time_s - at_s) <= BASE_S + STEP_S
