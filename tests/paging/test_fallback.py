"""Somebody else is told of what could not be delivered; over a store, on simulated time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.paging.configured import pager_settings as configured
from monitor.paging.message import Delivery, Message, Purpose, Result
from monitor.paging.settings import Fallback, Integration, Receiver
from monitor.paging.templates import DEFAULT, Part
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.paging.turns import MINUTE_MS, Turns
from tests.store.conftest import store

__all__ = ["store"]

NAMES = ("team", "lead", "boss")


def turns(store: Store, *, two: bool = False) -> Turns:
    """`team` falls back on `lead`, and that on `boss`; `two`: the team has two integrations."""
    receivers = {name: Receiver(name, (Integration("webhook", 0, None),)) for name in NAMES}
    if two:
        receivers["team"] = Receiver("team", tuple(Integration("webhook", i, None) for i in range(2)))
    settings = pager_settings(
        route(group_by=("model",), repeat_interval_ms=4 * 60 * MINUTE_MS),
        receivers=receivers,
        incident_by=("model",),
        fallback=Fallback("lead", 5 * MINUTE_MS),
        fallbacks={"lead": Fallback("boss", 5 * MINUTE_MS)},
    )
    targets = [(name, i.index) for name, r in receivers.items() for i in r.integrations]
    return Turns(store, settings, {target: Provider() for target in targets})


def fire(service: Turns, *, ends: bool = False) -> None:
    ends_ms, labels = service.now_ms if ends else None, {"alertname": "Burn", "model": "fraud"}
    service.put(alert(labels, 0, ends_ms, at_ms=service.now_ms, resolve_timeout_ms=10**9))


def told(service: Turns, name: str) -> list[tuple[Purpose, str]]:
    return [(m.purpose, str(m.status)) for m in service.seen(name)]


def away(message: Message, attempt: int) -> Delivery:
    return Delivery(Result.TRANSIENT, "answered 503")


def refuses(message: Message, attempt: int) -> Delivery:
    return Delivery(Result.PERMANENT, "answered 404")


FIRING, ENDED = (Purpose.FALLBACK, "firing"), (Purpose.ESCALATION, "resolved")


def test_what_waits_for_too_long_goes_to_the_fallback_with_its_end(store: Store) -> None:
    service = turns(store)
    service.providers["team", 0].answers = away
    fire(service)
    service.run(4)
    assert told(service, "lead") == []
    service.run(3)
    assert told(service, "lead") == [FIRING]
    (message,) = service.seen("lead")
    assert message.text == "team could not be reached: answered 503"
    assert message.text in DEFAULT.render(Part.TEXT, message)
    assert DEFAULT.render(Part.TITLE, message).startswith("[FALLBACK PAGE] ")
    service.providers["team", 0].answers = Provider().answers
    service.run(10)
    assert told(service, "team") == [(Purpose.GROUP, "firing")]  # it still gets its own
    fire(service, ends=True)
    service.run(10)
    assert told(service, "team")[-1][1] == "resolved"
    assert told(service, "lead") == [FIRING, ENDED]
    assert told(service, "boss") == []
    assert service.said("fallback") == ["lead: team could not be reached: answered 503"]


def test_what_is_refused_for_good_goes_there_at_once(store: Store) -> None:
    service = turns(store)
    service.providers["team", 0].answers = refuses
    fire(service)
    service.run(1)
    assert told(service, "lead") == [FIRING]
    service.run(15)
    assert told(service, "lead") == [FIRING]


def test_a_fallback_that_is_away_has_one_of_its_own(store: Store) -> None:
    service = turns(store)
    service.providers["team", 0].answers = service.providers["lead", 0].answers = away
    fire(service)
    service.run(8)
    assert told(service, "boss") == []
    service.run(5)
    assert told(service, "boss") == [FIRING]


@pytest.mark.parametrize("answers", [away, refuses])
def test_who_was_told_another_way_needs_none(
    store: Store, answers: Callable[[Message, int], Delivery]
) -> None:
    service = turns(store, two=True)
    service.providers["team", 1].answers = answers
    fire(service)
    service.run(30)
    assert told(service, "team") == [(Purpose.GROUP, "firing")]
    assert told(service, "lead") == []


def test_a_restart_tells_it_once(store: Store) -> None:
    service = turns(store)
    service.providers["team", 0].answers = away
    fire(service)
    for _ in range(12):
        service.run(1)
        service.start()
    assert told(service, "lead") == [FIRING]


def test_what_ended_before_it_was_told_is_told_to_nobody(store: Store) -> None:
    service = turns(store)
    service.providers["team", 0].answers = away
    fire(service)
    service.run(2)
    fire(service, ends=True)
    service.run(20)
    assert told(service, "lead") == []


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
