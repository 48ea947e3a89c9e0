"""PagerDuty, Opsgenie, Jira and GitHub by their own protocols: once told, once shown, and ended."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from monitor.paging.alert import Status
from monitor.paging.message import Message, Purpose, Result, Sender
from monitor.paging.receivers import KINDS
from monitor.paging.receivers.github import GithubConfig
from monitor.paging.receivers.jira import JiraConfig
from monitor.paging.receivers.opsgenie import OpsgenieConfig
from monitor.paging.receivers.pagerduty import PagerdutyConfig
from tests.paging.messages import message, told
from tests.paging.providers import Github, HttpProvider, Jira, Opsgenie, Pagerduty, Reply

Made = tuple[Any, Sender, str]


@pytest.fixture
def start() -> Iterator[Callable[[str], Made]]:
    """A function from a kind to its provider, a sender that reaches it, and its secret."""
    with ExitStack() as stack:

        def make(kind: str) -> Made:
            provider = stack.enter_context(_PROVIDERS[kind]())
            config, secret = _CONFIGS[kind](provider)
            return provider, KINDS[kind].make(config), secret

        yield make


_PROVIDERS: dict[str, Callable[[], Any]] = {
    "pagerduty": Pagerduty,
    "opsgenie": Opsgenie,
    "jira": Jira,
    "github": Github,
}


def _pagerduty(provider: Pagerduty) -> tuple[PagerdutyConfig, str]:
    return PagerdutyConfig(routing_key="R" * 32, url=f"{provider.url}/v2/enqueue"), "R" * 32


def _opsgenie(provider: Opsgenie) -> tuple[OpsgenieConfig, str]:
    return OpsgenieConfig(api_key=provider.key, api_url=provider.url), provider.key


def _jira(provider: Jira) -> tuple[JiraConfig, str]:
    config = JiraConfig(
        api_url=provider.url,
        project="ML",
        token=provider.token,
        labels=("ml ops",),
        resolve_transition="Done",
    )
    return config, provider.token


def _github(provider: Github) -> tuple[GithubConfig, str]:
    return GithubConfig(repo="acme/models", token=provider.token, api_url=provider.url), provider.token


_CONFIGS: dict[str, Callable[[Any], tuple[Any, str]]] = {
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "jira": _jira,
    "github": _github,
}
each_kind = pytest.mark.parametrize("kind", sorted(_CONFIGS))
ENDED = message(status=Status.RESOLVED)
ACKNOWLEDGED = message(purpose=Purpose.NOTE, context={"acknowledged_by": "ana"}, reason="acknowledged")


def open_at(provider: HttpProvider) -> int:
    """How many pages or tickets a person sees as open."""
    match provider:
        case Pagerduty():
            return len(provider.alerts)
        case Opsgenie():
            return sum(a["status"] == "open" for a in provider.alerts.values())
        case Jira():
            return sum(i["status"] != "Done" for i in provider.issues.values())
        case Github():
            return sum(i["state"] == "open" for i in provider.issues)
    raise AssertionError(provider)


@each_kind
def test_told_twice_it_is_one_and_ends(start: Callable[[str], Made], kind: str) -> None:
    provider, sender, _ = start(kind)
    assert sender.dedups
    for said, count in ((message(), 1), (message(doubtful=True), 1), (ENDED, 0), (ENDED, 0), (message(), 1)):
        delivery = sender.send(said, 5.0)
        assert delivery.result is Result.DELIVERED, delivery
        assert open_at(provider) == count


@each_kind
def test_another_key_is_another_page(start: Callable[[str], Made], kind: str) -> None:
    provider, sender, _ = start(kind)
    sender.send(message(), 5.0)
    sender.send(message(dedup_key="another " + "k" * 600), 5.0)
    assert open_at(provider) == 2
    sender.send(ENDED, 5.0)
    assert open_at(provider) == 1


@each_kind
@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (Reply(500), {Result.TRANSIENT}),
        (Reply(429, headers={"Retry-After": "3"}), {Result.TRANSIENT}),
        (Reply(401), {Result.PERMANENT}),
        # The first thing that a ticket system is asked changes nothing.
        (Reply(drops=True), {Result.DOUBTFUL, Result.TRANSIENT}),
        (Reply(hangs=True), {Result.DOUBTFUL, Result.TRANSIENT}),
    ],
)
def test_it_fails_as_it_should(
    start: Callable[[str], Made], kind: str, reply: Reply, result: set[Result]
) -> None:
    provider, sender, secret = start(kind)
    provider.reply = lambda asked: reply
    for said in (message(), ENDED):
        delivery = sender.send(said, 0.3)
        assert delivery.result in result
        assert secret not in delivery.detail
        assert delivery.retry_after_ms == (3_000 if reply.status == 429 else None)


@each_kind
def test_a_provider_that_repeats_the_secret_does_not_get_it_told(
    start: Callable[[str], Made], kind: str
) -> None:
    provider, sender, secret = start(kind)
    provider.reply = lambda asked: Reply(400, f"bad {secret} {asked.headers} {asked.body!r}".encode())
    detail = sender.send(message(), 5.0).detail
    assert detail.startswith("answered 400: bad ***")
    assert secret not in detail


@pytest.mark.parametrize("kind", ["jira", "github"])
def test_a_ticket_made_by_a_request_that_broke_off_is_found_again(
    start: Callable[[str], Made], kind: str
) -> None:
    provider, sender, _ = start(kind)
    answer = provider.reply

    def breaks_off(asked: Any) -> Reply:
        reply = answer(asked)
        return Reply(drops=True) if reply.status == 201 else reply

    provider.reply = breaks_off
    assert sender.send(message(), 5.0).result is Result.DOUBTFUL
    provider.reply = answer
    assert sender.send(message(doubtful=True), 5.0).detail.startswith("commented on ")
    assert open_at(provider) == 1


def test_pagerduty_gets_what_a_person_needs(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("pagerduty")
    sender.send(message(), 5.0)
    event = provider.asked[0].json
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "key-of-the-group"
    assert {"href": "https://monitor.example.com/a/abc", "text": "Acknowledge"} in event["links"]
    payload = event["payload"]
    assert payload["summary"] == "[PAGE] fraud: availability spends its budget 14.4 times too fast"
    assert (payload["severity"], payload["source"]) == ("critical", "fraud")
    assert (payload["class"], payload["component"], payload["group"]) == (
        "AvailabilityBudgetBurn",
        "fraud",
        "risk",
    )
    assert payload["timestamp"] == "2026-11-23T13:51:00Z"
    details = payload["custom_details"]
    assert (details["budget_left"], details["burn"]) == ("31.4 %", "14.4")
    assert details["labels"]["model"] == "fraud"


def test_pagerduty_is_told_of_an_acknowledgement(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("pagerduty")
    for said in (message(), ACKNOWLEDGED):
        assert sender.send(said, 5.0).result is Result.DELIVERED
    assert provider.alerts == {"key-of-the-group": "acknowledged"}


def test_opsgenie_is_told_of_an_acknowledgement(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("opsgenie")
    for said in (message(), ACKNOWLEDGED):
        assert sender.send(said, 5.0).result is Result.DELIVERED
    alert = provider.alerts["key-of-the-group"]
    assert alert["acknowledged"]
    assert (alert["priority"], alert["entity"], alert["count"]) == ("P1", "fraud", 1)
    assert alert["details"]["incident"] == "https://monitor.example.com/incidents/7"


@pytest.mark.parametrize(
    ("severity", "theirs", "priority"),
    [
        ("page", "critical", "P1"),
        ("ticket", "warning", "P3"),
        ("info", "info", "P5"),
        ("error", "error", "P2"),
    ],
)
def test_how_bad_it_is_goes_along(
    start: Callable[[str], Made], severity: str, theirs: str, priority: str
) -> None:
    said = message(alerts=(told({"alertname": "A", "severity": severity}),), severity=severity)
    provider, sender, _ = start("pagerduty")
    sender.send(said, 5.0)
    assert provider.asked[0].json["payload"]["severity"] == theirs
    provider, sender, _ = start("opsgenie")
    sender.send(said, 5.0)
    assert provider.asked[0].json["priority"] == priority


def test_responders_are_named_as_opsgenie_wants(start: Callable[[str], Made]) -> None:
    provider = start("opsgenie")[0]
    config = OpsgenieConfig.model_validate(
        {
            "api_key": provider.key,
            "api_url": provider.url,
            "responders": [{"name": "risk", "type": "team"}, {"username": "ana@example.com", "type": "user"}],
            "tags": "ml, prod",
        }
    )
    KINDS["opsgenie"].make(config).send(message(), 5.0)
    alert = provider.asked[0].json
    assert alert["responders"] == [
        {"name": "risk", "type": "team"},
        {"username": "ana@example.com", "type": "user"},
    ]
    assert alert["tags"] == ["ml", "prod"]


def test_a_digest_wakes_nobody(start: Callable[[str], Made]) -> None:
    digest = message(purpose=Purpose.DIGEST, alerts=(), text="Drift of the week\nfraud: 3 features")
    provider, sender, _ = start("pagerduty")
    sender.send(digest, 5.0)
    assert provider.asked[0].json["payload"]["severity"] == "info"


def test_a_transition_that_jira_lacks_is_told(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("jira")
    sender.send(message(), 5.0)
    config = JiraConfig(api_url=provider.url, project="ML", token=provider.token, resolve_transition="Fertig")
    delivery = KINDS["jira"].make(config).send(ENDED, 5.0)
    assert delivery.result is Result.PERMANENT
    assert delivery.detail == "ML-1 has no transition 'Fertig'; there is Done, Start"


def test_the_third_version_of_jira_gets_documents(start: Callable[[str], Made]) -> None:
    provider = start("jira")[0]
    config = JiraConfig(
        api_url=f"{provider.url}/rest/api/3", project="ML", token=provider.token, api_type="cloud"
    )
    sender = KINDS["jira"].make(config)
    for said in (message(), message(), ENDED):
        assert sender.send(said, 5.0).result is Result.DELIVERED
    assert provider.asked[0].path == "/rest/api/3/search/jql"
    issue = provider.issues["ML-1"]
    assert issue["description"]["type"] == "doc"
    assert [c["version"] for c in issue["comments"]] == [1, 1]


def test_a_limit_of_github_is_waited_for(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("github")
    provider.reply = lambda asked: Reply(403, {"message": "rate limit"}, {"X-RateLimit-Remaining": "0"})
    delivery = sender.send(message(), 5.0)
    assert (delivery.result, delivery.retry_after_ms) == (Result.TRANSIENT, 60_000)
    provider.reply = lambda asked: Reply(403, {"message": "Resource not accessible"})
    assert sender.send(message(), 5.0).result is Result.PERMANENT


def test_an_issue_beyond_the_first_page_is_found(start: Callable[[str], Made]) -> None:
    provider, sender, _ = start("github")
    sender.send(message(), 5.0)
    for i in range(150):
        provider.issues.append(
            {"number": i + 2, "state": "open", "body": None, "labels": ["monitor"], "comments": []}
        )
    assert sender.send(message(), 5.0).detail == "commented on #1"


@each_kind
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"not json", b'{"issues": [null]}', b"[1]"])
def test_an_answer_that_means_nothing_raises_nothing(
    start: Callable[[str], Made], kind: str, body: bytes
) -> None:
    provider, sender, _ = start(kind)
    provider.reply = lambda asked: Reply(200, body)
    said: Message
    for said in (message(), ENDED, message(alerts=(), text="x")):
        assert sender.send(said, 5.0).result in Result
