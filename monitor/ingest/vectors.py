"""Vectors never travel: an array of numbers is reduced, on the way in, to a handful of numbers.

A feature `embedding` becomes `embedding.norm`, `.length`, `.mean`, and four fixed random projections `.p0` to
`.p3` on signs drawn from a hash of its name and length: the same for ever, everywhere, with any library.
A projection of values of unit variance has unit variance. What becomes of a value depends on nothing but
the value, to the last bit, so that batching changes no count.
"""

import functools
import hashlib
import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from monitor.records import Floats

__all__ = ["MAX_LENGTH", "PROJECTIONS", "VECTOR", "is_vector", "reduced", "take_vectors"]

MAX_LENGTH = 2048
PROJECTIONS = 4
VECTOR: Any = Annotated[list[float], Meta(max_length=MAX_LENGTH)] | None
_NUMBERS = frozenset((int, float))
# Rows that are multiplied out at once stay in the processor's cache.
_CELLS = 1 << 15


def is_vector(value: Any) -> bool:
    """Whether a decoded JSON value is an array of up to MAX_LENGTH finite numbers."""
    if not isinstance(value, list) or len(value) > MAX_LENGTH or not _NUMBERS.issuperset(map(type, value)):
        return False
    try:
        return all(map(math.isfinite, value))
    except OverflowError:
        return False


def take_vectors(values: Sequence[Any]) -> tuple[list[Any], list[list[float] | None]]:
    """The values that are no vectors, and those that are; None in the place of the others."""
    found = [value if is_vector(value) else None for value in values]
    rest = [None if vector is not None else value for value, vector in zip(values, found, strict=True)]
    return rest, found


def reduced(name: str, vectors: Sequence[list[float] | None]) -> dict[str, Floats]:
    """The columns (float64, n) that stand for a feature of vectors; NaN where there is none.

    An empty vector has a length and a norm of 0, and nothing else; +inf stands for what is beyond floats.
    """
    n = len(vectors)
    lengths = np.fromiter((-1 if v is None else len(v) for v in vectors), np.int64, n)
    columns = np.full((3 + PROJECTIONS, n), np.nan)
    for length in np.unique(lengths[lengths >= 0]).tolist():
        at = np.flatnonzero(lengths == length)
        step = max(1, _CELLS // max(1, length))
        for begin in range(0, len(at), step):
            rows = at[begin : begin + step]
            some = [vectors[i] or [] for i in rows.tolist()]
            flat = np.fromiter(chain.from_iterable(some), np.float64, len(some) * length)
            columns[:, rows] = _reduce(name, flat.reshape(len(some), length))
    suffixes = ("norm", "length", "mean", *(f"p{k}" for k in range(PROJECTIONS)))
    return {f"{name}.{suffix}": column for suffix, column in zip(suffixes, columns, strict=True)}


def _reduce(name: str, vectors: Floats) -> Floats:
    """The reductions (float64, 3 + PROJECTIONS x n) of `vectors` (float64, n x length)."""
    n, length = vectors.shape
    out: Floats = np.full((3 + PROJECTIONS, n), np.nan)
    out[0] = out[1] = length
    if not length:
        return out
    with np.errstate(over="ignore", invalid="ignore"):
        # Sums along a row add in an order that depends on its length alone; a matrix product does not.
        out[0] = np.sqrt((vectors * vectors).sum(axis=1))
        out[2] = vectors.sum(axis=1) / length
        for k, signs in enumerate(_signs(name, length)):
            out[3 + k] = (vectors * signs).sum(axis=1) / math.sqrt(length)
    out[~np.isfinite(out)] = np.inf
    return out


@functools.lru_cache(maxsize=256)
def _signs(name: str, length: int) -> Floats:
    """+1 and -1 (float64, PROJECTIONS x length)."""
    row_bytes = -(-length // 8)
    seed = hashlib.shake_256(f"{length}:{name}".encode()).digest(PROJECTIONS * row_bytes)
    bits = np.unpackbits(np.frombuffer(seed, np.uint8).reshape(PROJECTIONS, row_bytes), axis=1)
    return np.where(bits[:, :length], 1.0, -1.0)
