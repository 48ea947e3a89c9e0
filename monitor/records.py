"""One noun: a batch of inferences as columns. Decoders make batches, profiles count them.

This module imports nothing of monitor: it is what the stages speak of.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Batch",
    "Bools",
    "Carries",
    "Coded",
    "Column",
    "DeadLetter",
    "FeatureBlock",
    "Floats",
    "Ints",
    "LabelBatch",
    "Mixed",
    "Partition",
    "Vocabulary",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


class Carries(StrEnum):
    """What a stream carries: inferences, the labels that come after them, or events of operations."""

    RECORDS = "records"
    LABELS = "labels"
    EVENTS = "events"


class Partition(NamedTuple):
    """A partition of a Kafka topic, or a lane of a spool directory (then `topic` names the directory)."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.number}]"


class Vocabulary(dict[Hashable, int]):
    """Gives each new value the next code; None is always code 0. `texts[code]` is the value as text, cut to
    `max_chars` with an ellipsis at its end."""

    def __init__(self, max_chars: int | None = None) -> None:
        super().__init__({None: 0})
        self.texts: list[str | None] = [None]
        self._max_chars = max_chars

    def __missing__(self, value: Hashable) -> int:
        self[value] = code = len(self)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if self._max_chars is not None and len(text) > self._max_chars:
            text = text[: self._max_chars - 1] + "\N{HORIZONTAL ELLIPSIS}"
        self.texts.append(text)
        return code

    def encode(self, values: Iterable[Hashable], n: int) -> "Coded":
        """A column of the `n` values."""
        return Coded(np.fromiter(map(self.__getitem__, values), np.int32, n), self.texts)


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text: `codes` (int32, n) into `names`; code 0 is null."""

    codes: NDArray[np.int32]
    names: list[str | None]

    def select(self, keep: Bools) -> "Coded":
        return Coded(self.codes[keep], self.names)


@dataclass(frozen=True, slots=True)
class Mixed:
    """A column whose values differ in type.

    `numbers` (float64, n) is NaN where the value is no number, +inf where it was NaN or infinite;
    `texts` has code 0 where the value is no text; `invalid` marks objects and arrays.
    """

    numbers: Floats
    texts: Coded
    invalid: Bools

    def select(self, keep: Bools) -> "Mixed":
        return Mixed(self.numbers[keep], self.texts.select(keep), self.invalid[keep])


# A column of numbers is a plain float64 array: NaN is null, +inf stands for NaN and infinities.
Column: TypeAlias = Floats | Coded | Mixed


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """Features of the rows of one model: `rows` (int64) index into the batch, columns align with it.

    The prediction and the score travel as the columns `@prediction` and `@score`; attributions apart.
    """

    model: str
    rows: Ints
    columns: Mapping[str, Column]
    attributions: Mapping[str, Floats]

    def select(self, keep: Bools, position: Ints) -> "FeatureBlock":
        """Keeps the rows where `keep` (bool, rows of the batch); `position` maps old rows to new."""
        mine = keep[self.rows]
        return FeatureBlock(
            self.model,
            position[self.rows[mine]],
            {k: c[mine] if isinstance(c, np.ndarray) else c.select(mine) for k, c in self.columns.items()},
            {k: c[mine] for k, c in self.attributions.items()},
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that is no record: where it was, a reason to count by, a detail to mend by."""

    position: int
    where: str
    reason: str
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """`n` inferences of one partition as columns, in the order of the log.

    `measures` are milliseconds (NaN where absent), `weight` is 1/sample_rate (None where no record
    was sampled), `amounts` holds tokens and cost. `mode` indexes contract.MODES. `unknown_fields`
    counts fields that the contract does not know. `keys` are the business keys (None where no record
    has one), `rankings` the predictions that are lists, by row: their `@prediction` is null.
    `class_scores` holds, by row, a score for each of three classes or more, by name.
    """

    partition: Partition
    positions: Ints
    ts_ms: Ints
    model: Coded
    version: Coded
    endpoint: Coded
    segments: Mapping[str, Coded]
    outcome: NDArray[np.int8]
    mode: NDArray[np.int8]
    cold_start: Bools
    shadow: Bools
    measures: Mapping[str, Floats]
    amounts: Mapping[str, Floats]
    weight: Floats | None
    ids: list[str]
    trace_ids: list[str | None]
    features: tuple[FeatureBlock, ...] = ()
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    keys: list[str | None] | None = None
    rankings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    class_scores: Mapping[int, Mapping[str, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts_ms)

    def select(self, keep: Bools) -> "Batch":
        """The batch with only the rows where `keep` (bool, n)."""
        if keep.all():
            return self
        position = np.cumsum(keep) - 1
        index = np.flatnonzero(keep).tolist()
        blocks = (b.select(keep, position) for b in self.features)
        return Batch(
            partition=self.partition,
            positions=self.positions[keep],
            ts_ms=self.ts_ms[keep],
            model=self.model.select(keep),
            version=self.version.select(keep),
            endpoint=self.endpoint.select(keep),
            segments={k: c.select(keep) for k, c in self.segments.items()},
            outcome=self.outcome[keep],
            mode=self.mode[keep],
            cold_start=self.cold_start[keep],
            shadow=self.shadow[keep],
            measures={k: v[keep] for k, v in self.measures.items()},
            amounts={k: v[keep] for k, v in self.amounts.items()},
            weight=None if self.weight is None else self.weight[keep],
            ids=[self.ids[i] for i in index],
            trace_ids=[self.trace_ids[i] for i in index],
            features=tuple(b for b in blocks if len(b.rows)),
            unknown_fields=self.unknown_fields,
            keys=None if self.keys is None else [self.keys[i] for i in index],
            rankings={int(position[row]): items for row, items in self.rankings.items() if keep[row]},
            class_scores={int(position[row]): each for row, each in self.class_scores.items() if keep[row]},
        )


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """`n` labels of one partition as columns, in the order of the log.

    A label is joined by its `keys[i]` where it has one, else by its `ids[i]` (one of the two is there), to
    the predictions of any model (`model` code 0) or of its own. `ts_ms` (int64) is when it became known: its
    own `ts`, else its append time; `prediction_ts_ms` (int64) is -1 where not given. `value` is the label
    where it is a number, a text or a boolean; `lists` holds, by row, those that are lists of texts or grades
    by text. `rating` marks ratings by people, `weight` is None where no label has one.
    """

    partition: Partition
    positions: Ints
    ts_ms: Ints
    prediction_ts_ms: Ints
    model: Coded
    ids: list[str | None]
    keys: list[str | None]
    annotators: Coded
    value: Column
    lists: Mapping[int, tuple[str, ...] | Mapping[str, float]]
    rating: Bools
    weight: Floats | None
    unknown_fields: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts_ms)

    def select(self, keep: Bools) -> "LabelBatch":
        """The batch with only the rows where `keep` (bool, n)."""
        if keep.all():
            return self
        index = np.flatnonzero(keep).tolist()
        return LabelBatch(
            partition=self.partition,
            positions=self.positions[keep],
            ts_ms=self.ts_ms[keep],
            prediction_ts_ms=self.prediction_ts_ms[keep],
            model=self.model.select(keep),
            ids=[self.ids[i] for i in index],
            keys=[self.keys[i] for i in index],
            annotators=self.annotators.select(keep),
            value=self.value[keep] if isinstance(self.value, np.ndarray) else self.value.select(keep),
            lists={new: self.lists[old] for new, old in enumerate(index) if old in self.lists},
            rating=self.rating[keep],
            weight=None if self.weight is None else self.weight[keep],
            unknown_fields=self.unknown_fields,
        )
