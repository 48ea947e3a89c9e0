"""Filling a store with outcomes: the quality profiles that joined predictions and labels come to."""

import numpy as np
import sqlalchemy as sa

from monitor.profiles.codec import encode_rows
from monitor.profiles.layout import Kind
from monitor.profiles.profile import Profiles
from monitor.profiles.quality import Pairs, count_quality
from monitor.profiles.rows import RowKey, RowKeys
from monitor.profiles.series import SeriesKey
from monitor.records import Carries, Ints, Partition
from monitor.store import Store, ownership
from monitor.store.names import series_ids
from monitor.store.schema import profiles, progress

__all__ = ["add_outcomes", "labels_have_come_to"]

LABELS = Partition("labels", 0)


def add_outcomes(
    store: Store,
    pairs: Pairs,
    ts_s: Ints,
    model: str = "fraud",
    version: str = "1",
    tiers_s: tuple[int, ...] = (3600, 86_400),
    writer: int = 1,
) -> None:
    """Counts pair i at `ts_s[i]`, both as prediction and as label, in windows that hold nothing of the
    writer's yet."""
    (number,) = series_ids(store, [SeriesKey(model, version, "/predict", "", "")])
    counted = Profiles()
    for kind in (Kind.QUALITY, Kind.LEARNED):
        for tier_s in tiers_s:
            starts, place = np.unique(ts_s // tier_s * tier_s, return_inverse=True)
            keys = RowKeys.of(RowKey(int(kind), tier_s, number, s, 0) for s in starts.tolist())
            row = counted.rows_for(keys)[place]
            count_quality(counted, row, np.arange(len(pairs)), np.ones(len(pairs), np.int64), pairs)
    names = ("kind", "tier_s", "series", "start_s", "baseline")
    rows = [
        {
            **{name: getattr(key, name) for name in names},
            "writer": writer,
            "revision": 0,
            **dict(zip(("counts", "sums", "maxima"), blobs, strict=True)),
        }
        for key, blobs in zip(counted.rows, encode_rows(counted), strict=True)
    ]
    with store.engine.begin() as connection:
        connection.execute(sa.insert(profiles), rows)


def labels_have_come_to(store: Store, ms: int, now_ms: int) -> None:
    """The stream of labels has its watermark at `ms`."""
    claim = ownership.claim(store, LABELS, "test", now_ms, carries=Carries.LABELS)
    with store.engine.begin() as connection:
        connection.execute(
            sa.update(progress).where(progress.c.writer == claim.writer).values(watermark_ms=ms, high1_ms=ms)
        )
