"""Silences that say when they are about to end."""

from dataclasses import replace

from monitor.paging.keeping import keep_silences
from monitor.paging.message import Purpose
from monitor.paging.settings import Integration, Receiver
from monitor.paging.silence import Repeat, Silence
from monitor.store.store import Store
from tests.paging.calm.turning import MINUTE_MS, Turning, receivers, trouble
from tests.paging.simulated import equals, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def silence(ends_ms: int, id: str = "s1", name: str = "A", starts_ms: int = 0) -> Silence:
    return Silence(
        id, (equals("alertname", name),), starts_ms, ends_ms, 0, "ana", "a new model is on its way"
    )


def turning(store: Store, *silences: Silence, ahead_ms: int = HOUR_MS) -> Turning:
    known = receivers("team", "lead")
    known["pages"] = Receiver("pages", (Integration("pagerduty", 0, None),))
    settings = pager_settings(
        route(
            group_interval_ms=10 * MINUTE_MS,
            repeat_interval_ms=10 * DAY_MS,
            routes=(
                route(
                    id="{}/b",
                    group_interval_ms=HOUR_MS,
                    receiver="lead",
                    matchers=(equals("alertname", "B"),),
                ),
                route(
                    id="{}/c",
                    group_interval_ms=HOUR_MS,
                    receiver="pages",
                    matchers=(equals("alertname", "C"),),
                ),
            ),
        ),
        receivers=known,
        silence_warning_ms=ahead_ms,
    )
    if silences:
        keep_silences(store, silences)
    return Turning(store, settings)


def notes(service: Turning, receiver: str = "team") -> list[tuple[int, str]]:
    return [(m.at_ms, m.text) for m in service.told(receiver, Purpose.NOTE)]


def test_whoever_is_kept_quiet_is_told_once_before_the_silence_ends(store: Store) -> None:
    service = turning(store, silence(10 * HOUR_MS))
    service.put(trouble("A", 0), trouble("B", 0))
    service.run(9 * HOUR_MS + MINUTE_MS)
    service.start()
    service.run(10 * HOUR_MS - MINUTE_MS)
    assert notes(service) == [
        (
            9 * HOUR_MS,
            "A silence ends in 1 h, at 10:00 UTC, and an alert under it still fire\n"
            "\n- A\n\nSet by ana: a new model is on its way\n"
            "Its id is s1. Make it longer, or mend the cause.",
        )
    ]
    assert notes(service, "lead") == []
    service.run(11 * HOUR_MS)
    assert [m.reason for m in service.told("team")] == ["first"]


def test_nothing_is_said_while_nothing_fires_under_it_and_at_once_when_it_does(store: Store) -> None:
    service = turning(store, silence(10 * HOUR_MS))
    service.run(9 * HOUR_MS + 20 * MINUTE_MS)
    assert notes(service) == []
    service.put(trouble("A", service.now_ms))
    service.run(10 * HOUR_MS, MINUTE_MS // 2)
    assert [at_ms // MINUTE_MS for at_ms, _ in notes(service)] == [9 * 60 + 20]


def test_one_that_is_covered_for_longer_by_another_is_not_about_to_be_told(store: Store) -> None:
    service = turning(store, silence(10 * HOUR_MS), silence(30 * HOUR_MS, "s2"))
    service.put(trouble("A", 0))
    service.run(12 * HOUR_MS)
    assert notes(service) == []
    service.run(30 * HOUR_MS)
    assert [at_ms for at_ms, _ in notes(service)] == [29 * HOUR_MS]


def test_a_recurring_one_says_so_each_time_and_one_made_longer_again(store: Store) -> None:
    daily = replace(silence(2 * HOUR_MS), repeat=Repeat.DAILY)
    service = turning(store, daily)
    service.put(trouble("A", 0))
    service.run(2 * DAY_MS)
    assert [at_ms for at_ms, _ in notes(service)] == [HOUR_MS, DAY_MS + HOUR_MS]
    keep_silences(store, [silence(3 * DAY_MS, "s1", starts_ms=2 * DAY_MS)])
    service.run(3 * DAY_MS - MINUTE_MS)
    keep_silences(store, [silence(4 * DAY_MS, "s1", starts_ms=2 * DAY_MS)])
    service.run(4 * DAY_MS)
    assert [at_ms for at_ms, _ in notes(service)][2:] == [3 * DAY_MS - HOUR_MS, 4 * DAY_MS - HOUR_MS]


def test_a_short_one_is_not_announced_as_soon_as_it_is_set(store: Store) -> None:
    service = turning(store, silence(30 * MINUTE_MS))
    service.put(trouble("A", 0))
    service.run(HOUR_MS)
    assert [at_ms for at_ms, _ in notes(service)] == [15 * MINUTE_MS]


def test_it_is_off_without_a_time_and_never_wakes_anybody(store: Store) -> None:
    service = turning(store, silence(10 * HOUR_MS), ahead_ms=0)
    service.put(trouble("A", 0))
    service.run(11 * HOUR_MS)
    assert notes(service) == []
    keep_silences(store, [silence(20 * HOUR_MS, "s3", "C", 11 * HOUR_MS)])
    service = turning(store)
    service.put(trouble("C", 0))
    service.run(20 * HOUR_MS)
    assert notes(service, "pages") == []
