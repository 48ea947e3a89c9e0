"""GitHub's issues: one for each group, found again by a mark in its body."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field

from monitor.paging.alert import Status
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.asking import Asking, Refused
from monitor.paging.receivers.http import HttpConfig, Url
from monitor.paging.receivers.http_config import Secret, secret
from monitor.paging.receivers.kind import Kind
from monitor.paging.receivers.texts import ReceiverSection, marker_of, summary_line
from monitor.paging.templates import DEFAULT, Part, Templates

__all__ = ["KIND", "GithubConfig"]

_PER_PAGE, _MAX_PAGES = 100, 10
_LONGEST_TITLE, _LONGEST_BODY = 250, 60_000


def _repository(text: str) -> str:
    owner, slash, name = text.partition("/")
    if not (slash and owner and name) or "/" in name or any(c in text for c in " ?#%"):
        raise ValueError("must be owner/name")
    return text


class GithubConfig(ReceiverSection):
    """An entry of `github_configs`. Issues are looked for among those of the first of the `labels`."""

    repo: Annotated[str, AfterValidator(_repository), Field(examples=["acme/models"])]
    token: Secret = ""
    token_file: Path | None = None
    api_url: Url = "https://api.github.com"
    labels: tuple[str, ...] = ("monitor",)
    assignees: tuple[str, ...] = ()
    http_config: HttpConfig = HttpConfig()


class _Github:
    dedups = True

    def __init__(self, config: GithubConfig, templates: Templates = DEFAULT) -> None:
        self._config = config
        self._templates = templates.over(config.templates)

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        try:
            token = secret(self._config.token, self._config.token_file)
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its token can't be read")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        base = f"{self._config.api_url.rstrip('/')}/repos/{self._config.repo}"
        asking = Asking(base, timeout_s, self._config.http_config, headers, (token,))
        try:
            return self._told(message, asking)
        except Refused as e:
            return e.delivery

    def _told(self, message: Message, asking: Asking) -> Delivery:
        mark = f"<!-- {marker_of(message)} -->"
        number = self._found(mark, asking)
        body = self._templates.render(Part.MARKDOWN, message)[:_LONGEST_BODY]
        if message.status is Status.RESOLVED:
            if number is None:
                return Delivery(Result.DELIVERED, "there is no open issue any more")
            # Closed first: a comment that is told twice is less than an issue that stays open.
            asking.ask("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})
            asking.ask("POST", f"/issues/{number}/comments", {"body": body})
            return Delivery(Result.DELIVERED, f"closed #{number}")
        if number is not None:
            asking.ask("POST", f"/issues/{number}/comments", {"body": body})
            return Delivery(Result.DELIVERED, f"commented on #{number}")
        made = asking.ask("POST", "/issues", self._issue(message, f"{body}\n\n{mark}"))
        number = made.get("number") if isinstance(made, dict) else None
        return Delivery(Result.DELIVERED, f"created #{number}" if number else "created an issue")

    def _issue(self, message: Message, body: str) -> dict[str, Any]:
        found = {
            "title": summary_line(self._templates, message, _LONGEST_TITLE),
            "body": body,
            "labels": list(self._config.labels),
            "assignees": list(self._config.assignees),
        }
        return {key: value for key, value in found.items() if value}

    def _found(self, mark: str, asking: Asking) -> int | None:
        """The newest open issue with the mark. They are listed, not searched for: the search lags behind."""
        labels = f"&labels={quote(self._config.labels[0], safe='')}" if self._config.labels else ""
        for page in range(1, _MAX_PAGES + 1):
            path = f"/issues?state=open{labels}&per_page={_PER_PAGE}&page={page}"
            answer = asking.ask("GET", path)
            issues = [i for i in answer if isinstance(i, dict)] if isinstance(answer, list) else []
            for issue in issues:
                if mark in str(issue.get("body") or "") and isinstance(issue.get("number"), int):
                    return int(issue["number"])
            if len(issues) < _PER_PAGE:
                return None
        return None


KIND = Kind("github", GithubConfig, _Github, needs=("token", "token_file"))
