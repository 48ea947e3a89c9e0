"""WebServer: starting, stopping, and addresses that can't be had."""

import socket
import threading
import time

import httpx
import pytest
from fastapi import FastAPI

from monitor.errors import ConfigError
from monitor.web.server import WebServer


def slow_app(begun: threading.Event, seconds: float) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    def wait() -> str:
        begun.set()
        time.sleep(seconds)
        return "done"

    return app


def test_it_answers_once_started_and_no_more_once_stopped() -> None:
    server = WebServer(slow_app(threading.Event(), 0), "127.0.0.1", 0)
    server.start()
    url = server.url
    assert server.port > 0
    assert httpx.get(url).json() == "done"
    server.stop(2)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    server.stop()


def test_a_request_under_way_is_answered_before_it_stops() -> None:
    begun, answers = threading.Event(), []
    server = WebServer(slow_app(begun, 0.5), "127.0.0.1", 0)
    server.start()
    asking = threading.Thread(target=lambda: answers.append(httpx.get(server.url).json()))
    asking.start()
    assert begun.wait(5)
    server.stop(5)
    asking.join(5)
    assert answers == ["done"]


def test_an_address_in_use_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"can't listen on 127.0.0.1:{port} .*another address"):
            WebServer(FastAPI(), "127.0.0.1", port).start()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_says_what_to_do(host: str) -> None:
    with pytest.raises(ConfigError, match="choose another address"):
        WebServer(FastAPI(), host, 0).start()


def test_it_starts_again_on_the_same_port() -> None:
    server = WebServer(slow_app(threading.Event(), 0), "127.0.0.1", 0)
    server.start()
    httpx.get(server.url)
    port = server.port
    server.stop(2)
    server.start()
    assert server.port == port
    server.stop(2)
