"""Predictions that their labels prove wrong, as samples of the windows in which the labels came.

What a correction takes out isn't replaced by what there was no room for before: that was never kept, and to
find it again would be to read all pairs of the window. So samples are exact only where nothing is corrected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
import sqlalchemy as sa

from monitor.profiles.hashing import moments_of
from monitor.profiles.quality import Pairs
from monitor.profiles.sample_rows import REDACTED, Redaction, Sample, cleaned
from monitor.profiles.samples import Reason, SampleSettings, lowest
from monitor.records import Bools, Floats, Ints
from monitor.store.pair_codec import Entries, Halves, ValueKind
from monitor.store.pair_values import Decoded
from monitor.store.schema import series

__all__ = ["Judged", "Place", "WrongSamples"]

# (series, begin of the window, hash, moment) of a sample.
Place: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """Pairs that go away, then pairs that come: `index` (int64) are their predictions among `predictions`,
    `label` (int64) their labels among `labels`, the first `n_minus` of them go. `keys` (uint8, rows x 16) are
    those of the rows."""

    predictions: Entries
    predicted: Decoded
    labels: Entries
    told: Decoded
    index: Ints
    label: Ints
    n_minus: int
    keys: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]"


class WrongSamples:
    """Picks them. Of classes every wrong one ranks alike, of numbers those with the largest errors first."""

    def __init__(self, settings: SampleSettings) -> None:
        self._settings = settings
        masks = Redaction(settings.redact).masks
        self._masked = masks("@prediction")
        self._series: dict[int, int] = {}

    def pick(
        self, connection: sa.Connection, judged: Judged, pairs: Pairs, halves: Sequence[Halves]
    ) -> tuple[list[Sample], list[Place]]:
        """(new samples, what is no longer wrong, or no longer in that way); `halves` tell the ids."""
        if not self._settings.per_window:
            return [], []
        wrong, rank = _wrong(pairs)
        rows = np.flatnonzero(wrong)
        if not len(rows):
            return [], []
        head = judged.predictions.head[judged.index[rows]]
        numbers = self._numbers(connection, head["series"].astype(np.int64))
        known = numbers >= 0
        rows, head, numbers, rank = rows[known], head[known], numbers[known], rank[rows[known]]
        window_s = self._settings.window_s
        learnt_s = judged.labels.head["ts_ms"][judged.label[rows]] // 1000 // window_s * window_s
        who = head["who"].astype(np.uint64)
        hashes = moments_of(who, np.zeros(len(who), np.int64))
        moments = moments_of(who, head["ts_ms"].astype(np.int64))
        places = list(
            zip(numbers.tolist(), learnt_s.tolist(), hashes.tolist(), moments.tolist(), strict=True)
        )
        gone = [place for row, place in zip(rows.tolist(), places, strict=True) if row < judged.n_minus]
        come = np.flatnonzero(rows >= judged.n_minus)
        _, group = np.unique(np.stack((numbers[come], learnt_s[come])), axis=1, return_inverse=True)
        chosen = come[lowest(group.reshape(-1), rank[come], hashes[come], self._settings.per_window)]
        names = _names(judged, rows[chosen], halves)
        new = [
            Sample(
                series=places[i][0],
                start_s=places[i][1],
                reason=int(Reason.WRONG),
                rank=float(rank[i]),
                hash=places[i][2],
                moment=places[i][3],
                ts_ms=int(head["ts_ms"][i]),
                id=name,
                prediction=self._shown(judged.predicted, int(judged.index[rows[i]])),
                score=float(head["score"][i]) if np.isfinite(head["score"][i]) else None,
                label=self._shown(judged.told, int(judged.label[rows[i]])),
            )
            for i, name in zip(chosen.tolist(), names, strict=True)
        ]
        return new, gone

    def _numbers(self, connection: sa.Connection, whole: Ints) -> Ints:
        """The series (int64) of model and version of each whole series, -1 where there is none."""
        found, index = np.unique(whole, return_inverse=True)
        unknown = [n for n in found.tolist() if n not in self._series]
        sampled = series.alias()
        for begin in range(0, len(unknown), 500):
            query = (
                sa.select(series.c.id, sampled.c.id)
                .join(
                    sampled,
                    sa.and_(
                        sampled.c.model == series.c.model,
                        sampled.c.version == series.c.version,
                        sampled.c.endpoint == "",
                        sampled.c.label == "",
                    ),
                )
                .where(series.c.id.in_(unknown[begin : begin + 500]))
            )
            self._series |= dict(connection.execute(query).all())
        return np.array([self._series.get(n, -1) for n in found.tolist()], np.int64)[index]

    def _shown(self, values: Decoded, i: int) -> str | None:
        number, code, kind = float(values.number[i]), int(values.code[i]), int(values.kind[i])
        if kind == ValueKind.NONE:
            return None
        if self._masked:
            value: object = REDACTED
        elif kind == ValueKind.NUMBER:
            value = int(number) if number.is_integer() and abs(number) < 2.0**53 else number
        else:
            value = cleaned(values.texts.text(code))
        return msgspec.json.encode(value).decode()


def _wrong(pairs: Pairs) -> tuple[Bools, Floats]:
    """(which pairs are wrong, their ranks)."""
    error = np.abs(pairs.predicted_number - pairs.actual_number)
    off = (error > 0) & np.isfinite(error)
    differ = (pairs.predicted_class >= 0) & (pairs.actual_class >= 0)
    differ &= pairs.predicted_class != pairs.actual_class
    return pairs.labelled & (off | differ), np.where(off, -error, 0.0)


def _names(judged: Judged, rows: Ints, halves: Sequence[Halves]) -> list[str]:
    """The id of each prediction as this flush's halves name it, else the key that the label gave."""
    keys = [judged.keys[row].tobytes() for row in judged.predictions.row[judged.index[rows]].tolist()]
    wanted = np.unique(np.array([key[:8] for key in keys], "S8").view("<u8")) if keys else np.zeros(0, "<u8")
    named: dict[bytes, str] = {}
    for part in halves:
        if not len(part.names):
            continue
        short = np.ascontiguousarray(part.keys[:, :8]).view("<u8")[:, 0]
        for i in np.flatnonzero(np.isin(short, wanted)).tolist():
            named.setdefault(part.keys[i].tobytes(), part.names[i])
    return [cleaned(named.get(key, "")) for key in keys]
