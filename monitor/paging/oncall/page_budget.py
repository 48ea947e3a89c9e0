"""How often a team may be paged before its lead has to know."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["PageBudget", "overspent"]


@dataclass(frozen=True, slots=True)
class PageBudget:
    """At most `pages` within any `window_ms`; `lead` is the receiver that is told where there are more."""

    pages: int
    window_ms: int
    lead: str


def overspent(budget: PageBudget, paged_ms: Iterable[int], warned_ms: int | None, now_ms: int) -> int | None:
    """How many pages the last window had, where that is too many and the lead wasn't told within it; else
    None. `paged_ms` is when each page was sent, in any order, of any age."""
    if warned_ms is not None and warned_ms > now_ms - budget.window_ms:
        return None
    pages = sum(now_ms - budget.window_ms < ms <= now_ms for ms in paged_ms)
    return pages if pages > budget.pages else None
