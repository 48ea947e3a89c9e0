"""What an incident cost, as the sections of its postmortem."""

from monitor.clock import rfc3339
from monitor.paging.incidents.costs import Costs, Lost, Quality, lost_any

__all__ = ["changed_lines", "cost_lines", "missed_lines"]

_NO_MODEL = "Not known: the incident's alerts name no model."


def cost_lines(costs: Costs) -> list[str]:
    """Error budget and quality that were lost."""
    if costs.model is None:
        return [_NO_MODEL]
    if isinstance(costs.budgets, str):
        return [f"Error budget: not known: {costs.budgets}.", "", _quality(costs.quality)]
    lines = [
        "| objective | of | bad | events | budget of the period lost |",
        "| --- | --- | --- | --- | --- |",
        *(_row(lost) for lost in costs.budgets),
    ]
    return [*lines, "", _quality(costs.quality)]


def _row(lost: Lost) -> str:
    if lost.total <= 0:
        share = "not known: nothing was counted in that time"
    else:
        share = "none" if not lost.bad else f"{(lost.share or 0) * 100:.3g} %"
    subject = str(lost.subject).replace("|", "\\|")
    return f"| {lost.objective.name} | {subject} | {lost.bad:,.0f} | {lost.total:,.0f} | {share} |"


def _quality(quality: Quality | str) -> str:
    if isinstance(quality, str):
        return f"Quality: not known: {quality}."
    labels = f"{quality.count:,} labelled predictions"
    if quality.coverage is not None:
        labels += f", {quality.coverage * 100:.3g} % of all"
    if quality.before is None:
        against = "of the day before it isn't known"
    else:
        against = f"{quality.before:.4g} in the 24 hours before ({quality.during - quality.before:+.4g})"
    return f"Quality: {quality.metric} {quality.during:.4g} in the incident ({labels}), {against}."


def changed_lines(costs: Costs) -> list[str]:
    """What the store saw change in the 24 hours before."""
    if costs.model is None:
        return [_NO_MODEL]
    lines = [f"- {rfc3339(at_ms)} {text}" for at_ms, text in costs.changed]
    if not lines:
        lines = ["No version came and no baseline was activated in the 24 hours before, as far as is stored."]
    if costs.since_ms is None:
        lines = [f"Not known: nothing is stored of {costs.model}."]
    else:
        lines += ["", f"Records of {costs.model} are stored since {rfc3339(costs.since_ms)}."]
    return [*lines, "", "_Deployments, data, traffic: not known to monitor._"]


def missed_lines(costs: Costs) -> list[str]:
    """Which alerts did not fire though their objective lost budget."""
    if costs.model is None:
        return [_NO_MODEL]
    if isinstance(costs.budgets, str):
        return [f"Not known: {costs.budgets}."]
    found = [
        f"- {lost.objective.name} of {lost.subject}: {', '.join(lost.silent)} "
        f"(lost {(lost.share or 0) * 100:.3g} % of the budget)"
        for lost in lost_any(costs.budgets)
        if lost.silent
    ]
    if found:
        return ["Rules that did not fire though their objective lost budget:", "", *found]
    return ["None: every rule of an objective that lost budget fired, or none lost any."]
