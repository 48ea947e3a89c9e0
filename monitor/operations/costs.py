"""Costs of events: which of them count, and what they come to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from monitor.ingest.events.kinds import Cost, moment_ms
from monitor.store.events import Stored

__all__ = ["UNTAGGED", "amounts", "current", "divide", "group_of"]

# The group of what carries no such tag.
UNTAGGED = ""


def current(events: Iterable[Stored]) -> list[Cost]:
    """The costs that count, in the order given: of what was issued again, the newest issue that is there as
    a whole; an older one until then. Of an issue give all events, as a range of time alone does, or none.

    Issues of one time differ only where an export was written twice at once: one of them, always the same.
    """
    costs = [(event, event.data) for event in events if isinstance(event.data, Cost)]
    there: defaultdict[tuple[str, str, int, str], int] = defaultdict(int)
    whole: dict[tuple[str, str], tuple[int, str]] = {}
    for event, cost in costs:
        if (issue := cost.issue) is not None:
            at_ms = moment_ms(issue.at)
            there[event.source, issue.part, at_ms, issue.id] += 1
            if there[event.source, issue.part, at_ms, issue.id] == issue.events:
                part = (event.source, issue.part)
                whole[part] = max(whole.get(part, (at_ms, issue.id)), (at_ms, issue.id))
    return [
        cost
        for event, cost in costs
        if cost.issue is None
        or whole.get((event.source, cost.issue.part)) == (moment_ms(cost.issue.at), cost.issue.id)
    ]


def divide(costs: Sequence[Cost], requests: Mapping[str, float]) -> list[Cost]:
    """The costs, those that are shared divided among the models by their requests; left as they are where
    nothing was requested. A model's part carries the tags of its own greatest cost, of which its team is."""
    total = sum(requests.values())
    if total <= 0:
        return list(costs)
    greatest: dict[str, Cost] = {}
    for cost in costs:
        if not cost.shared and cost.model and cost.amount > getattr(greatest.get(cost.model), "amount", 0):
            greatest[cost.model] = cost
    found = [cost for cost in costs if not cost.shared]
    for cost in costs:
        if cost.shared:
            for model, n in requests.items():
                tags = greatest[model].tags if model in greatest else {"model": model}
                part = cost.amount * n / total
                found.append(msgspec.structs.replace(cost, amount=part, tags=tags))
    return found


def group_of(cost: Cost, by: str) -> str:
    """The service, or the tag of that name; UNTAGGED where there is none. `by` '': all in one."""
    if by == "":
        return "all"
    return cost.service if by == "service" else cost.tag(by.lower()) or UNTAGGED


def amounts(costs: Iterable[Cost], by: str) -> dict[tuple[str, str], float]:
    """What the costs come to by group and currency: currencies are never added together."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for cost in costs:
        found[group_of(cost, by), cost.currency] += cost.amount
    return dict(found)
