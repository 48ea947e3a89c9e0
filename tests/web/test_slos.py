"""Objectives over HTTP: the same answers as everywhere else; who may exclude what."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from monitor.profiles.layout import Service
from monitor.records import Partition
from monitor.slo.evaluate import Evaluator
from monitor.slo.objective import Meter, Outcomes
from monitor.slo.settings import SloSettings
from monitor.store.tokens import Role
from tests.builders import T0_MS, record
from tests.filling import fill
from tests.slo.standings import objective
from tests.web.apps import Site

FAILED = Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))
SETTINGS = SloSettings((objective(), objective("by_version", meter=Meter("fraud", FAILED, by=("version",)))))
SPAN = {"from": T0_MS, "to": T0_MS + 60_000, "reason": "database moved"}


def filled(site: Site) -> Site:
    """120 requests in two minutes, the first ten of which fail."""
    requests = [
        record(id=str(i), ts=T0_MS + i * 1000, version=str(i % 2), status=503 if i < 10 else 200)
        for i in range(140)
    ]
    fill(site.store, requests)
    return site


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return filled(make_site(slo=SETTINGS))


@pytest.fixture
def public(make_site: Callable[..., Site]) -> Site:
    return filled(make_site(host="0.0.0.0", slo=SETTINGS))


def get(site: Site, path: str, **parameters: Any) -> Any:
    answer = site.client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_all_of_them_the_worst_first(site: Site) -> None:
    rows = get(site, "slos")
    assert {(r["objective"], r["version"]) for r in rows} == {
        ("availability", None),
        ("by_version", "0"),
        ("by_version", "1"),
    }
    assert all(r["state"] == "spent" for r in rows)
    whole = next(r for r in rows if r["version"] is None)
    assert (whole["bad"], whole["total"]) == (10, 120)
    assert [r["version"] for r in get(site, "slos", name="by_version", version="1")] == ["1"]


def test_one_of_them(site: Site) -> None:
    (row,) = get(site, "slos/fraud/availability")
    assert row["compliance"] == pytest.approx(110 / 120)
    (before,) = get(site, "slos/fraud/availability", at=T0_MS)
    assert (before["total"], before["why"]) == (0, "nothing to count in the period")


def burn(site: Site) -> None:
    """500 failures within a minute, and the alerts that they raise."""
    failures = [record(id=f"f{i}", ts=T0_MS + 60_000 + i * 100, status=503) for i in range(500)]
    fill(site.store, failures, Partition("t", 1))
    now_s = T0_MS // 1000 + 120
    Evaluator(site.store, SETTINGS).run(now_s, now_s * 1000, since_s=T0_MS // 1000)


def test_health_and_gate(site: Site) -> None:
    (one,) = get(site, "health")
    assert (one["model"], one["state"], one["score"]) == ("fraud", "spent", 0)
    decision = get(site, "gate", model="fraud", version="1")
    assert decision["ok"] is True  # two minutes can't spend the budget of 30 days by ten requests
    assert all("too little of the period is over for a policy" in note for note in decision["notes"])
    burn(site)
    decision = get(site, "gate", model="fraud", version="1")
    assert decision["ok"] is False
    assert all("version 0" not in reason for reason in decision["reasons"])


def test_alerts_and_what_they_did(site: Site) -> None:
    assert get(site, "alerts/state") == get(site, "alerts/history") == []
    burn(site)
    states = get(site, "alerts/state", model="fraud")
    assert {(s["objective"], s["phase"], s["severity"]) for s in states} >= {
        ("availability", "firing", "page")
    }
    assert [s["severity"] for s in states] == sorted(s["severity"] for s in states)
    changes = get(site, "alerts/history", limit=1000)
    assert {(c["before"], c["after"]) for c in changes} >= {("inactive", "firing")}
    assert len(get(site, "alerts/history", limit=1)) == 1
    assert get(site, "alerts/history", to=T0_MS) == []
    (row,) = get(site, "slos/fraud/availability")
    assert row["state"] == "page"
    assert {t["after"] for t in row["transitions"]} == {"firing"}
    refused(
        site.client.get("/api/v1/alerts/history?limit=0"),
        400,
        "limit: '0' is no whole number from 1 to 10000",
    )
    refused(site.client.get("/api/v1/alerts/state?limit=5"), 400, "there is no parameter 'limit'")


def refused(answer: httpx.Response, status: int, said: str) -> None:
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_wrong_question_is_a_sentence(site: Site) -> None:
    ask = site.client.get
    refused(ask("/api/v1/slos?model=froud"), 400, "did you mean 'fraud'?")
    refused(ask("/api/v1/slos?naem=x"), 400, "did you mean 'name'?")
    refused(ask("/api/v1/slos?at=noonish"), 400, "at: 'noonish' is no time")
    refused(ask("/api/v1/slos/fraud/avail"), 404, "did you mean 'availability'?")
    refused(ask("/api/v1/gate"), 400, "model: missing; say which model is to be deployed")
    refused(ask("/api/v1/slos?model=%00"), 400, "NUL")


def test_without_objectives_there_are_none(make_site: Callable[..., Site]) -> None:
    bare = make_site()
    assert get(bare, "slos") == []
    assert get(bare, "health") == []
    refused(bare.client.get("/api/v1/gate?model=fraud"), 400, "there is no 'fraud'")


def test_excluding_and_taking_it_back(site: Site) -> None:
    made = site.client.post("/api/v1/exclusions", json={**SPAN, "author": "ann", "model": "fraud"})
    assert made.status_code == 201
    number = made.json()["id"]
    (row,) = get(site, "slos/fraud/availability")
    assert (row["bad"], row["total"]) == (0, 60)
    assert [(e["author"], e["reason"], e["bad"]) for e in row["excluded"]] == [("ann", "database moved", 10)]
    assert site.client.delete(f"/api/v1/exclusions/{number}?author=bob").json() == {"revoked": number}
    (row,) = get(site, "slos/fraud/availability")
    assert (row["bad"], row["excluded"]) == (10, [])
    (kept,) = get(site, "exclusions")
    assert kept["revoked"] is not None
    refused(site.client.delete(f"/api/v1/exclusions/{number}?author=bob"), 404, "no exclusion 1 in force")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**SPAN}, "author: missing; this server knows no tokens, so say who you are"),
        ({**SPAN, "author": "ann", "model": "froud"}, "did you mean 'fraud'?"),
        ({**SPAN, "author": "ann", "to": T0_MS - 1}, "to: the exclusion ends before it begins"),
        ({**SPAN, "author": "ann", "reason": "a\0b"}, "NUL"),
        ({**SPAN, "autor": "ann"}, "unknown field `autor`"),
        ({"from": "now"}, "missing required field"),
        ([], "the body is no exclusion"),
    ],
)
def test_a_body_that_is_none(site: Site, body: Any, said: str) -> None:
    refused(site.client.post("/api/v1/exclusions", json=body), 400, said)
    assert get(site, "exclusions") == []


def test_who_may(public: Site) -> None:
    viewer, responder = public.holding(Role.VIEWER), public.holding(Role.RESPONDER)
    assert viewer.get("/api/v1/slos").status_code == 200
    refused(viewer.post("/api/v1/exclusions", json=SPAN), 403, "responder")
    refused(viewer.delete("/api/v1/exclusions/1"), 403, "responder")
    made = responder.post("/api/v1/exclusions", json={**SPAN, "author": "somebody else"})
    assert made.status_code == 201
    assert made.json()["author"] == "test-responder"
    assert responder.delete(f"/api/v1/exclusions/{made.json()['id']}").status_code == 200
    assert public.calling("monitor.example").get("/api/v1/slos").status_code == 401
