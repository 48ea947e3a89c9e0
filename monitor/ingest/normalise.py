"""The patient path: one message that the fast decoder did not take.

Either it becomes a clean record (dict) that the shape can learn from, or a reason why it can't be
one. Slower than the fast path by ten times, and just as strict.
"""

import math
from collections.abc import Callable
from typing import Any

from monitor.ingest.checks import (
    BadRecord,
    amount,
    kind_of,
    model_of,
    name_of,
    number_of,
    object_of,
    parse,
    text_of,
    text_or_int,
    time_of,
    wrong,
)
from monitor.ingest.contract import MEASURES, MODES

__all__ = ["normalise"]


def normalise(payload: bytes) -> dict[str, Any]:
    """The record in `payload` with every known field checked. Raises BadRecord."""
    record = parse(payload)
    if not isinstance(record, dict):
        raise BadRecord("not_an_object", f"the message is {kind_of(record)}, not a JSON object")
    for name in ("id", "ts", "model"):
        if record.get(name) is None:
            raise BadRecord(f"missing_{name}", f"the required field {name} is missing or null")
    return {
        name: _CHECKS[name](name, value) if name in _CHECKS and value is not None else value
        for name, value in record.items()
    }


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, value, "a boolean")
    return value


def _mode(name: str, value: Any) -> str:
    if value not in MODES:
        raise BadRecord("bad_value", f"mode {str(value)[:40]!r} is none of {', '.join(MODES)}")
    return str(value)


def _status(name: str, value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise wrong(name, value, "an HTTP code or ok|error|timeout|invalid")
    return value


def _sample_rate(name: str, value: Any) -> float:
    number = number_of(name, value)
    if not 0 < number <= 1:
        raise BadRecord("bad_value", f"sample_rate {number} is not above 0 and at most 1")
    return number


def _segment(name: str, value: Any) -> dict[str, str | None]:
    labels = object_of(name, value)
    for label, text in labels.items():
        if isinstance(text, dict | list):
            raise wrong(f"segment.{label}", text, "a small label")
    return {
        k: None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in labels.items()
    }


def _features(name: str, value: Any) -> dict[str, Any]:
    """Feature values pass as they are, whatever their type: a wrong one is counted, not refused."""
    return {k: _finite_or_inf(v) for k, v in object_of(name, value).items()}


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
    return {k: None if v is None else number_of(f"{name}.{k}", v) for k, v in object_of(name, value).items()}


def _prediction(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [text_or_int(f"{name}[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, dict):
        raise wrong(name, value, "a number, a string, a boolean or an array of strings")
    return _finite_or_inf(value)


def _scores(name: str, value: Any) -> dict[str, float] | list[float]:
    if isinstance(value, dict):
        return {k: number_of(f"{name}.{k}", v) for k, v in value.items()}
    if isinstance(value, list):
        return [number_of(name, v) for v in value]
    raise wrong(name, value, "an object or an array of numbers")


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "id": name_of,
    "key": text_or_int,
    "ts": time_of,
    "model": model_of,
    "version": text_or_int,
    "endpoint": text_of,
    "segment": _segment,
    "status": _status,
    "error_type": text_of,
    **dict.fromkeys((*MEASURES, "tokens_in", "tokens_out", "cost"), amount),
    "cold_start": _flag,
    "mode": _mode,
    "feature_ts": time_of,
    "sample_rate": _sample_rate,
    "features": _features,
    "prediction": _prediction,
    "score": number_of,
    "scores": _scores,
    "attributions": _attributions,
    "trace_id": text_of,
    "shadow": _flag,
}
