"""Alertmanager's receivers that wake a telephone, over apprise: Pushover, VictorOps, Amazon SNS."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import Field

from monitor.config.section import Section
from monitor.paging.receivers.apprise import mapped
from monitor.paging.receivers.http_config import HttpConfig, Secret, secret
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import Part

__all__ = ["KINDS"]

_PRIORITIES = {"-2": "low", "-1": "moderate", "0": "normal", "1": "high", "2": "emergency"}
_VICTOROPS = "alert.victorops.com/integrations/generic/"


class PushoverConfig(ReceiverSection):
    """An entry of `pushover_configs`."""

    user_key: Secret = ""
    user_key_file: Path | None = None
    token: Secret = ""
    token_file: Path | None = None
    title: str = ""
    message: str = ""
    url: str = ""
    url_title: str = ""
    device: str = ""
    sound: str = ""
    priority: str = ""
    retry: str = "1m"
    expire: str = "1h"
    ttl: str = ""
    html: bool = False
    http_config: HttpConfig = HttpConfig()


def pushover_url(config: PushoverConfig) -> str:
    """Raises ValueError without a token."""
    user, token = secret(config.user_key, config.user_key_file), secret(config.token, config.token_file)
    if not token:
        raise ValueError("needs token or token_file too")
    asked = {"priority": _PRIORITIES.get(config.priority, ""), "sound": config.sound}
    given = "&".join(f"{key}={quote(value)}" for key, value in asked.items() if value)
    return f"pover://{user}@{token}/{quote(config.device)}" + (f"?{given}" if given else "")


class VictoropsConfig(ReceiverSection):
    """An entry of `victorops_configs` (Splunk On-Call)."""

    api_key: Secret = ""
    api_key_file: Path | None = None
    api_url: str = ""
    routing_key: str = ""
    message_type: str = ""
    entity_display_name: str = ""
    state_message: str = ""
    monitoring_tool: str = ""
    custom_fields: dict[str, str] = Field(default_factory=dict)
    http_config: HttpConfig = HttpConfig()


def victorops_url(config: VictoropsConfig) -> str:
    """Raises ValueError without a routing key, or for another server."""
    if config.api_url and _VICTOROPS not in config.api_url:
        raise ValueError("apprise knows only VictorOps' own server; leave api_url out")
    if not config.routing_key or "{{" in config.routing_key:
        raise ValueError("needs routing_key, as a plain text")
    return f"victorops://{quote(config.routing_key, safe='')}@{secret(config.api_key, config.api_key_file)}"


class Sigv4(Section):
    """Who signs."""

    region: str = ""
    access_key: str = ""
    secret_key: Secret = ""
    profile: str = ""
    role_arn: str = ""


class SnsConfig(ReceiverSection):
    """An entry of `sns_configs`."""

    sigv4: Sigv4 = Sigv4()
    api_url: str = ""
    topic_arn: str = ""
    phone_number: str = ""
    target_arn: str = ""
    subject: str = ""
    message: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    http_config: HttpConfig = HttpConfig()


def sns_url(config: SnsConfig) -> str:
    """Raises ValueError for what only Amazon's own library finds: profiles, roles, the machine's rights."""
    given = config.sigv4
    if not (given.access_key and given.secret_key) or given.profile or given.role_arn:
        raise ValueError("needs sigv4 with access_key and secret_key; profiles and roles aren't known here")
    parts = config.topic_arn.split(":")
    region = given.region or (parts[3] if len(parts) == 6 else "")
    if config.target_arn or not (config.topic_arn or config.phone_number):
        raise ValueError("needs topic_arn or phone_number; target_arn isn't known to apprise")
    target = quote(f"#{parts[-1]}", safe="") if config.topic_arn else config.phone_number.lstrip("+")
    if not region:
        raise ValueError("needs sigv4.region")
    return f"sns://{quote(given.access_key, safe='')}/{quote(given.secret_key, safe='')}/{region}/{target}"


def _victorops() -> Any:
    return mapped(
        "victorops",
        VictoropsConfig,
        victorops_url,
        needs=("api_key", "api_key_file"),
        inherits={
            "api_key": "victorops_api_key",
            "api_key_file": "victorops_api_key_file",
            "api_url": "victorops_api_url",
        },
        words=(("entity_display_name", Part.TITLE), ("state_message", Part.TEXT)),
        ignored=("message_type", "monitoring_tool", "custom_fields"),
        secrets=("api_key",),
    )


KINDS = (
    mapped(
        "pushover",
        PushoverConfig,
        pushover_url,
        needs=("user_key", "user_key_file"),
        words=(("title", Part.TITLE), ("message", Part.TEXT)),
        ignored=("url", "url_title", "retry", "expire", "ttl", "html"),
        secrets=("user_key", "token"),
    ),
    _victorops(),
    mapped(
        "sns",
        SnsConfig,
        sns_url,
        words=(("subject", Part.TITLE), ("message", Part.TEXT)),
        ignored=("attributes",),
    ),
)
