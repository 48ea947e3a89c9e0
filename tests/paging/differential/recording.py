"""What arrived of a scenario, from the real Alertmanager or from ours, in one form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Arrival", "Recording", "read_recordings", "write_recordings"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message: `path` is receiver/integration, `at_ms` after the scenario's beginning, `body` the webhook's
    JSON. `reason` is ours for it."""

    path: str
    at_ms: float
    body: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """The real Alertmanager's answer to one scenario, which began at `begins_ms` (since the epoch).

    `sweeps_ms` are the times after that at which it took away empty groups. `late_ms`: the most by which a
    step, or the machine as a whole, lagged behind.
    """

    begins_ms: int
    arrivals: tuple[Arrival, ...]
    sweeps_ms: tuple[int, ...]
    late_ms: float


def write_recordings(path: Path, recordings: Mapping[str, Recording]) -> None:
    """To look at, and to compare with again without the real one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: asdict(r) for name, r in recordings.items()}))


def read_recordings(path: Path) -> dict[str, Recording]:
    """As they were written."""
    return {name: _recording(r) for name, r in json.loads(path.read_text()).items()}


def _recording(data: Mapping[str, Any]) -> Recording:
    arrivals: Sequence[Mapping[str, Any]] = data["arrivals"]
    return Recording(
        data["begins_ms"], tuple(Arrival(**a) for a in arrivals), tuple(data["sweeps_ms"]), data["late_ms"]
    )
