"""An alert as the pager knows it, and how two reports of one alert become one.

Semantics are Alertmanager's: an alert is its labels; later reports replace annotations and end, and the
earliest start of an unbroken time of activity is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["Alert", "Labels", "Status", "fingerprint", "labels_of", "labels_text", "merged", "quoted"]

Labels = tuple[tuple[str, str], ...]

_FNV_OFFSET, _FNV_PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
_SEPARATOR = b"\xff"
_ESCAPED = {
    **{'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f"},
    **{"\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"},
}


class Status(StrEnum):
    """What a notification says of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """`labels` and `annotations` are (name, value), ascending by name, no value of a label empty.

    It is active in [starts_ms, ends_ms). `timeout`: nobody said when it ends, so that `ends_ms` is only when
    it is given up unless it is reported again. `updated_ms` is when it was last reported. `source` names who
    reports it: `api`, `slo`, `alertmanager`, `grafana`, `azure`. `quiet`: it was found while catching up, so
    that it opens an incident and wakes nobody.
    """

    labels: Labels
    annotations: Labels
    starts_ms: int
    ends_ms: int
    updated_ms: int
    timeout: bool = False
    generator_url: str = ""
    source: str = "api"
    quiet: bool = False

    @property
    def fingerprint(self) -> str:
        """Which alert it is, among all; see `fingerprint`."""
        return fingerprint(self.labels)

    def status_at(self, now_ms: int) -> Status:
        """Resolved from the millisecond it ends."""
        return Status.RESOLVED if self.ends_ms <= now_ms else Status.FIRING


def labels_of(values: Mapping[str, str]) -> Labels:
    """The pairs ascending by name, without those of an empty value, which is as good as no label."""
    return tuple(sorted((name, value) for name, value in values.items() if value))


def fingerprint(labels: Labels) -> str:
    """16 hexadecimal digits: FNV-1a, 64 bits, over the pairs ascending by name, as Prometheus and
    Alertmanager have it (`model.LabelSet.Fingerprint`)."""
    found = _FNV_OFFSET
    for name, value in labels:
        for byte in b"".join((name.encode(), _SEPARATOR, value.encode(), _SEPARATOR)):
            found = ((found ^ byte) * _FNV_PRIME) & _MASK
    return f"{found:016x}"


def labels_text(labels: Labels) -> str:
    """As Alertmanager writes them in the key of a group: `{model="fraud", severity="page"}`."""
    return "{" + ", ".join(sorted(f"{name}={quoted(value)}" for name, value in labels)) + "}"


def quoted(text: str) -> str:
    """In double quotes, with what can't be printed escaped, as Go's `%q` has it."""
    return '"' + "".join(_ESCAPED.get(c) or _printed(c) for c in text) + '"'


def _printed(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def merged(old: Alert | None, new: Alert) -> Alert:
    """What is known once `new` is reported after `old`, of the same labels: `new` alone where their times of
    activity don't overlap, else the earliest start, the latest annotations, and the end that somebody said
    last."""
    if old is None or not _overlap(old, new):
        return new
    ends_ms, timeout = new.ends_ms, new.timeout
    if new.ends_ms <= new.updated_ms:
        if old.ends_ms <= new.updated_ms:
            ends_ms = max(old.ends_ms, new.ends_ms)
    elif old.ends_ms > new.ends_ms and not old.timeout:
        ends_ms, timeout = old.ends_ms, old.timeout
    return replace(new, starts_ms=min(old.starts_ms, new.starts_ms), ends_ms=ends_ms, timeout=timeout)


def _overlap(old: Alert, new: Alert) -> bool:
    ends_within = old.starts_ms < new.ends_ms < old.ends_ms
    begins_within = old.starts_ms < new.starts_ms < old.ends_ms
    return ends_within or begins_within
