"""What the web app knows of the pager beside it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.paging.settings import PagerSettings

__all__ = ["PagingSite", "Received", "Reloaded"]


class Received:
    """Counts alerts that were posted to this process: `firing`, `resolved`, `invalid`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {"firing": 0, "resolved": 0, "invalid": 0}

    def add(self, *, firing: int, resolved: int, invalid: int) -> None:
        with self._lock:
            self._counts["firing"] += firing
            self._counts["resolved"] += resolved
            self._counts["invalid"] += invalid

    def counts(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Whether the configuration was right when it was read last, and when it last was, ms."""

    ok: bool
    ok_ms: int


@dataclass(frozen=True, slots=True)
class PagingSite:
    """`settings` gives what the pager goes by now, `original` the configuration as people wrote it, without
    secrets. `wake` is called when something was posted. `reload` reads the configuration again and raises
    ConfigError where it is wrong, and then nothing has changed; None where that can't be asked for."""

    settings: Callable[[], PagerSettings]
    original: Callable[[], str]
    started_ms: int
    wake: Callable[[], None] = lambda: None
    reload: Callable[[], None] | None = None
    reloaded: Callable[[], Reloaded] | None = None
    received: Received = field(default_factory=Received)
