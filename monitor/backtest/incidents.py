"""Incidents that are known: when they began and ended, and of which model, written down by people.

incidents:
  - {name: outage, model: fraud, start: 2026-03-02T20:00:00Z, end: 2026-03-02T20:40:00Z}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.config.document import Document, read_document
from monitor.errors import ConfigError, QueryError
from monitor.sli.times import parse_time_ms

__all__ = ["Incident", "read_incidents"]

_KEYS = ("name", "model", "start", "end")


@dataclass(frozen=True, slots=True)
class Incident:
    """Something went wrong in [from_s, to_s). `model` None: it may show in any."""

    name: str
    model: str | None
    from_s: int
    to_s: int


def read_incidents(path: Path, now_ms: int) -> list[Incident]:
    """The incidents of a YAML file, in order of time. Raises ConfigError with every mistake and its line."""
    document = read_document(path)
    problems = [_at(document, line, sentence) for _, line, sentence in document.problems]
    given = document.data.get("incidents") if isinstance(document.data, dict) else None
    if not isinstance(given, list):
        example = "incidents: [{name: outage, model: fraud, start: 2026-03-02T20:00:00Z, end: ..}]"
        raise ConfigError([*problems, f"{path}: must be a list under the key incidents, as {example}"])
    found: list[Incident] = []
    for i, entry in enumerate(given):
        line = document.line(("incidents", i))
        mistakes = list(_mistakes(entry, now_ms))
        problems += [_at(document, line, f"incidents[{i}]: {sentence}") for sentence in mistakes]
        if not mistakes:
            times = (parse_time_ms(key, entry[key], now_ms) // 1000 for key in ("start", "end"))
            found.append(Incident(entry["name"], entry.get("model"), *times))
    if problems:
        raise ConfigError(problems)
    return sorted(found, key=lambda incident: (incident.from_s, incident.name))


def _at(document: Document, line: int, sentence: str) -> str:
    return f"{document.name}:{line}: {sentence}"


def _mistakes(entry: Any, now_ms: int) -> Iterator[str]:
    if not isinstance(entry, Mapping):
        yield f"must be a mapping with {', '.join(_KEYS)}"
        return
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        yield f"there is no {', '.join(unknown)}; there are {', '.join(_KEYS)}"
    if not entry.get("name"):
        yield "name is missing; say what went wrong"
    times = {}
    for key in ("start", "end"):
        try:
            times[key] = parse_time_ms(key, entry[key], now_ms)
        except KeyError:
            yield f"{key} is missing; write it as 2026-03-02T20:00:00Z"
        except QueryError as e:
            yield str(e)
    if len(times) == 2 and times["start"] >= times["end"]:
        yield "ends before it begins; give an end that is later"
