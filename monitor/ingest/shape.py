"""The decoder's types, learnt from the stream.

One msgspec struct per model, told apart by the `model` field, holding only the fields that were
seen so far: decoding stops at the first field that a struct lacks, so nothing slips by uncounted,
and a record costs what it carries. A struct is rebuilt when a record brings something new.
"""

import functools
import operator
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from monitor.ingest.contract import FIELDS
from monitor.ingest.vectors import VECTOR, is_vector

__all__ = ["ENVELOPE", "FIELD_NAMES", "OTHER", "Limits", "Shape", "StructInfo"]

OTHER = "other"
_KINDS: dict[type, Any] = {float: float | None, int: float | None, str: str | None, bool: bool | None}
# A prediction that was of several types: unlike a feature's, none of them is anything at all.
_PREDICTION: Any = float | str | bool | list[str | int] | None
_BY_MODEL = ("features", "attributions", "prediction")
ENVELOPE = tuple(f for f in FIELDS if f.name not in (*_BY_MODEL, "model", "segment"))


class _Never(msgspec.Struct, tag_field="model", tag="\0", forbid_unknown_fields=True):
    """Makes every decoder's type a union: a struct alone would not insist on its tag."""

    never: int


_UNUSABLE = re.compile(r'["\\\x00-\x1f]')
FIELD_NAMES = frozenset(f.name for f in FIELDS)


def _struct(name: str, columns: Mapping[str, Any]) -> Any:
    """A struct with a field for each column; names that are no identifiers are renamed."""
    names = {f"f{i}": column for i, column in enumerate(columns)}
    fields = [(f, columns[column], None) for f, column in names.items()]
    return msgspec.defstruct(name, fields, gc=False, rename=names, forbid_unknown_fields=True) | None


@dataclass(slots=True)
class ModelShape:
    """What the records of one model carry: the type of each feature and of the prediction."""

    features: dict[str, Any] = field(default_factory=dict)
    attributions: dict[str, Any] = field(default_factory=dict)
    prediction: Any = None

    def learn(self, record: Mapping[str, Any]) -> None:
        for name, value in (record.get("features") or {}).items():
            self.features[name] = _widen(self.features.get(name), value)
        for name in record.get("attributions") or {}:
            self.attributions[name] = float | None
        if isinstance(record.get("prediction"), list):
            self.prediction = _PREDICTION
        elif self.prediction != _PREDICTION:
            kind = _widen(self.prediction, record.get("prediction"))
            self.prediction = _PREDICTION if kind is Any else kind


def _widen(known: Any, value: Any) -> Any:
    """The type that holds both what was known and `value`; null fits all, and is no evidence."""
    if value is None:
        return known
    kind = VECTOR if is_vector(value) else _KINDS.get(type(value), Any)
    return kind if known is None or known == kind else Any


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a shape learns; what goes over is left out of the profile and counted."""

    models: int = 1000
    features: int = 2000
    segment_labels: int = 10
    unknown_fields: int = 64


@dataclass(frozen=True, slots=True)
class StructInfo:
    """What a struct's class stands for: the types of its features, by name, in the order of the fields."""

    model: str
    features: Mapping[str, Any]
    attributions: tuple[str, ...]


class Shape:
    """All that was learnt of a stream, and the decoder made from it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.models: dict[str, ModelShape] = {}
        self.envelope: set[str] = {"id", "ts"}
        self.segments: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self.info: dict[type, StructInfo] = {}
        self._structs: dict[str, type] = {}
        self._shared: tuple[int, int, int] = (0, 0, 0)

    def learn(self, record: dict[str, Any]) -> Counter[str]:
        """Takes in the fields of a normalised record, and takes out of it what the decoder won't know.

        Returns what was left out: unknown fields, and whatever goes over the limits, by name.
        """
        left_out: Counter[str] = Counter()
        model = record["model"]
        if model not in self.models and len(self.models) >= self.limits.models:
            model = record["model"] = OTHER
            left_out["model (over the limit)"] += 1
        shape = self.models.setdefault(model, ModelShape())
        for name in [n for n in record if n not in FIELD_NAMES]:
            if len(self.unknown) < self.limits.unknown_fields and not _UNUSABLE.search(name):
                self.unknown[name] = None
            del record[name]
            left_out[name] += 1
        self.envelope.update(record.keys() - {"model"})
        if record.get("segment"):
            record["segment"] = _bounded(
                record["segment"], self.segments, self.limits.segment_labels, "segment", left_out
            )
            self.segments.update(dict.fromkeys(record["segment"]))
        for name, known in (("features", shape.features), ("attributions", shape.attributions)):
            if record.get(name):
                record[name] = _bounded(record[name], known, self.limits.features, name, left_out)
        before = repr(shape)
        shape.learn(record)
        if repr(shape) != before:
            self._structs.pop(model, None)
        return left_out

    def decoder(self) -> msgspec.json.Decoder[Any]:
        """A decoder of one message into the struct of its model. Raises msgspec's errors."""
        shared = (len(self.envelope), len(self.segments), len(self.unknown))
        if shared != self._shared:
            self._structs.clear()
            self._shared = shared
        for model, shape in self.models.items():
            if model not in self._structs:
                self._structs[model] = self._build(model, shape)
        self.info = {cls: self.info[cls] for cls in self._structs.values()}
        return msgspec.json.Decoder(functools.reduce(operator.or_, self._structs.values(), _Never))

    def _build(self, model: str, shape: ModelShape) -> type:
        fields: list[Any] = [
            (f.name, f.type) if f.required else (f.name, f.fast_type, None)
            for f in ENVELOPE
            if f.name in self.envelope
        ]
        nested = {
            "segment": _struct("Segment", dict.fromkeys(self.segments, str | None)),
            "features": _struct("Features", _nullable(shape.features)),
            "attributions": _struct("Attributions", shape.attributions),
            "prediction": shape.prediction or (str | None),
        }
        fields += [(name, kind, None) for name, kind in nested.items() if name in self.envelope]
        unknown = {f"u{i}": name for i, name in enumerate(self.unknown)}
        fields += [(f, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for f in unknown]
        struct: type = msgspec.defstruct(
            "Record",
            fields,
            gc=False,
            tag_field="model",
            tag=model,
            rename=unknown,
            forbid_unknown_fields=True,
        )
        self.info[struct] = StructInfo(model, _nullable(shape.features), tuple(shape.attributions))
        return struct


def _bounded(
    values: dict[str, Any], known: Mapping[str, Any], limit: int, field: str, left_out: Counter[str]
) -> dict[str, Any]:
    """`values` less the names that would make `known` longer than `limit`, or that no struct can have."""
    room = limit - len(known)
    new = values.keys() - known.keys()
    if len(new) <= room and not any(map(_UNUSABLE.search, new)):
        return values
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known and _UNUSABLE.search(name):
            left_out[f"{field}.* (quotes, backslashes or control characters in the name)"] += 1
        elif name in known or room > 0:
            room -= name not in known
            kept[name] = value
        else:
            left_out[f"{field}.* (over the limit)"] += 1
    return kept


def _nullable(features: Mapping[str, Any]) -> dict[str, Any]:
    # A feature that was only ever null has no type yet: text is as good a guess as any.
    return {name: kind if kind is not None else str | None for name, kind in features.items()}
