"""Halves of pairs as bytes: a fixed head for each prediction or label, then what varies in length.

A row of `pairs` holds its predictions one after the other, and its labels likewise, so that adding one
is to append, and merging two rows is to join them. Tens of thousands are written and read in a handful of
array operations.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.profiles.counting import spans
from monitor.records import Coded, Column, Floats, Ints

__all__ = [
    "KEY_BYTES",
    "LABEL",
    "PREDICTION",
    "Entries",
    "Flags",
    "Halves",
    "ValueKind",
    "Values",
    "encode_labels",
    "encode_predictions",
    "join_keys",
    "parse",
    "short_hash",
    "values_of",
]

KEY_BYTES = 16
_MAX_CHARS = 4_000
_MAX_LIST_BYTES = 32_000
Bytes = NDArray[np.uint8]


class ValueKind(IntEnum):
    """What stands at the end of an entry; stored. NUMBER is a float64, LIST and GRADES are JSON."""

    NONE = 0
    NUMBER = 1
    TEXT = 2
    LIST = 3
    GRADES = 4


class Flags(IntFlag):
    """SAMPLED: a prediction of a share of the keys. RATING: a label by a person who rates. CORRECTED: a label
    whose giver gave another value too. CLASS_SCORES: a prediction with a score for each class."""

    SAMPLED = 1
    RATING = 2
    CORRECTED = 4
    CLASS_SCORES = 8


# `size` is that of the whole entry. `who` is the hash of (model, id), `series` the whole one's number; as
# many numbers of marginals (uint32) as `marginals` says follow the head, then the scores of the classes where
# there are any (their number as a uint16, then as many of CLASS_SCORE), then the value.
PREDICTION = np.dtype(
    [
        ("size", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("writer", "<u4"),
        ("ts_ms", "<i8"),
        ("offset", "<i8"),
        ("who", "<u8"),
        ("score", "<f8"),
        ("series", "<u4"),
        ("marginals", "u1"),
    ]
)
CLASS_SCORE = np.dtype([("name", "<u4"), ("score", "<f8")])
# `model` and `annotator` are hashes, 0 for none; the value follows the head.
LABEL = np.dtype(
    [
        ("size", "<u2"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("writer", "<u4"),
        ("ts_ms", "<i8"),
        ("offset", "<i8"),
        ("model", "<u4"),
        ("annotator", "<u4"),
        ("weight", "<f8"),
    ]
)


@dataclass(frozen=True, slots=True)
class Halves:
    """`n` predictions or labels as they are stored: `keys` (uint8, n x 16), `days` (int64) and the bytes of
    each, `sizes` (int64) of them, one after the other in `data` (uint8). `names` are the ids (else the
    business keys) where they were kept, for people to read, `classes` (model, name) those that have
    scores of their own; both are not stored."""

    keys: Bytes
    days: Ints
    sizes: Ints
    data: Bytes
    names: Sequence[str] = ()
    classes: Collection[tuple[str, str]] = ()

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class Values:
    """Values as they are written: `kind` (uint8), `number` (float64) where it is one, else `code` (int64)
    into `texts`, which are UTF-8 or JSON."""

    kind: NDArray[np.uint8]
    number: Floats
    code: Ints
    texts: Sequence[bytes]

    def select(self, chosen: Ints) -> "Values":
        """The values at these indices."""
        return Values(self.kind[chosen], self.number[chosen], self.code[chosen], self.texts)


@dataclass(frozen=True, slots=True)
class Entries:
    """Parsed entries: `row` (int64) is the index of the blob, `head` the fixed parts, `begin` and `end`
    (int64) are where each one's value lies in `data`, `at` (int64) where the entry does in its own blob."""

    row: Ints
    head: NDArray[Any]
    at: Ints
    begin: Ints
    end: Ints
    data: Bytes

    def __len__(self) -> int:
        return len(self.row)

    def entry(self, i: int) -> bytes:
        """The bytes of one entry."""
        head = self.head[i]
        end = int(self.end[i])
        return self.data[end - int(head["size"]) : end].tobytes()

    def marginals(self) -> tuple[Ints, Ints]:
        """(entry, series), int64, of every marginal of every prediction."""
        counts = self.head["marginals"].astype(np.int64)
        if not counts.any():
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        index = spans(self._after_head(), 4 * counts)
        return np.repeat(np.arange(len(self)), counts), self.data[index].view("<u4").astype(np.int64)

    def class_scores(self, chosen: Ints) -> tuple[Ints, Ints, Floats]:
        """(index into `chosen`, hash of the class's name, int64, score) of every class of the `chosen`
        predictions that have scores of their classes."""
        with_scores = np.flatnonzero((self.head["flags"][chosen] & Flags.CLASS_SCORES) > 0)
        mine = chosen[with_scores]
        at = self._after_head()[mine] + 4 * self.head["marginals"][mine].astype(np.int64)
        n = _uint16(self.data, at)
        found = self.data[spans(at + 2, n * CLASS_SCORE.itemsize)].view(CLASS_SCORE)
        return np.repeat(with_scores, n), found["name"].astype(np.int64), found["score"].astype(np.float64)

    def _after_head(self) -> Ints:
        return self.end - self.head["size"].astype(np.int64) + self.head.dtype.itemsize


def join_keys(ids: Sequence[str | None], keys: Sequence[str | None] | None = None) -> Bytes:
    """The key (uint8, n x 16) under which each is joined: its business key where it has one, else its id."""
    joined = b"".join(map(_join_key, ids, keys if keys is not None else [None] * len(ids)))
    return np.frombuffer(joined, np.uint8).reshape(-1, KEY_BYTES)


def _join_key(identity: str | None, key: str | None) -> bytes:
    text = "i:" + (identity or "") if key is None else "k:" + key
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def short_hash(text: str | None) -> int:
    """32 bits for a name, never 0, which stands for none."""
    if text is None:
        return 0
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "little") or 1


def values_of(column: Column, lists: Mapping[int, Any] | None = None) -> Values:
    """A column's values; `lists` holds those that are lists of texts or grades by text, by row."""
    if isinstance(column, np.ndarray):
        n, number, coded = len(column), column, None
    elif isinstance(column, Coded):
        n, number, coded = len(column.codes), np.full(len(column.codes), np.nan), column
    else:
        n, number, coded = len(column.numbers), column.numbers, column.texts
    kind = np.where(np.isfinite(number), ValueKind.NUMBER, ValueKind.NONE).astype(np.uint8)
    code, texts = np.zeros(n, np.int64), [b""]
    if coded is not None:
        used, index = np.unique(coded.codes, return_inverse=True)
        texts += [_utf8(coded.names[c]) for c in used.tolist()]
        given = (coded.codes != 0) & (kind == ValueKind.NONE)
        kind[given] = ValueKind.TEXT
        code[given] = index[given] + 1
    for row, value in (lists or {}).items():
        packed = msgspec.json.encode(value)
        if len(packed) <= _MAX_LIST_BYTES:
            kind[row] = ValueKind.GRADES if isinstance(value, Mapping) else ValueKind.LIST
            code[row] = len(texts)
            texts.append(packed)
    return Values(kind, number, code, texts)


def _utf8(text: str | None) -> bytes:
    return (text or "")[:_MAX_CHARS].encode("utf-8", "replace")


def encode_predictions(
    head: NDArray[Any],
    series: Ints,
    values: Values,
    class_scores: Mapping[int, Mapping[str, float]] | None = None,
) -> tuple[Ints, Bytes]:
    """(sizes, data) of predictions. `series` (int64, n x k) are the marginals, negative where there is none;
    `class_scores` holds, by row, those of the classes where there are any. `size`, `kind`, `marginals` and
    the flag of class scores of the heads are filled in."""
    given = series >= 0
    counts = np.count_nonzero(given, axis=1)
    head["marginals"] = counts
    sizes = (4 * counts).astype(np.int64)
    between = series[given].astype("<u4").view(np.uint8)
    if class_scores:
        sizes, between = _with_class_scores(head, sizes, between, class_scores)
    return _encode(head, values, sizes, between)


def _with_class_scores(
    head: NDArray[Any], sizes: Ints, marginals: Bytes, class_scores: Mapping[int, Mapping[str, float]]
) -> tuple[Ints, Bytes]:
    """(sizes, data) of what stands between heads and values."""
    rows = np.array(sorted(class_scores), np.int64)
    packed = [_class_scores(class_scores[row]) for row in rows.tolist()]
    head["flags"][rows] |= np.uint8(Flags.CLASS_SCORES)
    lengths = np.zeros(len(head), np.int64)
    lengths[rows] = list(map(len, packed))
    whole = sizes + lengths
    begins = np.cumsum(whole) - whole
    data = np.zeros(int(whole.sum()), np.uint8)
    data[spans(begins, sizes)] = marginals
    data[spans(begins + sizes, lengths)] = np.frombuffer(b"".join(packed), np.uint8)
    return whole, data


def _class_scores(scores: Mapping[str, float]) -> bytes:
    pairs = [(short_hash(name), score) for name, score in scores.items()]
    return len(pairs).to_bytes(2, "little") + np.array(pairs, CLASS_SCORE).tobytes()


def _uint16(data: Bytes, at: Ints) -> Ints:
    low, high = data[at].astype(np.int64), data[at + 1].astype(np.int64)
    return low + 256 * high


def encode_labels(head: NDArray[Any], values: Values) -> tuple[Ints, Bytes]:
    """(sizes, data) of labels; `size` and `kind` of the heads are filled in."""
    return _encode(head, values, np.zeros(len(head), np.int64), np.zeros(0, np.uint8))


def _encode(head: NDArray[Any], values: Values, extra: Ints, between: Bytes) -> tuple[Ints, Bytes]:
    text_sizes = np.fromiter(map(len, values.texts), np.int64, len(values.texts))
    numeric = values.kind == ValueKind.NUMBER
    tail = np.where(numeric, 8, text_sizes[values.code])
    head["kind"] = values.kind
    sizes = head.dtype.itemsize + extra + tail
    head["size"] = sizes
    starts = np.cumsum(sizes) - sizes
    data = np.zeros(int(sizes.sum()), np.uint8)
    data[starts[:, None] + np.arange(head.dtype.itemsize)] = head.view(np.uint8).reshape(
        len(head), head.dtype.itemsize
    )
    after = starts + head.dtype.itemsize
    if len(between):
        data[spans(after, extra)] = between
    after += extra
    if numeric.any():
        number = values.number[numeric].astype("<f8").view(np.uint8).reshape(-1, 8)
        data[after[numeric][:, None] + np.arange(8)] = number
    worded = values.code > 0
    if worded.any():
        source = np.frombuffer(b"".join(values.texts), np.uint8)
        begins = np.cumsum(text_sizes) - text_sizes
        data[spans(after[worded], tail[worded])] = source[spans(begins[values.code[worded]], tail[worded])]
    return sizes, data


def parse(blobs: Sequence[bytes | None], dtype: np.dtype[Any]) -> Entries:
    """The entries of the blobs, in their order. `dtype` is PREDICTION or LABEL."""
    data = np.frombuffer(b"".join(blob for blob in blobs if blob), np.uint8)
    sizes = np.fromiter((0 if blob is None else len(blob) for blob in blobs), np.int64, len(blobs))
    ends = np.cumsum(sizes)
    begins = ends - sizes
    row = np.flatnonzero(sizes)
    at = begins[row]
    found: list[tuple[Ints, Ints, NDArray[Any]]] = []
    while len(row):
        head = data[at[:, None] + np.arange(dtype.itemsize)].view(dtype).ravel()
        found.append((row, at, head))
        at = at + head["size"]
        more = at < ends[row]
        row, at = row[more], at[more]
    rows = np.concatenate([np.zeros(0, np.int64), *(r for r, _, _ in found)])
    places = np.concatenate([np.zeros(0, np.int64), *(a for _, a, _ in found)])
    heads = np.concatenate([np.zeros(0, dtype), *(h for _, _, h in found)])
    if len(found) > 1:
        order = np.argsort(places, kind="stable")
        rows, places, heads = rows[order], places[order], heads[order]
    fixed = np.full(len(rows), dtype.itemsize, np.int64)
    if dtype is PREDICTION:
        fixed += 4 * heads["marginals"].astype(np.int64)
        scored = np.flatnonzero(heads["flags"] & Flags.CLASS_SCORES)
        fixed[scored] += 2 + CLASS_SCORE.itemsize * _uint16(data, places[scored] + fixed[scored])
    return Entries(rows, heads, places - begins[rows], places + fixed, places + heads["size"], data)
