"""Leases: one holder at a time, on both databases."""

import threading

from monitor.store import lease
from monitor.store.store import Store

NOW_MS = 1_700_000_000_000
TTL_MS = 60_000


def test_the_first_takes_it_and_the_second_does_not(store: Store) -> None:
    assert lease.acquire(store, "gauges", "a", NOW_MS, TTL_MS)
    assert not lease.acquire(store, "gauges", "b", NOW_MS + 1, TTL_MS)


def test_its_holder_renews_it(store: Store) -> None:
    assert lease.acquire(store, "gauges", "a", NOW_MS, TTL_MS)
    assert lease.acquire(store, "gauges", "a", NOW_MS + 50_000, TTL_MS)
    assert not lease.acquire(store, "gauges", "b", NOW_MS + 70_000, TTL_MS)


def test_it_is_free_from_the_millisecond_it_ends(store: Store) -> None:
    assert lease.acquire(store, "gauges", "a", NOW_MS, TTL_MS)
    assert not lease.acquire(store, "gauges", "b", NOW_MS + TTL_MS - 1, TTL_MS)
    assert lease.acquire(store, "gauges", "b", NOW_MS + TTL_MS, TTL_MS)
    assert not lease.acquire(store, "gauges", "a", NOW_MS + TTL_MS, TTL_MS)


def test_released_it_is_free_at_once(store: Store) -> None:
    assert lease.acquire(store, "gauges", "a", NOW_MS, TTL_MS)
    lease.release(store, "gauges", "b")
    assert not lease.acquire(store, "gauges", "b", NOW_MS, TTL_MS)
    lease.release(store, "gauges", "a")
    assert lease.acquire(store, "gauges", "b", NOW_MS, TTL_MS)


def test_leases_are_apart(store: Store) -> None:
    assert lease.acquire(store, "gauges", "a", NOW_MS, TTL_MS)
    assert lease.acquire(store, "pager", "b", NOW_MS, TTL_MS)


def test_of_many_at_once_one_gets_it(store: Store) -> None:
    got: list[str] = []

    def take(holder: str) -> None:
        if lease.acquire(store, "gauges", holder, NOW_MS, TTL_MS):
            got.append(holder)

    threads = [threading.Thread(target=take, args=(f"h{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
