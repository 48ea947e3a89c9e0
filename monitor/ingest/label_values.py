"""The values of labels as tables have them: texts of a CSV file, columns of a Parquet file.

A time without an offset is taken as UTC. Neither raises: what fits no field is passed on, to be refused with
a reason like any other message.
"""

import json
import re
from collections.abc import Callable
from typing import Any

__all__ = ["FROM_ARROW", "FROM_TEXT"]

_NULLS = frozenset(("", "null", "NULL", "nan", "NaN", "None"))
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"-?\d{1,18}")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|[+-]\d\d:?\d\d|UTC)?", re.IGNORECASE
)


def _text(text: str) -> str | None:
    return text or None


def _number(text: str) -> float | str | None:
    text = text.strip()
    if text in _NULLS:
        return None
    return float(text) if _NUMBER.fullmatch(text) else text


def _label(text: str) -> Any:
    """A number, a boolean, a list or grades where it reads as one, else the text."""
    stripped = text.strip()
    if stripped in _NULLS:
        return None
    if stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if _NUMBER.fullmatch(stripped):
        return float(stripped)
    if stripped[0] in "[{":
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            return text
    return text


def _time(text: str) -> int | str | None:
    text = text.strip()
    if text in _NULLS:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    found = _TIME.fullmatch(text)
    if found is None:
        return text
    day, time, zone = found.groups()
    zone = "Z" if zone is None or zone.upper() in ("Z", "UTC") else zone
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    time = "00:00:00" if time is None else f"{time}:00" if len(time) == 5 else time
    return f"{day}T{time}{zone}"


FROM_TEXT: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("id", "key", "model", "annotator", "kind"), _text),
    **dict.fromkeys(("ts", "prediction_ts"), _time),
    "label": _label,
    "weight": _number,
}


def _names(column: Any) -> list[Any]:
    """Ids that a null somewhere has made floats are whole numbers again."""
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in column.to_pylist()]


def _values(column: Any) -> list[Any]:
    import pyarrow as pa  # a third of a second that nobody else need wait

    values: list[Any] = column.to_pylist()
    if pa.types.is_map(column.type):
        return [None if v is None else dict(v) for v in values]
    if pa.types.is_struct(column.type):
        return [None if v is None else {k: g for k, g in v.items() if g is not None} for v in values]
    return values


def _times(column: Any) -> list[Any]:
    import pyarrow as pa  # as above

    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(column.type):
        milliseconds = column.cast(pa.timestamp("ms", column.type.tz), safe=False)
        return milliseconds.cast(pa.int64()).to_pylist()  # type: ignore[no-any-return]  # pyarrow is untyped
    return [_time(v) if isinstance(v, str) else v for v in column.to_pylist()]


FROM_ARROW: dict[str, Callable[[Any], list[Any]]] = {
    **dict.fromkeys(("id", "key", "model", "annotator", "kind"), _names),
    **dict.fromkeys(("ts", "prediction_ts"), _times),
    **dict.fromkeys(("label", "weight"), _values),
}
