"""Costs of events: which of them count, and what they come to."""

from collections import defaultdict
from collections.abc import Iterable

from monitor.ingest.events.kinds import Cost, moment_ms
from monitor.store.events import Stored

__all__ = ["current"]


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
