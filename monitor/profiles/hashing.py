"""Hashes that are the same for ever and everywhere: of many texts at once, and of records."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from monitor.records import Ints

__all__ = ["hashes_of", "identity_of", "moments_of"]

Words = NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = 8
# Longer texts are rare, and hashed one by one.
_MAX_BYTES = 512
_SEPARATOR = ord("\n")
_MASKS: Words = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], np.uint64)


def _mixed(values: Words) -> Words:
    """The finaliser of splitmix64."""
    with np.errstate(over="ignore"):
        z = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _multipliers(seed: int) -> Words:
    with np.errstate(over="ignore"):
        steps = np.arange(1, _MAX_BYTES // _WORD + 2, dtype=np.uint64) * np.uint64(_GOLDEN)
        return _mixed(steps + np.uint64(seed)) | np.uint64(1)


def hashes_of(texts: Sequence[str], seed: int = 0) -> Ints:
    """A hash of (text, seed) for each text, int64, from 0 to 2^63 - 1.

    A text's 8-byte words are multiplied by odd numbers drawn from the seed and summed (multilinear hashing),
    with no loop over the texts.
    """
    n = len(texts)
    joined = "\n".join(texts).encode("utf-8", "surrogatepass")
    padded = np.frombuffer(joined + bytes(_WORD), np.uint8)
    ends = np.append(np.flatnonzero(padded[: len(joined)] == _SEPARATOR), len(joined))
    if n == 0 or len(ends) != n:
        return np.fromiter((_one(text, seed) for text in texts), np.int64, n)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    factors = _multipliers(seed)
    total = _sums(padded, starts, lengths, factors)
    for i in np.flatnonzero(lengths > _MAX_BYTES).tolist():
        total[i] = _long(texts[i].encode("utf-8", "surrogatepass"), factors)
    return _finished(total)


def _sums(padded: NDArray[np.uint8], starts: Ints, lengths: Ints, factors: Words) -> Words:
    """The weighted sum of each text's words; that of its length first."""
    total: Words = lengths.astype(np.uint64) * factors[0]
    shortest, longest = int(lengths.min()), min(int(lengths.max()), _MAX_BYTES)
    alike = shortest == longest == int(lengths.max())
    # One word from every byte on: an unaligned view, of which the texts' own words are taken.
    words: Words = np.ndarray((len(padded) - _WORD + 1,), np.dtype("<u8"), padded.data, strides=(1,))
    for j in range(-(-longest // _WORD)):
        at = j * _WORD
        if alike:
            # Texts of one length, as most ids are: their words lie evenly, and none has to be looked up.
            mine = words[at :: longest + 1][: len(starts)]
            total += (mine & _MASKS[min(longest - at, _WORD)]) * factors[j + 1]
        elif shortest >= at + _WORD:
            total += words[starts + at] * factors[j + 1]
        else:
            rest = np.clip(lengths - at, 0, _WORD)
            begin = np.minimum(starts + at, len(words) - 1)
            total += (words[begin] & _MASKS[rest]) * factors[j + 1]
    return total


def _long(text: bytes, factors: Words) -> np.uint64:
    digest = blake2b(text, digest_size=_WORD).digest()
    return np.uint64((int.from_bytes(digest, "little") * int(factors[0])) % (1 << 64))


def _one(text: str, seed: int) -> int:
    """The hash of one text, however odd."""
    raw = text.encode("utf-8", "surrogatepass")
    factors = _multipliers(seed)
    if len(raw) > _MAX_BYTES:
        return int(_finished(np.array([_long(raw, factors)]))[0])
    padded = np.frombuffer(raw + bytes(_WORD), np.uint8)
    return int(_finished(_sums(padded, np.zeros(1, np.int64), np.array([len(raw)]), factors))[0])


def _finished(total: Words) -> Ints:
    return (_mixed(total) >> np.uint64(1)).astype(np.int64)


def identity_of(model: str, identity: str) -> np.uint64:
    """64 bits for a model's record of that id: the `who` of its half of a pair."""
    own = blake2b(f"i:{identity}".encode("utf-8", "surrogatepass"), digest_size=16).digest()[:_WORD]
    of = blake2b(model.encode("utf-8", "surrogatepass"), digest_size=_WORD).digest()
    return np.uint64(int.from_bytes(own, "little") ^ int.from_bytes(of, "little"))


def moments_of(identities: Words, ts_ms: Ints) -> Ints:
    """A hash (int64, from 0 to 2^63 - 1) of each identity at its time: a record and its repetition have the
    same."""
    with np.errstate(over="ignore"):
        return _finished(identities ^ (ts_ms.astype(np.uint64) * np.uint64(_GOLDEN)))
