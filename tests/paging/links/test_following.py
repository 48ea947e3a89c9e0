"""Following a link over a store: one use, whoever is faster, and what it is worth after it was used."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.paging.incidents import asking
from monitor.paging.incidents.incident import Act, Phase
from monitor.paging.links.following import Standing, acknowledge, look, who_is
from monitor.paging.links.settings import LinkSettings, key_in
from monitor.store.links import link_key
from monitor.store.paging import read_inbox, read_outbox
from monitor.store.store import Store
from tests.paging.incidents.test_incidents import MINUTE_MS, SETTINGS, Service, trouble
from tests.store.conftest import store

__all__ = ["store"]

URL = "https://pager.example/below"


def paged(store: Store, links: LinkSettings | None = None) -> Service:
    """A service whose first page has arrived."""
    service = Service(store)
    service.settings = replace(SETTINGS, external_url=f"{URL}/", links=links or LinkSettings())
    service.start()
    service.put(trouble())
    service.run(3_000)
    return service


def token(service: Service, receiver: str = "team") -> str:
    url = service.providers[receiver, 0].seen[-1].links.acknowledge
    assert url.startswith(f"{URL}/ack/")
    return url.rpartition("/")[2]


def follow(service: Service, text: str, at_ms: int | None = None) -> Standing:
    now_ms = service.now_ms if at_ms is None else at_ms
    return look(service.store, link_key(service.store), text, now_ms).standing


def use(service: Service, text: str) -> Standing:
    key = link_key(service.store)

    def turn(_: float) -> None:
        service.run(service.now_ms + 500)

    return acknowledge(service.store, key, text, "ann", service.now_ms, 2, sleep=turn).standing


def later(service: Service, minutes: int) -> None:
    for _ in range(minutes):
        service.now_ms += MINUTE_MS
        service.run(service.now_ms + 1_500)


def test_a_link_acknowledges_once_and_repeats_stop(store: Store) -> None:
    service = paged(store)
    text = token(service)
    later(service, 6)
    assert service.told() == ["first", "repeat"]
    assert (follow(service, text), service.kinds().count("acknowledged")) == (Standing.OPEN, 0)
    assert use(service, text) is Standing.DONE
    found = asking.incident(store, 1)
    assert (found.phase, found.acknowledged_by) == (Phase.ACKNOWLEDGED, "ann via link to team")
    (entry,) = (e for e in asking.entries(store) if e.kind == "acknowledged")
    assert entry.who == "ann via link to team"
    assert [follow(service, text), use(service, text)] == [Standing.USED, Standing.USED]
    later(service, 60)
    assert service.told() == ["first", "repeat"]
    assert service.told("lead") == []


def test_of_two_at_once_one_acknowledges(store: Store) -> None:
    service = paged(store)
    text, key, both = token(service), link_key(store), threading.Barrier(2)

    def post(name: str) -> Standing:
        both.wait(10)
        return acknowledge(store, key, text, name, service.now_ms, 0).standing

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(post, ("ann", "ben")))
    assert found == [Standing.NOTED, Standing.USED]
    assert len(read_inbox(store, 9)) == 1
    service.run(service.now_ms + 1_000)
    assert service.kinds().count("acknowledged") == 1


def test_a_link_expires(store: Store) -> None:
    service = paged(store, LinkSettings(valid_ms=60 * MINUTE_MS))
    text = token(service)
    assert follow(service, text, 60 * MINUTE_MS) is Standing.OPEN
    assert follow(service, text, 61 * MINUTE_MS) is Standing.EXPIRED


def test_another_link_says_who_has_it_and_that_it_is_over(store: Store) -> None:
    service = paged(store)
    first = token(service)
    later(service, 6)
    second = token(service)
    assert first != second
    assert use(service, first) is Standing.DONE
    assert [follow(service, second), use(service, second)] == [Standing.ACKNOWLEDGED] * 2
    assert service.act(Act.RESOLVE)
    assert [follow(service, second), use(service, second)] == [Standing.RESOLVED] * 2
    assert service.kinds().count("acknowledged") == 1


def test_a_key_of_ones_own_replaces_that_of_the_store(store: Store) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    service = paged(store, LinkSettings(key=key))
    text = token(service)
    assert follow(service, text) is Standing.FORGED
    assert look(store, key, text, service.now_ms).standing is Standing.OPEN
    assert follow(service, text + "!") is Standing.UNKNOWN


def test_replicas_share_a_key_and_what_waits_holds_no_link(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: link_key(store), range(8)))) == 1
    service = paged(store)
    text = token(service)
    assert all(text.encode() not in row.document and b"/ack/" not in row.document
               for row in read_outbox(store, 9))  # fmt: skip
    assert text not in repr(service.running.pager.settings)


def test_what_is_over_or_leads_nowhere_has_no_link(store: Store) -> None:
    service = Service(store)
    one = trouble()
    service.put(one)
    service.run(3_000)
    service.settings = replace(SETTINGS, external_url=URL)
    service.start()
    service.end(one)
    service.run(20_000)
    seen = service.providers["team", 0].seen
    assert [(str(m.status), m.links.acknowledge) for m in seen] == [("firing", ""), ("resolved", "")]
    assert seen[1].links.incident == f"{URL}/api/v1/incidents/1"


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "a\nb", "a\0"])
def test_who_must_be_a_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"who you are|characters"):
        who_is(name)


def test_a_key_is_long_enough_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(ValueError, match="can't be read: no such file"):
        key_in(path)
    path.write_text("hunter2\n")
    with pytest.raises(ValueError, match="holds 7 bytes; a key has at least 32") as e:
        key_in(path)
    assert "hunter2" not in str(e.value)
    path.write_text("a" * 64 + "\n")
    assert key_in(path) == b"a" * 64
    assert "aaa" not in repr(LinkSettings(key_in(path)))
