"""The pager's API beside the job's: what a configuration asks for."""

from collections.abc import Callable

from monitor.clock import Clock
from monitor.config import Config
from monitor.paging.configured import inline_document, pager_settings
from monitor.paging.document.shown import shown_document, shown_file
from monitor.store.store import Store
from monitor.web.alertmanager_metrics import AlertmanagerMetrics
from monitor.web.metrics import ServiceMetrics
from monitor.web.paging_site import PagingSite

__all__ = ["paging_site"]


def paging_site(
    config: Config, store: Store, clock: Clock, metrics: ServiceMetrics, wake: Callable[[], None]
) -> PagingSite | None:
    """None where the pager isn't in here; its metrics are shown among `metrics`. Raises ConfigError."""
    if config.paging.to != "embedded":
        return None
    settings = pager_settings(config.paging)
    file = config.paging.config_file
    original = shown_document(inline_document(config.paging)) if file is None else shown_file(file)
    site = PagingSite(
        settings=lambda: settings, original=lambda: original, started_ms=clock.now_ms(), wake=wake
    )
    metrics.registry.register(AlertmanagerMetrics(store, site, clock))
    return site
