"""What our API v2 does besides Alertmanager's: bounds, recurring silences, tokens, webhooks, metrics."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.clock import rfc3339
from monitor.errors import ConfigError
from monitor.paging.inbox import reports
from monitor.paging.matching import parse_matchers
from monitor.paging.settings import InhibitRule, PagerSettings
from monitor.store.incidents import list_entries
from monitor.store.paging import read_inbox
from monitor.store.tokens import Role
from monitor.web.alertmanager_metrics import AlertmanagerMetrics
from monitor.web.paging_site import PagingSite, Reloaded
from tests.builders import NOW_MS
from tests.paging.inbound.samples import alertmanager, azure, grafana
from tests.paging.inbound.test_webhooks import NOW_MS as SAMPLED_MS
from tests.paging.simulated import pager_settings
from tests.web.apps import Site

ALERTS, SILENCES = "/api/v2/alerts", "/api/v2/silences"


class Api(Site):
    """A site with a pager beside it, on simulated time."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        super().__init__(directory, **settings)
        rule = InhibitRule(parse_matchers('severity="page"'), parse_matchers('severity="info"'), ("model",))
        self.settings: PagerSettings = pager_settings(inhibit_rules=(rule,))
        self.woken = 0
        self.wrong: list[str] = []
        site = PagingSite(
            settings=lambda: self.settings,
            original=lambda: "route: {}",
            started_ms=NOW_MS,
            wake=self._wake,
            reload=self._reload,
            reloaded=lambda: Reloaded(not self.wrong, NOW_MS),
        )
        self.metrics.registry.register(AlertmanagerMetrics(self.store, site, self.clock))
        self.server = self._serve(replace(self.context, paging=site))
        self.client = self.calling()

    def _wake(self) -> None:
        self.woken += 1

    def _reload(self) -> None:
        if self.wrong:
            raise ConfigError(self.wrong)

    def post(self, *alerts: Any) -> httpx.Response:
        return self.client.post(ALERTS, json=list(alerts))

    def names(self, query: str = "") -> list[str]:
        return [one["labels"]["alertname"] for one in self.client.get(f"{ALERTS}?{query}").json()]


@pytest.fixture
def make_api(tmp_path: Path) -> Iterator[Callable[..., Api]]:
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api(tmp_path, **settings))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()


def alert(name: str, **more: Any) -> dict[str, Any]:
    return {"labels": {"alertname": name, **more.pop("labels", {})}, **more}


def test_what_is_posted_is_in_the_inbox_and_shown_at_once(api: Api) -> None:
    assert api.post(alert("a", startsAt=rfc3339(NOW_MS - 60_000))).status_code == 200
    [row] = read_inbox(api.store, 10)
    [kept] = reports(row.document)
    assert (row.received_ms, kept.starts_ms, kept.ends_ms) == (NOW_MS, NOW_MS - 60_000, NOW_MS + 300_000)
    assert (api.names(), api.woken) == (["a"], 1)


def test_one_that_isnt_reported_again_is_gone_after_the_timeout(api: Api) -> None:
    api.post(alert("a"))
    api.clock.advance_to(NOW_MS + 300_001)
    assert api.names() == []


TOO_MUCH = [
    (
        {"labels": {f"l{i}": "x" for i in range(1000)}},
        "1,000 labels are too many; 100 at most: alert 1, {l0=",
    ),
    (alert("b", labels={"long": "x" * 20_000}), "labels of 20,014 bytes are too long; 16,384 at most"),
    (
        alert("b", annotations={"text": "x" * 70_000}),
        "annotations of 70,004 bytes are too long; 65,536 at most: alert 1",
    ),
    (
        alert("b", annotations={f"a{i}": "x" for i in range(101)}),
        "101 annotations are too many; 100 at most",
    ),
    (alert("b", generatorURL="http://" + "x" * 9_000), "the generatorURL is too long; 8,192 bytes at most"),
    (
        alert("b", startsAt=rfc3339(NOW_MS + 3_600_001), endsAt="2099-01-01T00:00:00Z"),
        "start time 2026-03-10T13:00:00.001Z is more than an hour ahead; correct the clock that gave it",
    ),
    ({"labels": {}}, "at least one label pair required: alert 1, {}"),
    (alert("b\0"), "labels hold a NUL character: alert 1"),
]


@pytest.mark.parametrize(("wrong", "sentence"), TOO_MUCH)
def test_too_much_is_refused_with_the_bound_and_the_rest_is_taken(
    api: Api, wrong: Any, sentence: str
) -> None:
    answer = api.post(alert("a"), wrong, alert("c"))
    assert answer.status_code == 400
    if "start time" in sentence:
        sentence = sentence.partition("2026")[0]
    assert str(answer.json()).startswith(sentence)
    assert sorted(api.names()) == ["a", "c"]


def test_many_mistakes_are_told_briefly(api: Api) -> None:
    answer = api.post(*({"labels": {}} for _ in range(500)))
    assert str(answer.json()).endswith("alert 9, {}; and 490 more alerts")


def test_wrong_types_take_nothing_and_say_where(api: Api) -> None:
    answer = api.post(alert("a"), {"labels": {"alertname": 1}})
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert "Expected `str | null`, got `int` - at `$[1].labels[...]`" in answer.json()["message"]
    assert api.names() == []


def silence(**changed: Any) -> dict[str, Any]:
    given = {
        "matchers": [{"name": "model", "value": "fraud", "isRegex": False}],
        "startsAt": rfc3339(NOW_MS - 3_600_000),
        "endsAt": rfc3339(NOW_MS + 3_600_000),
        "createdBy": "ann",
        "comment": "planned",
    }
    return given | changed


def test_a_recurring_silence_is_shown_with_its_next_stretch(api: Api) -> None:
    wanted = silence(repeat="daily", timeZone="Europe/Berlin", until=rfc3339(NOW_MS + 10 * 86_400_000))
    id = api.client.post(SILENCES, json=wanted).json()["silenceID"]
    api.post(alert("a", labels={"model": "fraud"}))
    [shown] = api.client.get(SILENCES).json()
    assert (shown["status"]["state"], shown["repeat"], shown["timeZone"]) == (
        "active",
        "daily",
        "Europe/Berlin",
    )
    assert api.client.get(ALERTS).json()[0]["status"]["silencedBy"] == [id]
    api.clock.advance_to(NOW_MS + 2 * 3_600_000)
    [shown] = api.client.get(SILENCES).json()
    assert shown["status"]["state"] == "pending"
    assert shown["startsAt"] == rfc3339(NOW_MS + 23 * 3_600_000).replace("Z", ".000Z")


def test_a_client_that_knows_nothing_of_repeats_keeps_them(api: Api) -> None:
    id = api.client.post(SILENCES, json=silence(repeat="weekly")).json()["silenceID"]
    shown = api.client.get(f"/api/v2/silence/{id}").json()
    for name in ("repeat", "timeZone", "until", "status", "updatedAt"):
        del shown[name]
    answer = api.client.post(SILENCES, json={**shown, "comment": "other"})
    assert answer.json()["silenceID"] == id
    shown = api.client.get(f"/api/v2/silence/{id}").json()
    assert (shown["repeat"], shown["comment"]) == ("weekly", "other")


def test_a_recurring_silence_is_ended(api: Api) -> None:
    id = api.client.post(SILENCES, json=silence(repeat="daily")).json()["silenceID"]
    assert api.client.delete(f"/api/v2/silence/{id}").status_code == 200
    assert api.client.get(f"/api/v2/silence/{id}").json()["status"]["state"] == "expired"


def test_who_set_and_ended_a_silence_is_kept(api: Api) -> None:
    id = api.client.post(SILENCES, json=silence()).json()["silenceID"]
    api.client.delete(f"/api/v2/silence/{id}")
    set_, ended = list_entries(api.store)
    until = rfc3339(NOW_MS + 3_600_000).replace("Z", ".000Z")
    assert (set_.kind, set_.who, set_.incident) == ("silenced", "ann", None)
    assert set_.text == f'{id}: {{model="fraud"}} until {until}: planned'
    assert (ended.kind, ended.who) == ("silence ended", "127.0.0.1")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"repeat": "hourly"}, "repeat in body must be daily or weekly, not 'hourly'"),
        (
            {"repeat": "daily", "timeZone": "Mars/Base"},
            "timeZone in body: there is no time zone 'Mars/Base'; write for example Europe/Berlin",
        ),
    ],
)
def test_refused_repeats(api: Api, changed: dict[str, Any], sentence: str) -> None:
    answer = api.client.post(SILENCES, json=silence(**changed))
    assert (answer.status_code, answer.json()["message"]) == (422, sentence)


def test_names_of_labels_may_hold_any_text(api: Api) -> None:
    assert api.post(alert("a", labels={"größe": "L"})).status_code == 200
    assert api.names('filter="größe"="L"') == ["a"]


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {"read"}),
        (Role.INGEST, {"post", "webhook"}),
        (Role.RESPONDER, {"read", "silence"}),
        (Role.ADMIN, {"read", "post", "webhook", "silence", "reload"}),
    ],
)
def test_roles(make_api: Callable[..., Api], role: Role, allowed: set[str]) -> None:
    client = make_api(require_tokens=True).holding(role)
    asked = {
        "read": client.get(ALERTS),
        "post": client.post(ALERTS, json=[]),
        "webhook": client.post("/api/v1/alerts/in/alertmanager", json={"version": "4", "alerts": []}),
        "silence": client.post(SILENCES, json=silence()),
        "reload": client.post("/-/reload"),
    }
    assert {what for what, answer in asked.items() if answer.status_code < 300} == allowed
    assert {answer.status_code for what, answer in asked.items() if what not in allowed} <= {403}


def test_without_a_token_only_probes_answer(make_api: Callable[..., Api]) -> None:
    client = make_api(require_tokens=True).calling()
    assert [client.get(path).status_code for path in ("/-/healthy", "/-/ready", ALERTS)] == [200, 200, 401]


def test_webhooks_become_alerts(api: Api) -> None:
    api.clock.advance_to(SAMPLED_MS)
    for source, document in (("alertmanager", alertmanager()), ("grafana", grafana()), ("azure", azure())):
        answer = api.client.post(f"/api/v1/alerts/in/{source}", json=document)
        assert (answer.status_code, answer.json()["accepted"]) == (202, len(document.get("alerts", [1])))
    # Of the Alertmanager's two one has ended.
    assert sorted(api.names()) == ["Drift of amount", "HighErrorRate", "fraud-latency"]
    resolved = azure("Resolved")
    resolved["data"]["customProperties"] = None
    api.client.post("/api/v1/alerts/in/azure", json=resolved)
    assert sorted(api.names()) == ["Drift of amount", "HighErrorRate"]


def test_a_malformed_webhook_is_a_400_with_the_key(api: Api) -> None:
    document = grafana()
    del document["alerts"][0]["status"]
    answer = api.client.post("/api/v1/alerts/in/grafana", json=document)
    assert answer.status_code == 400
    assert answer.json() == {"error": "alerts[0]: Object missing required field `status`"}


def test_a_configuration_that_is_wrong_is_told(api: Api) -> None:
    assert api.client.post("/-/reload").status_code == 200
    api.wrong = ["alertmanager.yml:3: route.receiver: there is no receiver 'x'"]
    answer = api.client.post("/-/reload")
    assert answer.status_code == 500
    assert answer.text == f"failed to reload config: {api.wrong[0]}\n"


def test_metrics_have_alertmanagers_names(api: Api) -> None:
    api.post(alert("a", labels={"model": "m", "severity": "page"}), {"labels": {}})
    api.post(alert("b", labels={"model": "m", "severity": "info"}))
    api.client.post(SILENCES, json=silence())
    lines = api.client.get("/metrics").text.splitlines()
    for line in (
        'alertmanager_alerts{state="active"} 1.0',
        'alertmanager_alerts{state="suppressed"} 1.0',
        'alertmanager_alerts_received_total{status="firing",version="v2"} 3.0',
        'alertmanager_alerts_invalid_total{version="v2"} 1.0',
        'alertmanager_silences{state="active"} 1.0',
        "alertmanager_config_last_reload_successful 1.0",
        "alertmanager_receivers 1.0",
    ):
        assert line in lines


def test_without_a_pager_there_are_no_such_routes(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        assert site.client.get(ALERTS).status_code == 404
    finally:
        site.close()
