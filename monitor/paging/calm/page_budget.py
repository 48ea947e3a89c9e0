"""Whether a team is paged too often, and what its lead is told of it.

A page is an incident that has woken somebody: the first page of it that arrived, and again once it was
reopened. Repeats, further alerts and escalations are no more of them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.config.durations import format_duration
from monitor.paging.incidents.incident import Incident
from monitor.paging.settings import PageBudget

__all__ = ["Page", "Pages", "counted", "words"]

_NOISIEST = 5


@dataclass(frozen=True, slots=True)
class Page:
    """What an incident woke somebody for at `at_ms`: its alerts by name, and whether anybody took it."""

    incident: int
    at_ms: int
    alerts: tuple[str, ...] = ()
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of an owner within the period, in order of time. `told_ms` is when the lead was told that
    they are too many; None while that may be told again."""

    owner: str
    pages: tuple[Page, ...] = ()
    told_ms: int | None = None


def counted(
    known: Pages, incidents: Iterable[Incident], budget: PageBudget, now_ms: int
) -> tuple[Pages, bool]:
    """With what `incidents` of the owner have come to, and without what is past the period; and whether the
    lead is to be told now: at the page that goes over the budget, and then not before it has been kept again
    or the period has passed."""
    since_ms = now_ms - budget.period_ms
    pages = {(p.incident, p.at_ms): p for p in known.pages if p.at_ms > since_ms}
    kept = len(pages) <= budget.pages
    before = len(pages)
    for i in incidents:
        if i.paged_ms is not None and i.paged_ms > since_ms:
            page = Page(i.id, i.paged_ms, tuple(sorted(set(i.evidence.values()))), bool(i.acknowledged_ms))
            pages[page.incident, page.at_ms] = page
    told_ms = known.told_ms
    if kept or (told_ms is not None and told_ms <= since_ms):
        told_ms = None
    tells = len(pages) > before and len(pages) > budget.pages and told_ms is None
    ordered = tuple(sorted(pages.values(), key=lambda p: (p.at_ms, p.incident)))
    return replace(known, pages=ordered, told_ms=now_ms if tells else told_ms), tells


def words(known: Pages, budget: PageBudget) -> str:
    """What the lead is told."""
    n, period = len(known.pages), format_duration(budget.period_ms)
    acknowledged = sum(page.acknowledged for page in known.pages)
    noisiest = Counter(name for page in known.pages for name in page.alerts).most_common(_NOISIEST)
    lines = [
        f"{known.owner} was paged {n} times within {period}: the budget is {budget.pages}",
        "",
        f"{acknowledged} of {n} were acknowledged. The noisiest alerts:",
        *(f"- {name}: {times} of {n}" for name, times in noisiest),
        "",
        "Pages go on as before. An alert that nobody acts on is better a ticket, or mended.",
    ]
    return "\n".join(lines)
