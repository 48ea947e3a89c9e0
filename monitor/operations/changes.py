"""What changed around a model, of the events that say so: where a search for causes begins."""

from collections.abc import Collection, Iterator, Mapping
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

__all__ = ["KINDS", "Change", "changes_before"]

KINDS = ("deployment", "rollback", "registry", "capacity", "dataset", "pipeline_run", "training_run")


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

    @property
    def sentence(self) -> str:
        """The title, by whom, and the commit."""
        by = f" by {self.details['by']}" if "by" in self.details else ""
        commit = f" ({self.details['commit']})" if "commit" in self.details else ""
        return f"{self.title}{by}{commit}"


def changes_before(
    store: Store, model: str, at_ms: int, window_ms: int, kinds: Collection[str] = KINDS
) -> list[Change]:
    """The changes to a model, or to none in particular, in (at_ms - window_ms, at_ms], in the order in which
    they happened; of these kinds of events only. May block on the store, and raise StoreBusy."""
    events = list_events(
        store, kinds=kinds, model=model, shared=True, from_ms=at_ms - window_ms + 1, to_ms=at_ms + 1
    )
    return [change for event in events for change in _changes(event)]


def _changes(event: Stored) -> Iterator[Change]:
    data = event.data
    model = data.text("model")
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
            if data.status in ("started", "failed"):
                done = "began" if data.status == "started" else "failed"
                return f"a deployment of version {data.version} {done}{share}"
            verb = "was retired" if data.status == "retired" else "was deployed"
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
