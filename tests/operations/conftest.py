"""A store, and events in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Store
from monitor.store.engine import writing
from monitor.store.events import write
from tests.ingest.events.making import event
from tests.store.test_events import events_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/m.db")
    yield opened
    opened.close()


@pytest.fixture
def happen(store: Store) -> Callable[..., None]:
    """Puts events into the store: (kind, milliseconds, data) each."""
    count = iter(range(10_000))

    def put(*given: tuple[str, int, dict[str, Any]]) -> None:
        messages = []
        for kind, at_ms, data in given:
            time = {"deployment": "deployed", "cost": "begin"}.get(kind)
            timed = {time: at_ms, **data} if time else data
            message = event(kind, f"h{next(count)}")
            message["data"] = {k: v for k, v in {**message["data"], **timed}.items() if v is not ...}
            found = events_of(message)
            messages += [replace(each, ts_ms=each.data.at_ms(at_ms)) for each in found]
        with writing(store.engine) as connection:
            write(store, connection, messages)

    return put
