"""The table of pairs: predictions and labels by the key that joins them, whichever came first.

One statement appends what is new and returns what each row then holds, so that of two writers that bring
the two halves at once the second sees both. Rows are touched in the order of their keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sqlalchemy as sa

from monitor.clock import DAY_MS, HOUR_S
from monitor.profiles.counting import spans
from monitor.records import Ints
from monitor.store.engine import reading, writing
from monitor.store.pair_codec import KEY_BYTES, LABEL, Bytes, Halves, parse
from monitor.store.schema import counts, pairs
from monitor.store.store import Store, insert

__all__ = [
    "CROWDED_OUT",
    "ORPHAN",
    "Exchanged",
    "Incoming",
    "drop_expired_pairs",
    "exchange",
    "incoming",
    "rewrite",
]

# Kinds of `counts`: labels that expired without a prediction; halves beyond those that a key has room for.
ORPHAN = "orphan_label"
CROWDED_OUT = "crowded_out"
_KEYS_AT_ONCE = 10_000
_DROPPED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Incoming:
    """New halves by key, in the order of the keys, each key once: `keys` (uint8, n x 16), `days` (int64), and
    of predictions and labels the bytes of each row, `sizes` (int64, 0 for none), one after the other in
    `data`."""

    keys: Bytes
    days: Ints
    prediction_sizes: Ints
    prediction_data: Bytes
    label_sizes: Ints
    label_data: Bytes

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What the rows hold now, in the order of the keys; what came in stands at the end of each."""

    predictions: Sequence[bytes | None]
    labels: Sequence[bytes | None]


def incoming(predictions: Sequence[Halves], labels: Sequence[Halves]) -> Incoming:
    """Sorts halves by their keys."""
    both = [*predictions, *labels]
    keys = np.concatenate([h.keys for h in both])
    is_label = np.repeat([0, 1], [sum(map(len, predictions)), sum(map(len, labels))])
    halves = np.ascontiguousarray(keys).view(">u8")
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    ordered = halves[order]
    first = np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1)))
    row = np.empty(len(order), np.int64)
    row[order] = np.cumsum(first) - 1
    days = np.concatenate([h.days for h in both])
    n = int(np.count_nonzero(first))
    newest = np.full((2, n), -1, np.int64)
    np.maximum.at(newest, (is_label, row), days)
    n_predictions = len(row) - int(is_label.sum())
    return Incoming(
        keys[order[first]],
        np.where(newest[0] >= 0, newest[0], newest[1]),
        *_by_row(predictions, row[:n_predictions], n),
        *_by_row(labels, row[n_predictions:], n),
    )


def _by_row(halves: Sequence[Halves], row: Ints, n: int) -> tuple[Ints, Bytes]:
    """(sizes, data) of the rows."""
    if not len(row):
        return np.zeros(n, np.int64), np.zeros(0, np.uint8)
    sizes = np.concatenate([h.sizes for h in halves])
    data = np.concatenate([h.data for h in halves])
    begins = np.cumsum(sizes) - sizes
    order = np.argsort(row, kind="stable")
    of_row = np.bincount(row, weights=sizes, minlength=n).astype(np.int64)
    return of_row, data[spans(begins[order], sizes[order])]


def exchange(store: Store, connection: sa.Connection, new: Incoming) -> Exchanged:
    """Adds what came in and returns what the rows then hold, in the caller's transaction, which owns them
    from here on."""
    if store.is_sqlite:
        return _exchange_sqlite(connection, new)
    from monitor.store.pair_postgres import exchange_postgres  # psycopg only where it is used

    return exchange_postgres(connection, new)


def _blobs(sizes: Ints, data: Bytes) -> list[bytes | None]:
    raw = data.tobytes()
    at = np.concatenate(([0], np.cumsum(sizes))).tolist()
    return [raw[a:b] or None for a, b in pairwise(at)]


_UPSERT = """
INSERT INTO pairs (key, day, predictions, labels) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
  day = excluded.day, predictions = excluded.predictions, labels = excluded.labels
"""


def _exchange_sqlite(connection: sa.Connection, new: Incoming) -> Exchanged:
    """The transaction has the only write lock, so that reading first is as good as one statement."""
    keys = _blobs(np.full(len(new), KEY_BYTES), new.keys.ravel())
    predictions = _blobs(new.prediction_sizes, new.prediction_data)
    labels = _blobs(new.label_sizes, new.label_data)
    days = new.days.tolist()
    held: dict[bytes, tuple[int, bytes | None, bytes | None]] = {}
    for at in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[at : at + _KEYS_AT_ONCE]
        marks = ",".join("?" * len(some))
        found = connection.exec_driver_sql(
            f"SELECT key, day, predictions, labels FROM pairs WHERE key IN ({marks})",  # noqa: S608  # marks
            tuple(some),
        )
        held |= {key: (day, p, s) for key, day, p, s in found.cursor.fetchall()}
    for i, key in enumerate(keys if held else ()):
        known = held.get(key or b"")
        if known is not None:
            day, before, said = known
            days[i] = _day(day, before is not None, days[i], predictions[i] is not None)
            predictions[i] = _joined(before, predictions[i])
            labels[i] = _joined(said, labels[i])
    connection.exec_driver_sql(_UPSERT, list(zip(keys, days, predictions, labels, strict=True)))
    return Exchanged(predictions, labels)


def _joined(a: bytes | None, b: bytes | None) -> bytes | None:
    return a + b if a and b else a or b


def _day(known: int, predicted: bool, day: int, predicts: bool) -> int:
    """The newest day of a prediction, else that of a label."""
    if predicted == predicts:
        return max(known, day)
    return known if predicted else day


def rewrite(
    connection: sa.Connection, keys: Sequence[bytes], table: Sequence[tuple[bytes | None, bytes | None]]
) -> None:
    """Replaces the (predictions, labels) of rows that the transaction owns."""
    if not keys:
        return
    connection.execute(
        sa.update(pairs)
        .where(pairs.c.key == sa.bindparam("at"))
        .values(predictions=sa.bindparam("p"), labels=sa.bindparam("l")),
        [{"at": key, "p": p, "l": s} for key, (p, s) in zip(keys, table, strict=True)],
    )


def drop_expired_pairs(store: Store, horizon_days: int, now_ms: int) -> int:
    """Deletes a bounded number of rows older than the horizon; returns how many. Call it until it is 0.

    Labels that never met a prediction are counted as `orphan_label`.
    """
    until = now_ms // DAY_MS - horizon_days
    expired = sa.select(pairs.c.key).where(pairs.c.day < until).order_by(pairs.c.day).limit(_DROPPED_AT_ONCE)
    with reading(store.engine) as connection:
        keys = sorted(connection.scalars(expired))
    if not keys:
        return 0
    with writing(store.engine) as connection:
        # A row that a flush has just made younger stays: the day is looked at again under the row's lock.
        gone = connection.execute(
            sa.delete(pairs)
            .where(pairs.c.key.in_(keys), pairs.c.day < until)
            .returning(pairs.c.predictions, pairs.c.labels)
        ).all()
        lonely = len(parse([labels for predictions, labels in gone if not predictions], LABEL))
        if lonely:
            upsert = insert(store, counts)
            connection.execute(
                upsert.on_conflict_do_update(
                    index_elements=["writer", "kind", "name", "hour_s"],
                    set_={"n": counts.c.n + upsert.excluded.n},
                ),
                # No partition's writer is 0: this is counted by whoever keeps house.
                [
                    {
                        "writer": 0,
                        "kind": ORPHAN,
                        "name": "expired",
                        "hour_s": now_ms // 1000 // HOUR_S * HOUR_S,
                        "n": lonely,
                    }
                ],
            )
    return len(gone) or len(keys)
