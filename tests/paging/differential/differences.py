"""What ours does otherwise than Alertmanager 0.25, on purpose, and how to take it back.

- **suppression**: an end follows what was told as firing, also under a silence, an inhibition or outside of
  a route's hours, and what is released from them and still fires is told then. Alertmanager does neither: the
  page stays open for ever, and the next firing may be swallowed too (alertmanager#226, #3664).
- **restart**: nothing is forgotten. Alertmanager forgets alerts and groups, and after SIGKILL silences and
  what it told too (#2370): pages come twice, and ends get lost.
- **reload**: timers go on. Alertmanager's groups begin anew, at once or after group_wait, with what ended in
  the last half hour (#3037). Which of them a flush at once finds there, and whether it knows already what
  they inhibit, is chance: any choice that explains what was told will do.
- **empty group**: a group without alerts is gone at once, and its next alert waits group_wait. Alertmanager
  takes it away at a sweep, each 30 s, and till then its next alert waits for the old tick.
- **cut list**: the status of a webhook with `max_alerts` is that of all alerts. Alertmanager's is that of
  those listed: `resolved` while others fire.

- **more told**: a webhook has two keys besides, `incident` (its number) and `links` (where to acknowledge).

Each of the others can be switched off: a Pager with those differences taken back that a scenario can show
must tell exactly what the real one tells. So a difference hides nothing but itself.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from itertools import combinations, product
from types import MappingProxyType

from monitor.paging.pager import Pager
from tests.paging.differential.comparing import Divergence, divergence
from tests.paging.differential.ours import Memory, Ours, fingerprint_of
from tests.paging.differential.recording import Recording
from tests.paging.differential.scenario import MomentKind, Push, Scenario
from tests.paging.differential.taken_back import (
    Remembering,
    Restarting,
    Sweeping,
    as_suppressed,
    status_of_listed,
)

__all__ = ["DIFFERENCES", "Difference", "Verdict", "agrees", "judge"]


_SUPPRESSING = frozenset(("silence", "inhibit", "mute", "active"))
_ENDING = frozenset(("ends", "times out"))


@dataclass(frozen=True, slots=True)
class Difference:
    """`shows` says whether a scenario can show it. Taken back, the pager is mixed of `pager`, runs `within`
    a context, and keeps over the moment what `memory` says."""

    name: str
    shows: Callable[[Scenario], bool]
    pager: type[Pager] = Pager
    within: Callable[[], AbstractContextManager[None]] = nullcontext
    memory: Callable[[Scenario], Memory] | None = None


def _forgets(scenario: Scenario) -> Memory:
    killed = scenario.moment is not None and scenario.moment.kind is MomentKind.KILLED
    return Memory(alerts=False, sent=not killed, silences=not killed)


def _restarts(scenario: Scenario) -> bool:
    return scenario.moment is not None and scenario.moment.kind is not MomentKind.RELOADED


def _reloads(scenario: Scenario) -> bool:
    return scenario.moment is not None and scenario.moment.kind is MomentKind.RELOADED


DIFFERENCES = (
    Difference("suppression", lambda s: bool(s.tags & _SUPPRESSING), Remembering, as_suppressed),
    Difference("restart", _restarts, Remembering, memory=_forgets),
    Difference("reload", _reloads, Restarting),
    Difference("cut list", lambda s: "list cut" in s.tags, within=status_of_listed),
    Difference("empty group", lambda s: bool(s.tags & _ENDING), Sweeping),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`needed` are the differences to take back so that ours tells what the real one does, the fewest; None
    where that isn't enough. `first` is what differs first with all of ours, `left` with all taken back."""

    scenario: Scenario
    needed: tuple[str, ...] | None
    first: Divergence | None = None
    left: Divergence | None = None


def judge(scenario: Scenario, recording: Recording, pager: type[Pager] = Pager) -> Verdict:
    """Compares ours with the recording."""
    able = [d for d in DIFFERENCES if d.shows(scenario)]
    first: Divergence | None = None
    left: Divergence | None = None
    for count in range(len(able) + 1):
        for some in combinations(able, count):
            left = _divergence(scenario, recording, pager, some)
            if left is None:
                return Verdict(scenario, tuple(d.name for d in some), first)
            first = first or left
    reload = tuple(d for d in able if d.pager is Restarting)
    for some in (reload, tuple(able)) if reload else ():
        if left is not None and _by_chance(scenario, recording, pager, some, left):
            return Verdict(scenario, tuple(d.name for d in some), first)
    return Verdict(scenario, None, first, left)


def agrees(scenario: Scenario, recording: Recording, needed: Sequence[str]) -> bool:
    """Whether ours tells what the recording has, with these differences taken back."""
    return _divergence(scenario, recording, Pager, [d for d in DIFFERENCES if d.name in needed]) is None


def _by_chance(
    scenario: Scenario,
    recording: Recording,
    pager: type[Pager],
    some: Sequence[Difference],
    left: Divergence,
) -> bool:
    """Whether there is an order in which a reload takes alerts up that explains what was told."""
    assert scenario.moment is not None
    if left.at_ms < scenario.moment.at_ms:
        return False
    known = sorted(
        {fingerprint_of(scenario, a) for s in scenario.steps if isinstance(s, Push) for a in s.alerts}
    )
    for blind, count in product((False, True), range(len(known) + 1)):
        for late in combinations(known, count):
            chance = {"late": frozenset(late), "blind": blind}
            if _divergence(scenario, recording, pager, some, chance) is None:
                return True
    return False


def _divergence(
    scenario: Scenario,
    recording: Recording,
    pager: type[Pager],
    some: Sequence[Difference],
    chance: Mapping[str, object] = MappingProxyType({}),
) -> Divergence | None:
    bases = tuple(dict.fromkeys([d.pager for d in some if d.pager is not Pager]))
    mixed = type("Mixed", (*_ordered(bases), pager), dict(chance)) if bases else pager
    memory = next((d.memory(scenario) for d in some if d.memory is not None), Memory())
    with ExitStack() as stack:
        for difference in some:
            stack.enter_context(difference.within())
        ours = Ours(scenario, recording.begins_ms, mixed, memory, recording.sweeps_ms)
        told = ours.run()
    return divergence(scenario, told, recording.arrivals, recording.begins_ms)


def _ordered(bases: Sequence[type[Pager]]) -> list[type[Pager]]:
    """Those that build on others before them."""
    return sorted(bases, key=lambda base: -len(base.__mro__))
