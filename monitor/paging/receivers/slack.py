"""Alertmanager's `slack_configs`, over apprise: Slack's own webhooks, or a bot's token."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from monitor.paging.receivers.apprise import mapped
from monitor.paging.receivers.http_config import HttpConfig, Secret, secret
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import Part

__all__ = ["KIND", "SlackConfig"]

_HOOK = re.compile(r"https://hooks\.slack(?:-gov)?\.com/services/(\w+)/(\w+)/(\w+)/?")
_METHOD = "https://slack.com/api/chat.postMessage"


class SlackConfig(ReceiverSection):
    """An entry of `slack_configs`."""

    send_resolved: bool = False
    api_url: Secret = ""
    api_url_file: Path | None = None
    channel: str = ""
    username: str = ""
    title: str = ""
    text: str = ""
    http_config: HttpConfig = HttpConfig()
    actions: Any = None
    callback_id: Any = None
    color: Any = None
    fallback: Any = None
    fields: Any = None
    footer: Any = None
    icon_emoji: Any = None
    icon_url: Any = None
    image_url: Any = None
    link_names: Any = None
    mrkdwn_in: Any = None
    pretext: Any = None
    short_fields: Any = None
    thumb_url: Any = None
    title_link: Any = None
    timeout: Any = None


def url(config: SlackConfig) -> str:
    """`slack://A/B/C/#channel`. Raises ValueError for an address that isn't Slack's own."""
    address = secret(config.api_url, config.api_url_file)
    if not address:
        raise ValueError("needs api_url or api_url_file, here or as slack_api_url in global")
    channel = "/" + quote(config.channel if config.channel[:1] in "#@" else f"#{config.channel}", safe="")
    channel = channel if config.channel else ""
    given = config.http_config.authorization
    if address == _METHOD and given is not None:
        return f"slack://{secret(given.credentials, given.credentials_file)}{channel}?blocks=no"
    found = _HOOK.fullmatch(address)
    if found is None:
        raise ValueError(
            "isn't a webhook of hooks.slack.com; for Mattermost, Rocket.Chat and others that speak "
            "Slack's language use apprise_configs (mmosts://.., rockets://..)"
        )
    name = f"{quote(config.username, safe='')}@" if config.username and "{{" not in config.username else ""
    return f"slack://{name}{'/'.join(found.groups())}{channel}?footer=no"


KIND = mapped(
    "slack",
    SlackConfig,
    url,
    needs=("api_url", "api_url_file"),
    inherits={"api_url": "slack_api_url", "api_url_file": "slack_api_url_file"},
    words=(("title", Part.TITLE), ("text", Part.MARKDOWN)),
    ignored=(
        *("actions", "callback_id", "color", "fallback", "fields", "footer", "icon_emoji", "icon_url"),
        *("image_url", "link_names", "pretext", "thumb_url", "title_link"),
    ),
    secrets=("api_url",),
)
