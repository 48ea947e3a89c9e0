"""The caller: sends every call over HTTP and measures what it took."""

import http.client
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from monitor.demo.make_data.flights import Flight
from monitor.demo.make_data.plan import SERVER_ACTIONS, Call, request_of
from monitor.demo.make_data.server import CALLER_TIMEOUT_S, GOOD_TOKEN, READER_TOKEN

__all__ = ["Answer", "send"]

_THREADS = 4
_PART = re.compile(r"(\w+);dur=([\d.]+)")
_TOKENS = {"expired_token": "caller-0", "wrong_role": READER_TOKEN}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `latency_ms` by the caller's clock, `parts` by the server's, one result a flight."""

    status: int
    latency_ms: float
    parts: Mapping[str, float] = field(default_factory=dict)
    results: Sequence[Mapping[str, Any]] = ()


def _request(call: Call, flights: Sequence[Flight]) -> tuple[str, bytes, dict[str, str]]:
    first = call[0]
    instances = [request_of(flights[p.flight], p.at_ms) for p in call]
    if first.action == "bad_body":
        del instances[0]["dest"]
    body = json.dumps(
        {
            "model": first.model,
            "version": first.version,
            "explain": first.explained,
            "instances": instances,
        }
    ).encode()
    headers = {"Authorization": f"Bearer {_TOKENS.get(first.action, GOOD_TOKEN)}"}
    if first.action in SERVER_ACTIONS:
        headers["X-Fault"] = first.action
    if first.cold:
        headers["X-Cold"] = "1"
    path = "/v1/bulk" if first.mode == "batch" else "/v1/predict"
    return (
        "/v0/predict" if first.action == "bad_route" else path,
        body[: len(body) // 2] if first.action == "bad_json" else body,
        headers,
    )


class _Caller(threading.local):
    """A keep-alive connection for each thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=CALLER_TIMEOUT_S)
        connection.connect()
        return connection

    def ask(self, call: Call, flights: Sequence[Flight]) -> Answer:
        """Sends `call`. A timeout that the plan does not want (a busy machine) is tried again."""
        answer = self._ask(call, flights)
        while answer.status == 504 and call[0].action != "hang":
            answer = self._ask(call, flights)
        return answer

    def _ask(self, call: Call, flights: Sequence[Flight]) -> Answer:
        path, body, headers = _request(call, flights)
        connection = self._connection
        start = time.perf_counter()
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            payload = response.read()
        except TimeoutError:
            elapsed = (time.perf_counter() - start) * 1000
            connection.close()
            self._connection = self._connect()
            return Answer(504, elapsed)
        elapsed = (time.perf_counter() - start) * 1000
        parts = {k: float(v) for k, v in _PART.findall(response.headers["Server-Timing"] or "")}
        results = json.loads(payload).get("results", ())
        return Answer(response.status, elapsed, parts, results)


def send(
    calls: Sequence[Call], flights: Sequence[Flight], port: int, progress: Callable[[int], None]
) -> list[Answer]:
    """The answers to `calls`, in their order; `progress` is told how many are done now and then."""
    caller = _Caller(port)
    done = itertools.count(1)

    def ask(call: Call) -> Answer:
        answer = caller.ask(call, flights)
        number = next(done)
        if number % 1000 == 0:
            progress(number)
        return answer

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(ask, calls))
