"""Which baseline is for which event time: activations, and what each window was bound to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from monitor.store.engine import reading, writing
from monitor.store.schema import activations, baselines, bindings, series
from monitor.store.store import Store, insert

__all__ = ["Activation", "activate", "active", "bind", "last_activation", "list_activations", "next_window_s"]

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Activation:
    """From `from_s` on the baseline is active (or, where `retired`, no longer) for a model's version, ''
    for all versions."""

    id: int
    baseline: int
    model: str
    version: str
    from_s: int
    retired: bool
    author: str
    at_ms: int


def active(said: Sequence[Activation], version: str, at_s: int) -> int | None:
    """The baseline of a model's version at an event time; None where only the provisional one is left.

    `said` is all that was said of one model, oldest first; the last word about a time holds, and a baseline
    of the version goes before one for all versions.
    """
    for wanted in dict.fromkeys((version, "")):
        retired: set[int] = set()
        for each in reversed(said):
            if each.version != wanted or each.from_s > at_s:
                continue
            if not each.retired and each.baseline not in retired:
                return each.baseline
            retired.add(each.baseline)
    return None


def activate(
    store: Store, baseline: int, from_s: int, author: str, now_ms: int, *, retired: bool = False
) -> None:
    """Says that a baseline is active from an event time on, or with `retired` no longer."""
    with writing(store.engine) as connection:
        say(connection, baseline, from_s, author, now_ms, retired=retired)


def say(
    connection: sa.Connection, baseline: int, from_s: int, author: str, now_ms: int, *, retired: bool = False
) -> None:
    """The same inside a transaction."""
    row = {"baseline": baseline, "from_s": from_s, "retired": retired, "author": author, "at_ms": now_ms}
    connection.execute(sa.insert(activations), row)


def last_activation(store: Store) -> int:
    """The id of the newest activation, 0 without any: where it is as it was, nothing has changed."""
    with reading(store.engine) as connection:
        return connection.scalar(sa.select(sa.func.max(activations.c.id))) or 0


def list_activations(store: Store, model: str | None = None) -> list[Activation]:
    """All that was said, of one model or of all, oldest first."""
    query = (
        sa.select(activations, baselines.c.model, baselines.c.version)
        .join(baselines, baselines.c.id == activations.c.baseline)
        .order_by(activations.c.id)
    )
    if model is not None:
        query = query.where(baselines.c.model == model)
    with reading(store.engine) as connection:
        return [
            Activation(r.id, r.baseline, r.model, r.version, r.from_s, r.retired, r.author, r.at_ms)
            for r in connection.execute(query)
        ]


def next_window_s(store: Store, model: str, version: str, features_s: int) -> int:
    """The begin of the first feature window that nobody has counted in yet, of a model's version ('' for
    all); 0 where none has been counted in."""
    newest = (
        sa.select(bindings.c.start_s)
        .where(bindings.c.series == series.c.id)
        .order_by(bindings.c.start_s.desc())
        .limit(1)
        .scalar_subquery()
    )
    mine = (
        series.c.model == model
        if not version
        else sa.and_(series.c.model == model, series.c.version == version)
    )
    each = sa.select(newest.label("start_s")).where(mine, series.c.label == "").subquery()
    with reading(store.engine) as connection:
        last = connection.scalar(sa.select(sa.func.max(each.c.start_s)))
    return 0 if last is None else int(last) + features_s


def bind(store: Store, wanted: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Binds windows, (series, start_s), to baselines; returns what each is bound to: whoever was first
    holds."""
    bound = _bound(store, wanted)
    missing = [key for key in wanted if key not in bound]
    if missing:
        with writing(store.engine) as connection:
            connection.execute(
                insert(store, bindings).on_conflict_do_nothing(),
                [{"series": s, "start_s": at, "baseline": wanted[s, at]} for s, at in sorted(missing)],
            )
        bound |= _bound(store, {key: wanted[key] for key in missing})
    return bound


def _bound(store: Store, wanted: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    by_series: dict[int, list[int]] = {}
    for number, start_s in wanted:
        by_series.setdefault(number, []).append(start_s)
    found: dict[tuple[int, int], int] = {}
    with reading(store.engine) as connection:
        for number, starts in by_series.items():
            starts.sort()
            for at in range(0, len(starts), _AT_ONCE):
                rows = connection.execute(
                    sa.select(bindings).where(
                        bindings.c.series == number, bindings.c.start_s.in_(starts[at : at + _AT_ONCE])
                    )
                )
                found |= {(r.series, r.start_s): r.baseline for r in rows}
    return found
