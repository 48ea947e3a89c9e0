"""What a backtest can't know, in sentences for those who rely on it."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.backtest.replay import Span
from monitor.clock import rfc3339
from monitor.slo.counting_operations import is_operational
from monitor.slo.objective import Objective, Under
from monitor.slo.settings import SloSettings
from monitor.store.engine import reading
from monitor.store.names import thresholds_in
from monitor.store.store import Store

__all__ = ["of_log", "of_store"]


def of_log(settings: SloSettings, model: str | None = None) -> list[str]:
    """About objectives that a log of records says nothing of."""
    return [
        f"{_name(o)}: a log of records has no events of operations, so it counts nothing"
        for o in _about(settings, model)
        if is_operational(o.meter.source)
    ]


def of_store(store: Store, settings: SloSettings, span: Span, model: str | None = None) -> list[str]:
    """About what a store has kept no record of."""
    found = [
        "late records count where they belong, drift is held against references learnt since, and exclusions "
        "are those of today; --log FILE replays a raw log with what had come by each moment"
    ]
    if span.cut:
        found.append("older base windows are gone (retention.1m): it begins with the oldest that is held")
    with reading(store.engine) as connection:
        known = thresholds_in(connection)
    first_ms = min((t.since_ms for t in known), default=0)
    since_ms = {t.value_ms: 0 if t.since_ms == first_ms else t.since_ms for t in known}
    return found + list(_uncounted(_about(settings, model), since_ms, span))


def _uncounted(objectives: Sequence[Objective], since_ms: Mapping[float, int], span: Span) -> Iterator[str]:
    for objective in objectives:
        source = objective.meter.source
        if not isinstance(source, Under):
            continue
        from_ms = since_ms.get(source.limit_ms)
        if from_ms is None:
            yield (
                f"{_name(objective)}: this store does not count requests under {source.limit_ms:g} ms, so it "
                "could not fire; run the service with it, or take --log FILE"
            )
        elif from_ms > span.from_s * 1000:
            yield (
                f"{_name(objective)}: requests under {source.limit_ms:g} ms are counted since "
                f"{rfc3339(from_ms)} only, so it could not fire before"
            )


def _about(settings: SloSettings, model: str | None) -> list[Objective]:
    return [o for o in settings.objectives if model in (None, o.meter.model)]


def _name(objective: Objective) -> str:
    return f"{objective.meter.model} {objective.name}"
