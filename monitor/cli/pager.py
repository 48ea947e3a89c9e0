"""`monitor pager`: the pager alone, in the place of an Alertmanager."""

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.pager_options import PagerFileOption
from monitor.cli.run import stopping
from monitor.config import is_loopback
from monitor.config.durations import DAY_MS, parse_duration_ms
from monitor.errors import ConfigError
from monitor.logs import set_up
from monitor.paging.links.settings import LinkSettings, key_in
from monitor.web.settings import WebSettings

if TYPE_CHECKING:
    from monitor.paging.settings import Fallback
    from monitor.paging_server import PagerServer

__all__ = ["address_of", "pager"]

# One Prometheus posts each minute whatever fires, in batches of 64.
_RATE_PER_S, _BURST = 500.0, 2_000
_LONGEST_LINK_MS = 30 * DAY_MS


class LogFormat(StrEnum):
    """As Alertmanager's, and ours."""

    TEXT = "text"
    LOGFMT = "logfmt"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    WARNING = "warning"
    ERROR = "error"


def pager(
    file: PagerFileOption = Path("alertmanager.yml"),
    listen: Annotated[
        str, typer.Option("--web.listen-address", metavar="HOST:PORT", help="Where to serve the API.")
    ] = "127.0.0.1:9093",
    store: Annotated[
        str, typer.Option("--store", metavar="URL", help="Where everything is kept.")
    ] = "sqlite:///pager.db",
    external_url: Annotated[
        str | None,
        typer.Option(
            "--web.external-url", metavar="URL", help="How receivers of messages reach this server."
        ),
    ] = None,
    link_key_file: Annotated[
        Path | None,
        typer.Option(
            "--link-key-file",
            metavar="FILE",
            envvar="MONITOR_LINK_KEY_FILE",
            help="Signs links that acknowledge, in place of a key that the store keeps.",
        ),
    ] = None,
    link_valid: Annotated[
        str, typer.Option("--link-valid", metavar="DURATION", help="For how long such a link holds.")
    ] = "24h",
    level: Annotated[
        LogLevel, typer.Option("--log.level", help="From which level on to log.")
    ] = LogLevel.INFO,
    format: Annotated[
        LogFormat, typer.Option("--log.format", help="Plain text, or a JSON object a line.")
    ] = LogFormat.TEXT,
    silence_warning: Annotated[
        str,
        typer.Option(
            "--silence-warning",
            metavar="TIME",
            help="So long before a silence ends, whoever it keeps quiet is told; 0: never.",
        ),
    ] = "0",
    fallback: Annotated[
        str | None,
        typer.Option(
            "--fallback", metavar="RECEIVER", help="Who is told of what can't be delivered to whom it is for."
        ),
    ] = None,
    fallback_after: Annotated[
        str, typer.Option("--fallback-after", metavar="DURATION", help="For how long that is tried first.")
    ] = "5m",
    incident_days: Annotated[
        int,
        typer.Option("--retention.incident-days", min=1, help="How long incidents are kept after their end."),
    ] = 400,
    audit_days: Annotated[
        int, typer.Option("--retention.audit-days", min=1, help="How long it is kept what people did.")
    ] = 5 * 365,
    cluster: Annotated[str, typer.Option("--cluster.listen-address", hidden=True)] = "",
) -> None:
    """Run the pager in the place of an Alertmanager, for Prometheus and amtool as they are.

    SIGHUP and POST /-/reload read the file again. Two with one PostgreSQL store are one pager.
    On an address that others reach, a token is needed: see `monitor token`.
    """
    host, port = address_of(listen)
    set_up("warning" if level is LogLevel.WARN else level, "json" if format is LogFormat.JSON else "text")
    if level is LogLevel.INFO:
        # What is decided and told is to be seen among what is asked.
        for name in ("monitor.web.request_log", "uvicorn"):
            logging.getLogger(name).setLevel(logging.WARNING)
    from monitor.clock import WallClock
    from monitor.paging_server import (  # half a second that others need not wait
        Besides,
        PagerFile,
        PagerServer,
    )
    from monitor.store.incident_retention import IncidentRetention

    web = WebSettings(host=host, port=port, rate_per_s=_RATE_PER_S, burst=_BURST)
    known = PagerFile(
        file,
        external_url or _reached_at(host, port),
        WallClock(),
        Besides(
            duration_option("--silence-warning", silence_warning),
            _links(link_key_file, duration_option("--link-valid", link_valid)),
            _fallback(fallback, fallback_after),
        ),
    )
    server = PagerServer(known, store, web, retention=IncidentRetention(incident_days, audit_days))
    with stopping(server), _reloading(server):
        server.run()


def address_of(text: str) -> tuple[str, int]:
    """Host and port; without a host all interfaces, as Go has it. Raises ConfigError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise ConfigError([f"--web.listen-address: {text!r} is no address; write HOST:PORT"])
    return host.strip("[]") or "0.0.0.0", int(port)


def duration_option(option: str, text: str) -> int:
    """Milliseconds. Raises ConfigError."""
    try:
        return parse_duration_ms(text)
    except ValueError as e:
        raise ConfigError([f"{option}: {e}"]) from None


def _fallback(receiver: str | None, after: str) -> "Fallback | None":
    from monitor.paging.settings import Fallback

    return None if receiver is None else Fallback(receiver, duration_option("--fallback-after", after))


def _links(key_file: Path | None, valid_ms: int) -> LinkSettings:
    if not 0 < valid_ms <= _LONGEST_LINK_MS:
        raise ConfigError(["--link-valid: must be above 0, and 30d at most"])
    try:
        return LinkSettings(None if key_file is None else key_in(key_file), valid_ms)
    except ValueError as e:
        raise ConfigError([f"--link-key-file: {e}"]) from None


def _reached_at(host: str, port: int) -> str:
    name = host if is_loopback(host) else socket.gethostname()
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


@contextmanager
def _reloading(server: "PagerServer") -> Iterator[None]:
    """While inside, SIGHUP reads the configuration again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: server.hang_up())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
