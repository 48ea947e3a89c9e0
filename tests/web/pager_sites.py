"""`monitor pager` in this process, as a test may start it."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from monitor.clock import WallClock
from monitor.paging_server import PagerFile, PagerServer
from monitor.web.settings import WebSettings

__all__ = ["RunningPager"]


class RunningPager:
    """A pager over a store in `directory`, in a thread of its own, until `close`."""

    def __init__(
        self, directory: Path, document: Mapping[str, Any], store: str | None = None, **web: Any
    ) -> None:
        self.path = directory / "alertmanager.yml"
        self.write(document)
        self.store = store or f"sqlite:///{directory}/pager.db"
        file = PagerFile(self.path, "http://pager.example", WallClock())
        settings = WebSettings(**{"port": 0, "rate_per_s": 10_000.0, "burst": 10_000, **web})
        self.server = PagerServer(file, self.store, settings, owner=f"test {id(self)}")
        self.server.listen()
        self._thread = threading.Thread(target=self.server.run, name="pager under test")
        self._thread.start()

    @property
    def url(self) -> str:
        return self.server.url

    def write(self, document: Mapping[str, Any] | str) -> None:
        text = document if isinstance(document, str) else yaml.safe_dump(dict(document), sort_keys=False)
        self.path.write_text(text)

    def close(self) -> None:
        self.server.stop()
        self._thread.join(30)
