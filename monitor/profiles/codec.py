"""Profiles as bytes. Counts are pairs of varints (cell less the one before, zigzag count), a fifth of
their size in memory; sums and maxima are raw pairs, for there are few. Thousands of rows are
written or read in one pass."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.profiles.layout import CELL_BITS
from monitor.profiles.profile import Profiles
from monitor.records import Floats, Ints

__all__ = ["decode_counts", "decode_values", "encode_rows"]

_CELL_MASK = (1 << CELL_BITS) - 1
_PAIR = np.dtype([("cell", "<u4"), ("value", "<f8")])


def encode_rows(profiles: Profiles) -> list[tuple[bytes, bytes | None, bytes | None]]:
    """(counts, sums, maxima) of each row, in the order of `profiles.rows`; absent sums are None."""
    n = len(profiles.rows)
    counts = _encode_counts(*profiles.counts, n)
    sums = _encode_values(*profiles.sums, n)
    maxima = _encode_values(*profiles.maxima, n)
    return list(zip(counts, sums, maxima, strict=True))


def _encode_counts(keys: Ints, counts: Ints, n_rows: int) -> list[bytes]:
    row, cell = keys >> CELL_BITS, keys & _CELL_MASK
    delta = np.diff(cell, prepend=0)
    starts = np.searchsorted(row, np.arange(n_rows + 1))
    first = starts[:-1][starts[:-1] < starts[1:]]
    delta[first] = cell[first]
    values = np.empty(2 * len(keys), np.uint64)
    values[0::2] = delta.astype(np.uint64)
    values[1::2] = ((counts << 1) ^ (counts >> 63)).astype(np.uint64)
    data, ends = _varints(values)
    at = np.concatenate(([0], ends))[2 * starts].tolist()
    return [data[a:b] for a, b in pairwise(at)]


def _varints(values: NDArray[np.uint64]) -> tuple[bytes, Ints]:
    """LEB128 of each value, joined, and where each ends (int64)."""
    length = np.ones(len(values), np.int64)
    rest = values >> np.uint64(7)
    while rest.any():
        length += rest > 0
        rest >>= np.uint64(7)
    ends = np.cumsum(length)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    begins = ends - length
    for k in range(int(length.max()) if len(length) else 0):
        mine = length > k
        low = (values[mine] >> np.uint64(7 * k)) & np.uint64(0x7F)
        more = np.where(length[mine] > k + 1, 0x80, 0)
        out[begins[mine] + k] = low.astype(np.int64) | more
    return out.tobytes(), ends


def decode_counts(blobs: Sequence[bytes]) -> tuple[Ints, Ints, Ints]:
    """(row, cell, count) of all entries, int64; `row` is the index of the blob."""
    data = np.frombuffer(b"".join(blobs), np.uint8)
    values, more = _from_varints(data)
    ends = np.cumsum(np.fromiter(map(len, blobs), np.int64, len(blobs)))
    entries = np.diff(ends - np.searchsorted(more, ends), prepend=0) // 2
    first = np.cumsum(entries) - entries
    held = np.flatnonzero(entries)
    delta, zigzag = values[0::2], values[1::2]
    # Sums over all rows wrap around in 32 bits; what they differ by within a row is right all the same.
    upto = np.cumsum(delta, dtype=np.uint32)
    before = np.zeros(len(blobs), np.uint32)
    before[held] = upto[first[held]] - delta[first[held]].astype(np.uint32)
    upto -= np.repeat(before, entries)
    count = (zigzag >> 1).astype(np.int64)
    negative = zigzag & 1
    if negative.any():
        count ^= -negative.astype(np.int64)
    return np.repeat(np.arange(len(blobs)), entries), upto.astype(np.int64), count


def _from_varints(data: NDArray[np.uint8]) -> tuple[NDArray[Any], Ints]:
    """The values (unsigned), and the positions (int64) of the bytes that another byte follows.

    Nearly all values are one or two bytes long, so every byte is taken together with the one before it, and
    only what is longer is mended one by one.
    """
    longer = data >= 0x80
    more = np.flatnonzero(longer)
    if not len(more):
        return data, more
    low = (data & np.uint8(0x7F)).astype(np.uint16)
    second = longer[:-1]
    low[1:] = (low[1:] << (second * np.uint8(7))) | (low[:-1] * second)
    values = low[~longer]
    after = np.flatnonzero(np.diff(more) == 1)
    if not len(after):
        return values, more
    # A run of bytes that another follows is one value, and so one less than its bytes stand before it.
    begins = more[after[np.diff(after, prepend=-2) > 1]]
    index = begins - np.searchsorted(more, begins)
    mended = (data[begins] & 0x7F).astype(np.uint64)
    at, number = begins, np.arange(len(begins))
    shift = 0
    while len(at):
        at = at + 1
        shift += 7
        mended[number] |= (data[at] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(shift)
        going = longer[at]
        at, number = at[going], number[going]
    width = np.uint32 if int(mended.max()) < 1 << 32 else np.uint64
    whole = values.astype(width)
    whole[index] = mended
    return whole, more


def _encode_values(keys: Ints, values: Floats, n_rows: int) -> list[Any]:
    if not len(keys):
        return [None] * n_rows
    pairs = np.empty(len(keys), _PAIR)
    pairs["cell"], pairs["value"] = keys & _CELL_MASK, values
    data = pairs.tobytes()
    at = (np.searchsorted(keys >> CELL_BITS, np.arange(n_rows + 1)) * _PAIR.itemsize).tolist()
    return [data[a:b] or None for a, b in pairwise(at)]


def decode_values(blobs: Sequence[bytes | None]) -> tuple[Ints, Ints, Floats]:
    """(row, cell, value) of all pairs; `row` is the index of the blob."""
    held = [b or b"" for b in blobs]
    pairs = np.frombuffer(b"".join(held), _PAIR)
    size = np.fromiter(map(len, held), np.int64, len(held)) // _PAIR.itemsize
    row = np.repeat(np.arange(len(blobs)), size)
    return row, pairs["cell"].astype(np.int64), pairs["value"].astype(np.float64)
