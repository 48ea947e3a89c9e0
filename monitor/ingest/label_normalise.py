"""The patient path of labels: one message that the fast decoder did not take.

Either it becomes a clean label (dict) or a reason why it can't be one; just as strict as the fast path.
"""

from collections.abc import Callable
from typing import Any

from monitor.ingest.checks import (
    BadRecord,
    amount,
    kind_of,
    model_of,
    number_of,
    parse,
    text_or_int,
    time_of,
    wrong,
)
from monitor.ingest.label_contract import MAX_ENTRIES, MAX_TEXT

__all__ = ["normalise_label"]

_KINDS = ("truth", "rating")


def normalise_label(payload: bytes) -> dict[str, Any]:
    """The label in `payload` with every known field checked. Raises BadRecord."""
    label = parse(payload)
    if not isinstance(label, dict):
        raise BadRecord("not_an_object", f"the message is {kind_of(label)}, not a JSON object")
    if label.get("id") is None and label.get("key") is None:
        raise BadRecord("missing_id", "neither id nor key is there; one of them says what the label is for")
    if label.get("label") is None:
        raise BadRecord("missing_label", "the required field label is missing or null")
    return {
        name: _CHECKS[name](name, value) if name in _CHECKS and value is not None else value
        for name, value in label.items()
    }


def _label(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _short(name, value)
    if isinstance(value, list | dict):
        if len(value) > MAX_ENTRIES:
            raise BadRecord(
                "too_large", f"{name} has {len(value)} entries; send the {MAX_ENTRIES} that matter most"
            )
        if isinstance(value, list):
            return [_short(f"{name}[{i}]", text_or_int(f"{name}[{i}]", v)) for i, v in enumerate(value)]
        return {_short(f"an item of {name}", k): amount(f"{name}.{k[:40]}", v) for k, v in value.items()}
    return number_of(name, value)


def _short(name: str, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise BadRecord(
            "too_large",
            f"{name} has {len(text)} characters; send {MAX_TEXT} at most, or a digest on both sides",
        )
    return text


def _name(name: str, value: Any) -> str:
    text = text_or_int(name, value)
    if not text:
        raise BadRecord("missing_id" if name in ("id", "key") else "bad_value", f"{name} is empty")
    return text


def _weight(name: str, value: Any) -> float:
    number = number_of(name, value)
    if number <= 0:
        raise BadRecord("bad_value", f"weight {number} is not above 0")
    return number


def _kind(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, value, "a string")
    if value not in _KINDS:
        raise BadRecord("bad_value", f"kind {value[:40]!r} is none of {', '.join(_KINDS)}")
    return value


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "label": _label,
    "id": _name,
    "key": _name,
    "ts": time_of,
    "prediction_ts": time_of,
    "model": model_of,
    "weight": _weight,
    "annotator": _name,
    "kind": _kind,
}
