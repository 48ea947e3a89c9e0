"""The rules of the catalogue: one for all models each."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.slo.catalogue import alert_name
from monitor.slo.objective import Outcomes, Under, Watch
from monitor.slo.prometheus.counted import STEP_S, Counted
from monitor.slo.prometheus.groups import Alert, Group, Record
from monitor.slo.prometheus.naming import Links
from monitor.slo.prometheus.promql import duration
from monitor.slo.prometheus.told import decided
from monitor.slo.rule import Rule

__all__ = ["OWNERS", "owner_records", "watch_group"]

OWNERS = "monitor:model_owner:info"
# Asked when the alert is made, so that one rule serves the models of every owner.
_OWNER = (
    f'{{{{ with printf "{OWNERS}{{model=%q}}" $labels.model | query }}}}'
    '{{ . | first | label "owner" }}{{ end }}'
)


def owner_records(owners: Mapping[str, str]) -> Group:
    """Who owns which model, for the labels of alerts that are about any model."""
    records = [Record(OWNERS, "vector(1)", {"model": m, "owner": o}) for m, o in sorted(owners.items())]
    return Group("model owners", "1m", records)


def watch_group(watches: Sequence[Watch], links: Links) -> Group:
    """The rules of one model's watches, for all models."""
    rules = [rule for watch in watches for rule in _rules(watch, links)]
    return Group("models", duration(STEP_S), rules)


def _rules(watch: Watch, links: Links) -> Iterator[Record | Alert]:
    if isinstance(watch.meter.source, Outcomes | Under):
        windows_s = sorted({clause.window_s for rule in watch.rules for clause in rule.clauses})
        counted = Counted("watch", {"watch": watch.name}, {}, watch.meter, None, windows_s[0])
        yield from counted.records(windows_s)
        for rule in watch.rules:
            wait, keep = duration(rule.for_s), duration(rule.keep_firing_s)
            yield _alert(watch, rule, counted.holds(rule), str(rule.severity), links, wait, keep)
    else:
        for rule in watch.rules:
            yield _alert(watch, rule, decided(watch.name, rule.name), "{{ $labels.severity }}", links)


def _alert(
    watch: Watch, rule: Rule, expr: str, severity: str, links: Links, wait: str = "0s", keep: str = "0s"
) -> Alert:
    name = alert_name(watch.name)
    labels = {"objective": watch.name, "severity": severity, "rule": rule.name, "owner": _OWNER}
    words = {"summary": f"{{{{ $labels.model }}}}: {watch.summary}"}
    return Alert(name, expr, labels, {**words, **links.of(name)}, wait, keep)
