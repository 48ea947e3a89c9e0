"""From the values of one field of many structs to a column."""

import operator
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from monitor.ingest.vectors import VECTOR, reduced, take_vectors
from monitor.records import Bools, Coded, Column, Floats, Ints, Mixed, Vocabulary

__all__ = [
    "BAD_TS",
    "column_of",
    "feature_of",
    "flags_of",
    "floats_of",
    "joined",
    "nested_of",
    "times_of",
    "with_vectors",
]

BAD_TS = np.iinfo(np.int64).min
_NUMBER = float | None
_TEXTS = (str | None, bool | None)


def floats_of(values: Iterable[Any], n: int) -> Floats:
    """float64, None as NaN."""
    values = list(values)
    try:
        return np.fromiter(values, np.float64, n)
    except TypeError:
        return np.array(values, dtype=np.float64)


def _millis(value: Any) -> int:
    if isinstance(value, datetime):
        return BAD_TS if value.tzinfo is None else int(value.timestamp() * 1000)
    millis = int(value)
    return millis if abs(millis) < 2**53 else BAD_TS


def times_of(values: Sequence[Any], n: int) -> Ints:
    """Milliseconds, int64; BAD_TS where a time has no offset or no sense; None is BAD_TS too."""
    try:
        return np.fromiter(values, np.int64, n)
    except (TypeError, OverflowError):
        return np.fromiter((BAD_TS if v is None else _millis(v) for v in values), np.int64, n)


def flags_of(values: Iterable[bool | None], n: int) -> Bools:
    """Booleans (bool), None as false."""
    return np.fromiter(map(bool, values), np.bool_, n)


def _mixed(values: Sequence[Any], vocabulary: Vocabulary) -> Mixed:
    n = len(values)

    def number(v: Any) -> float:
        if isinstance(v, bool) or not isinstance(v, int | float):
            return np.nan
        try:
            return float(v) if np.isfinite(float(v)) else np.inf
        except OverflowError:
            return np.inf

    def text(v: Any) -> str | None:
        return v if isinstance(v, str) else str(v).lower() if isinstance(v, bool) else None

    return Mixed(
        np.fromiter(map(number, values), np.float64, n),
        vocabulary.encode(map(text, values), n),
        np.fromiter((isinstance(v, dict | list) for v in values), np.bool_, n),
    )


def column_of(values: Sequence[Any], kind: Any, vocabulary: Vocabulary) -> Column:
    """A column from the values of a struct's field of type `kind`: numbers, text, or a mixture."""
    n = len(values)
    if kind == _NUMBER:
        return floats_of(values, n)
    if kind in _TEXTS:
        return vocabulary.encode(values, n)
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if kinds <= {float}:
        return floats_of(values, n)
    if kinds == {str} or kinds == {bool}:
        return vocabulary.encode(values, n)
    return _mixed(values, vocabulary)


def feature_of(structs: Sequence[Any], attribute: str, kind: Any, vocabulary: Vocabulary) -> Column:
    """A column of an attribute of nested structs, without a list between where all is plain."""
    get = operator.attrgetter(attribute)
    try:
        if kind == _NUMBER:
            return np.fromiter(map(get, structs), np.float64, len(structs))
        if kind in _TEXTS:
            return vocabulary.encode(map(get, structs), len(structs))
    except (AttributeError, TypeError):
        pass  # A struct or a number is None.
    return column_of(nested_of(structs, attribute), kind, vocabulary)


def with_vectors(name: str, values: list[Any], kind: Any, vocabulary: Vocabulary) -> dict[str, Column]:
    """The columns of a feature that may have vectors among its values."""
    if kind == VECTOR:
        return dict(reduced(name, values))
    if list not in set(map(type, values)):
        return {name: column_of(values, kind, vocabulary)}
    rest, vectors = take_vectors(values)
    return {name: column_of(rest, kind, vocabulary), **reduced(name, vectors)}


def nested_of(structs: Sequence[Any], attribute: str) -> list[Any]:
    """The attribute of each struct; None where the struct itself is None."""
    get = operator.attrgetter(attribute)
    try:
        return list(map(get, structs))
    except AttributeError:
        return [None if s is None else get(s) for s in structs]


def joined(parts: list[Column]) -> Column:
    """One column from those of the slices, which may differ in kind."""
    if all(isinstance(p, np.ndarray) for p in parts):
        return np.concatenate([p for p in parts if isinstance(p, np.ndarray)])
    if all(isinstance(p, Coded) for p in parts):
        coded = [p for p in parts if isinstance(p, Coded)]
        return Coded(np.concatenate([p.codes for p in coded]), coded[0].names)
    mixed = [_as_mixed(p) for p in parts]
    names = max((p.texts.names for p in mixed), key=len)
    return Mixed(
        np.concatenate([p.numbers for p in mixed]),
        Coded(np.concatenate([p.texts.codes for p in mixed]), names),
        np.concatenate([p.invalid for p in mixed]),
    )


def _as_mixed(column: Column) -> Mixed:
    if isinstance(column, Mixed):
        return column
    if isinstance(column, Coded):
        n = len(column.codes)
        return Mixed(np.full(n, np.nan), column, np.zeros(n, np.bool_))
    n = len(column)
    return Mixed(column, Coded(np.zeros(n, np.int32), [None]), np.zeros(n, np.bool_))
