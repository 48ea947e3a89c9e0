"""Rule files as values, and as YAML that is the same for the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["HEADER", "Alert", "Group", "Record", "document", "dump"]

HEADER = (
    "# Made by `monitor rules build`: change the configuration and build again, not this file.\n"
    "# For Prometheus 2.42 or later, with monitor scraped every 15 s (every 30 s at most).\n"
)


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def node(self) -> dict[str, Any]:
        return _filled(record=self.record, expr=self.expr, labels=dict(self.labels))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. `for_` and `keep_firing_for` are durations of Prometheus, "0s" for none."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_: str = "0s"
    keep_firing_for: str = "0s"

    def node(self) -> dict[str, Any]:
        waits = {"for": self.for_, "keep_firing_for": self.keep_firing_for}
        return _filled(
            alert=self.alert,
            expr=self.expr,
            **{name: wait for name, wait in waits.items() if wait != "0s"},
            labels=dict(self.labels),
            annotations=dict(self.annotations),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other every `interval`."""

    name: str
    interval: str
    rules: Sequence[Record | Alert]

    def node(self) -> dict[str, Any]:
        return {"name": self.name, "interval": self.interval, "rules": [rule.node() for rule in self.rules]}

    @property
    def alerts(self) -> list[Alert]:
        return [rule for rule in self.rules if isinstance(rule, Alert)]


def document(groups: Sequence[Group]) -> str:
    """The text of a rule file."""
    return dump({"groups": [group.node() for group in groups]})


def dump(value: Any) -> str:
    """A generated file: texts of several lines as they stand, keys in the order given."""
    return HEADER + yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1000, allow_unicode=True
    )


def _filled(**entries: Any) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if value not in ({}, None)}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and shares no nodes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
