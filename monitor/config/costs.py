"""The section `costs`: budgets, and how shared costs are divided."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from monitor.config.section import Section, Text
from monitor.currencies import check_currency

__all__ = ["BudgetConfig", "CostsConfig"]


class BudgetConfig(Section):
    """What a team, a model or an environment may cost a month; everything together where none is named."""

    team: Text | None = None
    model: Text | None = None
    environment: Text | None = None
    amount: PositiveFloat
    currency: Annotated[str, AfterValidator(check_currency), Field(examples=["EUR"])]
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
