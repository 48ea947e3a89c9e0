"""A draft of a postmortem: what the timeline knows, and headings for what people have to add."""

from collections.abc import Sequence

from monitor.clock import rfc3339, rfc3339_or_none
from monitor.paging.incidents.costs import Costs
from monitor.paging.incidents.costs_shown import changed_lines, cost_lines, missed_lines
from monitor.paging.incidents.incident import Entry, Incident, Kind

__all__ = ["postmortem"]


def postmortem(
    incident: Incident, timeline: Sequence[Entry], costs: Costs, others: Sequence[Incident] = ()
) -> str:
    """The draft, Markdown. `others` are incidents of the same time, which may have to do with it."""
    i = incident
    lines = [
        f"# Incident {i.id}: {_inline(i.title)}",
        "",
        f"Draft from the timeline, {'still open' if i.is_open else 'resolved'}; severity {i.severity}, "
        f"owner {i.owner or 'nobody'}, commander {i.commander or 'nobody'}.",
        "",
        "## Summary",
        "",
        "_What happened, in two sentences that somebody outside of the team understands._",
        "",
        "## Impact",
        "",
        "_Who noticed._",
        "",
        *cost_lines(costs),
        "",
        "## Times",
        "",
        "| | at | after |",
        "| --- | --- | --- |",
        f"| began | {rfc3339_or_none(i.began_ms)} | |",
        f"| detected | {rfc3339(i.opened_ms)} | {_lasted(i.detect_ms)} |",
        f"| paged | {_at(i.paged_ms, 'never')} | {_since(i.paged_ms, i)} |",
        f"| acknowledged | {_at(i.acknowledged_ms, 'never')} | {_since(i.acknowledged_ms, i)} |",
        f"| mitigated | {_at(i.mitigated_ms, 'not said')} | {_since(i.mitigated_ms, i)} |",
        f"| resolved | {_at(i.resolved_ms, 'not yet')} | {_since(i.resolved_ms, i)} |",
        "",
        "## What told of it",
        "",
        *(f"- {_inline(name)}" for name in sorted(set(i.evidence.values()))),
        "",
        "## Timeline",
        "",
        "| at | | who | |",
        "| --- | --- | --- | --- |",
        *(f"| {rfc3339(e.at_ms)} | {e.kind} | {_cell(e.who)} | {_cell(e.text)} |" for e in timeline),
        "",
    ]
    if others:
        lines += ["## At the same time", "", *(f"- incident {o.id}: {_inline(o.title)}" for o in others), ""]
    if not_told := [e for e in timeline if e.kind is Kind.NOT_NOTIFIED]:
        lines += ["## Messages that did not arrive", ""]
        lines += [f"- {rfc3339(e.at_ms)} {_inline(e.text)}" for e in not_told]
        lines += [""]
    lines += ["## Alerts that missed it", "", *missed_lines(costs), ""]
    lines += ["## What changed before", "", *changed_lines(costs), ""]
    lines += [
        "## What we do so that it doesn't happen again",
        "",
        "| action | owner | by |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*lines, "| | | |", ""])


def _at(at_ms: int | None, otherwise: str) -> str:
    return rfc3339_or_none(at_ms) or otherwise


def _since(at_ms: int | None, incident: Incident) -> str:
    return "" if at_ms is None else _lasted(at_ms - incident.opened_ms) + " from detection"


def _lasted(ms: int) -> str:
    seconds = round(ms / 1000)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _inline(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _inline(text).replace("|", "\\|")
