"""The pager alone, in the place of an Alertmanager: its API, its rounds, and what it sends."""

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.clock import Clock, WallClock, rfc3339
from monitor.errors import ConfigError
from monitor.job.report import JobStatus
from monitor.paging.document import load
from monitor.paging.document.shown import shown_file
from monitor.paging.links.settings import USUAL, LinkSettings
from monitor.paging.receivers.notices import notices
from monitor.paging.settings import Fallback, PagerSettings
from monitor.paging.task import PagerTask
from monitor.service import owner_name
from monitor.store.incident_retention import IncidentRetention
from monitor.store.store import Store
from monitor.web.alertmanager_metrics import AlertmanagerMetrics
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.metrics import ServiceMetrics
from monitor.web.pager_metrics import PagerMetrics
from monitor.web.paging_site import PagingSite, Reloaded
from monitor.web.server import WebServer
from monitor.web.settings import WebSettings

__all__ = ["Besides", "PagerFile", "PagerServer"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Read:
    settings: PagerSettings
    original: str
    reloaded: Reloaded


@dataclass(frozen=True, slots=True)
class Besides:
    """What an Alertmanager file can't say."""

    silence_warning_ms: int = 0
    links: LinkSettings = USUAL
    fallback: Fallback | None = None


class PagerFile:
    """What an Alertmanager file says, as it was when it was last right. Thread-safe."""

    def __init__(
        self,
        path: Path,
        external_url: str,
        clock: Clock,
        besides: Besides = Besides(),
    ) -> None:
        """Raises ConfigError where the file is wrong. What the file can't say is given besides."""
        self._besides = besides
        self._path, self._external_url, self._clock = path, external_url, clock
        self._lock = threading.Lock()
        self._now = self._read()

    def _read(self) -> _Read:
        settings, besides = load(self._path), self._besides
        if besides.fallback is not None and besides.fallback.receiver not in settings.receivers:
            raise ConfigError([f"--fallback: {self._path} has no receiver {besides.fallback.receiver!r}"])
        settings = replace(
            settings,
            silence_warning_ms=besides.silence_warning_ms,
            links=besides.links,
            fallback=besides.fallback,
        )
        if not settings.external_url:
            settings = replace(settings, external_url=self._external_url)
        for key, sentence in notices(settings):
            _log.warning("works otherwise than it is written", extra={"key": key, "reason": sentence})
        return _Read(settings, shown_file(self._path), Reloaded(True, self._clock.now_ms()))

    def reread(self) -> PagerSettings:
        """Reads it again. Raises ConfigError where it is wrong: then what was read before holds."""
        with self._lock:
            try:
                self._now = self._read()
            except ConfigError:
                self._now = replace(self._now, reloaded=replace(self._now.reloaded, ok=False))
                raise
            return self._now.settings

    def settings(self) -> PagerSettings:
        return self._now.settings

    def original(self) -> str:
        return self._now.original

    def reloaded(self) -> Reloaded:
        return self._now.reloaded


class PagerServer:
    """`run` blocks until `stop`; both, and `reload`, may be called from any thread."""

    def __init__(
        self,
        file: PagerFile,
        store: str,
        web: WebSettings,
        clock: Clock | None = None,
        owner: str | None = None,
        retention: IncidentRetention = IncidentRetention(),  # noqa: B008  frozen
    ) -> None:
        """Raises ConfigError where the store's URL is wrong; `owner` names it among its replicas."""
        self._clock = clock or WallClock()
        self._file = file
        self._stop, self._hung_up, self._turned = threading.Event(), threading.Event(), threading.Event()
        self._listening, self._needs_tokens = False, web.needs_tokens
        self._store = Store.open(store)
        pager_metrics = PagerMetrics(self._clock)
        self._task = PagerTask(
            self._store,
            file.settings(),
            owner or owner_name(),
            self._clock,
            told=pager_metrics,
            retention=retention,
        )
        site = PagingSite(
            settings=file.settings,
            original=file.original,
            started_ms=self._clock.now_ms(),
            wake=self._task.wake,
            reload=self.reload,
            reloaded=file.reloaded,
        )
        metrics = ServiceMetrics(self._clock)
        metrics.registry.register(pager_metrics)
        metrics.registry.register(AlertmanagerMetrics(self._store, site, self._clock))
        status = JobStatus(ready=True, problem=None)
        context = WebContext(self._store, self._clock, lambda: status, metrics, settings=web, paging=site)
        self._web = WebServer(create_app(context), web.host, web.port)

    @property
    def url(self) -> str:
        """Where it answers, once `run` has begun."""
        return self._web.url

    def reload(self) -> None:
        """Reads the file again. Raises ConfigError where it is wrong: then the old one holds."""
        try:
            settings = self._file.reread()
        except ConfigError as e:
            _log.error("configuration not reloaded; the old one holds", extra={"problems": e.problems})
            raise
        self._task.reconfigure(settings)
        _log.info("configuration reloaded", extra=_words(settings))

    def hang_up(self) -> None:
        """Asks for a reload, as a signal handler may."""
        self._hung_up.set()
        self._turned.set()

    def listen(self) -> None:
        """Starts; `run` does so by itself. Raises ConfigError where the address can't be had."""
        if not self._listening:
            self._web.start()
            self._task.start()
            self._listening = True
            _log.info("listening", extra={"url": self._web.url, **_words(self._file.settings())})
            if self._needs_tokens:
                hint = "monitor token create NAME --role ingest --store .. makes one"
                _log.info("others can reach this address, so a token is needed", extra={"hint": hint})

    def run(self) -> None:
        """Serves until `stop`. What came in and isn't told yet is told by whoever runs next."""
        self.listen()
        try:
            while not self._stop.is_set():
                self._turned.wait()
                self._turned.clear()
                if self._hung_up.is_set():
                    self._hung_up.clear()
                    self._reload_or_tell()
        finally:
            _log.info("stopping", extra={"at": rfc3339(self._clock.now_ms())})
            self._web.stop()
            self._task.stop()
            self._store.close()

    def _reload_or_tell(self) -> None:
        try:
            self.reload()
        except ConfigError:
            return  # `reload` has logged it

    def stop(self) -> None:
        """Asks for a graceful stop; a signal handler may."""
        self._stop.set()
        self._turned.set()


def _words(settings: PagerSettings) -> dict[str, int]:
    return {
        "receivers": len(settings.receivers),
        "integrations": sum(len(one.integrations) for one in settings.receivers.values()),
    }
