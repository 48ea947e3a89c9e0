"""The patient path: one message that the fast decoder did not take.

Either it becomes a clean record (dict) that the shape can learn from, or a reason why it can't be
one. Slower than the fast path by ten times, and just as strict.
"""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from monitor.ingest.contract import MEASURES, MODES

__all__ = ["BadRecord", "normalise", "parse"]

_INT64 = 2**63 - 1


class BadRecord(ValueError):
    """Why a message is no record: a `reason` to count by and a `detail` to mend by."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def normalise(payload: bytes) -> dict[str, Any]:
    """The record in `payload` with every known field checked. Raises BadRecord."""
    record = parse(payload)
    if not isinstance(record, dict):
        raise BadRecord("not_an_object", f"the message is {_kind(record)}, not a JSON object")
    for name in ("id", "ts", "model"):
        if record.get(name) is None:
            raise BadRecord(f"missing_{name}", f"the required field {name} is missing or null")
    return {
        name: _CHECKS[name](name, value) if name in _CHECKS and value is not None else value
        for name, value in record.items()
    }


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


def _kind(value: Any) -> str:
    names = {bool: "a boolean", str: "a string", list: "an array", dict: "an object", type(None): "null"}
    return names.get(type(value), "a number")


def _wrong(name: str, value: Any, wanted: str) -> BadRecord:
    return BadRecord("bad_type", f"{name} is {_kind(value)}, not {wanted}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadRecord("not_finite", f"{name} is {number}")
    return number


def _amount(name: str, value: Any) -> float:
    number = _number(name, value)
    if number < 0:
        raise BadRecord("negative", f"{name} is {number}")
    return number


def _time(name: str, value: Any) -> int | float | datetime:
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, datetime)
        except msgspec.ValidationError:
            raise BadRecord("bad_ts", f"{name} {value[:40]!r} is not RFC 3339") from None
        if value.tzinfo is None:
            raise BadRecord("bad_ts", f"{name} has no UTC offset, such as Z or +01:00")
        return value  # type: ignore[no-any-return]  # convert() is typed by its second argument
    number = _number(name, value)
    if abs(number) > _INT64 // 1024:
        raise BadRecord("bad_ts", f"{name} {value} is out of range for milliseconds")
    return value if isinstance(value, int) else number


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def _text_or_int(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(name, value, "a string")
    return str(value)


def _name(name: str, value: Any) -> str:
    text = _text_or_int(name, value)
    if not text:
        raise BadRecord(f"missing_{name}", f"{name} is empty")
    return text


def _model(name: str, value: Any) -> str:
    text = _name(name, _text(name, value))
    if "\0" in text:
        raise BadRecord("bad_value", f"{name} holds a NUL character")
    return text


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "a boolean")
    return value


def _mode(name: str, value: Any) -> str:
    if value not in MODES:
        raise BadRecord("bad_value", f"mode {str(value)[:40]!r} is none of {', '.join(MODES)}")
    return str(value)


def _status(name: str, value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(name, value, "an HTTP code or ok|error|timeout|invalid")
    return value


def _sample_rate(name: str, value: Any) -> float:
    number = _number(name, value)
    if not 0 < number <= 1:
        raise BadRecord("bad_value", f"sample_rate {number} is not above 0 and at most 1")
    return number


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, value, "an object")
    return value


def _segment(name: str, value: Any) -> dict[str, str | None]:
    labels = _object(name, value)
    for label, text in labels.items():
        if isinstance(text, dict | list):
            raise _wrong(f"segment.{label}", text, "a small label")
    return {
        k: None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in labels.items()
    }


def _features(name: str, value: Any) -> dict[str, Any]:
    """Feature values pass as they are, whatever their type: a wrong one is counted, not refused."""
    return {k: _finite_or_inf(v) for k, v in _object(name, value).items()}


def _finite_or_inf(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    if isinstance(value, float) and not math.isfinite(value):
        return math.inf
    return value


def _attributions(name: str, value: Any) -> dict[str, float | None]:
    return {k: None if v is None else _number(f"{name}.{k}", v) for k, v in _object(name, value).items()}


def _prediction(name: str, value: Any) -> Any:
    if isinstance(value, dict | list):
        raise _wrong(name, value, "a number, a string or a boolean")
    return _finite_or_inf(value)


def _scores(name: str, value: Any) -> dict[str, float] | list[float]:
    if isinstance(value, dict):
        return {k: _number(f"{name}.{k}", v) for k, v in value.items()}
    if isinstance(value, list):
        return [_number(name, v) for v in value]
    raise _wrong(name, value, "an object or an array of numbers")


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "id": _name,
    "ts": _time,
    "model": _model,
    "version": _text_or_int,
    "endpoint": _text,
    "segment": _segment,
    "status": _status,
    "error_type": _text,
    **dict.fromkeys((*MEASURES, "tokens_in", "tokens_out", "cost"), _amount),
    "cold_start": _flag,
    "mode": _mode,
    "feature_ts": _time,
    "sample_rate": _sample_rate,
    "features": _features,
    "prediction": _prediction,
    "score": _number,
    "scores": _scores,
    "attributions": _attributions,
    "trace_id": _text,
    "shadow": _flag,
}
