"""A dead man's switch: somebody else's watch that rings when we fall silent."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Milliseconds
from monitor.paging.alert import Status
from monitor.paging.message import Delivery, Message, Purpose, Result
from monitor.paging.receivers.http import HttpConfig, Url, post, secret
from monitor.paging.receivers.kind import Kind
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import DEFAULT, Templates

__all__ = ["KIND", "HeartbeatConfig"]


class HeartbeatConfig(ReceiverSection):
    """An entry of `heartbeat_configs`: the URL is asked every `interval` while the pager lives, and whenever
    an alert that is routed here is told as firing."""

    send_resolved: bool = False
    url: Url = ""
    url_file: Path | None = None
    method: Literal["GET", "POST", "PUT"] = "GET"
    interval_ms: Annotated[Milliseconds, Field(ge=1_000)] = 60_000
    http_config: HttpConfig = HttpConfig()


class _Heartbeat:
    # Two beats are as good as one.
    dedups = True

    def __init__(self, config: HeartbeatConfig, templates: Templates = DEFAULT) -> None:
        self._config = config

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        if message.status is Status.RESOLVED and message.purpose is not Purpose.HEARTBEAT:
            return Delivery(Result.DELIVERED, "not sent: an end is no sign of life")
        config = self._config
        try:
            url = secret(config.url, config.url_file)
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "the file of its URL can't be read")
        return post(url, None, timeout_s, config.http_config, method=config.method)[0]


KIND = Kind("heartbeat", HeartbeatConfig, _Heartbeat, needs=("url", "url_file"))
