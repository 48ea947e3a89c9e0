"""Policies as they are decided by."""

from dataclasses import dataclass

from monitor.clock import DAY_MS
from monitor.paging.receivers.webhook import WebhookConfig

__all__ = ["GIVE_UP_MS", "Age", "Budget", "Drift", "Policy", "Quality"]

GIVE_UP_MS = 2 * DAY_MS


@dataclass(frozen=True, slots=True)
class Drift:
    """The indicator `sli` above a bound in each of the last `windows`."""

    sli: str
    above: float
    windows: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Quality:
    """The metric `sli` on the wrong side of a bound over the last `window_s` of labels."""

    sli: str
    bound: float
    low_is_bad: bool
    min_labels: int
    window_s: int

    def is_bad(self, value: float) -> bool:
        return value < self.bound if self.low_is_bad else value > self.bound


@dataclass(frozen=True, slots=True)
class Age:
    """What may be no older than `above_ms`: data, training or deployment."""

    of: str
    above_ms: int


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many runs, or so much money for runs, in any stretch of `per_ms`."""

    per_ms: int
    runs: int | None = None
    amount: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """See config.retraining; None for what isn't wanted."""

    name: str
    model: str
    drift: Drift | None = None
    quality: Quality | None = None
    age: Age | None = None
    cool_down_ms: int = 7 * DAY_MS
    budget: Budget | None = None
    needs_approval: bool = True
    give_up_ms: int = GIVE_UP_MS
    webhook: WebhookConfig | None = None
    dry_run: bool = True
