"""A local server that takes every webhook, notes when it came, and fails while it is told to."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Heard", "Hearing"]

_START_DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A POST that was taken: its path without the first slash, when (ms since the epoch), its JSON."""

    path: str
    at_ms: float
    body: dict[str, Any]


class Hearing:
    """`verdict` gives the status to answer for a path at a time (ms since the epoch), 0 to hang up; what
    isn't answered with 200 is only counted, in `refused`."""

    def __init__(self, verdict: Callable[[str, float], int] = lambda path, at_ms: 200) -> None:
        self.heard: list[Heard] = []
        self.refused = 0
        self.url = ""
        self._verdict = verdict
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hearing", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_DEADLINE_S):
            raise RuntimeError("the webhook server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (status := await self._take(reader)) > 0:
                writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> int:
        """Reads one request; returns the status to answer, 0 to hang up."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        at_ms = time.time() * 1000
        first, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = first.split(" ")[1].lstrip("/")
        status = self._verdict(path, at_ms)
        if status == 200:
            self.heard.append(Heard(path, at_ms, json.loads(body)))
        else:
            self.refused += 1
        return status
