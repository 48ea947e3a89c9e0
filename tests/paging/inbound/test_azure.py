"""Azure Monitor's common alert schema."""

from collections.abc import Callable
from typing import Any

import pytest

from monitor.paging.alert import Status, merged
from monitor.paging.inbound.azure import azure_alerts
from monitor.paging.inbound.reading import HELD_MS, Malformed
from tests.paging.inbound.samples import azure, body
from tests.paging.inbound.test_webhooks import NOW_MS

EVENT_MS = 300_000


def test_one_that_fires() -> None:
    [alert] = azure_alerts(body(azure()), NOW_MS, EVENT_MS).alerts
    assert dict(alert.labels) == {
        "alert_id": "b9569717-bc32-442f-add5-83a997729330",
        "alertname": "fraud-latency",
        "deployment": "blue",
        "model": "fraud",
        "owner": "risk",
        "resource": "fraud",
        "service": "Platform",
        "severity": "page",
    }
    assert dict(alert.annotations)["condition"] == "RequestLatency GreaterThan 300, is 412.5"
    assert dict(alert.annotations)["description"] == "Requests take too long"
    assert alert.starts_ms == NOW_MS - 95_629
    assert alert.status_at(NOW_MS + HELD_MS - 1) is Status.FIRING


def test_its_end_is_known_by_its_id_whatever_else_is_said() -> None:
    [fired] = azure_alerts(body(azure()), NOW_MS, EVENT_MS).alerts
    document = azure("Resolved")
    document["data"] |= {"alertContext": None, "customProperties": None}
    [over] = azure_alerts(body(document), NOW_MS + 60_000, EVENT_MS, [fired]).alerts
    assert over.labels == fired.labels
    assert merged(fired, over).ends_ms == NOW_MS - 44_000


def test_another_ones_end_leaves_it_firing() -> None:
    [fired] = azure_alerts(body(azure()), NOW_MS, EVENT_MS).alerts
    document = azure("Resolved")
    document["data"]["essentials"]["alertId"] = "/subscriptions/x/alerts/another"
    [over] = azure_alerts(body(document), NOW_MS, EVENT_MS, [fired]).alerts
    assert over.fingerprint != fired.fingerprint


def test_an_event_has_no_end_and_fires_for_a_while() -> None:
    document = azure()
    document["data"]["essentials"]["signalType"] = "Activity Log"
    [alert] = azure_alerts(body(document), NOW_MS, EVENT_MS).alerts
    assert (alert.ends_ms, alert.timeout) == (NOW_MS + EVENT_MS, True)


@pytest.mark.parametrize(
    ("severity", "ours"),
    [("Sev0", "page"), ("Sev1", "page"), ("Sev2", "ticket"), ("Sev3", "info"), ("Sev4", "info")],
)
def test_severities(severity: str, ours: str) -> None:
    document = azure()
    document["data"]["essentials"]["severity"] = severity
    [alert] = azure_alerts(body(document), NOW_MS, EVENT_MS).alerts
    assert dict(alert.labels)["severity"] == ours


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.update(schemaId="AzureMonitorMetricAlert"), "schemaId: 'AzureMonitorMetricAlert'"),
        (lambda d: d.pop("schemaId"), "body: Object missing required field `schemaId`"),
        (lambda d: d["data"].pop("essentials"), "data: Object missing required field `essentials`"),
        (
            lambda d: d["data"]["essentials"].pop("alertRule"),
            "data.essentials: Object missing required field `alertRule`",
        ),
        (lambda d: d["data"]["essentials"].update(alertId=7), "data.essentials.alertId: Expected `str`"),
        (lambda d: d["data"]["essentials"].update(alertId="/"), "data.essentials.alertId: is empty"),
        (
            lambda d: d["data"]["essentials"].update(monitorCondition="On"),
            "data.essentials.monitorCondition: 'On' is neither 'Fired' nor 'Resolved'",
        ),
        (
            lambda d: d["data"]["essentials"].update(firedDateTime="noon"),
            "data.essentials.firedDateTime: 'noon' is no time",
        ),
    ],
)
def test_malformed(change: Callable[[Any], Any], key: str) -> None:
    document = azure()
    change(document)
    with pytest.raises(Malformed) as raised:
        azure_alerts(body(document), NOW_MS, EVENT_MS)
    assert str(raised.value).startswith(key)


@pytest.mark.parametrize("context", [{"condition": 1}, {"condition": {"allOf": [1, {"dimensions": {}}]}}, {}])
def test_any_context_will_do(context: dict[str, Any]) -> None:
    document = azure()
    document["data"]["alertContext"] = context
    assert len(azure_alerts(body(document), NOW_MS, EVENT_MS).alerts) == 1
