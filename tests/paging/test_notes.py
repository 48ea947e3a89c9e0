"""Signs of life, acknowledgements where they are shown, and what a message knows besides its alerts."""

import random
from collections import Counter

from monitor.paging.inbox import post
from monitor.paging.incidents import asking
from monitor.paging.incidents.incident import Act, Deed
from monitor.paging.message import Message, Purpose
from monitor.paging.receivers.heartbeat import HeartbeatConfig
from monitor.paging.running import Running
from monitor.paging.settings import Integration, Receiver
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

RECEIVERS = {
    "team": Receiver("team", (Integration("pagerduty", 0, None), Integration("webhook", 1, None))),
    "switch": Receiver("switch", (Integration("heartbeat", 0, HeartbeatConfig(interval_ms=10_000)),)),
}
SETTINGS = pager_settings(route(group_by=("model",)), receivers=RECEIVERS)


def run(store: Store, until_ms: int, providers: dict[tuple[str, int], Provider], from_ms: int = 0) -> None:
    running = Running(store, SETTINGS, "a", from_ms, senders=providers, rng=random.Random(1))
    for now_ms in range(from_ms, until_ms, 500):
        for item in running.turn(now_ms).sending:
            running.finished(item, running.send(item, 1))


def providers() -> dict[tuple[str, int], Provider]:
    return {("team", 0): Provider(), ("team", 1): Provider(), ("switch", 0): Provider()}


def test_a_switch_hears_that_the_pager_lives_as_often_as_it_asks(store: Store) -> None:
    known = providers()
    run(store, 60_000, known)
    beats = known["switch", 0].seen
    assert {m.purpose for m in beats} == {Purpose.HEARTBEAT}
    assert [m.at_ms for m in beats] == [0, 10_000, 20_000, 30_000, 40_000, 50_000]


def test_an_acknowledgement_is_told_to_those_that_show_it(store: Store) -> None:
    known = providers()
    labels = {"alertname": "ModelTotalOutage", "model": "fraud", "version": "3"}
    post(store, [alert(labels, 0, resolve_timeout_ms=10**9)], 0)
    run(store, 3_000, known)
    deed = Deed(asking.incidents(store)[0].id, Act.ACKNOWLEDGE, "ana", "", 3_000)
    assert not asking.act(store, deed, 0)
    run(store, 6_000, known, 3_000)

    def notes(messages: list[Message]) -> Counter[str]:
        return Counter(str(m.context.get("acknowledged_by")) for m in messages if m.purpose is Purpose.NOTE)

    assert notes(known["team", 0].seen) == Counter(ana=1)
    assert notes(known["team", 1].seen) == Counter()
    first, note = known["team", 0].seen
    assert first.dedup_key == note.dedup_key
    assert first.incident == 1
    assert first.context["version"] == "3"
    assert any("fraud" in step for step in first.context["runbook_steps"])
