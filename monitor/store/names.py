"""Names that the store gives numbers to: series, thresholds. Given once, by whoever comes first."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from monitor.profiles.series import SeriesKey
from monitor.store.engine import reading, writing
from monitor.store.schema import series, thresholds
from monitor.store.store import Store, insert

__all__ = ["SeriesKey", "find_series", "models", "series_ids", "threshold_ids"]


def series_ids(store: Store, keys: Sequence[SeriesKey]) -> list[int]:
    """The ids of the (storable) keys, inserted where they are new."""
    if not keys:
        return []
    found = _ids(store, keys)
    missing = [k for k in dict.fromkeys(keys) if k not in found]
    if missing:
        with writing(store.engine) as connection:
            connection.execute(insert(store, series).on_conflict_do_nothing(), [k._asdict() for k in missing])
        found |= _ids(store, missing)
    return [found[k] for k in keys]


def _ids(store: Store, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    wanted = sorted({k.model for k in keys})
    query = sa.select(series).where(series.c.model.in_(wanted))
    with reading(store.engine) as connection:
        return {
            SeriesKey(r.model, r.version, r.endpoint, r.label, r.value): r.id
            for r in connection.execute(query)
        }


def find_series(store: Store, model: str) -> dict[SeriesKey, int]:
    """All series of a model."""
    return _ids(store, [SeriesKey(model)])


def models(store: Store) -> list[str]:
    """The models that have been seen."""
    with reading(store.engine) as connection:
        return list(connection.scalars(sa.select(series.c.model).distinct().order_by(series.c.model)))


def threshold_ids(store: Store, values_ms: Iterable[float], now_ms: int) -> dict[float, int]:
    """Every latency threshold known, with those of `values_ms` added; the number is its cell's."""
    with reading(store.engine) as connection:
        known = {r.value_ms: r.id for r in connection.execute(sa.select(thresholds))}
    missing = [v for v in values_ms if v not in known]
    if not missing:
        return known
    with writing(store.engine) as connection:
        connection.execute(
            insert(store, thresholds).on_conflict_do_nothing(),
            [{"value_ms": v, "since_ms": now_ms} for v in missing],
        )
        return {r.value_ms: r.id for r in connection.execute(sa.select(thresholds))}
