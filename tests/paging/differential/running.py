"""All scenarios of a seed in their arenas, side by side, and what the real Alertmanager answered."""

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.paging.differential.arena import Arena, Stalls
from tests.paging.differential.generating import generate
from tests.paging.differential.grid import TURN, ms
from tests.paging.differential.recording import Recording
from tests.paging.differential.scenario import MomentKind, Scenario

__all__ = ["Counts", "by_arena", "run_arenas", "run_real", "scenarios_of"]

_MINUTE_MS = 60_000
_LEAD_MS = 5_000
# Sweeps lie on half units, so that none is near anything else.
_SWEEP_AT_MS = ms(37.5)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many scenarios of each arena."""

    steady: int = 180
    timed: int = 40
    each_moment: int = 40

    @property
    def total(self) -> int:
        return self.steady + self.timed + len(MomentKind) * self.each_moment


def scenarios_of(seed: int, counts: Counts) -> dict[str, list[Scenario]]:
    """The scenarios by arena."""
    found = {
        "steady": [generate(seed, i) for i in range(counts.steady)],
        "timed": [generate(seed, i, timed=True) for i in range(counts.timed)],
    }
    for kind in MomentKind:
        found[kind.value] = [generate(seed, i, kind) for i in range(counts.each_moment)]
    return found


def by_arena(scenarios: Iterable[Scenario]) -> dict[str, list[Scenario]]:
    """Some of them, to be run again."""
    found: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        found.setdefault(scenario.name.rstrip("0123456789"), []).append(scenario)
    return found


def run_real(arenas: Mapping[str, Sequence[Scenario]]) -> dict[str, Recording]:
    """The recordings by scenario. Blocks for one to two minutes, for a minute of the clock has to turn."""
    made = []
    for name, scenarios in arenas.items():
        if scenarios and name == "timed":
            made.append(Arena(scenarios, sweep_at_ms=_SWEEP_AT_MS, begins_ms=_before_a_turn()))
        elif scenarios:
            # Those without a moment are spread over the grid, for one notification wouldn't wait for another.
            offsets = [ms(i) for i in range(4)] if name == "steady" else [0]
            made.append(Arena(scenarios, sweep_at_ms=_SWEEP_AT_MS, offsets_ms=offsets))
    return run_arenas(made)


def _before_a_turn() -> int:
    """The next time, ms since the epoch, after which a minute turns as the timed scenarios want it."""
    earliest = time.time() * 1000 + _LEAD_MS + ms(TURN)
    return math.ceil(earliest / _MINUTE_MS) * _MINUTE_MS - ms(TURN)


def run_arenas(arenas: Iterable[Arena]) -> dict[str, Recording]:
    """All of them at once. Raises what the first of them did."""
    stalls, found, failed = Stalls(), dict[str, Recording](), list[BaseException]()

    def run(arena: Arena) -> None:
        try:
            found.update(arena.run(stalls))
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=run, args=(arena,)) for arena in arenas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stalls.close()
    if failed:
        raise failed[0]
    return found
