"""An incident, what can be done about it, and how long everything took."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from monitor.paging.alert import Labels
from monitor.store.incidents import EntryRow, IncidentRow

__all__ = [
    "Act",
    "Deed",
    "Entry",
    "Incident",
    "Kind",
    "Phase",
    "entry_of",
    "entry_row",
    "incident_of",
    "incident_row",
]


class Phase(StrEnum):
    """Where it is. After a resolve the same trouble within half an hour opens it again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """`key` are the labels that make it the same trouble, `groups` the groups of alerts that tell of it,
    `evidence` its alerts (fingerprint: name), `firing` those that fire. Times are ms: `began_ms` is when the
    first of its alerts says that it began, `paged_ms` when the first page had arrived, `reopened` how often.
    `escalated` are the levels that were told, `flapped` the alerts that came and went too often."""

    id: int
    key: Labels
    title: str
    owner: str
    severity: str
    phase: Phase
    opened_ms: int
    began_ms: int
    groups: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)
    firing: frozenset[str] = frozenset()
    paged_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""
    mitigated_ms: int | None = None
    resolved_ms: int | None = None
    commander: str = ""
    reopened: int = 0
    escalated: tuple[int, ...] = ()
    flapped: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return self.phase is not Phase.RESOLVED

    @property
    def detect_ms(self) -> int:
        """From the trouble's begin to the incident."""
        return max(0, self.opened_ms - self.began_ms)

    @property
    def acknowledge_ms(self) -> int | None:
        """From the incident to the first acknowledgement; None without one."""
        return None if self.acknowledged_ms is None else self.acknowledged_ms - self.opened_ms

    @property
    def resolve_ms(self) -> int | None:
        """From the incident to its end; None while it is open."""
        return None if self.resolved_ms is None else self.resolved_ms - self.opened_ms


class Kind(StrEnum):
    """What an entry of the timeline is about."""

    OPENED = "opened"
    REOPENED = "reopened"
    ALERT = "alert"
    ENDED = "ended"
    SEVERITY = "severity"
    NOTIFIED = "notified"
    FALLBACK = "fallback"
    ACTION = "action"
    REPLAYED = "replayed"
    NOT_NOTIFIED = "not notified"
    ESCALATED = "escalated"
    FLAPPING = "flapping"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    ASSIGNED = "assigned"
    NOTE = "note"
    RESOLVED = "resolved"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence ended"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened; `who` is a person, or `monitor`."""

    incident: int | None
    at_ms: int
    kind: Kind
    who: str
    text: str


class Act(StrEnum):
    """What a person may do."""

    ACKNOWLEDGE = "acknowledge"
    MITIGATE = "mitigate"
    NOTE = "note"
    ASSIGN = "assign"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does about an incident, and why; to `assign` the text is the commander."""

    incident: int
    act: Act
    who: str
    text: str
    at_ms: int


_decoder = msgspec.json.Decoder(Incident)


def incident_row(incident: Incident) -> IncidentRow:
    """The row that the store keeps."""
    i = incident
    return IncidentRow(i.id, i.phase, i.severity, i.owner, i.opened_ms, i.resolved_ms, msgspec.json.encode(i))


def incident_of(row: IncidentRow) -> Incident:
    """What `incident_row` made a row of."""
    return _decoder.decode(row.document)


def entry_row(entry: Entry) -> EntryRow:
    return EntryRow(entry.incident, entry.at_ms, entry.kind, entry.who, entry.text)


def entry_of(row: EntryRow) -> Entry:
    return Entry(row.incident, row.at_ms, Kind(row.kind), row.who, row.text)
