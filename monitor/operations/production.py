"""Which versions are in production, and with which share of its traffic: of a model's deployments and
roll-backs. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from monitor.ingest.events.kinds import Deployment, Rollback
from monitor.store.events import Stored

__all__ = ["PRODUCTION", "in_production", "is_live", "serving", "share_of"]

PRODUCTION = "production"
_WHOLE = 1 - 1e-6


def is_live(data: Deployment) -> bool:
    """Whether the deployment brought its version into production."""
    return data.stage == PRODUCTION and data.status == "succeeded"


def share_of(data: Deployment) -> float:
    """The share of traffic that a deployment gave its version: all, where it doesn't say."""
    if data.traffic is not None:
        return data.traffic.get(str(data.version), 0.0)
    return 1.0 if data.traffic_share is None else data.traffic_share


def in_production(events: Iterable[Stored]) -> dict[str, float | None]:
    """What the events (in the order in which they happened) leave in production; see `serving`."""
    moments = list(serving(events))
    return moments[-1][1] if moments else {}


def serving(events: Iterable[Stored]) -> Iterator[tuple[int, dict[str, float | None]]]:
    """After each moment (ms) in which something was deployed or taken back, the versions in production, those
    of that moment first, each with its share of traffic: None where that isn't known."""
    live: dict[str, float | None] = {}
    for at_ms, moment in groupby(events, key=lambda e: e.ts_ms):
        said = [e for e in moment if isinstance(e.data, Deployment | Rollback) and e.data.stage == PRODUCTION]
        if said:
            live = _after(live, said)
            yield at_ms, live


def _after(live: Mapping[str, float | None], moment: Sequence[Stored]) -> dict[str, float | None]:
    left = dict(live)
    shares: dict[str, float] = {}
    for event in moment:
        data = event.data
        if isinstance(data, Rollback):
            return {data.version: 1.0}
        if not isinstance(data, Deployment):
            continue
        if data.status == "retired":
            left.pop(str(data.version), None)
        elif data.status == "succeeded" and data.traffic:
            return {version: share for version, share in data.traffic.items() if share > 0}
        elif data.status == "succeeded":
            shares[str(data.version)] = 1.0 if data.traffic_share is None else data.traffic_share
    if not shares:
        return left
    given = {version: share for version, share in shares.items() if share > 0}
    others = [version for version in left if version not in shares]
    rest = 1.0 - sum(shares.values())
    if sum(shares.values()) >= _WHOLE or not others:
        return dict(given)
    # They share the rest as they did before, which nobody says where they are several.
    return {**given, **{version: rest if len(others) == 1 else None for version in others}}
