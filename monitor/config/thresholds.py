"""The latency thresholds that a configuration needs counted."""

from monitor.config.model import Config
from monitor.config.watches import tuning_of
from monitor.slo.catalogue import watches
from monitor.slo.objective import Under

__all__ = ["counted_thresholds_ms"]


def counted_thresholds_ms(config: Config) -> tuple[float, ...]:
    """The latency thresholds to count exactly: those given, and those that objectives and watches are
    about."""
    thresholds = set(config.latency_thresholds_ms)
    for model in config.models.values():
        thresholds.update(model.latency_thresholds_ms)
        thresholds.update(o.under_ms for o in model.objectives.values() if o.under_ms is not None)
    if config.slo.generic:
        found = watches(
            {"": None}, config.windows, tuning_of(config.slo.watches, frozenset(config.slo.disable))
        )
        thresholds.update(w.meter.source.limit_ms for w in found if isinstance(w.meter.source, Under))
    return tuple(sorted(thresholds))
