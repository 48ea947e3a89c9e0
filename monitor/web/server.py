"""The app behind a socket, in a thread of its own."""

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from monitor.errors import ConfigError, MonitorError

__all__ = ["WebServer"]

_START_S = 10.0
_CONNECTIONS = 512


class WebServer:
    """Serves an app over HTTP from `start` to `stop`. With port 0 a free one is taken; see `port`."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app, self._host, self._port = app, host.strip("[]"), port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port in use, once started; a later start takes the same again."""
        return self._port

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Returns once it listens. Raises ConfigError where the address can't be had."""
        self._socket = self._bound()
        self._port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=10,
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )
        self._thread.start()
        until_s = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until_s:
                self._socket.close()
                raise MonitorError("the web server did not start; the log has the reason")
            time.sleep(0.01)

    def _bound(self) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as e:
            raise self._refused(e) from None
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as e:
            bound.close()
            raise self._refused(e) from None
        return bound

    def _refused(self, error: OSError) -> ConfigError:
        reason = error.strerror or str(error)
        return ConfigError(
            [f"web: can't listen on {self._host}:{self._port} ({reason}); choose another address"]
        )

    def stop(self, within_s: float = 10.0) -> None:
        """Takes no more requests, lets those under way end for `within_s` seconds, and returns."""
        if self._server is None or self._thread is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(within_s))
        self._server.should_exit = True
        self._thread.join(within_s + 2)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._server = self._thread = None
