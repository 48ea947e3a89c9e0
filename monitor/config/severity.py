"""How urgent an alert is, as people write it."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

__all__ = ["SeverityName", "plain_name"]


def plain_name(value: Any) -> Any:
    """The value of an enumeration's member, anything else as it is."""
    return value.value if isinstance(value, StrEnum) else value


SeverityName = Annotated[
    Literal["page", "ticket", "info"], BeforeValidator(plain_name), Field(examples=["page"])
]
