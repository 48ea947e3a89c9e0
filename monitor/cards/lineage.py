"""From data and run over the registry to deployments, of the events that say so. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from monitor.ingest.events.kinds import Deployment, Registry, TrainingRun
from monitor.operations.production import is_live
from monitor.store.events import Stored

__all__ = ["KINDS", "Said", "Version", "lineage"]

# The kinds of events that lineage is made of.
KINDS = ("deployment", "registry", "rollback", "training_run")

D = TypeVar("D", Deployment, Registry, TrainingRun)


@dataclass(frozen=True, slots=True)
class Said(Generic[D]):
    """What an event says, and when that happened."""

    at_ms: int
    data: D


@dataclass(frozen=True, slots=True)
class Version:
    """Where a version comes from and where it went, each by what was said last: the `run` that made it (None:
    not known), what registries say by registry and stage, and its deployments, the oldest first."""

    version: str
    run: Said[TrainingRun] | None
    registered: tuple[Said[Registry], ...]
    deployments: tuple[Said[Deployment], ...]

    @property
    def last_ms(self) -> int:
        """When something was last said of it."""
        times = [0 if self.run is None else self.run.at_ms]
        return max([*times, *(r.at_ms for r in self.registered), *(d.at_ms for d in self.deployments)])

    @property
    def live_since(self) -> Said[Deployment] | None:
        """Its last deployment to production that succeeded."""
        done = (d for d in reversed(self.deployments) if is_live(d.data))
        return next(done, None)


def lineage(events: Sequence[Stored]) -> list[Version]:
    """The versions that a model's events (in the order in which they happened) name, the newest first.

    A run that doesn't say which version came of it is found by the id that a registry or a deployment gives.
    """
    runs = [Said(e.ts_ms, e.data) for e in events if isinstance(e.data, TrainingRun)]
    registered = [Said(e.ts_ms, e.data) for e in events if isinstance(e.data, Registry)]
    deployed = [Said(e.ts_ms, e.data) for e in events if isinstance(e.data, Deployment)]
    said = {e.data.text("version") for e in events} - {""}
    found = [_version(name, runs, registered, deployed) for name in said]
    named = [v for v in found if v.run or v.registered or v.deployments]
    return sorted(named, key=lambda v: (v.last_ms, v.version), reverse=True)


def _version(
    name: str,
    runs: Sequence[Said[TrainingRun]],
    registered: Sequence[Said[Registry]],
    deployed: Sequence[Said[Deployment]],
) -> Version:
    mine = [d for d in deployed if str(d.data.version) == name]
    kept = [r for r in registered if r.data.text("version") == name]
    ids = {*(d.data.run_id for d in mine), *(r.data.run_id for r in kept)} - {None}
    made = [r for r in runs if r.data.text("version") == name or r.data.id in ids]
    places = {(r.data.registry, r.data.stage): r for r in kept}
    return Version(name, made[-1] if made else None, tuple(places.values()), tuple(mine))
