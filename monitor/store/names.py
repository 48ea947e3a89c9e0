"""Names that the store gives numbers to: series, thresholds. Given once, by whoever comes first."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from monitor.profiles.series import SeriesKey
from monitor.store.engine import reading, writing
from monitor.store.schema import series, thresholds
from monitor.store.store import Store, insert

__all__ = [
    "SeriesKey",
    "Threshold",
    "find_series",
    "models",
    "series_ids",
    "series_in",
    "threshold_ids",
    "thresholds_in",
]


class Threshold(NamedTuple):
    """A latency threshold: its cell's number, its value, and when (on the clock) counting it began."""

    number: int
    value_ms: float
    since_ms: int


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


def thresholds_in(connection: sa.Connection) -> list[Threshold]:
    """Every latency threshold known."""
    query = sa.select(thresholds.c.id, thresholds.c.value_ms, thresholds.c.since_ms)
    return [Threshold(*row) for row in connection.execute(query)]


def series_in(
    connection: sa.Connection, wanted: Collection[str], known: tuple[int, int] | None = None
) -> tuple[tuple[int, int], dict[str, dict[SeriesKey, int]]]:
    """(what the table has come to, the series of each model wanted). They are not read where the table has
    not moved on from what is `known` of it."""
    found = connection.execute(sa.select(sa.func.count(), sa.func.max(series.c.id)).select_from(series)).one()
    come_to = (int(found[0]), int(found[1] or 0))
    by_model: dict[str, dict[SeriesKey, int]] = {}
    if come_to != known:
        for number, *names in connection.execute(sa.select(series)):
            key = SeriesKey(*names)
            if key.model in wanted:
                by_model.setdefault(key.model, {})[key] = number
    return come_to, by_model
