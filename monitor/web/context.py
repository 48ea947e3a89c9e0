"""What the web app is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.clock import Clock
from monitor.job.report import JobStatus
from monitor.store.store import Store
from monitor.web.metrics import ServiceMetrics
from monitor.web.settings import WebSettings

__all__ = ["DurableLog", "WebContext"]


class DurableLog(Protocol):
    """Where posted records go: the spool, or Kafka."""

    def append(self, lines: Sequence[bytes]) -> None:
        """Blocks until all lines are durable; thread-safe. Raises MonitorError or OSError where they
        may not be: the caller is told to send them again."""


@dataclass(frozen=True, slots=True)
class WebContext:
    """`status` tells how the job does; without a `durable_log` nothing can be posted. `service_s` and
    `features_s` are the base windows that the job writes."""

    store: Store
    clock: Clock
    status: Callable[[], JobStatus]
    metrics: ServiceMetrics
    durable_log: DurableLog | None = None
    settings: WebSettings = field(default_factory=WebSettings)
    service_s: int = 60
    features_s: int = 600
