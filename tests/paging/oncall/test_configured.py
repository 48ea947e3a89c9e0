"""Rotations and quiet hours from a configuration, to what people are told, and the commands."""

from datetime import datetime
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.paging.configured import pager_settings
from tests.cli.run import run
from tests.paging.simulated import Simulated, alert

FILE = """\
store: sqlite:///m.db
source: {files: {path: .}}
paging:
  to: embedded
  route:
    receiver: oncall-risk
    group_by: [model]
    group_wait: 0s
    group_interval: 1m
  receivers:
  - {name: ana, console_configs: [{}]}
  - {name: ben, console_configs: [{}, {}]}
  owners:
    risk:
      quiet_hours: {from: "18:00", to: "08:00", time_zone: Europe/Berlin}
  rotations:
    risk:
      layers:
      - {people: [ana, ben], every: 1d, since: 2026-03-02, handover: "09:00", time_zone: Europe/Berlin}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "monitor.yaml"
    path.write_text(FILE)
    return path


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+01:00").timestamp() * 1000)


def simulated(file: Path, now: str) -> Simulated:
    return Simulated(pager_settings(load_config(file, {}).paging), now_ms=at(now))


def test_whoever_is_on_call_is_told_and_whoever_was_of_the_end(file: Path) -> None:
    sim = simulated(file, "2026-03-03T08:00")
    names = {i.index: i.kind for i in sim.settings.receivers["oncall-risk"].integrations}
    labels = {"model": "fraud", "alertname": "A"}
    sim.put(alert(labels, sim.now_ms, at("2026-03-03T12:00")))
    sim.run(at("2026-03-03T10:00"))
    sim.put(alert(labels, at("2026-03-03T08:00"), sim.now_ms, at_ms=sim.now_ms))
    sim.run(at("2026-03-03T11:00"))
    told: dict[int, list[str]] = {index: [] for index in names}
    for _, message in sim.sent:
        told[message.integration].append(message.reason)
    assert sorted(told.values()) == [["first", "all_resolved"]] * 3


def test_tickets_of_an_owner_wait_for_the_morning_and_pages_do_not(file: Path) -> None:
    sim = simulated(file, "2026-03-03T20:00")
    for severity in ("ticket", "page"):
        given = {"model": severity, "alertname": severity, "owner": "risk", "severity": severity}
        sim.put(alert(given, sim.now_ms, at("2026-03-05T00:00")))
    sim.run(at("2026-03-04T07:59"))
    assert {dict(m.group_labels)["model"] for _, m in sim.sent} == {"page"}
    sim.run(at("2026-03-04T08:02"))
    assert {dict(m.group_labels)["model"] for _, m in sim.sent} == {"page", "ticket"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "people: [ana, ben]",
            "people: [ana, bob]",
            "19: paging.rotations.risk.layers[0].people: there is no",
        ),
        (
            "every: 1d",
            "every: 1h",
            "19: paging.rotations.risk.layers[0].every: '1h' is no whole number of days",
        ),
        ("since: 2026-03-02", "since: soon", "19: paging.rotations.risk.layers[0].since: 'soon' is no date"),
        (
            'handover: "09:00"',
            'handover: "9"',
            "19: paging.rotations.risk.layers[0].handover: '9' is no time",
        ),
        ("receiver: oncall-risk", "receiver: oncall-x", "6: paging.route.receiver: there is no receiver"),
        ('from: "18:00"', 'from: "25:00"', "15: paging.owners.risk.quiet_hours.from: '25:00' is no time"),
    ],
)
def test_a_mistake_is_shown_with_its_line(file: Path, old: str, new: str, line: str) -> None:
    file.write_text(FILE.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load_config(file, {})
    (problem,) = error.value.problems
    assert problem.startswith(f"{file}:{line}")


def test_shifts_are_shown_and_exported(file: Path, tmp_path: Path) -> None:
    shown = run("oncall", "show", "--at", "2026-03-02T12:00:00Z", "--days", "2", "-c", str(file))
    assert [line.split()[1] for line in shown.out.splitlines()[2:]] == ["ana", "ben", "ana"]
    path = tmp_path / "risk.ics"
    assert run("oncall", "export", "risk", "-o", str(path), "-c", str(file)).code == 0
    assert path.read_text().startswith("BEGIN:VCALENDAR")
    assert run("oncall", "show", "x", "-c", str(file)).code != 0


def test_routes_of_our_own_file_are_asked_too(file: Path) -> None:
    assert run("route", "test", "-c", str(file), "owner=risk").out == "oncall-risk\n"
