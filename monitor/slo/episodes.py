"""What fired, from when to when: transitions told as episodes, those of one objective together."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.slo.alert_log import KeptTransition
from monitor.slo.budget import is_policy
from monitor.slo.objective import Subject
from monitor.slo.rule import Severity
from monitor.slo.standing import AlertKey

__all__ = ["Episode", "episodes", "worst"]

_WORST = (Severity.PAGE, Severity.TICKET, Severity.INFO)


@dataclass(slots=True)
class Episode:
    """Alerts of an objective (or a watch) on one subject fired from `from_s` to `to_s` (None: one still
    does), without a break, at worst as `severity`. `rules` are those that did, in their order; `quiet`: all
    that was found too late to wake anybody for. What policies on the error budget ask for is apart from what
    goes on: it lasts for days, and would hide that."""

    objective: str
    subject: Subject
    from_s: int
    severity: Severity
    to_s: int | None = None
    rules: list[str] = field(default_factory=list)
    quiet: bool = True

    @property
    def of_budget(self) -> bool:
        """Whether policies on the error budget raised it."""
        return all(map(is_policy, self.rules))


def worst(severities: Iterable[Severity]) -> Severity:
    """The most urgent of them."""
    return min(severities, key=_WORST.index)


def episodes(kept: Iterable[KeptTransition]) -> list[Episode]:
    """The episodes in transitions that are given in order of time; by their begin.

    Alerts whose begin is not among them are left out.
    """
    found: list[Episode] = []
    running: dict[tuple[str, Subject, bool], tuple[Episode, set[AlertKey]]] = {}
    for each in kept:
        did = each.transition
        place = (did.key.objective, did.key.subject, is_policy(did.key.rule))
        known = running.get(place)
        begins = did.after.fires and not did.before.fires
        if begins and known is None:
            episode = Episode(did.key.objective, did.key.subject, did.at_s, did.severity)
            found.append(episode)
            known = running[place] = (episode, set())
        if known is None or not (begins or did.key in known[1]):
            continue
        episode, firing = known
        if did.after.fires:
            firing.add(did.key)
            episode.severity = worst((episode.severity, did.severity))
            episode.quiet = episode.quiet and each.quiet
            if did.key.rule not in episode.rules:
                episode.rules.append(did.key.rule)
            continue
        firing.discard(did.key)
        if not firing:
            episode.to_s = did.at_s
            del running[place]
    return found
