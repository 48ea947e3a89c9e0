"""Alertmanager's webhook, and Grafana's."""

from collections.abc import Callable
from typing import Any

import pytest

from monitor.paging.alert import Status, merged
from monitor.paging.api_times import parsed_ms
from monitor.paging.inbound.alertmanager import alertmanager_alerts, grafana_alerts
from monitor.paging.inbound.reading import HELD_MS, Malformed, known_labels
from tests.paging.inbound.samples import alertmanager, body, grafana

NOW_MS = parsed_ms("2026-03-10T12:00:00Z") or 0


def test_alerts_of_an_alertmanager() -> None:
    firing, resolved = alertmanager_alerts(body(alertmanager()), NOW_MS).alerts
    assert dict(firing.labels) == {
        "alertname": "HighErrorRate",
        "model": "fraud",
        "model_name": "fraud",
        "severity": "page",
    }
    assert firing.starts_ms == NOW_MS - 120_000 + 123
    assert (firing.status_at(NOW_MS + HELD_MS - 1), firing.timeout) == (Status.FIRING, True)
    assert firing.source == "alertmanager"
    assert firing.generator_url == "http://prometheus:9090/graph?g0.expr=up"
    assert dict(resolved.labels)["severity"] == "ticket"
    assert (resolved.status_at(NOW_MS), resolved.ends_ms) == (Status.RESOLVED, NOW_MS - 60_000)


def test_an_end_ends_what_was_told_before() -> None:
    document = alertmanager()
    firing = alertmanager_alerts(body(document), NOW_MS).alerts[0]
    document["alerts"][0] |= {"status": "resolved", "endsAt": "2026-03-10T12:04:00Z"}
    over = alertmanager_alerts(body(document), NOW_MS + 300_000).alerts[0]
    assert merged(firing, over).ends_ms == NOW_MS + 240_000


def test_an_end_without_a_time_is_now_and_one_ahead_too() -> None:
    document = alertmanager()
    document["alerts"][0] |= {"status": "resolved"}
    document["alerts"][1] |= {"endsAt": "2027-01-01T00:00:00Z"}
    assert [a.ends_ms for a in alertmanager_alerts(body(document), NOW_MS).alerts] == [NOW_MS, NOW_MS]


def test_what_the_sender_left_out_is_said() -> None:
    assert alertmanager_alerts(body(alertmanager() | {"truncatedAlerts": 7}), NOW_MS).missing == 7


def test_grafana_says_more() -> None:
    [alert] = grafana_alerts(body(grafana()), NOW_MS).alerts
    assert alert.starts_ms == NOW_MS - 120_000
    assert dict(alert.annotations) == {
        "dashboard_url": "https://grafana/d/models?orgId=1",
        "panel_url": "https://grafana/d/models?orgId=1&viewPanel=4",
        "runbook_url": "https://runbooks/drift",
        "summary": "amount has drifted",
        "value": "[ var='B' labels={model=fraud} value=0.31 ]",
    }
    assert alert.source == "grafana"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.pop("alerts"), "body: Object missing required field `alerts`"),
        (lambda d: d.update(alerts={}), "alerts: Expected `array`, got `object`"),
        (lambda d: d["alerts"][0].pop("labels"), "alerts[0]: Object missing required field `labels`"),
        (lambda d: d["alerts"][0]["labels"].update(a=1), "alerts[0].labels[...]: Expected `str`, got `int`"),
        (
            lambda d: d["alerts"][1].update(status="on"),
            "alerts[1].status: 'on' is neither 'firing' nor 'resolved'",
        ),
        (lambda d: d["alerts"][0].update(startsAt="yesterday"), "alerts[0].startsAt: 'yesterday' is no time"),
    ],
)
@pytest.mark.parametrize("read", [alertmanager_alerts, grafana_alerts])
def test_malformed(read: Callable[[bytes, int], Any], change: Callable[[Any], Any], key: str) -> None:
    document = alertmanager()
    change(document)
    with pytest.raises(Malformed) as raised:
        read(body(document), NOW_MS)
    assert str(raised.value).startswith(key)


@pytest.mark.parametrize("raw", [b"", b"x", b"[]", b"null", b"1", b'{"a":', b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("read", [alertmanager_alerts, grafana_alerts])
def test_no_webhook_at_all(read: Callable[[bytes, int], Any], raw: bytes) -> None:
    with pytest.raises(Malformed, match="body: "):
        read(raw, NOW_MS)


def test_another_version_of_the_webhook() -> None:
    with pytest.raises(Malformed, match="version: '3' is not known"):
        alertmanager_alerts(body(alertmanager() | {"version": "3"}), NOW_MS)


def test_one_that_says_too_much_is_refused_and_the_others_are_taken() -> None:
    document = alertmanager()
    document["alerts"][0]["labels"] |= {f"l{i}": "x" for i in range(1000)}
    found = alertmanager_alerts(body(document), NOW_MS)
    assert len(found.alerts) == 1
    assert found.refused == ("alerts[0]: 1,004 labels are too many; 100 at most",)


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"severity": "Critical"}, {"severity": "page"}),
        ({"severity": "warning"}, {"severity": "ticket"}),
        ({"severity": "purple"}, {"severity": "purple"}),
        ({"model_version": "7"}, {"model_version": "7", "version": "7"}),
        ({"model": "fraud", "model_name": "x"}, {"model": "fraud", "model_name": "x"}),
        ({"sloth_slo": "latency"}, {"sloth_slo": "latency", "objective": "latency"}),
    ],
)
def test_known_labels(given: dict[str, str], ours: dict[str, str]) -> None:
    assert known_labels(given) == ours
