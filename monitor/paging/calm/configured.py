"""What a configuration says of fewer messages, and what is wrong with that."""

from collections.abc import Iterator

from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.config.paging import DampingConfig, PagingConfig
from monitor.paging.settings import Damping, PageBudget, PagerSettings

__all__ = ["calm_mistakes", "damping", "page_budgets"]


def damping(said: DampingConfig | None) -> Damping | None:
    """None where nothing is damped."""
    return None if said is None else Damping(said.starts, said.within_ms, said.calm_ms)


def page_budgets(config: PagingConfig) -> dict[str, PageBudget]:
    """By owner."""
    return {
        owner: PageBudget(budget.pages, budget.per_ms, budget.tell)
        for owner, said in config.owners.items()
        if (budget := said.page_budget) is not None
    }


def calm_mistakes(config: PagingConfig, settings: PagerSettings) -> Iterator[Mistake]:
    """Receivers that are named and aren't there."""
    for owner, budget in page_budgets(config).items():
        yield from _unknown(("owners", owner, "page_budget", "tell"), budget.tell, settings)


def _unknown(place: Location, receiver: str, settings: PagerSettings) -> Iterator[Mistake]:
    if receiver not in settings.receivers:
        yield Mistake(("paging", *place), f"there is no receiver {receiver!r}; define it under receivers")
