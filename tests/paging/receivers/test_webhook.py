"""Alertmanager's JSON, against the posts of the real one."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.paging.alert import Alert, Status, labels_of
from monitor.paging.message import Message, Purpose, Result, Told
from monitor.paging.receivers import KINDS
from monitor.paging.receivers.webhook import WebhookConfig, payload
from tests.paging.messages import AT_MS, message, told
from tests.paging.providers import HttpProvider, Reply
from tests.servers import Alertmanager

FIRED, ENDED = "2026-01-02T03:04:05.12Z", "2026-01-02T04:04:05Z"


def test_the_receiver_gets_the_document() -> None:
    with HttpProvider() as provider:
        sender = KINDS["webhook"].make(WebhookConfig(url=f"{provider.url}/hook"))
        assert sender.send(message(), 5.0).result is Result.DELIVERED
        (asked,) = provider.asked
    assert (asked.method, asked.path) == ("POST", "/hook")
    assert asked.json == payload(message())
    assert list(asked.json)[:3] == ["receiver", "status", "alerts"]


def test_the_url_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    with HttpProvider() as provider:
        sender = KINDS["webhook"].make(WebhookConfig(url_file=file))
        assert sender.send(message(), 5.0).result is Result.PERMANENT
        file.write_text(f"{provider.url}/hook\n")
        assert sender.send(message(), 5.0).result is Result.DELIVERED


def test_a_webhook_has_its_own_patience() -> None:
    with HttpProvider(lambda asked: Reply(hangs=True)) as provider:
        config = WebhookConfig.model_validate({"url": provider.url, "timeout": "100ms"})
        assert KINDS["webhook"].make(config).send(message(), 60.0).result is Result.DOUBTFUL


def test_a_long_list_is_cut_and_says_so() -> None:
    some = tuple(told({"n": str(i)}) for i in range(5))
    cut = payload(message(alerts=some, truncated=2), 3)
    assert (len(cut["alerts"]), cut["truncatedAlerts"]) == (3, 4)
    assert payload(message(alerts=some), 0)["truncatedAlerts"] == 0


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (AT_MS, "2026-11-23T14:03:00Z"),
        (AT_MS + 120, "2026-11-23T14:03:00.12Z"),
        (AT_MS + 7, "2026-11-23T14:03:00.007Z"),
    ],
)
def test_times_are_written_as_go_does(ms: int, text: str) -> None:
    assert payload(message(alerts=(told(starts_ms=ms),)))["alerts"][0]["startsAt"] == text


def test_it_is_what_the_real_alertmanager_posts(
    alertmanager_factory: Callable[[Mapping[str, Any]], Alertmanager],
) -> None:
    alerts = [
        {
            "labels": {"alertname": "A", "X": "<&>\"'\\\n\u2028"},
            "annotations": {"summary": "more than 5 %\t<b>", "empty": ""},
            "startsAt": FIRED,
            "endsAt": "2096-01-02T03:04:05Z",
            "generatorURL": "http://prometheus/graph?g0.expr=a%3E1&x=<y>",
        },
        {"labels": {"alertname": "A", "b": "c"}, "annotations": {"summary": "two"}, "startsAt": FIRED},
    ]
    with HttpProvider() as provider:
        server = alertmanager_factory(_document(provider.url))
        server.request("POST", "/api/v2/alerts", alerts)
        _until(provider, 1)
        resolved = [{**alerts[0], "endsAt": ENDED}, {**alerts[1], "endsAt": "2026-01-02T05:00:00.5Z"}]
        server.request("POST", "/api/v2/alerts", resolved)
        _until(provider, 2)
        asked = provider.asked[:2]
    for i, post in enumerate(asked):
        theirs = json.loads(post.body)
        ours = payload(_as_message(theirs))
        assert list(ours) == list(theirs)
        assert [list(a) for a in ours["alerts"]] == [list(a) for a in theirs["alerts"]]
        assert ours == theirs, i
        assert theirs["status"] == ("firing", "resolved")[i]
        assert post.headers["content-type"] == "application/json"


def _until(provider: HttpProvider, count: int) -> None:
    for _ in range(200):
        if len(provider.asked) >= count or provider.wait(0.05):
            return


def _document(url: str) -> dict[str, Any]:
    times = {"group_wait": "100ms", "group_interval": "300ms", "repeat_interval": "1h"}
    return {
        "route": {"receiver": "r", "group_by": ["alertname"], **times},
        "receivers": [{"name": "r", "webhook_configs": [{"url": url}]}],
    }


def _as_message(theirs: dict[str, Any]) -> Message:
    """What our pager would have made of the same alerts: only labels, texts and moments are taken over."""
    some = []
    for told_alert in theirs["alerts"]:
        firing = told_alert["status"] == "firing"
        ends_ms = 10**15 if firing else _ms(told_alert["endsAt"])
        alert = Alert(
            labels_of(told_alert["labels"]),
            tuple(sorted(told_alert["annotations"].items())),
            _ms(told_alert["startsAt"]),
            ends_ms,
            0,
            generator_url=told_alert["generatorURL"],
        )
        some.append(Told(alert, Status.FIRING if firing else Status.RESOLVED))
    status = Status.FIRING if any(t.status is Status.FIRING for t in some) else Status.RESOLVED
    return Message(
        purpose=Purpose.GROUP,
        receiver="r",
        integration=0,
        group_key='{}:{alertname="A"}',
        dedup_key="k",
        status=status,
        alerts=tuple(some),
        group_labels=(("alertname", "A"),),
        reason="first",
        at_ms=0,
        external_url=theirs["externalURL"],
    )


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
