"""The service assembled from its configuration: source, job, web server, and the work beside them."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable

from monitor.baselines.stream import keep_references
from monitor.cards.settings import from_config as card_settings
from monitor.clock import Clock, WallClock
from monitor.config import Config
from monitor.config.sampling import sample_settings
from monitor.config.thresholds import counted_thresholds_ms
from monitor.config.topics import SPOOLS, streams
from monitor.errors import MonitorError
from monitor.evaluating import SloTask
from monitor.ingest.shape import Limits
from monitor.ingest.spool import Spool
from monitor.inputs import open_logs, open_source
from monitor.job.job import Job
from monitor.job.report import JobStatus, Observer
from monitor.job.settings import JobSettings
from monitor.paging.configured import pager_settings
from monitor.paging.detected import Detector
from monitor.paging.did import Did
from monitor.paging.forwarding import Forwarder
from monitor.paging.outbox.policy import Repeats
from monitor.paging.replaying import Replay
from monitor.paging.task import PagerTask
from monitor.paging_web import paging_site
from monitor.records import Carries
from monitor.requesting import RetrainingTask
from monitor.retraining.asking import Retrainer
from monitor.retraining.settings import policies
from monitor.sli.drift_dispersion import dispersion
from monitor.slo.alert_log import list_states
from monitor.slo.evaluate import Evaluator
from monitor.slo.settings import from_config as slo_settings
from monitor.store import lease, ownership, peaks
from monitor.store.dead import Cap
from monitor.store.incident_retention import IncidentRetention
from monitor.store.pairs import drop_expired_pairs
from monitor.store.registry import RegistryLimits
from monitor.store.retention import Retention, drop_expired, oldest_start_s
from monitor.store.store import Store
from monitor.watching import ConceptTask
from monitor.web.app import create_app
from monitor.web.context import WebContext
from monitor.web.gauges import GaugeRefresher, GaugeTask
from monitor.web.metrics import MetricsSettings, ServiceMetrics
from monitor.web.pager_metrics import PagerMetrics
from monitor.web.readings import gauge_reader
from monitor.web.server import WebServer
from monitor.web.settings import from_config

__all__ = ["Housekeeping", "Server", "Service", "job_settings", "open_pager", "owner_name"]

_log = logging.getLogger(__name__)


def owner_name() -> str:
    """Names this process among its replicas."""
    return f"{socket.gethostname()}:{os.getpid()}"


def job_settings(config: Config, owner: str) -> JobSettings:
    """What a configuration asks of the job."""
    stream, limits = config.stream, config.limits
    segments = {name: model.segments for name, model in config.models.items()}
    keep, carries = config.labels.keep_predictions, streams(config)
    return JobSettings(
        owner=owner,
        service_s=config.windows.service_s,
        features_s=config.windows.features_s,
        quality_s=config.windows.quality_s,
        thresholds_ms=counted_thresholds_ms(config),
        disorder_ms=stream.disorder_ms,
        lateness_ms=config.retention.minute_days * 86_400_000,
        idle_after_ms=stream.idle_after_ms,
        max_hold_ms=stream.max_hold_ms,
        flush_interval_ms=stream.flush_interval_ms,
        flush_records=stream.flush_records,
        max_record_bytes=stream.max_record_bytes,
        max_ahead_ms=stream.max_ahead_ms,
        catch_up_age_ms=stream.catch_up_age_ms,
        carries=carries,
        models=frozenset(config.models),
        samples=sample_settings(config),
        feature_segments={name: model.feature_segments for name, model in config.models.items()},
        positive_classes={
            name: model.positive_class for name, model in config.models.items() if model.positive_class
        },
        pairs=Carries.LABELS in carries.values() if keep is None else keep,
        pair_samples={name: model.pair_sample for name, model in config.models.items()},
        decoder=Limits(
            models=limits.models, features=limits.features_per_model, segment_labels=limits.segment_labels
        ),
        registry=RegistryLimits(
            series=limits.series_per_model,
            segment_values=limits.segment_values,
            features=limits.features_per_model,
            categories=limits.categories,
            labels=segments.get,
        ),
        dead_letters=Cap(limits.dead_letter_rows, limits.dead_letter_bytes),
    )


def open_pager(
    config: Config, store: Store, owner: str, clock: Clock, told: Callable[[Did], None] | None = None
) -> PagerTask | Forwarder | None:
    """What tells people of the alerts that fire, None where the configuration wants nobody to."""
    detector = Detector(store, slo_settings(config))
    match config.paging.to:
        case "embedded":
            settings, repeats = pager_settings(config.paging), Repeats(config.paging.repeats)
            kept = IncidentRetention(config.retention.incidents_days, config.retention.audit_days)
            return PagerTask(
                store,
                settings,
                owner,
                clock,
                repeats=repeats,
                detected=detector,
                told=told,
                retention=kept,
            )
        case "alertmanager":
            return Forwarder(store, config.paging.alertmanagers, owner, clock, detector)
        case "off":
            return None


def open_replay(config: Config, store: Store, owner: str, clock: Clock, sends: bool) -> Replay | None:
    """The pager on the stream's clock, None where it isn't embedded."""
    if config.paging.to != "embedded":
        return None
    detector, repeats = Detector(store, slo_settings(config)), Repeats(config.paging.repeats)
    return Replay(store, pager_settings(config.paging), owner, clock, detector, repeats, sends)


def _nothing() -> None:
    """Who takes what was posted looks for it every half second."""


class Housekeeping:
    """Closes peaks, keeps references and drops what expired, in a thread of its own, on the replica that has
    the lease."""

    _LEASE = "housekeeping"
    _EVERY_S = 60.0

    def __init__(self, store: Store, settings: JobSettings, retention: Retention, clock: Clock) -> None:
        self._store, self._settings, self._retention, self._clock = store, settings, retention, clock
        self._thread: threading.Thread | None = None
        self._due_s = time.monotonic()

    def run(self, status: JobStatus) -> None:
        """Starts a round where one is due; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._due_s or status.watermark_ms is None:
            return
        self._due_s = time.monotonic() + self._EVERY_S
        self._thread = threading.Thread(
            target=self._round, args=(status.watermark_ms,), name="housekeeping", daemon=True
        )
        self._thread.start()

    def _round(self, watermark_ms: int) -> None:
        try:
            now_ms = self._clock.now_ms()
            if not lease.acquire(self._store, self._LEASE, self._settings.owner, now_ms, 180_000):
                return
            self.close_peaks(watermark_ms)
            self.keep_references(watermark_ms)
            self._drop_expired(now_ms)
        except MonitorError as e:
            _log.warning("housekeeping put off", extra={"reason": str(e)})

    def _drop_expired(self, now_ms: int) -> None:
        """Ages are held against the stream, not the clock: old logs replayed today are not old yet."""
        heads = [p.marks.watermark_ms for p in ownership.list_progress(self._store, Carries.RECORDS)]
        newest_ms = max((ms for ms in heads if ms is not None), default=0)
        until_ms = min(now_ms, newest_ms)
        while sum(drop_expired(self._store, self._retention, self._settings.tiers_s, until_ms).values()):
            pass
        while drop_expired_pairs(self._store, self._retention.pair_days, until_ms):
            pass

    def close_peaks(self, watermark_ms: int) -> None:
        """Writes the peaks of all hours that the watermark has passed."""
        oldest_s = oldest_start_s(self._store)
        if oldest_s is None:
            return
        while peaks.close(self._store, watermark_ms, self._settings.service_s, oldest_s):
            pass

    def keep_references(self, watermark_ms: int) -> None:
        """Stores what the first complete windows of new models came to, as their provisional reference."""
        keep_references(self._store, self._settings.features_s, watermark_ms, dispersion)

    def stop(self) -> None:
        """Waits for a round under way, seconds at most."""
        if self._thread is not None:
            self._thread.join(10)


class SpoolPruning:
    """Deletes spool files that are read and committed to their end."""

    _EVERY_S = 10.0

    def __init__(self, store: Store, spool: Spool, topic: str) -> None:
        self._store, self._spool, self._topic = store, spool, topic
        self._due_s = time.monotonic()

    def run(self, status: JobStatus) -> None:
        """Prunes where that is due; quick, for there are few files."""
        if time.monotonic() < self._due_s or status.problem is not None:
            return
        self._due_s = time.monotonic() + self._EVERY_S
        try:
            self._spool.prune(ownership.list_files(self._store, self._topic))
        except (MonitorError, OSError) as e:
            _log.warning("spool not pruned", extra={"reason": str(e)})


class Server:
    """Only the web side, over a store that others fill: `monitor serve`."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        clock = clock or WallClock()
        self._stop = threading.Event()
        self._store = Store.open(config.store)
        metrics = ServiceMetrics(clock, MetricsSettings(config.limits.metric_series_per_model))
        refresher = GaugeRefresher(metrics.gauges, owner_name(), gauge_reader(config))
        self._gauges = GaugeTask(refresher, self._store, clock)
        self._status = JobStatus(ready=True, problem=None)
        context = WebContext(
            store=self._store,
            clock=clock,
            status=lambda: self._status,
            metrics=metrics,
            logs=open_logs(config, clock),
            settings=from_config(config.web),
            bases=config.windows,
            samples=sample_settings(config),
            slo=slo_settings(config),
            cards=card_settings(config),
            costs=config.costs,
            paging=paging_site(config, self._store, clock, metrics, _nothing),
        )
        self._web = WebServer(create_app(context), config.web.host, config.web.port)

    def run(self) -> None:
        """Serves until `stop`."""
        self._web.start()
        _log.info("listening", extra={"url": self._web.url})
        try:
            while not self._stop.wait(1.0):
                self._gauges.run(self._status)
        finally:
            self._web.stop()
            self._gauges.stop()
            self._store.close()

    def stop(self) -> None:
        """Asks for a graceful stop; any thread or signal handler may."""
        self._stop.set()


class Service:
    """Everything that `monitor run` runs in one process. `run` blocks until `stop`, or until caught up."""

    def __init__(
        self,
        config: Config,
        *,
        web: bool = True,
        follow: bool = True,
        clock: Clock | None = None,
        observers: tuple[Observer, ...] = (),
        sends_replayed: bool = False,
    ) -> None:
        """`sends_replayed`: a run that ends once it has caught up sends its pages."""
        clock = clock or WallClock()
        owner = owner_name()
        settings = job_settings(config, owner)
        self.store = Store.open(config.store)
        self.metrics = ServiceMetrics(clock, MetricsSettings(config.limits.metric_series_per_model))
        retention = Retention(
            config.retention.minute_days,
            config.retention.hour_days,
            config.retention.day_days,
            config.retention.dead_letters_days,
            config.labels.horizon_days,
            config.retention.samples_days,
        )
        self._housekeeping = Housekeeping(self.store, settings, retention, clock)
        self._concept = ConceptTask(self.store, owner, settings.quality_s, settings.max_hold_ms, clock)
        self._gauges = GaugeTask(
            GaugeRefresher(self.metrics.gauges, owner, gauge_reader(config)), self.store, clock
        )
        self._slo = SloTask(
            self.store,
            Evaluator(self.store, slo_settings(config)),
            owner,
            settings.service_s,
            config.retention.minute_days * 86_400,
            clock,
            self.metrics.evaluated,
        )
        retrainer = Retrainer(self.store, policies(config), config.windows)
        self._retraining = RetrainingTask(self.store, retrainer, owner, clock)
        self._replay = open_replay(config, self.store, owner, clock, sends_replayed)
        pager_metrics = PagerMetrics(clock)
        self._pager = open_pager(config, self.store, owner, clock, pager_metrics)
        if isinstance(self._pager, PagerTask):
            self.metrics.registry.register(pager_metrics)
        self._logs = open_logs(config, clock) if web else {}
        pruning = [
            SpoolPruning(self.store, log, SPOOLS[carries])
            for carries, log in self._logs.items()
            if isinstance(log, Spool)
        ]
        self.job = Job(
            self.store,
            open_source(config, clock, follow),
            settings,
            clock,
            observers=(self.metrics, *observers),
            tasks=(self._housekeeping, self._concept, self._slo, self._retraining, self._gauges, *pruning),
        )
        self.metrics.watch(self.job.status)
        self._web = self._open_web(config, clock) if web else None
        self._listening = False

    def _open_web(self, config: Config, clock: Clock) -> WebServer:
        wake = self._pager.wake if isinstance(self._pager, PagerTask) else _nothing
        context = WebContext(
            store=self.store,
            clock=clock,
            status=self.job.status,
            metrics=self.metrics,
            logs=self._logs,
            settings=from_config(config.web),
            bases=config.windows,
            samples=sample_settings(config),
            slo=slo_settings(config),
            cards=card_settings(config),
            costs=config.costs,
            paging=paging_site(config, self.store, clock, self.metrics, wake),
        )
        return WebServer(create_app(context), config.web.host, config.web.port)

    @property
    def url(self) -> str | None:
        """Where the web server answers, once `run` has begun; None without one."""
        return None if self._web is None else self._web.url

    def listen(self) -> None:
        """Starts to serve; `run` does so by itself. Raises ConfigError where the address can't be had."""
        if self._web is not None and not self._listening:
            self._web.start()
            self._listening = True
            _log.info("listening", extra={"url": self._web.url})

    def close(self) -> None:
        """Gives up everything without running; `run` does so by itself."""
        self.job.close()
        if self._web is not None:
            self._web.stop()
        self.store.close()

    def run(self, until_caught_up: bool = False) -> None:
        """Serves and reads. What was read is flushed before it returns or raises."""
        self.listen()
        self._slo.beside = self._retraining.beside = not until_caught_up
        if self._pager is not None and not until_caught_up:
            self._pager.start()
        try:
            self.job.run(until_caught_up)
            watermark_ms = self.job.status().watermark_ms
            if until_caught_up and watermark_ms is not None:
                self._housekeeping.stop()
                self._housekeeping.close_peaks(watermark_ms)
                self._housekeeping.keep_references(watermark_ms)
                self._concept.stop()
                self._concept.watch()
                before = list_states(self.store)
                did, until_s = self._slo.evaluate(watermark_ms)
                if self._replay is not None:
                    self._replay.run(before, did, until_s * 1000)
        finally:
            if self._web is not None:
                self._web.stop()
            for log in self._logs.values():
                log.close()
            self._housekeeping.stop()
            self._concept.stop()
            self._slo.stop()
            self._retraining.stop()
            self._gauges.stop()
            if self._pager is not None:
                self._pager.stop()
            self.store.close()

    def stop(self) -> None:
        """Asks for a graceful stop; any thread or signal handler may."""
        self.job.stop()
