"""Incidents over HTTP: what is wrong, who may do what, and that it is done."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitor.store.tokens import Role
from tests.paging.incidents.test_incidents import Service, trouble
from tests.web.apps import Site


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return with_incident(make_site())


@pytest.fixture
def public(make_site: Callable[..., Site]) -> Site:
    return with_incident(make_site(host="0.0.0.0"))


def with_incident(site: Site) -> Site:
    service = Service(site.store)
    service.put(trouble())
    service.run(3_000)
    return site


@contextmanager
def paging(site: Site) -> Iterator[None]:
    """While inside, a pager takes up what people do."""
    service, over = Service(site.store), threading.Event()

    def run() -> None:
        while not over.wait(0.02):
            service.run(service.now_ms + 500)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def get(site: Site, path: str, **parameters: Any) -> Any:
    answer = site.client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_open_incidents_and_their_timelines_are_told(site: Site) -> None:
    (found,) = get(site, "incidents")
    assert (found["id"], found["phase"], found["labels"]["model"]) == (1, "open", "fraud")
    assert get(site, "incidents", owner="nobody") == []
    assert [e["kind"] for e in get(site, "incidents/1")["timeline"]] == ["opened", "alert", "notified"]
    assert len(get(site, "audit")) == 3


def test_an_acknowledgement_is_done_while_a_pager_runs(site: Site) -> None:
    with paging(site):
        answer = site.client.post("/api/v1/incidents/1/acknowledge", json={"who": "ana", "text": "on it"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["taken"], answer.json()["acknowledged_by"]) == (True, "ana")


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("incidents/7/acknowledge", {"who": "ana"}, 404, "there is no incident 7"),
        ("incidents/1/acknowledge", {}, 400, "who: missing"),
        ("incidents/1/acknowledge", {"who": "ana", "why": "x"}, 400, "unknown field"),
        ("incidents/1/note", {"who": "ana"}, 400, "takes a text"),
        ("incidents/1/note", {"who": "a", "text": "\0"}, 400, "NUL"),
        ("incidents/1/explode", {"who": "ana"}, 400, ""),
    ],
)
def test_what_can_not_be_done_is_refused(
    site: Site, path: str, body: dict[str, str], status: int, words: str
) -> None:
    answer = site.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]


def test_viewers_look_and_responders_act_under_their_own_names(public: Site) -> None:
    viewer, responder = public.holding(Role.VIEWER), public.holding(Role.RESPONDER)
    refused = viewer.post("/api/v1/incidents/1/note", json={"text": "x"})
    assert refused.status_code == 403
    with paging(public):
        done = responder.post("/api/v1/incidents/1/note", json={"text": "found it", "who": "another"})
    assert done.json()["taken"], done.text
    entries = viewer.get("/api/v1/audit").json()
    assert entries[-1]["text"] == "found it"
    assert entries[-1]["who"] == "test-responder"
