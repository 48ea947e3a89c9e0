"""Halves of pairs as bytes: a fixed head for each prediction or label, then what varies in length.

A row of `pairs` holds its predictions one after the other, and its labels likewise, so that adding one
is to append, and merging two rows is to join them. Tens of thousands are written and read in a handful of
array operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

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
    "spans",
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
    whose giver gave another value too."""

    SAMPLED = 1
    RATING = 2
    CORRECTED = 4


# `size` is that of the whole entry. `who` is the hash of (model, id), `series` the whole one's number; as
# many numbers of marginals (uint32) as `marginals` says follow the head, then the value.
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
    business keys) where they were kept, for people to read; they are not stored."""

    keys: Bytes
    days: Ints
    sizes: Ints
    data: Bytes
    names: Sequence[str] = ()

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
        index = spans(self.begin - 4 * counts, 4 * counts)
        return np.repeat(np.arange(len(self)), counts), self.data[index].view("<u4").astype(np.int64)


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


def spans(starts: Ints, lengths: Ints) -> Ints:
    """The indices of many spans, one after the other."""
    total = np.cumsum(lengths)
    if not len(total):
        return np.zeros(0, np.int64)
    return np.repeat(starts - (total - lengths), lengths) + np.arange(total[-1])


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


def encode_predictions(head: NDArray[Any], series: Ints, values: Values) -> tuple[Ints, Bytes]:
    """(sizes, data) of predictions. `series` (int64, n x k) are the marginals, negative where there is none;
    `size`, `kind` and `marginals` of the heads are filled in."""
    given = series >= 0
    counts = np.count_nonzero(given, axis=1)
    head["marginals"] = counts
    marginals = series[given].astype("<u4").view(np.uint8)
    return _encode(head, values, (4 * counts).astype(np.int64), marginals)


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
    return Entries(rows, heads, places - begins[rows], places + fixed, places + heads["size"], data)
