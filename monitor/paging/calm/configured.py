"""What a configuration says of fewer messages, and what is wrong with that."""

from collections.abc import Iterator
from datetime import time

from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.config.paging import DampingConfig, PagingConfig
from monitor.paging.matching import parse_matcher
from monitor.paging.mistakes import unknown_receivers
from monitor.paging.oncall.duties import weekdays
from monitor.paging.settings import Damping, Digest, PageBudget, PagerSettings

__all__ = ["calm_mistakes", "damping", "digests", "page_budgets"]


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


def digests(config: PagingConfig) -> tuple[Digest, ...]:
    """Raises ValueError for a matcher that is none."""
    return tuple(
        Digest(
            said.name,
            tuple(map(parse_matcher, said.matchers)),
            said.receiver,
            time.fromisoformat(said.at),
            said.time_zone,
            weekdays(said.days),
        )
        for said in config.digests
    )


def calm_mistakes(config: PagingConfig, settings: PagerSettings) -> Iterator[Mistake]:
    """Receivers that aren't there, matchers that are none."""
    for owner, budget in page_budgets(config).items():
        yield from unknown_receivers(("owners", owner, "page_budget", "tell"), (budget.tell,), settings)
    names: set[str] = set()
    for i, said in enumerate(config.digests):
        place: Location = ("digests", i)
        if said.name in names:
            yield Mistake(("paging", *place, "name"), f"{said.name} is given twice; rename one")
        names.add(said.name)
        yield from unknown_receivers((*place, "receiver"), (said.receiver,), settings)
        for n, text in enumerate(said.matchers):
            try:
                parse_matcher(text)
            except ValueError as e:
                yield Mistake(("paging", *place, "matchers", n), str(e))
