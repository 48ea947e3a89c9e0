"""Samples in the store: the lowest of each window and reason, written with the flush that read them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from monitor.profiles.sample_rows import Sample
from monitor.profiles.samples import Reason, SampleSettings
from monitor.store.engine import reading
from monitor.store.schema import samples, series
from monitor.store.store import Store, insert

__all__ = ["Found", "forget_wrong", "last_window_s", "list_samples", "write"]

_AT_ONCE = 500
_COLUMNS = {f.name: "name" if f.name == "id" else f.name for f in fields(Sample)}


@dataclass(frozen=True, slots=True)
class Found:
    """A sample with the model and version that it is of."""

    model: str
    version: str
    sample: Sample


def write(store: Store, connection: sa.Connection, new: Sequence[Sample], settings: SampleSettings) -> None:
    """Adds samples in the caller's transaction, and deletes what their windows have beyond their size.

    Of two writers that add to one window at once neither sees the other's: then a few more may stay than
    are wanted, never fewer, until the window is written to again. `list_samples` leaves them out.
    """
    if not new:
        return
    rows = [{to: getattr(sample, of) for of, to in _COLUMNS.items()} for sample in new]
    for begin in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(store, samples).on_conflict_do_nothing(), rows[begin : begin + _AT_ONCE])
    _trim(connection, {(s.series, s.start_s, s.reason) for s in new}, settings)


def _trim(
    connection: sa.Connection, windows: Collection[tuple[int, int, int]], settings: SampleSettings
) -> None:
    by_place: dict[tuple[int, int], list[int]] = {}
    for number, start_s, reason in sorted(windows):
        by_place.setdefault((number, reason), []).append(start_s)
    beyond: list[int] = []
    for (number, reason), starts in by_place.items():
        for begin in range(0, len(starts), _AT_ONCE):
            at = starts[begin : begin + _AT_ONCE]
            ranked = (
                sa.select(samples.c.id, _position().label("position"))
                .where(samples.c.series == number, samples.c.reason == reason, samples.c.start_s.in_(at))
                .subquery()
            )
            beyond += connection.scalars(
                sa.select(ranked.c.id).where(ranked.c.position > settings.size(reason))
            )
    for begin in range(0, len(beyond), _AT_ONCE):
        mine = sa.select(samples.c.id).where(samples.c.id.in_(beyond[begin : begin + _AT_ONCE]))
        # What another writer deletes just now is none of ours: nobody waits, so nobody waits in a circle.
        unlocked = mine.with_for_update(skip_locked=True)
        connection.execute(sa.delete(samples).where(samples.c.id.in_(unlocked)))


def _position() -> sa.Over[int]:
    return sa.func.row_number().over(
        partition_by=(samples.c.series, samples.c.start_s, samples.c.reason),
        order_by=(samples.c.rank, samples.c.hash, samples.c.moment),
    )


def forget_wrong(connection: sa.Connection, gone: Iterable[tuple[int, int, int, int]]) -> None:
    """Deletes predictions that their labels no longer prove wrong: (series, start_s, hash, moment)."""
    by_window: dict[tuple[int, int], list[int]] = {}
    for number, start_s, _, moment in sorted(gone):
        by_window.setdefault((number, start_s), []).append(moment)
    for (number, start_s), moments in by_window.items():
        for begin in range(0, len(moments), _AT_ONCE):
            connection.execute(
                sa.delete(samples).where(
                    samples.c.series == number,
                    samples.c.start_s == start_s,
                    samples.c.reason == int(Reason.WRONG),
                    samples.c.moment.in_(moments[begin : begin + _AT_ONCE]),
                )
            )


def list_samples(
    store: Store,
    settings: SampleSettings,
    *,
    model: str,
    version: str | None = None,
    reasons: Collection[Reason] = (),
    from_s: int | None = None,
    to_s: int | None = None,
    limit: int = 100,
) -> list[Found]:
    """Samples of a model, the newest window first, in each by reason and rank; without `reasons` those of
    every reason but RANDOM.

    `from_s` and `to_s` bound the windows: all that reach into the range. That of a wrong prediction is the
    one in which its label came. Where the same record was sampled for another reason, a wrong prediction
    has its features from there.
    """
    wanted = [int(r) for r in reasons] or [int(r) for r in Reason if r is not Reason.RANDOM]
    mine = [series.c.model == model, series.c.label == "", samples.c.reason.in_(wanted)]
    if version is not None:
        mine.append(series.c.version == version)
    if from_s is not None:
        mine.append(samples.c.start_s > from_s - settings.window_s)
    if to_s is not None:
        mine.append(samples.c.start_s < to_s)
    sizes = sa.case({int(r): settings.size(r) for r in Reason}, value=samples.c.reason, else_=0)
    of_series = (series.c.model, series.c.version)
    ranked = (
        sa.select(samples, *of_series, _position().label("position"), sizes.label("size"))
        .join(series, series.c.id == samples.c.series)
        .where(*mine)
        .subquery()
    )
    order = (ranked.c[name] for name in ("version", "reason", "rank", "hash", "moment"))
    query = (
        sa.select(ranked)
        .where(ranked.c.position <= ranked.c.size)
        .order_by(ranked.c.start_s.desc(), *order)
        .limit(limit)
    )
    with reading(store.engine) as connection:
        rows = [dict(r) for r in connection.execute(query).mappings()]
        _complete(connection, [r for r in rows if r["reason"] == int(Reason.WRONG)], settings.window_s)
    return [
        Found(r["model"], r["version"], Sample(**{of: r[to] for of, to in _COLUMNS.items()})) for r in rows
    ]


def _complete(connection: sa.Connection, wrong: Sequence[dict[str, Any]], window_s: int) -> None:
    """Gives wrong predictions what is known of the same record from another sample."""
    for begin in range(0, len(wrong), _AT_ONCE):
        part = wrong[begin : begin + _AT_ONCE]
        query = sa.select(samples).where(
            samples.c.series.in_({r["series"] for r in part}),
            samples.c.start_s.in_({r["ts_ms"] // 1000 // window_s * window_s for r in part}),
            samples.c.moment.in_({r["moment"] for r in part}),
            samples.c.reason != int(Reason.WRONG),
        )
        known = {r["moment"]: r for r in connection.execute(query).mappings()}
        for row in part:
            other = known.get(row["moment"])
            if other is not None:
                row |= {name: other[name] for name in ("name", "trace_id", "endpoint", "outcome")}
                row |= {name: other[name] for name in ("latency_ms", "prediction", "score", "features")}


def last_window_s(store: Store, model: str, version: str | None = None) -> int | None:
    """The begin of the newest window that random records of a model were kept of; None without any."""
    mine = [series.c.model == model, series.c.label == "", samples.c.reason == int(Reason.RANDOM)]
    if version is not None:
        mine.append(series.c.version == version)
    query = sa.select(sa.func.max(samples.c.start_s)).join(series, series.c.id == samples.c.series)
    with reading(store.engine) as connection:
        last: int | None = connection.scalar(query.where(*mine))
    return last
