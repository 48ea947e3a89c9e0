"""Samples over HTTP: as the command prints them, but for personal data to those who may not see it."""

import pytest

from monitor.store.tokens import Role
from tests.builders import record
from tests.filling import fill
from tests.web.apps import Site

PATH = "/api/v1/samples"


def test_samples_of_a_model(site: Site) -> None:
    assert site.client.get(PATH, params={"model": "fraud"}).json() == []
    fill(site.store, [record(id="a", status=500), record(id="b", latency_ms=900.0)])
    shown = site.client.get(PATH, params={"model": "fraud"}).json()
    assert [(s["reason"], s["id"]) for s in shown] == [("slow", "b"), ("slow", "a"), ("failed", "a")]
    assert shown[0]["features"] == {"amount": 10, "new": "true", "plan": "basic"}
    shown = site.client.get(PATH, params={"model": "fraud", "reason": "failed,random", "limit": 2}).json()
    assert len(shown) == 2


@pytest.mark.parametrize(("role", "sees"), [(Role.VIEWER, False), (Role.RESPONDER, True), (Role.ADMIN, True)])
def test_only_responders_see_what_may_be_personal(public: Site, role: Role, sees: bool) -> None:
    fill(public.store, [record(id="a", features={"name": "Ann"}, prediction="Ann too")])
    answer = public.holding(role).get(PATH, params={"model": "fraud"})
    assert answer.json()[0]["id"] == "a"
    assert ("Ann" in answer.text) is sees


def test_nobody_sees_them_without_a_token(public: Site) -> None:
    assert public.calling("monitor.example").get(PATH, params={"model": "fraud"}).status_code == 401


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "model: missing"),
        ("?model=m&reason=slw", "did you mean 'slow'?"),
        ("?model=m&limit=0", "limit: '0' is no whole number"),
        ("?model=m&limit=x", "limit: 'x' is no whole number"),
        ("?model=m&form=now", "did you mean 'from'?"),
        ("?model=m&from=now&to=now-1h", "from: is not before to"),
    ],
)
def test_a_wrong_question_is_refused(site: Site, query: str, said: str) -> None:
    answer = site.client.get(PATH + query)
    assert answer.status_code == 400
    assert said in answer.text
