"""What a scrape may see of a batch: fresh records, and a request to look at."""

import numpy as np

from monitor.job.report import Exemplar
from monitor.profiles.layout import Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.profiler import Profiled, Profiler
from monitor.profiles.series import SeriesKey
from monitor.records import Batch
from monitor.store.registry import StoreRegistry

__all__ = ["exemplars_of", "fresh_of"]

_LOOKED_AT = 16


def fresh_of(profiler: Profiler, batch: Batch, profiled: Profiled, since_ms: int) -> tuple[Profiles, int]:
    """The profiles of the records at or after `since_ms`, and how many records are older."""
    if not len(batch) or int(batch.ts_ms.max()) < since_ms:
        return Profiles(), len(batch)
    if int(batch.ts_ms.min()) >= since_ms:
        return profiled.profiles.where(profiled.profiles.rows.kind != Kind.FEATURES), 0
    stale = int(np.count_nonzero(batch.ts_ms < since_ms))
    return profiler.live(batch, since_ms), stale


def exemplars_of(batch: Batch, since_ms: int, registry: StoreRegistry) -> dict[int, Exemplar]:
    """The slowest fresh requests that carry a trace id, at most one a series, by series."""
    latency = batch.measures.get("latency_ms")
    if latency is None or not len(batch):
        return {}
    usable = np.where((batch.ts_ms >= since_ms) & ~np.isnan(latency), latency, -1.0)
    k = min(_LOOKED_AT, len(usable))
    slowest = np.argpartition(usable, -k)[-k:]
    found: dict[int, Exemplar] = {}
    for i in slowest[np.argsort(usable[slowest])].tolist():
        trace_id = batch.trace_ids[i]
        if usable[i] < 0 or not trace_id:
            continue
        key = SeriesKey(
            batch.model.names[batch.model.codes[i]] or "",
            batch.version.names[batch.version.codes[i]] or "",
            batch.endpoint.names[batch.endpoint.codes[i]] or "",
        )
        series = int(registry.series([key])[0][0])
        found[series] = Exemplar(series, float(usable[i]), trace_id[:64], int(batch.ts_ms[i]))
    return found
