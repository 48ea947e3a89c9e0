"""What changed around a model, of the events that say so: where a search for causes begins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitor.ingest.events.kinds import (
    Capacity,
    Data,
    Dataset,
    Deployment,
    PipelineRun,
    Registry,
    Rollback,
    TrainingRun,
)
from monitor.store.events import Stored, list_events
from monitor.store.store import Store

__all__ = ["Change", "changes_before"]

_KINDS = ("deployment", "rollback", "registry", "capacity", "dataset", "pipeline_run", "training_run")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was before `at_ms`. `model` '' where it is about no one model; `details`
    are what is known of it, by name."""

    kind: str
    at_ms: int
    model: str
    version: str
    title: str
    details: Mapping[str, str] = field(default_factory=dict)


def changes_before(store: Store, model: str, at_ms: int, window_ms: int) -> list[Change]:
    """The changes to a model, or to none in particular, in (at_ms - window_ms, at_ms], in the order in which
    they happened. May block on the store, and raise StoreBusy."""
    found: list[Change] = []
    events = list_events(store, kinds=_KINDS, from_ms=at_ms - window_ms + 1, to_ms=at_ms + 1)
    for event in events:
        about = event.data.text("model")
        if about in ("", model):
            found += _changes(event, about)
    return found


def _changes(event: Stored, model: str) -> Iterator[Change]:
    data = event.data
    title = _title(data)
    if title is not None:
        details = {name: data.text(name) for name in ("stage", "commit", "by", "approver", "url", "log_url")}
        version = data.text("version")
        kept = {name: text for name, text in details.items() if text}
        yield Change(event.kind, event.ts_ms, model, version, title, kept | {"event": event.id})


def _title(data: Data) -> str | None:
    """The change in a few words; None where nothing changed."""
    match data:
        case Deployment():
            share = "" if data.traffic_share is None else f" with {data.traffic_share:.0%} of traffic"
            done = {"started": "began", "failed": "failed"}.get(data.status, data.status)
            verb = "was retired" if data.status == "retired" else "was deployed"
            if data.status in ("started", "failed"):
                return f"a deployment of version {data.version} {done}{share}"
            return f"version {data.version} {verb}{share}"
        case Rollback():
            before = "" if data.from_version is None else f" from {data.from_version}"
            return f"rolled back{before} to {data.to_version}" + (f": {data.reason}" if data.reason else "")
        case Registry():
            return f"{data.registry} says {data.version or 'nothing'} is in {data.stage}"
        case Capacity():
            return _capacity(data)
        case Dataset() if data.expected_rows is not None and data.rows < data.expected_rows:
            return f"dataset {data.name} came with {data.rows:,} of {data.expected_rows:,} rows"
        case PipelineRun() if data.status == "failed":
            why = f": {data.failure_class}" if data.failure_class else ""
            return f"pipeline {data.pipeline} failed{why}"
        case TrainingRun() if data.status in ("succeeded", "failed"):
            return f"training run {data.id} {data.status}"
        case _:
            return None


def _capacity(data: Capacity) -> str | None:
    said = []
    if data.out_of_memory_kills:
        said.append(f"{data.out_of_memory_kills} replicas were killed for memory")
    if data.restarts:
        said.append(f"{data.restarts} restarts")
    wanted = data.wanted_replicas
    if data.replicas is not None and wanted is not None and data.replicas < wanted:
        said.append(f"{data.replicas} of {wanted} replicas")
    return ", ".join(said) or None
