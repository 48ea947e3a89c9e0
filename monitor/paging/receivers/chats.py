"""Alertmanager's receivers for chats, over apprise: Discord, Telegram, Webex, Teams."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from monitor.paging.receivers.apprise import mapped
from monitor.paging.receivers.http_config import HttpConfig, Secret, secret
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import Part

__all__ = ["KINDS"]

_DISCORD = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/([^/?]+)/([^/?]+)/?")
_TELEGRAM = ("", "https://api.telegram.org")
_WEBEX = ("", "https://webexapis.com/v1/messages", "https://api.ciscospark.com/v1/messages")


class DiscordConfig(ReceiverSection):
    """An entry of `discord_configs`."""

    webhook_url: Secret = ""
    webhook_url_file: Path | None = None
    title: str = ""
    message: str = ""
    content: str = ""
    username: str = ""
    avatar_url: str = ""
    http_config: HttpConfig = HttpConfig()


def discord_url(config: DiscordConfig) -> str:
    """Raises ValueError for an address that isn't Discord's."""
    found = _DISCORD.fullmatch(secret(config.webhook_url, config.webhook_url_file))
    if found is None:
        raise ValueError("isn't a webhook of discord.com; use apprise_configs for another service")
    name = f"{quote(config.username, safe='')}@" if config.username and "{{" not in config.username else ""
    return f"discord://{name}{found[1]}/{found[2]}"


class TelegramConfig(ReceiverSection):
    """An entry of `telegram_configs`."""

    api_url: str = ""
    bot_token: Secret = ""
    bot_token_file: Path | None = None
    chat_id: int | None = None
    message_thread_id: int | None = None
    message: str = ""
    parse_mode: str = ""
    disable_notifications: bool = False
    http_config: HttpConfig = HttpConfig()


def telegram_url(config: TelegramConfig) -> str:
    """Raises ValueError for a server of one's own."""
    if config.api_url.rstrip("/") not in _TELEGRAM:
        raise ValueError("apprise knows only Telegram's own server; leave api_url out")
    if config.chat_id is None:
        raise ValueError("needs chat_id")
    token = secret(config.bot_token, config.bot_token_file)
    topic = f"&topic={config.message_thread_id}" if config.message_thread_id else ""
    silent = "&silent=yes" if config.disable_notifications else ""
    return f"tgram://{token}/{config.chat_id}?detect=no{topic}{silent}"


class WebexConfig(ReceiverSection):
    """An entry of `webex_configs`, whose bot's token stands in `http_config.authorization`."""

    api_url: str = ""
    room_id: str = ""
    message: str = ""
    http_config: HttpConfig = HttpConfig()


def webex_url(config: WebexConfig) -> str:
    """Raises ValueError without a token."""
    if config.api_url.rstrip("/") not in _WEBEX:
        raise ValueError("apprise knows only Webex's own server; leave api_url out")
    given = config.http_config.authorization
    if given is None or not config.room_id:
        raise ValueError("needs room_id, and the bot's token in http_config.authorization")
    token = secret(given.credentials, given.credentials_file)
    return f"wxteams://{quote(token, safe='')}/{quote(config.room_id, safe='')}"


class TeamsConfig(ReceiverSection):
    """An entry of `msteams_configs` or `msteamsv2_configs`."""

    webhook_url: Secret = ""
    webhook_url_file: Path | None = None
    title: str = ""
    summary: str = ""
    text: str = ""
    http_config: HttpConfig = HttpConfig()


def teams_url(config: TeamsConfig) -> str:
    """The workflow's address, which apprise knows by itself. Raises ValueError for one of the old
    connectors, which Microsoft has ended."""
    address = secret(config.webhook_url, config.webhook_url_file)
    host = urlsplit(address).hostname or ""
    if host.endswith("webhook.office.com"):
        raise ValueError("is an Office 365 connector, which Microsoft has ended; make a workflow's webhook")
    return address


def _teams(name: str) -> Any:
    return mapped(
        name,
        TeamsConfig,
        teams_url,
        needs=("webhook_url", "webhook_url_file"),
        words=(("title", Part.TITLE), ("text", Part.MARKDOWN)),
        ignored=("summary",),
        secrets=("webhook_url",),
    )


KINDS = (
    mapped(
        "discord",
        DiscordConfig,
        discord_url,
        needs=("webhook_url", "webhook_url_file"),
        words=(("title", Part.TITLE), ("message", Part.MARKDOWN)),
        ignored=("content", "avatar_url"),
        secrets=("webhook_url",),
    ),
    mapped(
        "telegram",
        TelegramConfig,
        telegram_url,
        needs=("bot_token", "bot_token_file"),
        inherits={"api_url": "telegram_api_url"},
        words=(("message", Part.MARKDOWN),),
        secrets=("bot_token",),
    ),
    mapped(
        "webex",
        WebexConfig,
        webex_url,
        inherits={"api_url": "webex_api_url"},
        words=(("message", Part.MARKDOWN),),
    ),
    _teams("msteams"),
    _teams("msteamsv2"),
)
