"""Alertmanager's webhook: its JSON, version 4."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt

from monitor.config.durations import Milliseconds
from monitor.paging.alert import Labels, Status
from monitor.paging.message import Delivery, Message, Result, Told
from monitor.paging.receivers.http import HttpConfig, Url, post, secret
from monitor.paging.receivers.kind import Kind
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import DEFAULT, Templates
from monitor.paging.templates.wording import headline

__all__ = ["KIND", "WebhookConfig", "payload"]

_NO_TIME = "0001-01-01T00:00:00Z"


class WebhookConfig(ReceiverSection):
    """An entry of `webhook_configs`: a URL that takes alerts as JSON; a list of more than `max_alerts` is
    cut (0: never), and an answer waited for no longer than `timeout` (0: as the outbox says)."""

    url: Url = ""
    url_file: Path | None = None
    http_config: HttpConfig = HttpConfig()
    max_alerts: NonNegativeInt = 0
    timeout_ms: Milliseconds = 0


class _Webhook:
    dedups = False

    def __init__(self, config: WebhookConfig, templates: Templates = DEFAULT) -> None:
        self._config = config

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        try:
            url = secret(self._config.url, self._config.url_file)
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its URL can't be read")
        if self._config.timeout_ms:
            timeout_s = min(timeout_s, self._config.timeout_ms / 1000)
        body = payload(message, self._config.max_alerts)
        return post(url, body, timeout_s, self._config.http_config)[0]


def payload(message: Message, max_alerts: int = 0) -> dict[str, Any]:
    """The JSON, in Alertmanager's order of keys. What is common is so of the alerts that are listed."""
    listed = message.alerts[:max_alerts] if max_alerts else message.alerts
    cut = replace(message, alerts=listed)
    links = {name: url for name, url in asdict(message.links).items() if url}
    return {
        "receiver": message.receiver,
        "status": str(message.status),
        "alerts": [_alert(told) for told in listed],
        "groupLabels": _map(message.group_labels),
        "commonLabels": _map(cut.common_labels),
        "commonAnnotations": _map(cut.common_annotations) or _said(message),
        "externalURL": message.external_url,
        "version": "4",
        "groupKey": message.group_key,
        "truncatedAlerts": message.truncated + len(message.alerts) - len(listed),
        # Ours; whoever knows Alertmanager's alone passes over it.
        **({"incident": message.incident, "links": links} if message.incident is not None else {}),
    }


def _said(message: Message) -> dict[str, str]:
    """What a message says that lists no alert."""
    if message.alerts or not message.text:
        return {}
    return {"summary": headline(message), "description": message.text}


def _alert(told: Told) -> dict[str, Any]:
    alert = told.alert
    return {
        "status": str(told.status),
        "labels": _map(alert.labels),
        "annotations": _map(alert.annotations),
        "startsAt": _time(alert.starts_ms),
        "endsAt": _time(alert.ends_ms) if told.status is Status.RESOLVED else _NO_TIME,
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _map(labels: Labels) -> dict[str, str]:
    return dict(labels)


def _time(ms: int) -> str:
    """As Go has it: no fraction without need, and no zero at its end."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


KIND = Kind("webhook", WebhookConfig, _Webhook, needs=("url", "url_file"))
