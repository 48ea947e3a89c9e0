"""A running web server to send requests to, over a store of the test's own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from monitor.clock import StreamClock
from monitor.job.report import JobStatus
from monitor.records import Carries
from monitor.slo.settings import SloSettings
from monitor.store import tokens
from monitor.store.store import Store
from monitor.store.tokens import Role
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.metrics import ServiceMetrics
from monitor.web.paging_site import PagingSite
from monitor.web.server import WebServer
from monitor.web.settings import WebSettings
from tests.builders import NOW_MS

__all__ = ["Log", "Site"]


class Log:
    """A durable log in memory; `fail` is raised instead of keeping anything, `before` runs first."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.fail: Exception | None = None
        self.before: Callable[[], object] = lambda: None

    def append(self, lines: Sequence[bytes]) -> None:
        self.before()
        if self.fail is not None:
            raise self.fail
        self.lines.extend(lines)


class Site:
    """Everything behind one app, and clients of it."""

    def __init__(self, directory: Path, slo: SloSettings | None = None, **settings: Any) -> None:
        self.store = Store.open(f"sqlite:///{directory}/m.db")
        self.clock = StreamClock(NOW_MS)
        self.metrics = ServiceMetrics(self.clock)
        self.log = Log()
        self.label_log = Log()
        self.event_log = Log()
        self.status = JobStatus(ready=True, problem=None)
        self.context = WebContext(
            store=self.store,
            clock=self.clock,
            status=lambda: self.status,
            metrics=self.metrics,
            logs={
                Carries.RECORDS: self.log,
                Carries.LABELS: self.label_log,
                Carries.EVENTS: self.event_log,
            },
            settings=WebSettings(**{"rate_per_s": 10_000.0, "burst": 10_000, **settings}),
            slo=slo or SloSettings(),
        )
        self._servers: list[WebServer] = []
        self._clients: list[httpx.Client] = []
        self.server = self._serve(self.context)
        self.client = self.calling()

    def _serve(self, context: WebContext) -> WebServer:
        server = WebServer(create_app(context), "127.0.0.1", 0)
        server.start()
        self._servers.append(server)
        return server

    def calling(self, name: str | None = None, server: WebServer | None = None) -> httpx.Client:
        """A client that calls the server by this name, or by its address."""
        headers = {} if name is None else {"Host": name}
        client = httpx.Client(base_url=(server or self.server).url, headers=headers, timeout=20)
        self._clients.append(client)
        return client

    def holding(self, role: Role) -> httpx.Client:
        """A client with a new token of that role."""
        client = self.calling("monitor.example")
        secret = tokens.create(self.store, f"test-{role}", role, NOW_MS)
        client.headers["Authorization"] = f"Bearer {secret}"
        return client

    def without_log(self) -> httpx.Client:
        """A client of a server that takes neither records nor labels."""
        return self.calling(server=self._serve(replace(self.context, logs={})))

    def paging(self, pager: PagingSite) -> httpx.Client:
        """A client of a server beside a pager."""
        return self.calling("pager.example", self._serve(replace(self.context, paging=pager)))

    def close(self) -> None:
        for client in self._clients:
            client.close()
        for server in self._servers:
            server.stop(2)
        self.store.close()
