"""`monitor run` and `monitor serve`: the service in the foreground."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

import typer

from monitor.cli.options import ConfigOption, FilesOption, LabelsOption, ListenOption, StoreOption, configured
from monitor.errors import ConfigError
from monitor.logs import set_up

__all__ = ["run", "serve", "stopping"]


class Stoppable(Protocol):
    """What a signal can stop."""

    def stop(self) -> None: ...


def run(
    config: ConfigOption = None,
    files: FilesOption = None,
    labels: LabelsOption = None,
    store: StoreOption = None,
    listen: ListenOption = None,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop once the lag is zero and all is committed.")
    ] = False,
    web: Annotated[bool, typer.Option("--web/--no-web", help="Serve /metrics and the API.")] = True,
    send: Annotated[
        bool,
        typer.Option("--send", help="With --until-caught-up: send the pages, instead of recording them."),
    ] = False,
) -> None:
    """Run the main job: read the source, keep the indicators, serve /metrics and the API.

    With --until-caught-up the embedded pager goes by the stream's clock: incidents are as they would have
    been, and its messages are recorded as not sent.
    """
    if send and not until_caught_up:
        raise ConfigError(
            ["--send: goes with --until-caught-up; a service that goes on sends its pages anyhow"]
        )
    loaded = configured(config, store, files, listen, labels)
    if config is None and files is None and labels is None:
        raise ConfigError(["run: give a configuration with -c, or a directory of logs with --files"])
    set_up(loaded.log.level, loaded.log.format, secrets=loaded.secrets())
    from monitor.service import Service  # half a second that other commands need not wait

    # A run over files that ends by itself is a calculation: it needs no port.
    serve_web = web and not (until_caught_up and listen is None and config is None)
    service = Service(loaded, web=serve_web, follow=not until_caught_up, sends_replayed=send)
    with stopping(service):
        service.run(until_caught_up)


def serve(config: ConfigOption = None, store: StoreOption = None, listen: ListenOption = None) -> None:
    """Serve /metrics and the API of a store, without reading a source."""
    loaded = configured(config, store, None, listen)
    set_up(loaded.log.level, loaded.log.format, secrets=loaded.secrets())
    from monitor.service import Server  # as above

    server = Server(loaded)
    with stopping(server):
        server.run()


@contextmanager
def stopping(service: Stoppable) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT ask the service to stop: one bounded flush, then it returns."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Signals reach the main thread only; whoever runs us elsewhere stops us itself.
        return
    before = {
        number: signal.signal(number, lambda *_: service.stop()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
