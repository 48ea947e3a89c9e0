"""Which alerts another alert inhibits."""

from collections import defaultdict
from collections.abc import Mapping

from monitor.paging.alert import Alert, Status
from monitor.paging.settings import InhibitRule, matches_all

__all__ = ["Inhibition"]

_Values = tuple[str, ...]


class Inhibition:
    """The rules over all alerts, indexed by the values of their `equal` labels."""

    def __init__(self, rules: tuple[InhibitRule, ...]) -> None:
        self._rules = rules
        self._sources: list[defaultdict[_Values, dict[str, bool]]] = [defaultdict(dict) for _ in rules]

    def add(self, fingerprint: str, labels: Mapping[str, str]) -> None:
        """An alert that may inhibit others; again changes nothing."""
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if matches_all(rule.source, labels):
                both = matches_all(rule.target, labels)
                sources[_values(rule, labels)][fingerprint] = both

    def remove(self, fingerprint: str, labels: Mapping[str, str]) -> None:
        """An alert that is forgotten."""
        for rule, sources in zip(self._rules, self._sources, strict=True):
            values = _values(rule, labels)
            if fingerprint in sources.get(values, {}):
                del sources[values][fingerprint]
                if not sources[values]:
                    del sources[values]

    def inhibiting(self, labels: Mapping[str, str], alerts: Mapping[str, Alert], now_ms: int) -> str | None:
        """The fingerprint of an alert that fires and inhibits one of these labels; None where none does."""
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if not matches_all(rule.target, labels):
                continue
            both = matches_all(rule.source, labels)
            for fingerprint, source_is_target in sources.get(_values(rule, labels), {}).items():
                if both and source_is_target:
                    continue
                if alerts[fingerprint].status_at(now_ms) is Status.FIRING:
                    return fingerprint
        return None


def _values(rule: InhibitRule, labels: Mapping[str, str]) -> _Values:
    return tuple(labels.get(name, "") for name in rule.equal)
