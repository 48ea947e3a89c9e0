"""The section `card` of a model: what only people know of it."""

from typing import Annotated

from pydantic import Field

from monitor.config.section import Section, Text

__all__ = ["CardConfig"]


class CardConfig(Section):
    """What a model is for, whom to ask about it, and what it is not for. `runbook` is the page that says how
    to run it, `groups` the segment label between whose values its card compares quality."""

    purpose: Annotated[Text | None, Field(examples=["stops stolen cards"])] = None
    contact: Annotated[Text | None, Field(examples=["risk@example.org"])] = None
    limits: Text | None = None
    runbook: Annotated[Text | None, Field(examples=["https://wiki/fraud"])] = None
    groups: Annotated[Text | None, Field(examples=["country"])] = None
