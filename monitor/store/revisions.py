"""What has been written since: how often each window of each series was, from the rows' revisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from monitor.records import Ints
from monitor.store.read import inline
from monitor.store.schema import baseline_counts, baselines, bins, profiles

__all__ = ["Writes", "baselines_written", "writes"]


@dataclass(frozen=True, slots=True)
class Writes:
    """One item per series and window that has rows: the begin of the window, and the number of times that
    its rows were written (int64). With every write to a window that number grows."""

    series: Ints
    start_s: Ints
    n: Ints


def writes(
    connection: sa.Connection, kind: int, tier_s: int, series_ids: Sequence[int], from_s: int, to_s: int
) -> Writes:
    """The writes to windows of a tier that start in [from_s, to_s), without reading what is in them."""
    if not series_ids:
        return Writes(*np.zeros((3, 0), np.int64))
    # A row that is new counts too: its revision is 0.
    query = (
        sa.select(
            profiles.c.series,
            profiles.c.start_s,
            sa.cast(sa.func.sum(profiles.c.revision + 1), sa.BigInteger),
        )
        .where(
            profiles.c.kind == kind,
            profiles.c.tier_s == tier_s,
            profiles.c.series.in_(inline(series_ids)),
            profiles.c.start_s >= from_s,
            profiles.c.start_s < to_s,
        )
        .group_by(profiles.c.series, profiles.c.start_s)
    )
    found = connection.execute(query).cursor.fetchall()
    return Writes(*np.array(found, np.int64).reshape(-1, 3).T)


def baselines_written(connection: sa.Connection) -> dict[str, int]:
    """By model: a number that grows when a baseline of it comes, gets a feature, the bins of one, or its
    counts."""

    def rows(column: sa.Column[int], counted: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
        return sa.select(counted).where(column == baselines.c.id).scalar_subquery()

    known = (
        1
        + rows(baseline_counts.c.baseline, sa.func.count())
        + rows(bins.c.baseline, sa.func.count() + sa.func.count(bins.c.spec))
    )
    query = sa.select(baselines.c.model, sa.func.sum(known)).group_by(baselines.c.model)
    return {model: int(n) for model, n in connection.execute(query)}
