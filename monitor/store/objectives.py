"""What objectives need the store for: spans of time that don't count, and slices that are measured once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from monitor.errors import StoreError
from monitor.records import Floats, Ints
from monitor.store.engine import reading, writing
from monitor.store.schema import exclusions, measured
from monitor.store.store import Store, insert

__all__ = [
    "Exclusion",
    "MeasuredKey",
    "Slices",
    "add_exclusion",
    "list_exclusions",
    "measured_in",
    "revoke_exclusion",
    "write_measured",
]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A span of time that does not count, by whom and why. `model` and `objective` None: all.

    `id` is the store's; `revoked_ms` is set where it was taken back.
    """

    id: int
    from_s: int
    to_s: int
    author: str
    reason: str
    model: str | None = None
    objective: str | None = None
    at_ms: int = 0
    revoked_ms: int | None = None


def add_exclusion(
    store: Store,
    from_s: int,
    to_s: int,
    author: str,
    reason: str,
    now_ms: int,
    model: str | None = None,
    objective: str | None = None,
) -> Exclusion:
    """Leaves [from_s, to_s) out of the objective, the model's objectives, or all, from now on.

    Raises StoreError where the span is empty, or who and why aren't said.
    """
    if from_s >= to_s:
        raise StoreError("exclusion: it ends before it begins; give an end that is later")
    if not author.strip() or not reason.strip():
        raise StoreError("exclusion: say who excludes it, and why")
    author, reason = author.strip()[:200], reason.strip()
    row = sa.insert(exclusions).values(
        from_s=from_s,
        to_s=to_s,
        author=author,
        reason=reason,
        model=model or "",
        objective=objective or "",
        at_ms=now_ms,
    )
    with writing(store.engine) as connection:
        number = connection.execute(row.returning(exclusions.c.id)).scalar_one()
    return Exclusion(number, from_s, to_s, author, reason, model or None, objective or None, now_ms)


def revoke_exclusion(store: Store, number: int, author: str, now_ms: int) -> bool:
    """Counts the span again from now on. False where there is no such exclusion, or it was revoked before."""
    with writing(store.engine) as connection:
        revoked = connection.execute(
            sa.update(exclusions)
            .where(exclusions.c.id == number, exclusions.c.revoked_ms.is_(None))
            .values(revoked_ms=now_ms, revoked_by=author[:200])
        )
    return revoked.rowcount == 1


def list_exclusions(
    store: Store, *, model: str | None = None, since_s: int | None = None, revoked: bool = False
) -> list[Exclusion]:
    """The exclusions in the order of their begins: those that concern `model`, where given, that end after
    `since_s`, and, if asked for, those that were revoked too."""
    query = sa.select(
        *(exclusions.c[name] for name in Exclusion.__slots__),
    ).order_by(exclusions.c.from_s, exclusions.c.id)
    if model is not None:
        query = query.where(exclusions.c.model.in_(("", model)))
    if since_s is not None:
        query = query.where(exclusions.c.to_s > since_s)
    if not revoked:
        query = query.where(exclusions.c.revoked_ms.is_(None))
    with reading(store.engine) as connection:
        rows = connection.execute(query).mappings().all()
    return [
        Exclusion(**{**r, "model": r["model"] or None, "objective": r["objective"] or None}) for r in rows
    ]


class MeasuredKey(NamedTuple):
    """Whose slices of which indicator. `version` and `endpoint` are "*" where they are summed over, `label`
    is "" without a segment."""

    model: str
    sli: str
    time: str
    version: str
    endpoint: str
    label: str
    value_of_label: str
    slice_s: int


@dataclass(frozen=True, slots=True)
class Slices:
    """Slices that begin at `start_s` (int64, ascending): `value` (float64, NaN for none), the records `n`
    behind it, and the `token` of what it was computed from (int64)."""

    start_s: Ints
    value: Floats
    n: Ints
    token: Ints


def measured_in(
    store: Store, models: Sequence[str], sli: str, time: str, slice_s: int, from_s: int, to_s: int
) -> dict[MeasuredKey, Slices]:
    """The slices kept of an indicator of these models that begin in [from_s, to_s)."""
    key = [measured.c[name] for name in MeasuredKey._fields]
    query = (
        sa.select(*key, measured.c.start_s, measured.c.value, measured.c.n, measured.c.token)
        .where(
            measured.c.model.in_(models),
            measured.c.sli == sli,
            measured.c.time == time,
            measured.c.slice_s == slice_s,
            measured.c.start_s >= from_s,
            measured.c.start_s < to_s,
        )
        .order_by(*key, measured.c.start_s)
    )
    rows: dict[tuple[object, ...], list[tuple[int, float, int, int]]] = {}
    with reading(store.engine) as connection:
        found = connection.execute(query).cursor.fetchall()
    for row in found:
        start_s, value, n, token = row[-4:]
        rows.setdefault(tuple(row[:-4]), []).append((start_s, np.nan if value is None else value, n, token))
    return {MeasuredKey(*names): _slices(each) for names, each in rows.items()}  # type: ignore[arg-type]  # a row as it is


def _slices(rows: Sequence[tuple[int, float, int, int]]) -> Slices:
    start_s, value, n, token = zip(*rows, strict=True)
    return Slices(
        np.array(start_s, np.int64),
        np.array(value, np.float64),
        np.array(n, np.int64),
        np.array(token, np.int64),
    )


def write_measured(store: Store, found: Sequence[tuple[MeasuredKey, Slices]]) -> None:
    """Keeps the slices, in the place of those that were kept before."""
    rows = [
        {
            **key._asdict(),
            "start_s": start_s,
            "value": None if value != value else value,
            "n": n,
            "token": token,
        }
        for key, slices in found
        for start_s, value, n, token in zip(
            *(part.tolist() for part in (slices.start_s, slices.value, slices.n, slices.token)), strict=True
        )
    ]
    if not rows:
        return
    upsert = insert(store, measured)
    with writing(store.engine) as connection:
        connection.execute(
            upsert.on_conflict_do_update(
                index_elements=[*MeasuredKey._fields, "start_s"],
                set_={name: upsert.excluded[name] for name in ("value", "n", "token")},
            ),
            rows,
        )
