"""What a set of rules would have come to, held against the incidents that are known."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.backtest.incidents import Incident
from monitor.backtest.replay import Span, end_s
from monitor.backtest.retraining import Retraining
from monitor.slo.episodes import Episode
from monitor.slo.rule import Severity

__all__ = ["Found", "Outcome", "outcome"]

# What fires this long after an incident's end is still about it: windows have to empty, labels to come.
_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Found:
    """An incident, the alert that told of it first (None: none did), the page that did, and how long after
    its begin each came, s. What fired already, for which 0 stands, tells of it only where nothing else does.
    """

    incident: Incident
    by: Episode | None
    after_s: int | None
    page: Episode | None
    page_after_s: int | None

    @property
    def news(self) -> bool:
        """Whether an alert began that told of it: one that fired already may be about something else."""
        return self.by is not None and self.by.from_s > self.incident.from_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """All alerts over a span, what they found, the pages and tickets that no incident stands behind, what
    is to be borne in mind about all this, and what policies of retraining would have asked for."""

    span: Span
    alerts: tuple[Episode, ...]
    found: tuple[Found, ...]
    beside: tuple[Episode, ...]
    caveats: tuple[str, ...] = ()
    retraining: tuple[Retraining, ...] = ()

    def about(self, alert: Episode) -> list[Incident]:
        """The incidents that the alert may be about, those first that it began for."""
        if alert.of_budget or alert.severity is Severity.INFO:
            return []
        found = [f.incident for f in self.found if _about(alert, f.incident, self.span)]
        return sorted(found, key=lambda incident: alert.from_s <= incident.from_s)

    def of(self, severity: Severity) -> list[Episode]:
        return [a for a in self.alerts if a.severity is severity]

    def per_week(self, severity: Severity) -> float:
        """How many a week, over the span."""
        return len(self.of(severity)) / self.span.weeks

    @property
    def false_pages(self) -> list[Episode]:
        """Pages outside of every known incident."""
        return [a for a in self.beside if a.severity is Severity.PAGE]

    @property
    def n_found(self) -> int:
        """How many incidents an alert began for."""
        return sum(f.news for f in self.found)

    @property
    def median_after_s(self) -> float | None:
        """The median of how long the incidents that were found had lasted by then."""
        known = [f.after_s for f in self.found if f.news and f.after_s is not None]
        return statistics.median(known) if known else None


def outcome(
    span: Span, alerts: Sequence[Episode], incidents: Sequence[Incident], caveats: Sequence[str] = ()
) -> Outcome:
    """Matches alerts with incidents of their model that they overlap, or that ended an hour before at most.

    Incidents outside of the span are left out. What policies on error budgets ask for tells of no incident:
    it is about all that was spent.
    """
    known = [i for i in incidents if i.from_s < span.to_s and i.to_s > span.from_s]
    told = [a for a in alerts if a.severity is not Severity.INFO and not a.of_budget]
    found = tuple(_found(incident, told, span) for incident in known)
    beside = tuple(a for a in told if not any(_about(a, i, span) for i in known)) if known else ()
    return Outcome(span, tuple(alerts), found, beside, tuple(caveats))


def _about(alert: Episode, incident: Incident, span: Span) -> bool:
    if incident.model not in (None, alert.subject.model):
        return False
    return alert.from_s < incident.to_s + _AFTER_S and end_s(alert, span) > incident.from_s


def _found(incident: Incident, alerts: Sequence[Episode], span: Span) -> Found:
    about = [a for a in alerts if _about(a, incident, span)]

    def when(alert: Episode) -> tuple[bool, int]:
        return alert.from_s <= incident.from_s, alert.from_s

    def after_s(alert: Episode | None) -> int | None:
        return None if alert is None else max(0, alert.from_s - incident.from_s)

    first = min(about, key=when, default=None)
    page = min((a for a in about if a.severity is Severity.PAGE), key=when, default=None)

    return Found(incident, first, after_s(first), page, after_s(page))
