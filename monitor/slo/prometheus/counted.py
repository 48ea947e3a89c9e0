"""What Prometheus counts itself: recording rules of bad and all events, and clauses over them.

The error ratio of a window is a ratio of sums, never a mean of ratios; without events there is none, so
that a quiet period leaves no NaN behind. The names are those of Sloth, whose dashboards then fit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor.slo.objective import Meter
from monitor.slo.prometheus.groups import Record
from monitor.slo.prometheus.promql import bad_and_all, duration, number, selector
from monitor.slo.rule import Clause, Rule

__all__ = ["STEP_S", "Counted"]

# How often what pages is evaluated; coverage is counted in these steps too.
STEP_S = 30


@dataclass(frozen=True, slots=True)
class Counted:
    """The series of one meter: their names begin with `prefix`, `identity` tells them from all others.

    `labels` are put onto them besides. `model` None: of every model.
    """

    prefix: str
    identity: Mapping[str, str]
    labels: Mapping[str, str]
    meter: Meter
    model: str | None
    history_s: int

    def records(self, windows_s: Iterable[int]) -> Iterator[Record]:
        """Bad events, all events, their ratio and the coverage of each window."""
        chosen = {"model": self.model, "version": self.meter.version, "endpoint": self.meter.endpoint}
        wanted = {label: value for label, value in chosen.items() if value is not None}
        by = ("model", *(label for label in self.meter.by if label in ("version", "endpoint")))
        kept = {label: value for label, value in wanted.items() if label not in by}
        for window_s in windows_s:
            window = duration(window_s)
            labels = {**self.identity, **self.labels, **kept, "sloth_window": window}
            bad, total = bad_and_all(self.meter, wanted, by, window)
            yield Record(f"{self.prefix}:sli_bad:increase{window}", bad, labels)
            yield Record(f"{self.prefix}:sli_total:increase{window}", total, labels)
            some = f"({self._named('sli_total:increase', window_s)} > 0)"
            ratio = f"{self._named('sli_bad:increase', window_s)}\n/\n{some}"
            yield Record(f"{self.prefix}:sli_error:ratio_rate{window}", ratio, labels)
            yield Record(f"{self.prefix}:sli_coverage:ratio{window}", self._covered(window_s), labels)

    def holds(self, rule: Rule) -> str:
        """PromQL that has a sample, the bad share of the first window, while the rule's clauses hold."""
        first = rule.clauses[0].window_s
        parts = [self.above(clause, rule.factor) for clause in rule.clauses]
        if rule.min_events > 0:
            parts.append(f"{self._named('sli_total:increase', first)} >= {rule.min_events}")
        if rule.min_bad > 0:
            parts.append(f"{self._named('sli_bad:increase', first)} >= {rule.min_bad}")
        return "\nand ignoring (sloth_window)\n".join(parts)

    def above(self, clause: Clause, factor: float | None = None) -> str:
        """That the bad share of the clause's window is above its limit, which is the higher the less of the
        window there has been: after a cold start as much has to be spent as at any other time."""
        limit = number(clause.above)
        if factor is not None:
            limit = f"({number(factor)} * {number(clause.above / factor)})"
        share = self._named("sli_error:ratio_rate", clause.window_s)
        return f"{share} > {limit} / {self._named('sli_coverage:ratio', clause.window_s)}"

    def _covered(self, window_s: int) -> str:
        """The share of the window since the first event: how often `history_s` could be counted in it."""
        seen = self._named("sli_total:increase", self.history_s)
        steps = window_s // STEP_S
        return f"clamp_max(count_over_time({seen}[{duration(window_s)}]) / {steps}, 1)"

    def _named(self, name: str, window_s: int) -> str:
        return selector(f"{self.prefix}:{name}{duration(window_s)}", self.identity)
