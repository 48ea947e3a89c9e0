"""A body of each format as its sender sends it; each call a new one, to be changed."""

import json
from typing import Any

__all__ = ["alertmanager", "azure", "body", "grafana"]


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def alertmanager() -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "monitor",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"alertname": "HighErrorRate"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighErrorRate", "model_name": "fraud", "severity": "critical"},
                "annotations": {"summary": "Too many errors", "runbook_url": "https://runbooks/errors"},
                "startsAt": "2026-03-10T11:58:00.123Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
                "fingerprint": "c4b9d5a8e7f60123",
            },
            {
                "status": "resolved",
                "labels": {"alertname": "HighErrorRate", "model": "churn", "severity": "warning"},
                "annotations": {},
                "startsAt": "2026-03-10T11:00:00Z",
                "endsAt": "2026-03-10T11:59:00Z",
                "generatorURL": "",
                "fingerprint": "d4b9d5a8e7f60123",
            },
        ],
    }


def grafana() -> dict[str, Any]:
    return {
        "receiver": "monitor",
        "status": "firing",
        "orgId": 1,
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Drift of amount", "grafana_folder": "Models", "model": "fraud"},
                "annotations": {"summary": "amount has drifted", "runbook_url": "https://runbooks/drift"},
                "startsAt": "2026-03-10T13:58:00+02:00",
                "endsAt": "0001-01-01T00:00:00Z",
                "values": {"B": 0.31, "C": 1},
                "valueString": "[ var='B' labels={model=fraud} value=0.31 ]",
                "generatorURL": "https://grafana/alerting/grafana/abc/view?orgId=1",
                "fingerprint": "b5b9d5a8e7f60123",
                "silenceURL": "https://grafana/alerting/silence/new?alertmanager=grafana",
                "dashboardURL": "https://grafana/d/models?orgId=1",
                "panelURL": "https://grafana/d/models?orgId=1&viewPanel=4",
                "imageURL": "",
            }
        ],
        "groupLabels": {"alertname": "Drift of amount"},
        "commonLabels": {"alertname": "Drift of amount", "model": "fraud"},
        "commonAnnotations": {"summary": "amount has drifted"},
        "externalURL": "https://grafana/",
        "version": "1",
        "groupKey": '{}/{}:{alertname="Drift of amount"}',
        "truncatedAlerts": 0,
        "title": "[FIRING:1] Drift of amount Models (fraud)",
        "state": "alerting",
        "message": "**Firing** ..",
    }


_TARGET = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/ml/providers"
    "/microsoft.machinelearningservices/workspaces/risk/onlineendpoints/fraud"
)


def azure(condition: str = "Fired") -> dict[str, Any]:
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": "/subscriptions/11111111-1111-1111-1111-111111111111/providers"
                "/Microsoft.AlertsManagement/alerts/b9569717-bc32-442f-add5-83a997729330",
                "alertRule": "fraud-latency",
                "severity": "Sev1",
                "signalType": "Metric",
                "monitorCondition": condition,
                "monitoringService": "Platform",
                "alertTargetIDs": [_TARGET],
                "configurationItems": ["fraud"],
                "originAlertId": "b9569717-bc32-442f-add5-83a997729330_fraud-latency",
                "firedDateTime": "2026-03-10T11:58:24.3713213Z",
                **({"resolvedDateTime": "2026-03-10T11:59:16.0000000Z"} if condition == "Resolved" else {}),
                "description": "Requests take too long",
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0",
            },
            "alertContext": {
                "properties": None,
                "conditionType": "SingleResourceMultipleMetricCriteria",
                "condition": {
                    "windowSize": "PT5M",
                    "allOf": [
                        {
                            "metricName": "RequestLatency",
                            "metricNamespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
                            "operator": "GreaterThan",
                            "threshold": "300",
                            "timeAggregation": "Average",
                            "dimensions": [{"name": "deployment", "value": "blue"}],
                            "metricValue": 412.5,
                        }
                    ],
                },
            },
            "customProperties": {"model": "fraud", "owner": "risk"},
        },
    }
