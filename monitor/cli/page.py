"""`monitor page test`: whether a page reaches somebody, before it has to."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.clock import Clock, WallClock
from monitor.config import load_config
from monitor.errors import ConfigError, QueryError
from monitor.paging.alert import Status
from monitor.paging.configured import pager_settings
from monitor.paging.document import load
from monitor.paging.message import Delivery, Message, Purpose, Result
from monitor.paging.receivers import KINDS
from monitor.paging.receivers.notices import notices
from monitor.paging.settings import Integration, PagerSettings, Receiver
from monitor.paging.templates import Templates

__all__ = ["app"]

app = typer.Typer(help="Send pages by hand.")

_WORDS = {
    Result.DELIVERED: "delivered",
    Result.TRANSIENT: "failed, and may work later",
    Result.DOUBTFUL: "not answered, and may have arrived",
    Result.PERMANENT: "failed, and will until something is corrected",
}


@app.callback()
def _page() -> None:
    """Send pages by hand."""


@app.command("test")
def ask(
    receiver: Annotated[str, typer.Option("--receiver", "-r", metavar="NAME", help="Who is to get it.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", envvar="MONITOR_CONFIG", help="monitor's own file."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--config.file", metavar="FILE", help="An Alertmanager configuration.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for each.")
    ] = 15.0,
) -> None:
    """Send a test page over every integration of a receiver, and print what came back; 1 if one failed.

    Providers that open incidents (PagerDuty, Opsgenie, tickets) get its end right after it. Quiet hours and
    silences don't hold it back, and no incident is opened here.

    Example: monitor page test --receiver risk-primary -c monitor.yaml
    """
    settings = _settings(config, file)
    found = settings.receivers.get(receiver)
    if found is None:
        known = ", ".join(sorted(settings.receivers)) or "none"
        raise QueryError(f"there is no receiver {receiver!r}; there are {known}")
    if not found.integrations:
        raise QueryError(f"the receiver {receiver!r} has nothing to send with; give it for example a webhook")
    for key, sentence in notices(settings):
        if key.startswith(f"receivers.{receiver}."):
            print(f"warning: {key}: {sentence}", file=sys.stderr)
    told = [_tell(found, integration, settings.templates, timeout_s) for integration in found.integrations]
    if not all(told):
        raise typer.Exit(FAILED)


def _settings(config: Path | None, file: Path | None) -> PagerSettings:
    if file is not None:
        return load(file)
    if config is None:
        raise ConfigError(["-c: name a configuration, or an Alertmanager file by --config.file"])
    return pager_settings(load_config(config).paging)


def _tell(receiver: Receiver, integration: Integration, templates: Templates, timeout_s: float) -> bool:
    sender = KINDS[integration.kind].make(integration.config, templates)
    said = [_message(receiver, integration, Status.FIRING, WallClock())]
    if sender.dedups:
        said.append(_message(receiver, integration, Status.RESOLVED, WallClock()))
    reached = True
    for message in said:
        delivery = sender.send(message, timeout_s)
        _print(receiver, integration, message, delivery)
        reached = reached and delivery.result is Result.DELIVERED
        if not reached:
            break
    return reached


def _print(receiver: Receiver, integration: Integration, message: Message, delivery: Delivery) -> None:
    what = "end" if message.status is Status.RESOLVED else "page"
    words = f"{_WORDS[delivery.result]} ({delivery.detail})" if delivery.detail else _WORDS[delivery.result]
    print(f"{receiver.name}/{integration.kind}[{integration.index}] {what}: {words}")


def _message(receiver: Receiver, integration: Integration, status: Status, clock: Clock) -> Message:
    return Message(
        purpose=Purpose.TEST,
        receiver=receiver.name,
        integration=integration.index,
        group_key="{}:{}",
        dedup_key=f"monitor-test-{receiver.name}-{integration.index}",
        status=status,
        alerts=(),
        group_labels=(),
        reason="test",
        at_ms=clock.now_ms(),
        severity="info",
        text="Sent by `monitor page test`. Nobody has to do anything.",
    )
