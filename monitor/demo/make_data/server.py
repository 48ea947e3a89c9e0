"""A small real model server: HTTP on 127.0.0.1, a feature store, and models that are really loaded.

Every answer carries `Server-Timing` with the milliseconds it spent queueing for a worker, fetching
features and computing. The header `X-Fault` makes the server do what happens in a fault (it really
waits, fails or loses features), and `X-Cold` makes the replica load everything anew.
"""

import functools
import json
import multiprocessing
import os
import pickle
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from monitor.demo.make_data.flights import FeatureStore, Observation
from monitor.demo.make_data.models import Predictor
from monitor.demo.make_data.timeline import DATA_START_MS, DAY_MS

__all__ = ["CALLER_TIMEOUT_S", "GOOD_TOKEN", "READER_TOKEN", "running"]

CALLER_TIMEOUT_S = 2.0
GOOD_TOKEN, READER_TOKEN = "caller-1", "reader-1"
_WORKERS = 2
# How often a replica that starts asks itself before it takes a request.
_SELF_TESTS = 25
_FIELDS = ("carrier", "origin", "dest", "tailnum", "distance", "hour", "at")


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Timings(dict[str, float]):
    """Milliseconds by part."""

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self[part] = self.get(part, 0.0) + (time.perf_counter() - start) * 1000


class _Replicas:
    """Loaded models and their feature store; `slots` bounds how many requests of a model run at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[tuple[str, str], tuple[Predictor, FeatureStore]] = {}
        self.slots: defaultdict[str, threading.Semaphore] = defaultdict(
            functools.partial(threading.Semaphore, _WORKERS)
        )

    def get(self, model: str, version: str, anew: bool) -> tuple[Predictor, FeatureStore]:
        key = (model, version)
        if anew or key not in self._loaded:
            try:
                predictor = pickle.loads((self._folder / f"{model}-{version}.pickle").read_bytes())
            except FileNotFoundError:
                raise _Refused(404, f"no model {model} of version {version}") from None
            store = pickle.loads((self._folder / "features.pickle").read_bytes())
            for _ in range(_SELF_TESTS):
                predictor.predict([predictor.features(predictor.example)])
            self._loaded[key] = (predictor, store)
        return self._loaded[key]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def __init__(self, replicas: _Replicas, *args: Any) -> None:
        self._replicas = replicas
        super().__init__(*args)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        timings = _Timings()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = 200, {}
        try:
            answer = self._answer(self._checked(body), timings)
        except _Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        except ArithmeticError as broken:
            status, answer = 500, {"error": repr(broken)}
        self._reply(status, answer, timings)

    def _reply(self, status: int, answer: Mapping[str, Any], timings: _Timings) -> None:
        payload = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            parts = ", ".join(f"{part};dur={ms:.3f}" for part, ms in timings.items())
            self.send_header("Server-Timing", parts)
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            # The caller gave up, which is what a fault of the kind "hang" is for.
            self.close_connection = True

    def _checked(self, body: bytes) -> dict[str, Any]:
        if self.path not in ("/v1/predict", "/v1/bulk"):
            raise _Refused(404, f"no route {self.path}")
        token = self.headers["Authorization"]
        if token == f"Bearer {READER_TOKEN}":
            raise _Refused(403, "this caller may not predict")
        if token != f"Bearer {GOOD_TOKEN}":
            raise _Refused(401, "the token has expired")
        try:
            request: dict[str, Any] = json.loads(body)
        except ValueError:
            raise _Refused(400, "the body is not JSON") from None
        for instance in request["instances"]:
            missing = [name for name in _FIELDS if name not in instance]
            if missing:
                raise _Refused(422, f"missing {', '.join(missing)}")
        return request

    def _answer(self, request: Mapping[str, Any], timings: _Timings) -> dict[str, Any]:
        fault = self.headers["X-Fault"] or ""
        if fault == "hang":
            time.sleep(CALLER_TIMEOUT_S * 1.3)
        slots = self._replicas.slots[request["model"]]
        with timings.measure("queue"):
            slots.acquire()
        try:
            if fault == "unavailable":
                raise _Refused(503, "no healthy replica")
            with timings.measure("compute"):
                anew = "X-Cold" in self.headers
                predictor, store = self._replicas.get(request["model"], request["version"], anew)
            return self._predict(predictor, store, request, fault, timings)
        finally:
            slots.release()

    def _predict(
        self,
        predictor: Predictor,
        store: FeatureStore,
        request: Mapping[str, Any],
        fault: str,
        timings: _Timings,
    ) -> dict[str, Any]:
        with timings.measure("feature"):
            seen = [_weather(store, one, fault) for one in request["instances"]]
            rows = [
                predictor.features(store.lookup(one, weather))
                for one, weather in zip(request["instances"], seen, strict=True)
            ]
        with timings.measure("compute"):
            results = predictor.predict(rows)
            if fault == "crash":
                raise ZeroDivisionError("calibration by an empty bin")
            if request["explain"]:
                results[0]["attributions"] = predictor.attributions(rows[0])
        for result, row, weather in zip(results, rows, seen, strict=True):
            result |= {"features": row, "feature_ts": weather and weather.ts, "valid": weather is not None}
        return {"results": results}


def _weather(store: FeatureStore, instance: Mapping[str, Any], fault: str) -> Observation | None:
    at = instance["at"]
    if fault == "no_weather":
        return None
    if fault == "slow_features":
        time.sleep(0.03 + random.expovariate(1 / 0.03))
    if fault == "stale":
        at -= (at - DATA_START_MS) % DAY_MS
    return store.observation(instance["origin"], at)


def _serve(folder: Path, port: Connection) -> None:
    replicas = _Replicas(folder)
    ThreadingHTTPServer.request_queue_size = 64
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, replicas)) as server:
        server.daemon_threads = True
        port.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """Runs the server in a process of its own over the models in `folder`; yields its port."""
    # One thread a prediction, as a server under load would be set up.
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(folder, there), daemon=True)
    process.start()
    try:
        if not here.poll(120):
            raise TimeoutError("the model server did not start within 120 s")
        yield here.recv()
    finally:
        process.terminate()
        process.join()
