"""Fixtures of the sources."""

import gc
import importlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ingest.backends import CLIENTS, Backend, DirectoryBackend, KafkaBackend

with warnings.catch_warnings():
    # kafka-python reads its schemas through a function that Python 3.11 says is deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("kafka")


@pytest.fixture(params=["directory", *(pytest.param(c, marks=pytest.mark.kafka) for c in CLIENTS)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each log that there is a source for, empty."""
    made: Backend
    if request.param == "directory":
        made = DirectoryBackend(tmp_path)
    else:
        topic: Callable[..., str] = request.getfixturevalue("topic")
        made = KafkaBackend(request.getfixturevalue("kafka"), topic(partitions=4), request.param)
    yield made
    made.close()


@pytest.fixture(params=CLIENTS)
def kafka_backend(request: pytest.FixtureRequest, topic: Callable[..., str]) -> Iterator[KafkaBackend]:
    """Each Kafka client, on an empty topic of four partitions."""
    made = KafkaBackend(request.getfixturevalue("kafka"), topic(partitions=4), request.param)
    yield made
    made.close()


@pytest.fixture
def unclosed_sockets() -> Iterator[None]:
    """kafka-python leaves sockets of failed connections to the garbage collector, which gets them here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
