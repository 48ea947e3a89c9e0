"""An action's webhook, and what it is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.clock import rfc3339
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.http import post, secret
from monitor.paging.receivers.webhook import WebhookConfig
from monitor.paging.settings import Action, Do

__all__ = ["ActionSender", "body", "posted"]

# The version of a model that was live before one, None where none is known.
Previous = Callable[[str, str | None], str | None]


@dataclass(frozen=True, slots=True)
class ActionSender:
    """A message.Sender. Whoever takes the request knows a repeat by its Idempotency-Key."""

    action: Action
    previous: Previous

    @property
    def dedups(self) -> bool:
        return True

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        config: WebhookConfig = self.action.webhook
        labels = dict(message.common_labels)
        version: str | None = None
        if self.action.do is Do.ROLLBACK:
            version = self.action.version
            if version == "previous":
                version = self.previous(labels.get("model", ""), labels.get("version"))
            if version is None:
                return Delivery(Result.PERMANENT, "no version before is known to roll back to")
        return posted(config, body(self.action, message, version), message.dedup_key, timeout_s)


def posted(config: WebhookConfig, body: Any, key: str, timeout_s: float) -> Delivery:
    """Posts JSON; whoever takes it knows a repeat by the `key`. As http.post."""
    try:
        url = secret(config.url, config.url_file)
    except (OSError, UnicodeDecodeError):
        return Delivery(Result.PERMANENT, "the file of its URL can't be read")
    if config.timeout_ms:
        timeout_s = min(timeout_s, config.timeout_ms / 1000)
    return post(url, body, timeout_s, config.http_config, {"Idempotency-Key": key})[0]


def body(action: Action, message: Message, version: str | None) -> dict[str, Any]:
    """The JSON: `to_version` is for roll-backs only."""
    labels = dict(message.common_labels)
    return {
        "action": action.name,
        "do": str(action.do),
        "model": labels.get("model"),
        "version": labels.get("version"),
        **({"to_version": version} if version is not None else {}),
        "incident": message.incident,
        "title": message.text,
        "severity": message.severity,
        "labels": labels,
        "at": rfc3339(message.at_ms),
        "idempotency_key": message.dedup_key,
    }
