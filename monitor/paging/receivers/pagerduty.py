"""PagerDuty's Events API v2: one alert for each dedup key, which is acknowledged and resolved by it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.clock import rfc3339_or_none
from monitor.config.section import Section
from monitor.paging.alert import Status
from monitor.paging.message import Delivery, Message, Purpose, Result
from monitor.paging.receivers.go_templates import is_go, unused
from monitor.paging.receivers.http import HttpConfig, Url, post, secret
from monitor.paging.receivers.http_config import Secret
from monitor.paging.receivers.kind import Kind, Note
from monitor.paging.receivers.texts import ReceiverSection, links_of, severity_of, summary_line
from monitor.paging.templates import DEFAULT, Part, Templates, facts

__all__ = ["KIND", "PagerdutyConfig", "event"]

_LONGEST_KEY = 255
_LONGEST_SUMMARY = 1024
_LONGEST_DETAIL = 20_000


class PagerdutyLink(Section):
    """A link that every page shows."""

    href: Annotated[str, Field(min_length=1)]
    text: str = ""


class PagerdutyConfig(ReceiverSection):
    """An entry of `pagerduty_configs`."""

    routing_key: Secret = ""
    routing_key_file: Path | None = None
    service_key: Secret = ""
    service_key_file: Path | None = None
    url: Url = "https://events.pagerduty.com/v2/enqueue"
    client: str = "monitor"
    client_url: str = ""
    description: str = ""
    severity: str = ""
    source: str = ""
    component: str = ""
    group: str = ""
    class_: Annotated[str, Field(validation_alias="class", serialization_alias="class")] = ""
    details: dict[str, Any] = Field(default_factory=dict)
    images: tuple[dict[str, Any], ...] = ()
    links: tuple[PagerdutyLink, ...] = ()
    http_config: HttpConfig = HttpConfig()


class _Pagerduty:
    dedups = True

    def __init__(self, config: PagerdutyConfig, templates: Templates = DEFAULT) -> None:
        self._config = config
        self._templates = templates.over(config.templates)

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        try:
            key = secret(self._config.routing_key, self._config.routing_key_file)
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its routing key can't be read")
        body = event(message, self._config, self._templates, key)
        delivery, _ = post(self._config.url, body, timeout_s, self._config.http_config, secrets=(key,))
        return delivery


def action(message: Message) -> Literal["trigger", "acknowledge", "resolve"]:
    """What PagerDuty is to do with the alert of this key."""
    if message.status is Status.RESOLVED:
        return "resolve"
    return "acknowledge" if message.context.get("acknowledged_by") else "trigger"


def event(
    message: Message, config: PagerdutyConfig, templates: Templates, routing_key: str
) -> dict[str, Any]:
    """The JSON of an event. An end, or an acknowledgement, needs the key alone, but says what it is about."""
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action(message),
        "dedup_key": message.dedup_key[:_LONGEST_KEY],
        "client": config.client,
        "client_url": config.client_url or message.links.incident or message.external_url,
        "payload": _payload(message, config, templates),
        "links": [{"href": url, "text": name} for name, url in links_of(message)],
    }
    given = [{"href": link.href, "text": link.text or link.href} for link in config.links]
    found["links"] += [link for link in given if not is_go(link["href"])]
    return {key: value for key, value in found.items() if value not in ("", [])}


def _payload(message: Message, config: PagerdutyConfig, templates: Templates) -> dict[str, Any]:
    labels = dict(message.common_labels)
    starts_ms = min((told.alert.starts_ms for told in message.alerts), default=message.at_ms)
    given = "" if is_go(config.severity) else config.severity
    payload = {
        "summary": summary_line(templates, message, _LONGEST_SUMMARY),
        "source": _said(config.source) or labels.get("model") or message.external_url or "monitor",
        "severity": given or severity_of(message),
        "timestamp": rfc3339_or_none(starts_ms),
        "component": _said(config.component) or labels.get("model", ""),
        "group": _said(config.group) or labels.get("owner", labels.get("team", "")),
        "class": _said(config.class_) or labels.get("alertname", ""),
        "custom_details": _details(message, config, templates),
    }
    return {key: value for key, value in payload.items() if value}


def _said(text: str) -> str:
    return "" if is_go(text) else text


def _details(message: Message, config: PagerdutyConfig, templates: Templates) -> dict[str, Any]:
    known = facts(message)
    shown = ("budget_left", "burn", "version", "deployment")
    details: dict[str, Any] = {
        "text": templates.render(Part.TEXT, message)[:_LONGEST_DETAIL],
        "num_firing": str(known["firing"]),
        "num_resolved": str(known["resolved"]),
        "labels": known["labels"],
        "incident": message.incident,
        "escalated": message.purpose is Purpose.ESCALATION or None,
        **{name: known[name] for name in shown},
        **{name: value for name, value in config.details.items() if not is_go(str(value))},
    }
    return {name: value for name, value in details.items() if value not in (None, "")}


def _warnings(config: PagerdutyConfig) -> list[Note]:
    notes = unused(config, ("description", "severity", "source", "component", "group", "class_", "client"))
    notes += [
        (f"details.{name}", "is a Go template of Alertmanager, which isn't run; it is left out")
        for name, value in config.details.items()
        if is_go(str(value))
    ]
    if config.images:
        notes.append(("images", "aren't sent"))
    return notes


def _problems(config: PagerdutyConfig) -> list[Note]:
    if config.service_key or config.service_key_file:
        return [("service_key", "is of the Events API v1; make an integration of v2, and give routing_key")]
    return []


KIND = Kind(
    "pagerduty",
    PagerdutyConfig,
    _Pagerduty,
    needs=("routing_key", "routing_key_file"),
    inherits={"url": "pagerduty_url"},
    problems=_problems,
    warnings=_warnings,
)
