"""The label contract: one JSON object per label, days after the inference it is for.

The table below is the only list of fields. The decoder's types and the published JSON Schema
(`monitor schema --labels`) are made from it.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from monitor.ingest.contract import TIME_DOC, Field, Timestamp, schema_of

__all__ = ["LABEL_FIELDS", "LABEL_NAMES", "MAX_ENTRIES", "MAX_TEXT", "REASON_PREFIX", "label_schema"]

# What sets the dead letters of labels apart from those of records, in counts and when they are replayed.
REASON_PREFIX = "label."
MAX_TEXT = 1000
MAX_ENTRIES = 1000

_Name = Annotated[str, Meta(min_length=1)] | int
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Item = _Text | int
_Items = Annotated[list[_Item], Meta(max_length=MAX_ENTRIES)]
_Grades = Annotated[dict[_Text, Annotated[float, Meta(ge=0)]], Meta(max_length=MAX_ENTRIES)]

LABEL_FIELDS: tuple[Field, ...] = (
    Field(
        "label",
        float | _Text | bool | _Items | _Grades,
        "The truth: a class, a number or a boolean; for ranking the list of relevant items, or each item's "
        "grade by name.",
        True,
    ),
    Field("id", _Name, "The id of the inference that this label is for; either id or key must be there."),
    Field("key", _Name, "The business key that the inference carried as key; goes before id."),
    Field("ts", Timestamp, f"When the label became known: {TIME_DOC}; else the time it arrived."),
    Field("prediction_ts", Timestamp, f"When the inference was answered, where known: {TIME_DOC}."),
    Field(
        "model",
        Annotated[str, Meta(min_length=1)],
        "The only model that the label is for; without it, all that share the id or key.",
    ),
    Field("weight", Annotated[float, Meta(gt=0)], "How much the label counts, 1 where not given."),
    Field("annotator", _Name, "Who labelled it, where several label one id."),
    Field(
        "kind", Literal["truth", "rating"], "truth, or rating: how a user liked the answer; truth by default."
    ),
)
LABEL_NAMES = frozenset(f.name for f in LABEL_FIELDS)


def label_schema() -> dict[str, Any]:
    """The contract as JSON Schema (draft 2020-12); unknown fields are allowed, and counted."""
    return schema_of("Label", LABEL_FIELDS) | {"anyOf": [{"required": ["id"]}, {"required": ["key"]}]}
