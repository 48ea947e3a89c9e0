"""The values of predictions and labels, read back so that one can be held against the other.

A class is known by its canonical text: a boolean is `true` or `false`, a whole number below a thousand its
digits. A boolean on one side and 0 or 1 on the other are the same class.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from monitor.records import Bools, Floats, Ints, Vocabulary
from monitor.store.pair_codec import Entries, ValueKind

__all__ = ["Decoded", "Texts", "is_positive"]

_CLASS_BELOW = 1000
_CLASS_CHARS = 64
_BOOLEANS = {"true": "1", "false": "0"}


class Texts:
    """The canonical texts met in one flush, by code from 1; `plain` says which may be classes."""

    def __init__(self) -> None:
        self._codes = Vocabulary()
        self._parsed: dict[tuple[int, bytes], int] = {}
        self.true, self.false, self.one, self.zero = (self._codes[t] for t in ("true", "false", "1", "0"))

    def __len__(self) -> int:
        return len(self._codes.texts)

    def code(self, text: str) -> int:
        return self._codes[text]

    def text(self, code: int) -> str:
        return self._codes.texts[code] or ""

    def of_bytes(self, raw: bytes) -> int:
        """The code of a text, or of the JSON of a list."""
        return self._codes[raw.decode()]

    def classlike(self) -> Bools:
        """By code: whether a text is short enough for a class."""
        texts = self._codes.texts
        return np.fromiter(
            (text is not None and 0 < len(text) <= _CLASS_CHARS for text in texts), np.bool_, len(texts)
        )


@dataclass(frozen=True, slots=True)
class Decoded:
    """The values of entries: `kind` (uint8), `number` (float64, NaN where none), and `code` (int64) of the
    canonical text among `texts`, 0 for numbers that are no class and for none."""

    kind: np.ndarray[Any, np.dtype[np.uint8]]
    number: Floats
    code: Ints
    texts: Texts

    def same(self, a: Ints, b: Ints) -> Bools:
        """Whether the values of entries `a` are those of entries `b` (bool); true is 1, false is 0."""
        t = self.texts
        code = self.code
        for word, digit in ((t.true, t.one), (t.false, t.zero)):
            code = np.where(code == word, digit, code)
        number: Bools = (self.number[a] == self.number[b]) | (
            np.isnan(self.number[a]) & np.isnan(self.number[b])
        )
        same: Bools = (code[a] == code[b]) & ((code[a] != 0) | number)
        return same

    def value(self, i: int) -> Any:
        """A list, or grades, of one entry."""
        return msgspec.json.decode(self.texts.text(int(self.code[i])))


def decode(entries: Entries, texts: Texts) -> Decoded:
    """The values of all entries."""
    kind = entries.head["kind"]
    number, code = np.full(len(entries), np.nan), np.zeros(len(entries), np.int64)
    numeric = np.flatnonzero(kind == ValueKind.NUMBER)
    if len(numeric):
        raw = entries.data[entries.begin[numeric][:, None] + np.arange(8)]
        number[numeric] = raw.view("<f8").ravel()
        whole = numeric[(np.abs(number[numeric]) < _CLASS_BELOW) & (number[numeric] % 1 == 0)]
        found, index = np.unique(number[whole].astype(np.int64), return_inverse=True)
        code[whole] = np.array([texts.code(str(n)) for n in found.tolist()], np.int64)[index]
    worded = np.flatnonzero(kind > ValueKind.NUMBER)
    if len(worded):
        data = entries.data.tobytes()
        spans = zip(entries.begin[worded].tolist(), entries.end[worded].tolist(), strict=True)
        raws = [data[a:b] for a, b in spans]
        known = {raw: texts.of_bytes(raw) for raw in set(raws)}
        code[worded] = np.fromiter(map(known.__getitem__, raws), np.int64, len(raws))
    return Decoded(kind, number, code, texts)


def alike(decoded: Decoded, predicted: Ints, actual: Ints) -> Ints:
    """The codes (int64) of the labels in the words of their predictions: 1 is `true` to a model that says
    so. `predicted` and `actual` are codes."""
    t = decoded.texts
    boolean = (predicted == t.true) | (predicted == t.false)
    digit = (predicted == t.one) | (predicted == t.zero)
    for word, number in ((t.true, t.one), (t.false, t.zero)):
        actual = np.where(boolean & (actual == number), word, actual)
        actual = np.where(digit & (actual == word), number, actual)
    return actual


def is_positive(texts: Sequence[str], positive: Collection[str]) -> Bools:
    """Whether each text is one of the positive class's (bool), in any case of letters."""
    wanted = {_BOOLEANS.get(p.lower(), p.lower()) for p in positive}
    return np.array([_BOOLEANS.get(t.lower(), t.lower()) in wanted for t in texts], np.bool_)
