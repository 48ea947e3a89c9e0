"""Fixtures that every test may ask for: real servers, the shared data, and no thread that dies unseen."""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.servers import Alertmanager, Kafka, Postgres, Prometheus, PrometheusConfig, Server, ServerMissing
from tests.servers.alertmanager import amtool
from tests.servers.prometheus import promtool

ROOT = Path(__file__).resolve().parents[1]
SERVER_FIXTURES = {
    "kafka": "kafka",
    "topic": "kafka",
    "postgres": "postgres",
    "pg_url": "postgres",
    "prometheus_factory": "prometheus",
    "promtool_run": "prometheus",
    "alertmanager_factory": "alertmanager",
    "amtool_run": "alertmanager",
}

S = TypeVar("S", bound=Server)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the servers that it asks for, so that `-m 'not kafka'` works."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in SERVER_FIXTURES:
                item.add_marker(SERVER_FIXTURES[fixture])


def server_or_skip(make: Callable[[], S]) -> S:
    """Return what `make` makes; where it is not installed, skip, or fail if MONITOR_REQUIRE_SERVERS=1."""
    try:
        return make()
    except ServerMissing as missing:
        if os.environ.get("MONITOR_REQUIRE_SERVERS") == "1":
            pytest.fail(f"MONITOR_REQUIRE_SERVERS=1, but {missing}", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A program run in this process sets up its logs, which are those of all other tests too."""
    loggers = [
        logging.getLogger(name) for name in ("", "monitor", "monitor.web.request_log", "uvicorn", "alembic")
    ]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A running Kafka broker; a test that stops it must start it again."""
    with server_or_skip(Kafka) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server; a test that stops it must start it again."""
    with server_or_skip(Postgres) as server:
        yield server


@pytest.fixture(scope="session")
def prometheus_factory() -> Iterator[Callable[[PrometheusConfig], Prometheus]]:
    """A function from a configuration to a running Prometheus, which stays until it is closed."""
    made: list[Prometheus] = []

    def start(config: PrometheusConfig) -> Prometheus:
        made.append(server_or_skip(lambda: Prometheus(config)))
        return made[-1].start()

    yield start
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def promtool_run() -> Callable[..., str]:
    """Runs the real promtool; raises ServerFailed with what it says where it finds a mistake."""
    server_or_skip(Prometheus).close()
    return promtool


@pytest.fixture(scope="session")
def alertmanager_factory() -> Iterator[Callable[[Mapping[str, Any]], Alertmanager]]:
    """A function from a configuration to a running Alertmanager, which stays until it is closed."""
    made: list[Alertmanager] = []

    def start(document: Mapping[str, Any]) -> Alertmanager:
        made.append(server_or_skip(lambda: Alertmanager(document)))
        return made[-1].start()

    yield start
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def amtool_run() -> Callable[..., str]:
    """Runs the real amtool; raises ServerFailed with what it says where it fails."""
    server_or_skip(lambda: Alertmanager({})).close()
    return amtool


@pytest.fixture
def pg_url(postgres: Postgres) -> Iterator[str]:
    """The SQLAlchemy url of an empty database, dropped after the test."""
    postgres.start()
    database = postgres.create_database()
    yield postgres.url(database)
    postgres.start()
    postgres.drop_database(database)


@pytest.fixture
def topic(kafka: Kafka) -> Iterator[Callable[..., str]]:
    """A function `topic(partitions=1, **config)` that creates a topic for this test and returns its name."""
    kafka.start()
    names: list[str] = []

    def create(partitions: int = 1, **config: object) -> str:
        names.append(f"test-{uuid.uuid4().hex[:12]}")
        return kafka.create_topic(names[-1], partitions, **config)

    yield create
    kafka.start()
    kafka.delete_topics(names)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and oracles beside the project; the test skips where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("there is no ../shared with real data beside the project")
    return folder


@pytest.fixture(autouse=True)
def thread_failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.ExceptHookArgs]]:
    """Fail the test when a thread died from an exception; one that expects it clears this list."""
    failures: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    yield failures
    raise_first(failures)


def raise_first(failures: list[threading.ExceptHookArgs]) -> None:
    """Raise AssertionError, with the exception as its cause, for the first thread that died."""
    for failure in failures:
        name = failure.thread.name if failure.thread is not None else "(gone)"
        raise AssertionError(f"thread {name} died: {failure.exc_value!r}") from failure.exc_value
