"""The section `costs`: budgets, and how shared costs are divided."""

from typing import Annotated, Literal, Self

import iso4217
from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from monitor.config.section import Section, Text

__all__ = ["BudgetConfig", "CostsConfig"]

_CURRENCIES = frozenset(currency.code for currency in iso4217.Currency)


def _currency(code: str) -> str:
    if code not in _CURRENCIES:
        raise ValueError(f"{code[:20]!r} is no code of ISO 4217, such as EUR")
    return code


class BudgetConfig(Section):
    """What a team, a model or an environment may cost a month; everything together where none is named."""

    team: Text | None = None
    model: Text | None = None
    environment: Text | None = None
    amount: PositiveFloat
    currency: Annotated[str, AfterValidator(_currency), Field(examples=["EUR"])]
    per: Literal["month"] = "month"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(name is not None for name in (self.team, self.model, self.environment)) > 1:
            raise ValueError("name one of team, model and environment; give each a budget of its own")
        return self


class CostsConfig(Section):
    """`shared_by`: costs that are marked as shared are divided among models by their requests, or not."""

    budgets: tuple[BudgetConfig, ...] = ()
    shared_by: Literal["requests", "none"] = "requests"
