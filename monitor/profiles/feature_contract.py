"""What a model expects of one feature: the schema contract, inferred from the baseline or edited."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

__all__ = ["FeatureContract", "ValueType", "from_json", "to_json"]


class ValueType(StrEnum):
    """The type of a feature's values; ANY where the baseline had none to tell it by."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    ANY = "any"

    @property
    def numeric(self) -> bool:
        return self in (ValueType.NUMBER, ValueType.INTEGER)


@dataclass(frozen=True, slots=True)
class FeatureContract:
    """Bounds that are None are open; so are `categories`, where not given: any text will do.

    `required`: a record without the feature breaks the contract, `null_share_max` or not.
    """

    type: ValueType
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    null_share_max: float = 1.0


def to_json(contract: FeatureContract) -> str:
    return json.dumps(asdict(contract))


def from_json(text: str) -> FeatureContract:
    held = json.loads(text)
    if held["categories"] is not None:
        held["categories"] = tuple(held["categories"])
    return FeatureContract(**{**held, "type": ValueType(held["type"])})
