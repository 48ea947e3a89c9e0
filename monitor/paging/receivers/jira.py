"""Jira's REST API, version 2 or 3: an issue for each group, found again by a label that carries its key."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from monitor.config.section import Text
from monitor.paging.alert import Status
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.asking import Asking, Refused
from monitor.paging.receivers.go_templates import is_go, own, unused
from monitor.paging.receivers.http import HttpConfig, Url
from monitor.paging.receivers.http_config import Secret, secret
from monitor.paging.receivers.kind import Kind, Note
from monitor.paging.receivers.texts import ReceiverSection, marker_of, summary_line
from monitor.paging.templates import DEFAULT, Part, Templates

__all__ = ["KIND", "JiraConfig"]

_LONGEST_SUMMARY, _LONGEST_TEXT = 250, 30_000


class JiraConfig(ReceiverSection):
    """An entry of `jira_configs`. Whoever the `http_config` lets in may create and move issues."""

    api_url: Url = ""
    api_url_file: Path | None = None
    api_type: Literal["auto", "cloud", "datacenter"] = "auto"
    project: Text = Field(examples=["ML"])
    issue_type: Text = "Task"
    summary: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()
    priority: str = ""
    reopen_transition: str = ""
    resolve_transition: str = ""
    wont_fix_resolution: str = ""
    reopen_duration: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)
    token: Secret = ""
    http_config: HttpConfig = HttpConfig()


class _Jira:
    dedups = True

    def __init__(self, config: JiraConfig, templates: Templates = DEFAULT) -> None:
        self._config = config
        words = ((Part.TITLE, config.summary), (Part.TEXT, config.description))
        self._templates = own(templates, words).over(config.templates)

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        config = self._config
        try:
            base = _base(secret(config.api_url, config.api_url_file))
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its URL can't be read")
        headers = {"Authorization": f"Bearer {config.token}"} if config.token else {}
        asking = Asking(base, timeout_s, config.http_config, headers, (config.token,))
        try:
            return self._told(message, asking, base)
        except Refused as e:
            return e.delivery

    def _told(self, message: Message, asking: Asking, base: str) -> Delivery:
        issue = self._found(message, asking, base)
        text = self._templates.render(Part.TEXT, message)[:_LONGEST_TEXT]
        body = _document(text) if base.endswith("/3") else text
        if message.status is Status.RESOLVED:
            return self._ended(issue, body, asking)
        if issue is not None:
            asking.ask("POST", f"/issue/{issue}/comment", {"body": body})
            return Delivery(Result.DELIVERED, f"commented on {issue}")
        made = asking.ask("POST", "/issue", {"fields": self._fields(message, body)})
        return Delivery(Result.DELIVERED, f"created {_key(made) or 'an issue'}")

    def _found(self, message: Message, asking: Asking, base: str) -> str | None:
        """The newest open issue with our label."""
        project = self._config.project.replace("\\", "\\\\").replace('"', '\\"')
        marker = marker_of(message)
        wanted = f'project = "{project}" AND labels = "{marker}" AND statusCategory != Done'
        asked = {"jql": f"{wanted} ORDER BY created DESC", "maxResults": 1, "fields": ["status"]}
        answer = asking.ask("SEARCH", "/search/jql" if self._in_cloud(base) else "/search", asked)
        issues = answer.get("issues") if isinstance(answer, dict) else None
        return _key(issues[0]) if isinstance(issues, list) and issues else None

    def _in_cloud(self, base: str) -> bool:
        host = urlsplit(base).hostname or ""
        return self._config.api_type == "cloud" or (
            self._config.api_type == "auto" and host.endswith(".atlassian.net")
        )

    def _fields(self, message: Message, body: Any) -> dict[str, Any]:
        config = self._config
        labels = [label.replace(" ", "_") for label in config.labels if label and not is_go(label)]
        found: dict[str, Any] = {
            "project": {"key": config.project},
            "issuetype": {"name": config.issue_type},
            "summary": summary_line(self._templates, message, _LONGEST_SUMMARY),
            "description": body,
            "labels": [*labels, marker_of(message)],
        }
        if config.priority and not is_go(config.priority):
            found["priority"] = {"name": config.priority}
        return {**found, **config.fields}

    def _ended(self, issue: str | None, body: Any, asking: Asking) -> Delivery:
        if issue is None:
            return Delivery(Result.DELIVERED, "there is no open issue any more")
        wanted = self._config.resolve_transition
        if not wanted:
            asking.ask("POST", f"/issue/{issue}/comment", {"body": body})
            return Delivery(Result.DELIVERED, f"commented on {issue}, which stays open")
        answer = asking.ask("GET", f"/issue/{issue}/transitions")
        known = answer.get("transitions", []) if isinstance(answer, dict) else []
        names = {str(t.get("name")): str(t.get("id")) for t in known if isinstance(t, dict)}
        if wanted not in names:
            there = ", ".join(sorted(names)) or "none"
            return Delivery(Result.PERMANENT, f"{issue} has no transition {wanted!r}; there is {there}"[:200])
        asking.ask("POST", f"/issue/{issue}/transitions", {"transition": {"id": names[wanted]}})
        return Delivery(Result.DELIVERED, f"moved {issue} by {wanted}")


def _base(url: str) -> str:
    url = url.rstrip("/")
    return url if "/rest/api/" in url else f"{url}/rest/api/2"


def _key(issue: Any) -> str | None:
    key = issue.get("key") if isinstance(issue, dict) else None
    return key if isinstance(key, str) and key.replace("-", "").replace("_", "").isalnum() else None


def _document(text: str) -> dict[str, Any]:
    """The text in Atlassian's document format, which version 3 wants: a paragraph for each block of lines."""
    blocks = []
    for block in filter(str.strip, text.split("\n\n")):
        lines: list[dict[str, Any]] = []
        for line in block.splitlines():
            lines += [{"type": "hardBreak"}] if lines else []
            lines += [{"type": "text", "text": line}] if line else []
        blocks.append({"type": "paragraph", "content": lines})
    return {"type": "doc", "version": 1, "content": blocks}


def _warnings(config: JiraConfig) -> list[Note]:
    notes = unused(config, ("summary", "description", "priority"))
    notes += [
        ("labels", f"{each!r} is a Go template; it is left out") for each in config.labels if is_go(each)
    ]
    unknown = ("reopen_transition", "wont_fix_resolution", "reopen_duration")
    told = "isn't used: an issue that is done stays so, and trouble that comes again gets a new one"
    return notes + [(key, told) for key in unknown if getattr(config, key)]


KIND = Kind("jira", JiraConfig, _Jira, needs=("api_url", "api_url_file"), warnings=_warnings)
