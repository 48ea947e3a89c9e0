"""Opsgenie's alerts API v2: one alert for each alias, which is acknowledged and closed by it."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from monitor.config.section import Section, Text
from monitor.paging.alert import Status
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.go_templates import is_go, unused
from monitor.paging.receivers.http import HttpConfig, Url, post, secret
from monitor.paging.receivers.http_config import Secret
from monitor.paging.receivers.kind import Kind, Note
from monitor.paging.receivers.texts import ReceiverSection, links_of, severity_of, summary_line
from monitor.paging.templates import DEFAULT, Part, Templates, facts

__all__ = ["KIND", "OpsgenieConfig"]

_LONGEST_MESSAGE, _LONGEST_DESCRIPTION, _LONGEST_ALIAS = 130, 15_000, 512
_PRIORITIES = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
_OWN_WORDS = ("message", "description", "source", "tags", "note", "priority", "entity", "actions")


class OpsgenieResponder(Section):
    """Who is to be told, besides what Opsgenie's own rules say."""

    id: str = ""
    name: str = ""
    username: str = ""
    type: Literal["team", "teams", "user", "escalation", "schedule"] = "team"


class OpsgenieConfig(ReceiverSection):
    """An entry of `opsgenie_configs`."""

    api_key: Secret = ""
    api_key_file: Path | None = None
    api_url: Url = "https://api.opsgenie.com/"
    message: str = ""
    description: str = ""
    source: str = ""
    details: dict[Text, str] = Field(default_factory=dict)
    entity: str = ""
    actions: str = ""
    responders: tuple[OpsgenieResponder, ...] = ()
    tags: str = ""
    note: str = ""
    priority: str = ""
    update_alerts: bool = False
    http_config: HttpConfig = HttpConfig()


class _Opsgenie:
    dedups = True

    def __init__(self, config: OpsgenieConfig, templates: Templates = DEFAULT) -> None:
        self._config = config
        self._templates = templates.over(config.templates)

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        try:
            key = secret(self._config.api_key, self._config.api_key_file)
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its API key can't be read")
        alias = message.dedup_key[:_LONGEST_ALIAS]
        named = f"/{quote(alias, safe='')}"
        if message.status is Status.RESOLVED:
            return self._posted(f"{named}/close", {"note": "All alerts have ended."}, key, timeout_s)
        if who := message.context.get("acknowledged_by"):
            body = {"user": str(who)[:100], "note": f"Acknowledged by {who}."[:25_000]}
            return self._posted(f"{named}/acknowledge", body, key, timeout_s)
        return self._posted("", self._alert(message, alias), key, timeout_s)

    def _posted(self, path: str, body: dict[str, Any], key: str, timeout_s: float) -> Delivery:
        by = "?identifierType=alias" if path else ""
        url = f"{self._config.api_url.rstrip('/')}/v2/alerts{path}{by}"
        body = {"source": self._said(self._config.source) or "monitor", **body}
        headers = {"Authorization": f"GenieKey {key}"}
        delivery, answer = post(
            url, body, timeout_s, self._config.http_config, headers=headers, secrets=(key,)
        )
        if path and answer is not None and answer.status == 404:
            return Delivery(Result.DELIVERED, "answered 404: there is no such alert any more")
        return delivery

    def _alert(self, message: Message, alias: str) -> dict[str, Any]:
        config, known = self._config, facts(message)
        details = {**known["labels"], **{name.lower(): url for name, url in links_of(message)}}
        for name in ("budget_left", "burn", "version", "deployment"):
            if known[name]:
                details[name] = known[name]
        details |= {name: value for name, value in config.details.items() if not is_go(value)}
        found = {
            "message": summary_line(self._templates, message, _LONGEST_MESSAGE),
            "alias": alias,
            "description": self._templates.render(Part.TEXT, message)[:_LONGEST_DESCRIPTION],
            "responders": [_responder(r) for r in config.responders],
            "tags": [tag.strip() for tag in self._said(config.tags).split(",") if tag.strip()],
            "actions": [a.strip() for a in self._said(config.actions).split(",") if a.strip()],
            "details": details,
            "entity": self._said(config.entity) or known["labels"].get("model", ""),
            "note": self._said(config.note),
            "priority": self._said(config.priority) or _PRIORITIES[severity_of(message)],
        }
        return {key: value for key, value in found.items() if value not in ("", [], {})}

    def _said(self, text: str) -> str:
        return "" if is_go(text) else text


def _responder(responder: OpsgenieResponder) -> dict[str, str]:
    kind = "team" if responder.type == "teams" else responder.type
    given = {"id": responder.id, "name": responder.name, "username": responder.username}
    return {**{key: value for key, value in given.items() if value}, "type": kind}


def _problems(config: OpsgenieConfig) -> list[Note]:
    found = []
    if (
        config.priority
        and not is_go(config.priority)
        and config.priority not in ("P1", "P2", "P3", "P4", "P5")
    ):
        found.append(("priority", f"must be P1, P2, P3, P4 or P5, not {config.priority!r}"))
    for i, responder in enumerate(config.responders):
        if not (responder.id or responder.name or responder.username):
            found.append((f"responders[{i}]", "needs id, name or username"))
    return found


def _warnings(config: OpsgenieConfig) -> list[Note]:
    notes = unused(config, _OWN_WORDS)
    for name, value in config.details.items():
        if is_go(value):
            notes.append((f"details.{name}", "is a Go template, which isn't run; it is left out"))
    return notes


KIND = Kind(
    "opsgenie",
    OpsgenieConfig,
    _Opsgenie,
    needs=("api_key", "api_key_file"),
    inherits={
        "api_key": "opsgenie_api_key",
        "api_key_file": "opsgenie_api_key_file",
        "api_url": "opsgenie_api_url",
    },
    problems=_problems,
    warnings=_warnings,
)
