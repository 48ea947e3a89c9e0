"""A web server that keeps what is posted to it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Collector", "Posted", "collecting"]


@dataclass(frozen=True, slots=True)
class Posted:
    """A request: its path, headers (lower case) and JSON."""

    path: str
    headers: dict[str, str]
    body: Any
    method: str = "POST"


@dataclass
class Collector:
    """`answer` gives the status, headers and JSON of a request; None drops the connection without one."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    answer: Callable[[Posted], tuple[int, dict[str, str], Any] | None] = lambda posted: (200, {}, {})

    def bodies(self, path: str | None = None) -> list[Any]:
        return [p.body for p in self.posted if path in (None, p.path)]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A running server on a free port of 127.0.0.1."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted = Posted(self.path, headers, json.loads(text) if text else None, self.command)
            collector.posted.append(posted)
            answer = collector.answer(posted)
            if answer is None:
                self.close_connection = True
                return
            status, extra, body = answer
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **extra}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
