"""Somebody else is told of what could not be delivered; over a store, on simulated time."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.paging.configured import pager_settings as configured
from monitor.paging.inbox import post
from monitor.paging.incidents import asking
from monitor.paging.message import Delivery, Message, Purpose, Result
from monitor.paging.running import Running
from monitor.paging.settings import Fallback, Integration, Receiver
from monitor.paging.templates import DEFAULT, Part
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

MINUTE_MS = 60_000
NAMES = ("team", "lead", "boss")


class Service:
    """Turns on simulated time; `team` has two integrations where `two`."""

    def __init__(self, store: Store, *, two: bool = False) -> None:
        self.store, self.now_ms = store, 0
        receivers = {name: Receiver(name, (Integration("webhook", 0, None),)) for name in NAMES}
        if two:
            receivers["team"] = Receiver("team", tuple(Integration("webhook", i, None) for i in range(2)))
        self.settings = pager_settings(
            route(group_by=("model",), repeat_interval_ms=4 * 60 * MINUTE_MS),
            receivers=receivers,
            incident_by=("model",),
            fallback=Fallback("lead", 5 * MINUTE_MS),
            fallbacks={"lead": Fallback("boss", 5 * MINUTE_MS)},
        )
        targets = [(name, i.index) for name, r in receivers.items() for i in r.integrations]
        self.providers = {target: Provider() for target in targets}
        self.start()

    def start(self) -> None:
        self.running = Running(
            self.store, self.settings, "a", self.now_ms, senders=self.providers, rng=random.Random(1)
        )

    def run(self, minutes: float) -> None:
        until_ms = self.now_ms + round(minutes * MINUTE_MS)
        while self.now_ms < until_ms:
            for item in self.running.turn(self.now_ms).sending:
                self.running.finished(item, self.running.send(item, 1))
            self.now_ms += 5_000

    def fire(self, *, ends: bool = False) -> None:
        ends_ms = self.now_ms if ends else None
        labels = {"alertname": "Burn", "model": "fraud"}
        post(
            self.store, [alert(labels, 0, ends_ms, at_ms=self.now_ms, resolve_timeout_ms=10**9)], self.now_ms
        )

    def seen(self, name: str, integration: int = 0) -> list[tuple[Purpose, str]]:
        return [(m.purpose, str(m.status)) for m in self.providers[name, integration].seen]


def away(message: Message, attempt: int) -> Delivery:
    return Delivery(Result.TRANSIENT, "answered 503")


def refuses(message: Message, attempt: int) -> Delivery:
    return Delivery(Result.PERMANENT, "answered 404")


FIRING, ENDED = (Purpose.FALLBACK, "firing"), (Purpose.ESCALATION, "resolved")


def test_what_waits_for_too_long_goes_to_the_fallback_with_its_end(store: Store) -> None:
    service = Service(store)
    service.providers["team", 0].answers = away
    service.fire()
    service.run(4)
    assert service.seen("lead") == []
    service.run(3)
    assert service.seen("lead") == [FIRING]
    (told,) = service.providers["lead", 0].seen
    assert told.text == "team could not be reached: answered 503"
    assert told.text in DEFAULT.render(Part.TEXT, told)
    assert DEFAULT.render(Part.TITLE, told).startswith("[FALLBACK PAGE] ")
    service.providers["team", 0].answers = Provider().answers
    service.run(10)
    assert service.seen("team") == [(Purpose.GROUP, "firing")]  # it still gets its own
    service.fire(ends=True)
    service.run(10)
    assert service.seen("team")[-1][1] == "resolved"
    assert service.seen("lead") == [FIRING, ENDED]
    assert service.seen("boss") == []
    lines = [entry.text for entry in asking.entries(store)]
    assert "lead: team could not be reached: answered 503" in lines


def test_what_is_refused_for_good_goes_there_at_once(store: Store) -> None:
    service = Service(store)
    service.providers["team", 0].answers = refuses
    service.fire()
    service.run(1)
    assert service.seen("lead") == [FIRING]
    service.run(15)
    assert service.seen("lead") == [FIRING]


def test_a_fallback_that_is_away_has_one_of_its_own(store: Store) -> None:
    service = Service(store)
    service.providers["team", 0].answers = service.providers["lead", 0].answers = away
    service.fire()
    service.run(8)
    assert service.seen("boss") == []
    service.run(5)
    assert service.seen("boss") == [FIRING]


@pytest.mark.parametrize("answers", [away, refuses])
def test_who_was_told_another_way_needs_none(
    store: Store, answers: Callable[[Message, int], Delivery]
) -> None:
    service = Service(store, two=True)
    service.providers["team", 1].answers = answers
    service.fire()
    service.run(30)
    assert service.seen("team") == [(Purpose.GROUP, "firing")]
    assert service.seen("lead") == []


def test_a_restart_tells_it_once(store: Store) -> None:
    service = Service(store)
    service.providers["team", 0].answers = away
    service.fire()
    for _ in range(12):
        service.run(1)
        service.start()
    assert service.seen("lead") == [FIRING]


def test_what_ended_before_it_was_told_is_told_to_nobody(store: Store) -> None:
    service = Service(store)
    service.providers["team", 0].answers = away
    service.fire()
    service.run(2)
    service.fire(ends=True)
    service.run(20)
    assert service.seen("lead") == []


BASE = """
store: sqlite:///m.db
source: {files: {path: .}}
paging:
  to: embedded
  receivers: [{name: team, console_configs: [{}]}, {name: lead, console_configs: [{}]}]
"""


def test_it_stands_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "monitor.yaml"
    file.write_text(BASE + "  fallback: {receiver: lead}\n  fallbacks: {lead: {receiver: team, after: 1m}}\n")
    settings = configured(load_config(file).paging)
    assert settings.fallback_of("team") == Fallback("lead", 300_000)
    assert settings.fallback_of("lead") == Fallback("team", 60_000)
    wrong = "  fallback: {receiver: nobody}\n  fallbacks: {lead: {receiver: lead}, gone: {receiver: lead}}\n"
    file.write_text(BASE + wrong)
    with pytest.raises(ConfigError) as error:
        load_config(file)
    assert [line.split(": ", 1)[1] for line in error.value.problems] == [
        "paging.fallback.receiver: there is no receiver 'nobody'; define it under receivers",
        "paging.fallbacks.lead.receiver: falls back on itself; name another",
        "paging.fallbacks.gone: there is no receiver 'gone'; define it under receivers",
    ]
