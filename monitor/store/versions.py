"""When the versions of a model came."""

import sqlalchemy as sa

from monitor.clock import HOUR_S
from monitor.profiles.layout import Kind
from monitor.store.engine import reading
from monitor.store.schema import profiles, series
from monitor.store.store import Store

__all__ = ["first_hours"]


def first_hours(store: Store, model: str) -> dict[str, int]:
    """By version: the begin, s, of the oldest stored hour that has requests of it."""
    query = (
        sa.select(series.c.version, sa.func.min(profiles.c.start_s))
        .join(profiles, profiles.c.series == series.c.id)
        .where(
            series.c.model == model,
            series.c.label == "",
            profiles.c.kind == Kind.SERVICE,
            profiles.c.tier_s == HOUR_S,
        )
        .group_by(series.c.version)
    )
    with reading(store.engine) as connection:
        return {version: int(start_s) for version, start_s in connection.execute(query)}
