"""Arrow arrays as the columns that profiles count: numbers, texts, or a mixture."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.records import Coded, Column, Floats, Mixed

__all__ = ["as_text_column", "column_of", "numbers_in", "texts_of"]

# What arrow reads as a number, and blanks around it, which it does not take.
_NUMBER = r"^\s*[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[iI]nf(inity)?)\s*$"


def column_of(array: Any) -> Column:
    """A column of a typed array: numbers and decimals as numbers, booleans as true and false, times and
    dates as ISO 8601 text; lists and structs are invalid values."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return column_of(array.dictionary_decode())
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_boolean(kind):
        codes = pc.fill_null(pc.add(pc.cast(array, pa.int32()), 1), 0).to_numpy(zero_copy_only=False)
        return Coded(codes.astype(np.int32), [None, "false", "true"])
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(pc.cast(array, pa.float64(), safe=False))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return texts_of(array)
    if pa.types.is_temporal(kind):
        return texts_of(pc.cast(array, pa.string()))
    there = pc.is_valid(array).to_numpy(zero_copy_only=False).astype(np.bool_)
    n = len(array)
    return Mixed(np.full(n, np.nan), Coded(np.zeros(n, np.int32), [None]), there)


def _floats(array: Any) -> Floats:
    """NaN, a null to pandas, is null here too; +inf stands for both infinities."""
    numbers: Floats = array.to_numpy(zero_copy_only=False)
    infinite = np.isinf(numbers)
    return np.where(infinite, np.inf, numbers) if infinite.any() else numbers


def texts_of(array: Any) -> Coded:
    """A column of strings, with names of its own."""
    encoded = pc.dictionary_encode(array)
    codes = pc.fill_null(pc.add(encoded.indices, 1), 0).to_numpy(zero_copy_only=False)
    return Coded(codes.astype(np.int32), [None, *encoded.dictionary.to_pylist()])


def numbers_in(array: Any) -> Column:
    """A column of strings in which numbers stand as text, as in a CSV file: those that are numbers as
    numbers, the others as texts."""
    try:
        return _floats(pc.cast(array, pa.float64()))
    except pa.ArrowInvalid:
        pass
    texts = texts_of(array)
    likely = pc.match_substring_regex(pa.array(texts.names[1:], pa.string()), _NUMBER)
    number = np.full(len(texts.names), np.nan)
    for i in np.flatnonzero(likely.to_numpy(zero_copy_only=False)).tolist():
        number[i + 1] = _number(texts.names[i + 1])
    numeric = ~np.isnan(number)
    if not numeric.any():
        return texts
    kept = Coded(np.where(numeric[texts.codes], 0, texts.codes).astype(np.int32), texts.names)
    return Mixed(number[texts.codes], kept, np.zeros(len(texts.codes), np.bool_))


def _number(text: str | None) -> float:
    """The number that the text is, +inf for what is infinite."""
    number = float(text or "")
    return np.inf if np.isinf(number) else number


def as_text_column(column: Column) -> Coded:
    """The column with its numbers written out, whole ones without a point."""
    if isinstance(column, Coded):
        return column
    numbers = column if isinstance(column, np.ndarray) else column.numbers
    names: list[str | None] = [None]
    codes = np.zeros(len(numbers), np.int32)
    if not isinstance(column, np.ndarray):
        names = list(column.texts.names)
        codes = column.texts.codes.copy()
    known = {n: i for i, n in enumerate(names) if n is not None}
    given = np.isfinite(numbers)
    values, index = np.unique(numbers[given], return_inverse=True)
    number = []
    for value in values.tolist():
        text = f"{value:.0f}" if value == int(value) else repr(value)
        if text in known:
            number.append(known[text])
        else:
            number.append(len(names))
            names.append(text)
    codes[given] = np.array(number, np.int32)[index] if number else 0
    return Coded(codes, names)
