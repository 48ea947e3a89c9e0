"""What a pager is told to do: routes, receivers, inhibition and times, as frozen values.

`document` makes them of Alertmanager's YAML; nothing here knows how a file writes them down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import Any

from monitor.paging.alert import Labels
from monitor.paging.links.settings import USUAL, LinkSettings
from monitor.paging.oncall.escalation import Level
from monitor.paging.oncall.local_time import ALL_DAYS
from monitor.paging.templates import DEFAULT, Templates

__all__ = [
    "Action",
    "Damping",
    "Digest",
    "Do",
    "Fallback",
    "Hold",
    "InhibitRule",
    "Integration",
    "Limit",
    "Matcher",
    "PageBudget",
    "PagerSettings",
    "Receiver",
    "Route",
    "matches_all",
]


@dataclass(frozen=True, slots=True)
class Matcher:
    """`name` `=`, `!=`, `=~` or `!~` `value`; a label that isn't there has the empty value.

    `pattern` is the regular expression compiled (RE2, anchored at both ends), None for an equality.
    """

    name: str
    value: str
    equal: bool = True
    pattern: Any = field(default=None, compare=False, repr=False)
    regex: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.name, "")
        hit = self.pattern.fullmatch(found) is not None if self.regex else found == self.value
        return hit is self.equal


def matches_all(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """True without a matcher, too."""
    return all(m.matches(labels) for m in matchers)


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree, with everything that it inherits filled in.

    `key` is Alertmanager's (`{}/{owner="risk"}`), which it shows in group keys; `id` tells apart nodes of the
    same key, and stays the same over a reload that doesn't touch the node. `group_by` None means by all
    labels. Intervals aren't inherited.
    """

    id: str
    key: str
    receiver: str
    matchers: tuple[Matcher, ...]
    group_by: tuple[str, ...] | None
    group_wait_ms: int
    group_interval_ms: int
    repeat_interval_ms: int
    continues: bool = False
    mute_intervals: tuple[str, ...] = ()
    active_intervals: tuple[str, ...] = ()
    routes: tuple["Route", ...] = ()

    def match(self, labels: Mapping[str, str]) -> list["Route"]:
        """The nodes that an alert goes to: depth first, left to right; a child that matches ends it unless
        it `continues`; a node is its own only where no child matches. Empty where it doesn't match."""
        if not matches_all(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            below = child.match(labels)
            found += below
            if below and not child.continues:
                break
        return found or [self]

    def group_labels(self, labels: Labels) -> Labels:
        """The labels of the group that an alert belongs to here."""
        return labels if self.group_by is None else tuple(p for p in labels if p[0] in self.group_by)


@dataclass(frozen=True, slots=True)
class Integration:
    """One way to reach a receiver: `kind` is the YAML's key without `_configs`, `config` what it says, of the
    class that `receivers` has for the kind; `index` its place among those of its receiver. One that isn't
    `on_duty` at a moment, as a person off call, is told only of the end of what it was told before."""

    kind: str
    index: int
    config: Any
    send_resolved: bool = True
    on_duty: Callable[[int], bool] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody to tell, by all of the `integrations`."""

    name: str
    integrations: tuple[Integration, ...] = ()


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert that matches `source` fires, those that match `target` with the same values of `equal`
    aren't notified; one that matches both sides isn't inhibited by another that does."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Alerts that match wait while the moment lies `within`, as tickets do at night."""

    name: str
    matchers: tuple[Matcher, ...]
    within: Callable[[int], bool] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Damping:
    """An alert that began to fire `starts` times within `window_ms` flaps: it isn't told as resolved before
    it has stayed so for `calm_ms`."""

    starts: int
    window_ms: int
    calm_ms: int


@dataclass(frozen=True, slots=True)
class PageBudget:
    """More than `pages` within `period_ms` are too many; `tell` is the receiver that hears of it."""

    pages: int
    period_ms: int
    tell: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Tickets and infos that match are told to `receiver` together, `at` a local time on weekdays `days`
    (Monday is 0)."""

    name: str
    matchers: tuple[Matcher, ...]
    receiver: str
    at: time
    zone: str = "UTC"
    days: frozenset[int] = ALL_DAYS

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Never a page, nor what doesn't say that it can wait."""
        return labels.get("severity") in ("ticket", "info") and matches_all(self.matchers, labels)


@dataclass(frozen=True, slots=True)
class Fallback:
    """`receiver` is told in place of one that could not be reached for `after_ms`, or refused a message."""

    receiver: str
    after_ms: int


class Do(StrEnum):
    """What is asked for."""

    RETRAIN = "retrain"
    ROLLBACK = "rollback"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many `times` within `per_ms`."""

    times: int
    per_ms: int


@dataclass(frozen=True, slots=True)
class Action:
    """Acts on alerts that match all `matchers` when they fire openly: posts to the `webhook` (a receivers'
    WebhookConfig), unless it is a `dry_run`. `version` is what to roll back to, or `previous`."""

    name: str
    do: Do
    matchers: tuple[Matcher, ...]
    webhook: Any
    version: str = "previous"
    once_per_incident: bool = True
    limit: Limit | None = None
    dry_run: bool = True


@dataclass(frozen=True, slots=True)
class PagerSettings:
    """All of it. `intervals` say, by name, whether a moment (ms since the epoch) lies within them. A
    message lists `max_alerts` at most (None: all). Alerts that agree in the labels `incident_by` are one
    incident; `escalations` say, by owner, who is told next, `page_budgets` how many pages are too many.
    Messages are in the words of `templates`, `go_templates` are files of Alertmanager's that aren't read.
    That a silence ends is said `silence_warning_ms` before (0: never). `fallbacks` say who is told where a
    receiver can't be, `fallback` who for the others; `actions` are what is done besides."""

    route: Route
    receivers: Mapping[str, Receiver]
    inhibit_rules: tuple[InhibitRule, ...] = ()
    intervals: Mapping[str, Callable[[int], bool]] = field(default_factory=dict)
    resolve_timeout_ms: int = 300_000
    external_url: str = ""
    holds: tuple[Hold, ...] = ()
    damping: Damping | None = None
    max_alerts: int | None = None
    incident_by: tuple[str, ...] = ()
    escalations: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)
    fallback: Fallback | None = None
    actions: tuple[Action, ...] = ()
    fallbacks: Mapping[str, Fallback] = field(default_factory=dict)
    templates: Templates = DEFAULT
    go_templates: tuple[str, ...] = ()
    page_budgets: Mapping[str, PageBudget] = field(default_factory=dict)
    digests: tuple[Digest, ...] = ()
    silence_warning_ms: int = 0
    links: LinkSettings = USUAL

    def fallback_of(self, receiver: str) -> Fallback | None:
        """Who is told where `receiver` can't be; None for nobody."""
        found = self.fallbacks.get(receiver, self.fallback)
        return found if found is not None and found.receiver != receiver else None
