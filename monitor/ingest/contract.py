"""The record contract: one JSON object per inference.

The table below is the only list of fields. The decoder's types and the published JSON Schema
(`monitor schema`) are made from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

__all__ = [
    "FIELDS",
    "MAX_PREDICTION_CHARS",
    "MAX_RANKED",
    "MEASURES",
    "MODES",
    "POSITIVE",
    "TIME_DOC",
    "Field",
    "Outcome",
    "Timestamp",
    "classify",
    "json_schema",
    "schema_of",
]

MODES = ("online", "batch", "edge")
MEASURES = ("latency_ms", "queue_ms", "network_ms", "feature_ms", "compute_ms")

Timestamp = int | float | datetime
Label = str | int | float | bool | None
Value = float | str | bool | None


class Outcome(IntEnum):
    """How a request ended. The classes are apart because different people mend them."""

    OK = 0
    INFRASTRUCTURE = 1
    TIMEOUT = 2
    CLIENT = 3
    AUTH = 4
    QUALITY = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, decoded type, whether it must be there, and what it means."""

    name: str
    type: Any
    doc: str
    required: bool = False
    schema: dict[str, Any] | None = None

    @property
    def fast_type(self) -> Any:
        return self.type if self.required else self.type | None


_NON_NEGATIVE: dict[str, Any] = {"minimum": 0}
TIME_DOC = "RFC 3339 with an offset, or milliseconds since the epoch"

FIELDS: tuple[Field, ...] = (
    Field("id", str | int, "Names the inference; the label that arrives later carries it too.", True),
    Field("ts", Timestamp, f"When the request was answered: {TIME_DOC}.", True),
    Field("model", str, "The model's name.", True),
    Field(
        "key", str | int, "A business key that labels may carry in place of the id, such as an order number."
    ),
    Field("version", str | int, "The model's version."),
    Field("endpoint", str, "The endpoint that answered."),
    Field("segment", dict[str, Label], "Small labels to break indicators down by, such as country or plan."),
    Field("status", int | str, "HTTP status code, or one of ok, error, timeout, invalid."),
    Field(
        "error_type",
        str,
        "The kind of failure: timeout, auth, client or quality sort it; anything else is infrastructure.",
    ),
    Field("latency_ms", float, "Total time to answer, ms.", schema=_NON_NEGATIVE),
    Field("queue_ms", float, "Part of latency_ms spent waiting, ms.", schema=_NON_NEGATIVE),
    Field("network_ms", float, "Part of latency_ms spent on the network, ms.", schema=_NON_NEGATIVE),
    Field("feature_ms", float, "Part of latency_ms spent fetching features, ms.", schema=_NON_NEGATIVE),
    Field("compute_ms", float, "Part of latency_ms spent in the model, ms.", schema=_NON_NEGATIVE),
    Field("cold_start", bool, "True where the replica had to start for this request."),
    Field("mode", str, "Only online requests enter latency objectives.", schema={"enum": [*MODES, None]}),
    Field("feature_ts", Timestamp, f"How fresh the features are: {TIME_DOC}."),
    Field(
        "sample_rate",
        float,
        "Share of requests that is logged; counts are scaled up by its inverse.",
        schema={"exclusiveMinimum": 0, "maximum": 1},
    ),
    Field(
        "features",
        dict[str, Any],
        "The model's inputs: numbers, strings, booleans or null by name. An array of up to 2,048 numbers "
        "is kept as its norm, length, mean and four fixed projections; of texts and media send such numbers.",
    ),
    Field(
        "prediction",
        float | str | bool | list[str | int],
        "The model's answer: a class, a number, a text, or a ranking, the best item first.",
    ),
    Field("score", float, "The score behind the answer, such as the probability of the positive class."),
    Field(
        "scores",
        dict[str, float] | list[float],
        "A score for each class, where there is no score. Of two, that of the positive class is taken (1, "
        "true, yes, positive, or models.<name>.positive_class; the second of an array), of more that of the "
        "prediction; log loss and Brier score are then those of all classes (in an array: of 0, 1, 2 ..).",
    ),
    Field("tokens_in", float, "Tokens read.", schema=_NON_NEGATIVE),
    Field("tokens_out", float, "Tokens written.", schema=_NON_NEGATIVE),
    Field("cost", float, "Cost of the request in the currency of the model.", schema=_NON_NEGATIVE),
    Field("attributions", dict[str, float], "Attribution of the answer to each feature."),
    Field("trace_id", str, "The request's trace, for exemplars and links."),
    Field("shadow", bool, "True where the answer was not served; counted apart from served traffic."),
)

POSITIVE = ("1", "true", "yes", "positive")  # what a positive class is called, in lower case
MAX_RANKED = 100
MAX_PREDICTION_CHARS = 1000

_STATUS_WORDS = {
    "ok": Outcome.OK,
    "success": Outcome.OK,
    "error": Outcome.INFRASTRUCTURE,
    "timeout": Outcome.TIMEOUT,
    "invalid": Outcome.QUALITY,
}
_ERROR_TYPES = {
    "timeout": Outcome.TIMEOUT,
    "auth": Outcome.AUTH,
    "unauthorized": Outcome.AUTH,
    "forbidden": Outcome.AUTH,
    "client": Outcome.CLIENT,
    "bad_request": Outcome.CLIENT,
    "invalid_request": Outcome.CLIENT,
    "rate_limit": Outcome.CLIENT,
    "quality": Outcome.QUALITY,
    "invalid_response": Outcome.QUALITY,
}


def classify(status: int | str | None, error_type: str | None) -> Outcome | None:
    """Sorts a request by `status` and `error_type`; None where `status` is neither a code nor a word.

    A code decides by itself, except that a success may be marked invalid by its `error_type`, and a
    5xx or a plain `error` may turn out to be a timeout. Without a status the error type decides.
    """
    hint = _ERROR_TYPES.get(error_type.lower()) if error_type else None
    if status is None:
        return (hint or Outcome.INFRASTRUCTURE) if error_type else Outcome.OK
    if isinstance(status, str):
        if not status.isdecimal():
            word = _STATUS_WORDS.get(status.lower())
            if word is Outcome.INFRASTRUCTURE and hint is not None:
                return hint
            return Outcome.QUALITY if word is Outcome.OK and hint is Outcome.QUALITY else word
        status = int(status)
    return _classify_code(status, hint)


def _classify_code(code: int, hint: Outcome | None) -> Outcome | None:
    if not 100 <= code <= 599:
        return None
    if code < 400:
        return Outcome.QUALITY if hint is Outcome.QUALITY else Outcome.OK
    if code in (401, 403):
        return Outcome.AUTH
    if code < 500:
        return Outcome.CLIENT
    return Outcome.TIMEOUT if code == 504 or hint is Outcome.TIMEOUT else Outcome.INFRASTRUCTURE


def json_schema() -> dict[str, Any]:
    """The contract as JSON Schema (draft 2020-12); unknown fields are allowed, and counted."""
    return schema_of("Inference", FIELDS)


def schema_of(title: str, fields: Iterable[Field]) -> dict[str, Any]:
    """A table of fields as JSON Schema (draft 2020-12)."""

    def typed(field: Field) -> Any:
        meta = Meta(description=field.doc, extra_json_schema=field.schema or {})
        return Annotated[field.fast_type, meta]

    columns: list[Any] = [(f.name, typed(f)) if f.required else (f.name, typed(f), None) for f in fields]
    record = msgspec.defstruct(title, columns, kw_only=True)
    schema: dict[str, Any] = msgspec.json.schema(record)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **schema.get("$defs", {}).get(title, schema),
    }
