"""Incidents over a store: one for each trouble, its timeline, what people do, and who is told next."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.paging.alert import Alert, Status
from monitor.paging.decision import Flush
from monitor.paging.inbox import post
from monitor.paging.incidents import asking
from monitor.paging.incidents.book import Book
from monitor.paging.incidents.costs import Costs
from monitor.paging.incidents.incident import Act, Deed, Phase, incident_of, incident_row
from monitor.paging.incidents.postmortem import postmortem
from monitor.paging.message import Told
from monitor.paging.oncall.escalation import Level
from monitor.paging.running import Running
from monitor.paging.settings import Damping, Integration, Receiver
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

MINUTE_MS = 60_000
SETTINGS = pager_settings(
    route(group_by=("model", "objective"), repeat_interval_ms=5 * MINUTE_MS),
    receivers={name: Receiver(name, (Integration("webhook", 0, None),)) for name in ("team", "lead")},
    incident_by=("model", "version", "objective"),
    escalations={"risk": (Level("lead", 15 * MINUTE_MS),)},
)


def trouble(name: str = "Burn", severity: str = "page", at_ms: int = 0, **labels: str) -> Alert:
    given = {"model": "fraud", "objective": "availability", "owner": "risk"} | labels
    return alert({"alertname": name, "severity": severity, **given}, at_ms, resolve_timeout_ms=10**9)


class Service:
    """Turns on simulated time."""

    def __init__(self, store: Store) -> None:
        self.store, self.now_ms, self.settings = store, 0, SETTINGS
        self.providers = {("team", 0): Provider(), ("lead", 0): Provider()}
        self.start()

    def start(self) -> None:
        self.running = Running(
            self.store, self.settings, "a", self.now_ms, senders=self.providers, rng=random.Random(1)
        )

    def run(self, until_ms: int) -> None:
        while self.now_ms < until_ms:
            for item in self.running.turn(self.now_ms).sending:
                self.running.finished(item, self.running.send(item, 1))
            self.now_ms += 500

    def put(self, *alerts: Alert) -> None:
        post(self.store, alerts, self.now_ms)

    def end(self, one: Alert) -> None:
        self.put(replace(one, ends_ms=self.now_ms, updated_ms=self.now_ms, timeout=False))

    def act(self, act: Act, id: int = 1, text: str = "") -> bool:
        deed = Deed(id, act, "ana", text, self.now_ms)
        return asking.act(self.store, deed, 2, lambda _: self.run(self.now_ms + 500))

    def kinds(self, id: int = 1) -> list[str]:
        return [str(entry.kind) for entry in asking.entries(self.store, id)]

    def told(self, receiver: str = "team") -> list[str]:
        return [m.reason for m in self.providers[receiver, 0].seen]


def test_what_comes_and_goes_is_said_once_in_the_timeline(store: Store) -> None:
    service = Service(store)
    service.settings = replace(SETTINGS, damping=Damping(2, 60 * MINUTE_MS, 5 * MINUTE_MS))
    service.start()
    for _ in range(4):
        one = trouble(at_ms=service.now_ms)
        service.put(one)
        service.run(service.now_ms + 20_000)
        service.end(one)
        service.run(service.now_ms + 20_000)
    assert service.kinds().count("flapping") == 1
    assert service.told() == ["first", "all_resolved", "first"]
    service.run(service.now_ms + 6 * MINUTE_MS)
    assert service.told()[-1] == "all_resolved"
    assert asking.incident(store, 1).phase is Phase.RESOLVED


def test_two_detectors_of_one_trouble_are_one_incident(store: Store) -> None:
    service = Service(store)
    first, second = trouble(at_ms=0), trouble("ModelErrors", detector="prometheus")
    service.put(first)
    service.run(3_000)
    service.put(second)
    service.run(10_000)
    service.end(first)
    service.end(second)
    service.run(20_000)
    (found,) = asking.incidents(store, since_ms=0)
    assert sorted(found.evidence.values()) == ["Burn", "ModelErrors"]
    assert (found.owner, found.severity, found.phase) == ("risk", "page", Phase.RESOLVED)
    assert service.kinds() == [
        *("opened", "alert", "notified", "alert", "notified"),
        *("ended", "ended", "resolved", "notified"),
    ]
    assert found.resolve_ms is not None


def test_the_same_trouble_within_half_an_hour_opens_it_again(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    service.end(trouble())
    service.run(10_000)
    service.start()
    service.put(trouble(at_ms=9_000))
    service.run(20_000)
    (found,) = asking.incidents(store)
    assert (found.id, found.reopened, found.phase) == (1, 1, Phase.OPEN)
    service.end(trouble())
    service.run(50 * MINUTE_MS)
    service.put(trouble(at_ms=50 * MINUTE_MS))
    service.run(51 * MINUTE_MS)
    assert [i.id for i in asking.incidents(store)] == [2]


def test_an_acknowledgement_stops_repeats_and_escalation(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    assert service.act(Act.ACKNOWLEDGE, text="on it")
    service.start()
    service.run(40 * MINUTE_MS)
    assert service.told() == ["first"]
    assert service.told("lead") == []
    found = asking.incident(store, 1)
    assert (found.phase, found.acknowledged_by) == (Phase.ACKNOWLEDGED, "ana")
    service.end(trouble())
    service.run(41 * MINUTE_MS)
    assert service.told() == ["first", "all_resolved"]


def test_a_budget_that_burns_fast_does_not_wait(store: Store) -> None:
    service = Service(store)
    service.settings = replace(
        service.settings, escalations={"risk": (Level("lead", 15 * MINUTE_MS, above_burn=10),)}
    )
    service.start()
    service.put(replace(trouble(), annotations=(("burn", "9.5"),)))
    service.run(8_000)
    assert service.told("lead") == []
    service.put(replace(trouble(at_ms=service.now_ms), starts_ms=0, annotations=(("burn", "12"),)))
    service.run(12_000)
    assert service.told("lead") == ["escalated"]


def test_without_one_the_next_level_is_told_once_and_of_the_end(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(14 * MINUTE_MS)
    assert service.told("lead") == []
    service.run(16 * MINUTE_MS)
    service.start()
    service.run(18 * MINUTE_MS)
    assert service.told("lead") == ["escalated"]
    service.end(trouble())
    service.run(20 * MINUTE_MS)
    assert service.told("lead") == ["escalated", "all_resolved"]
    assert "escalated" in service.kinds()


def test_a_ticket_that_becomes_a_page_is_news(store: Store) -> None:
    service = Service(store)
    service.put(trouble(severity="ticket"))
    service.run(3_000)
    service.put(trouble(severity="page"))
    service.run(10_000)
    assert asking.incident(store, 1).severity == "page"
    assert "severity" in service.kinds()


def test_what_fires_on_after_a_resolve_by_hand_opens_nothing(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    assert service.act(Act.RESOLVE, text="rolled back")
    service.run(60 * MINUTE_MS)
    service.start()
    service.run(61 * MINUTE_MS)
    assert [i.phase for i in asking.incidents(store, since_ms=0)] == [Phase.RESOLVED]
    assert service.told() == ["first"]
    with pytest.raises(QueryError, match="resolved already"):
        service.act(Act.ACKNOWLEDGE)
    assert service.act(Act.NOTE, text="found the cause")


def test_what_people_do_is_kept_with_who_and_why(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    service.act(Act.ASSIGN, text="ben")
    service.act(Act.MITIGATE, text="traffic moved")
    found = asking.incident(store, 1)
    assert (found.commander, found.phase) == ("ben", Phase.MITIGATED)
    people = [(str(e.kind), e.text) for e in asking.entries(store, 1) if e.who == "ana"]
    assert people == [("assigned", "ben"), ("mitigated", "traffic moved")]
    text = postmortem(found, asking.entries(store, 1), Costs("fraud", "no objectives", "no labels"))
    assert "traffic moved" in text
    assert "| mitigated | 1970-01-01T00:00:0" in text
    for wrong, match in ((Act.NOTE, "takes a text"), (Act.ASSIGN, "takes a text")):
        with pytest.raises(QueryError, match=match):
            service.act(wrong)
    with pytest.raises(QueryError, match="there is no incident 7"):
        service.act(Act.NOTE, 7, "x")


def test_a_deed_waits_for_a_pager_that_does_not_run(store: Store) -> None:
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    deed = Deed(1, Act.ACKNOWLEDGE, "ana", "", service.now_ms)
    assert not asking.act(store, deed, 0.2, lambda _: None)
    service.start()
    service.run(5_000)
    assert asking.incident(store, 1).acknowledged_by == "ana"


moments = st.lists(
    st.tuples(
        st.integers(0, 40 * MINUTE_MS),
        st.dictionaries(st.sampled_from("ab"), st.booleans(), max_size=2),
        st.sampled_from([None, None, Act.ACKNOWLEDGE, Act.RESOLVE, Act.MITIGATE]),
    ),
    max_size=25,
)


@given(moments)
def test_there_is_one_open_incident_at_most_and_what_fires_is_in_it(
    some: list[tuple[int, dict[str, bool], Act | None]],
) -> None:
    book, now_ms = Book((), 0, ("model",)), 0
    for after_ms, fires, act in some:
        now_ms += after_ms
        alerts = tuple(
            Told(trouble(name), Status.FIRING if firing else Status.RESOLVED)
            for name, firing in fires.items()
        )
        book.considered(Flush("g", "g", (), "r", now_ms, alerts, {}))
        opened = [i for i in book.incidents if i.is_open]
        assert len(opened) <= 1
        for incident in opened:
            assert incident.firing
            assert incident_of(incident_row(incident)) == incident
            if act is not None:
                book.do(Deed(incident.id, act, "ana", "", now_ms))
        book.forget(now_ms)
    ids = [i.id for i in book.take_changes()[0]]
    assert len(ids) == len(set(ids))
