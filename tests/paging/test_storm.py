"""10,000 alerts in a minute over 100 models, through the store and the pager."""

import random
from collections import Counter

from monitor.paging.inbox import post
from monitor.paging.running import Running
from monitor.store.paging import read_inbox
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

_STEP_MS = 500


def test_a_storm_is_one_page_for_each_incident(store: Store) -> None:
    """Groups are of models, and models have one owner each, so a message for a group is one for a team."""
    root = route(group_by=("model",), group_wait_ms=30_000, group_interval_ms=300_000)
    provider = Provider()
    running = Running(
        store,
        pager_settings(root, incident_by=("model",)),
        "a",
        0,
        senders={("team", 0): provider},
        rng=random.Random(1),
    )
    rng = random.Random(2)
    coming = sorted((rng.randrange(60_000), n) for n in range(10_000))
    coming.reverse()
    for now_ms in range(0, 120_000, _STEP_MS):
        batch = []
        while coming and coming[-1][0] <= now_ms:
            n = coming.pop()[1]
            labels = {"alertname": f"A{n % 7}", "model": f"m{n % 100}", "instance": str(n)}
            batch.append(alert(labels, now_ms, resolve_timeout_ms=10_000_000))
        post(store, batch, now_ms)
        for item in running.turn(now_ms).sending:
            running.finished(item, running.send(item, 1))
    assert Counter(m.dedup_key for m in provider.seen).most_common(1)[0][1] == 1
    assert len(provider.pages) == len(running.book.incidents) == 100
    assert not read_inbox(store, 1)
