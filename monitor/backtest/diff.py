"""Two sets of rules side by side: which alerts only one gives, and which come earlier or last longer."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.backtest.outcome import Outcome
from monitor.backtest.replay import Span, end_s
from monitor.slo.episodes import Episode
from monitor.slo.objective import Subject

__all__ = ["Change", "Difference", "differences"]


class Difference(StrEnum):
    """What the new rules do otherwise."""

    ONLY_OLD = "only old"
    ONLY_NEW = "only new"
    EARLIER = "earlier"
    LATER = "later"
    LONGER = "longer"
    SHORTER = "shorter"
    SEVERITY = "severity"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One alert under both sets, or under one of them."""

    difference: Difference
    old: Episode | None
    new: Episode | None

    @property
    def at_s(self) -> int:
        return min(f.from_s for f in (self.old, self.new) if f is not None)


def differences(old: Outcome, new: Outcome) -> list[Change]:
    """Every alert of either, in order of time; alerts of one objective and subject that overlap are the same.

    Each is matched at most once.
    """
    rest: defaultdict[_Place, list[Episode]] = defaultdict(list)
    for alert in new.alerts:
        rest[_place(alert)].append(alert)
    found = list(_matched(old.alerts, rest, old.span, new.span))
    found += [Change(Difference.ONLY_NEW, None, alert) for alerts in rest.values() for alert in alerts]
    return sorted(found, key=lambda c: (c.at_s, c.difference))


_Place = tuple[str, Subject, bool]


def _place(alert: Episode) -> _Place:
    return alert.objective, alert.subject, alert.of_budget


def _matched(
    old: Sequence[Episode], rest: Mapping[_Place, list[Episode]], span: Span, other: Span
) -> Iterator[Change]:
    for alert in old:
        candidates = rest.get(_place(alert), [])
        match = next(
            (c for c in candidates if c.from_s < end_s(alert, span) and end_s(c, other) > alert.from_s), None
        )
        if match is None:
            yield Change(Difference.ONLY_OLD, alert, None)
        else:
            candidates.remove(match)
            yield Change(_difference(alert, match, span, other), alert, match)


def _difference(old: Episode, new: Episode, span: Span, other: Span) -> Difference:
    if old.severity is not new.severity:
        return Difference.SEVERITY
    if new.from_s != old.from_s:
        return Difference.EARLIER if new.from_s < old.from_s else Difference.LATER
    if end_s(new, other) != end_s(old, span):
        return Difference.LONGER if end_s(new, other) > end_s(old, span) else Difference.SHORTER
    return Difference.SAME
