"""What every part of a configuration is: frozen, its keys with the unit in the value."""

import re
from typing import Annotated

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field

__all__ = ["Section", "Text"]

_TIME_UNIT = re.compile(r"(?<!_per)(?<!_thresholds)_(ms|s|days)$")


def _yaml_key(name: str) -> str:
    return _TIME_UNIT.sub("", name)


class Section(BaseModel):
    """A part of the configuration: frozen, and without room for keys that nothing reads."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        alias_generator=AliasGenerator(validation_alias=_yaml_key, serialization_alias=_yaml_key),
    )


Text = Annotated[str, Field(min_length=1)]
