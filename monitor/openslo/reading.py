"""Reads OpenSLO files: documents with their lines, and what refers to what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.document import Document, Location, read_documents
from monitor.config.found import Found
from monitor.config.validating import given, validated
from monitor.errors import ConfigError
from monitor.openslo.documents import (
    KINDS,
    PASSED_OVER,
    AlertCondition,
    AlertPolicy,
    OpenSlo,
    Service,
    Sli,
    Slo,
)

__all__ = ["Catalogue", "Placed", "read"]


@dataclass(frozen=True, slots=True)
class Placed:
    """An SLO, what was found wrong with its document, and the notes, to both of which more may be added."""

    slo: Slo
    found: Found
    notes: list[str]


@dataclass(slots=True)
class Catalogue:
    """What the files define, by name, and the notes for whoever reads along."""

    slos: list[Placed] = field(default_factory=list)
    indicators: dict[str, Sli] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    policies: dict[str, AlertPolicy] = field(default_factory=dict)
    conditions: dict[str, AlertCondition] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    def raise_any(self) -> None:
        """Raises ConfigError with every mistake of every file, if there is any."""
        lines = [line for found in self.found for line in found.lines()]
        if lines:
            raise ConfigError(lines)


def read(paths: Iterable[Path]) -> Catalogue:
    """The documents of these files. Mistakes in them are noted in `found`; raises ConfigError for a file
    that can't be read."""
    catalogue = Catalogue()
    names: dict[tuple[str, str], str] = {}
    for path in paths:
        for document in read_documents(path):
            found = Found(document)
            catalogue.found.append(found)
            section = _document(document, found, catalogue)
            if section is None:
                continue
            where = f"{document.name}:{document.line(())}"
            other = names.setdefault((section.kind, section.metadata.name), where)
            if other != where:
                found.add(("metadata", "name"), f"{section.metadata.name} is defined in {other} already")
            _keep(section, found, catalogue)
    return catalogue


def _document(
    document: Document, found: Found, catalogue: Catalogue
) -> Slo | Sli | Service | AlertPolicy | AlertCondition | None:
    data = document.data
    if not isinstance(data, dict):
        found.add((), "must be an OpenSLO document, a mapping with apiVersion, kind, metadata and spec")
        return None
    version, kind = data.get("apiVersion"), data.get("kind")
    if version != "openslo/v1":
        place: Location = ("apiVersion",)
        found.add(
            place, f"must be openslo/v1, not {version!r}" if version else "is missing; openslo/v1 is read"
        )
        return None
    if kind in PASSED_OVER:
        catalogue.notes.append(f"{document.name}:{document.line(())}: {kind} has no counterpart; passed over")
        return None
    if kind not in KINDS:
        found.add(("kind",), f"must be one of {', '.join(KINDS)}, not {kind!r}")
        return None
    return validated(KINDS[kind], given(data), found)


def _keep(section: OpenSlo, found: Found, catalogue: Catalogue) -> None:
    match section:
        case Slo():
            catalogue.slos.append(Placed(section, found, catalogue.notes))
        case Sli():
            catalogue.indicators[section.metadata.name] = section
        case Service():
            catalogue.services[section.metadata.name] = section
        case AlertPolicy():
            catalogue.policies[section.metadata.name] = section
        case AlertCondition():
            catalogue.conditions[section.metadata.name] = section
