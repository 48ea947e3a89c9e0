"""What values of a message may be: each check gives the clean value or says why it is none."""

import json
import math
from datetime import datetime
from typing import Any

import msgspec

__all__ = [
    "BadRecord",
    "amount",
    "kind_of",
    "model_of",
    "name_of",
    "number_of",
    "object_of",
    "parse",
    "text_of",
    "text_or_int",
    "time_of",
    "wrong",
]

_INT64 = 2**63 - 1


class BadRecord(ValueError):
    """Why a message is no record: a `reason` to count by and a `detail` to mend by."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def parse(payload: bytes) -> Any:
    """The JSON value in `payload`, NaN and infinities allowed. Raises BadRecord."""
    if not payload:
        raise BadRecord("empty", "the message has no bytes (a tombstone?)")
    try:
        return msgspec.json.decode(payload)
    except UnicodeDecodeError as e:
        raise BadRecord("invalid_utf8", f"byte {e.start} of a string is not UTF-8") from None
    except RecursionError:
        raise BadRecord("too_deep", "nested too deeply") from None
    except msgspec.DecodeError as strict:
        return _parse_leniently(payload, str(strict))


def _parse_leniently(payload: bytes, complaint: str) -> Any:
    """Python's own writer emits NaN and Infinity, and so do clients of ours: those are taken."""
    try:
        record = json.loads(payload)
        json.dumps(record, ensure_ascii=False).encode()
        return record
    except UnicodeEncodeError:
        raise BadRecord("invalid_utf8", "a string holds half of a surrogate pair") from None
    except RecursionError:
        raise BadRecord("too_deep", "nested too deeply") from None
    except UnicodeDecodeError as e:
        raise BadRecord("invalid_utf8", f"byte {e.start} is not UTF-8") from None
    except ValueError:
        raise BadRecord("bad_json", complaint) from None


def kind_of(value: Any) -> str:
    """What JSON calls the value, with its article."""
    names = {bool: "a boolean", str: "a string", list: "an array", dict: "an object", type(None): "null"}
    return names.get(type(value), "a number")


def wrong(name: str, value: Any, wanted: str) -> BadRecord:
    """The reason for a field whose value is of another type than `wanted`."""
    return BadRecord("bad_type", f"{name} is {kind_of(value)}, not {wanted}")


def number_of(name: str, value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadRecord("not_finite", f"{name} is {number}")
    return number


def amount(name: str, value: Any) -> float:
    """A finite number that is not negative."""
    number = number_of(name, value)
    if number < 0:
        raise BadRecord("negative", f"{name} is {number}")
    return number


def time_of(name: str, value: Any) -> int | float | datetime:
    """Milliseconds since the epoch as they are, or RFC 3339 with an offset as a datetime."""
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, datetime)
        except msgspec.ValidationError:
            raise BadRecord("bad_ts", f"{name} {value[:40]!r} is not RFC 3339") from None
        if value.tzinfo is None:
            raise BadRecord("bad_ts", f"{name} has no UTC offset, such as Z or +01:00")
        return value  # type: ignore[no-any-return]  # convert() is typed by its second argument
    number = number_of(name, value)
    if abs(number) > _INT64 // 1024:
        raise BadRecord("bad_ts", f"{name} {value} is out of range for milliseconds")
    return value if isinstance(value, int) else number


def text_of(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, value, "a string")
    return value


def text_or_int(name: str, value: Any) -> str:
    """A string, or a whole number as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong(name, value, "a string")
    return str(value)


def name_of(name: str, value: Any) -> str:
    """A string that is not empty, or a whole number as text."""
    text = text_or_int(name, value)
    if not text:
        raise BadRecord(f"missing_{name}", f"{name} is empty")
    return text


def model_of(name: str, value: Any) -> str:
    """A string that is not empty and that PostgreSQL can keep."""
    text = name_of(name, text_of(name, value))
    if "\0" in text:
        raise BadRecord("bad_value", f"{name} holds a NUL character")
    return text


def object_of(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(name, value, "an object")
    return value
