"""Answers that are lost, a pager that sleeps too long, and receivers that hang."""

import random
import time
from collections.abc import Callable
from unittest import mock

import pytest

from monitor.clock import WallClock
from monitor.errors import StoreBusy
from monitor.paging.inbox import post
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.running import Deposed, Running
from monitor.paging.settings import Integration, Receiver
from monitor.paging.task import PagerTask
from monitor.store import paging
from monitor.store.incidents import list_entries
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, equals, pager_settings, route
from tests.store.conftest import store
from tests.waiting import until

__all__ = ["store"]

FOR_EVER_MS = 100_000_000


def running(store: Store, holder: str, now_ms: int, provider: Provider) -> Running:
    return Running(
        store, pager_settings(), holder, now_ms, senders={("team", 0): provider}, rng=random.Random(1)
    )


def test_a_commit_whose_answer_was_lost_is_in_the_timeline_once(store: Store) -> None:
    pager = running(store, "a", 0, Provider())
    post(store, [alert("A", 0, resolve_timeout_ms=FOR_EVER_MS)], 0)
    pager.turn(0)
    commit = paging.commit

    def lost(*given: object) -> None:
        commit(*given)  # type: ignore[arg-type]  # as it was called
        raise StoreBusy("the answer was lost")

    with mock.patch.object(paging, "commit", lost), pytest.raises(StoreBusy):
        pager.turn(1_000)
    pager.turn(1_250)
    assert [entry.kind for entry in list_entries(store)] == ["opened", "alert"]


def test_whoever_was_deposed_while_it_slept_sends_nothing_when_it_wakes(store: Store) -> None:
    """The sleeper's message is older than the end that its successor told: the page would stay open."""
    provider = Provider()
    sleeper = running(store, "a", 0, provider)
    post(store, [alert("A", 0, resolve_timeout_ms=FOR_EVER_MS)], 0)
    sleeper.turn(0)
    item = sleeper.turn(1_000).sending[0]
    other = running(store, "b", 16_000, provider)

    def run(begin_ms: int, end_ms: int) -> None:
        for now_ms in range(begin_ms, end_ms, 250):
            for each in other.turn(now_ms).sending:
                other.finished(each, other.send(each, 1))

    run(16_000, 20_000)
    post(store, [alert("A", 0, 20_000, at_ms=20_000)], 20_000)
    run(20_000, 40_000)
    assert not provider.open
    sleeper.finished(item, sleeper.send(item, 1))
    with pytest.raises(Deposed):
        sleeper.turn(40_000)
    run(40_000, 100_000)
    assert not provider.open


class Told:
    """A receiver that calls `does` with each message."""

    dedups = True

    def __init__(self, does: Callable[[], Result]) -> None:
        self._does = does

    def send(self, message: Message, timeout_s: float) -> Delivery:
        return Delivery(self._does())


def test_receivers_that_hang_hold_up_no_other(store: Store) -> None:
    names, told, hung = ["h0", "h1", "h2", "h3", "h4", "ok"], list[float](), list[float]()

    def hangs() -> Result:
        hung.append(time.monotonic())
        time.sleep(3)
        return Result.DELIVERED

    def arrives() -> Result:
        told.append(time.monotonic())
        return Result.DELIVERED

    children = tuple(
        route(id=n, receiver=n, group_by=("n",), group_wait_ms=0, matchers=(equals("to", n),)) for n in names
    )
    receivers = {n: Receiver(n, (Integration("webhook", 0, None),)) for n in names}
    settings = pager_settings(route(receiver="ok", routes=children), receivers=receivers)
    senders = {(n, 0): Told(arrives if n == "ok" else hangs) for n in names}

    def fire(name: str, n: int) -> None:
        now_ms = WallClock().now_ms()
        labels = {"alertname": "A", "to": name, "n": str(n)}
        post(store, [alert(labels, now_ms, resolve_timeout_ms=FOR_EVER_MS)], now_ms)

    with mock.patch("monitor.paging.running.senders_of", return_value=senders):
        pager = PagerTask(store, settings, "a", WallClock())
        for name in names[:5]:
            for n in range(4):
                fire(name, n)
        pager.start()
        try:
            until(lambda: len(hung) >= 10)
            fire("ok", 0)
            begun = time.monotonic()
            pager.wake()
            until(lambda: told)
        finally:
            pager.stop()
    assert told[0] - begun < 1.5
