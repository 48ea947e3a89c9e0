"""Events that happened when a test says."""

from dataclasses import replace
from typing import Any

from monitor.ingest.events.decode import Event
from tests.ingest.events.making import event
from tests.store.test_events import events_of

__all__ = ["happened"]


def happened(*given: tuple[str, int, dict[str, Any]]) -> list[Event]:
    """Events (kind, ms, data): the example of the kind with the data over it; what is `...` is left out."""
    found = []
    for i, (kind, at_ms, data) in enumerate(given):
        message = event(kind, f"h{i}")
        filled = {**message["data"], **data}
        message["data"] = {name: value for name, value in filled.items() if value is not ...}
        found += [replace(each, ts_ms=at_ms) for each in events_of(message)]
    return found
