"""Generated scenarios: ours tells what the real one tells, but for the differences that are named."""

from collections import Counter
from itertools import islice

import pytest
from rich.console import Console

from tests.paging.differential.conftest import Answered
from tests.paging.differential.coverage import missing_pairs, pairs, table
from tests.paging.differential.differences import DIFFERENCES, Verdict, agrees, judge
from tests.paging.differential.faults import FAULTS
from tests.paging.differential.promises import broken
from tests.paging.differential.recording import Recording
from tests.paging.differential.running import Counts, by_arena, run_real, scenarios_of
from tests.paging.differential.scenario import Scenario

pytestmark = pytest.mark.timeout(600)

_TRIES = 3
_ENOUGH = 5  # scenarios that notice a fault
_CONSOLE = Console(width=200)


def test_the_scenarios_have_all_features_together_that_can_go_together() -> None:
    every = [s for some in scenarios_of(1, Counts()).values() for s in some]
    found = pairs(every)
    _CONSOLE.print(table(found))
    assert len(every) >= 300
    assert missing_pairs(found) == []


def test_ours_tells_what_the_real_one_tells(answered: Answered) -> None:
    verdicts = {s.name: judge(s, r) for s, r in answered.each()}
    # The real one has races of its own, and this machine may stall: what differs does so each time.
    for _ in range(_TRIES - 1):
        if wrong := [v.scenario for v in verdicts.values() if v.needed is None]:
            late_ms = max(answered.recordings[s.name].late_ms for s in wrong)
            _CONSOLE.print(f"once more, up to {late_ms:.0f} ms late: {', '.join(s.name for s in wrong)}")
            again = run_real(by_arena(wrong))
            verdicts |= {s.name: judge(s, again[s.name]) for s in wrong}
    same = sum(v.needed == () for v in verdicts.values())
    needed: Counter[str] = Counter(name for v in verdicts.values() for name in v.needed or ())
    _CONSOLE.print(f"{len(verdicts)} scenarios, {same} of them all the same")
    for difference in DIFFERENCES:
        _CONSOLE.print(f"  {difference.name}: needed in {needed[difference.name]}")
    left = [v for v in verdicts.values() if v.needed is None]
    assert not left, "\n".join(f"{sorted(v.scenario.tags)} {v.left}" for v in left)
    assert all(needed[d.name] for d in DIFFERENCES), "a difference that is needed nowhere is none"


def test_ours_keeps_its_promises_where_it_is_better() -> None:
    for some in scenarios_of(1, Counts()).values():
        for scenario in some:
            begins_ms = 1_700_000_040_000 - (scenario.turn_ms or 0)
            assert broken(scenario, begins_ms) == []


def test_each_fault_is_noticed(answered: Answered) -> None:
    judged = list(answered.each())
    honest = {s.name: judge(s, r) for s, r in judged}
    unnoticed = []
    for fault in FAULTS:
        with fault.within():
            caught = list(islice((s.name for s, r in judged if _notices(s, r, honest[s.name])), _ENOUGH))
        _CONSOLE.print(f"{fault.name}: noticed by {', '.join(caught)}")
        if not caught:
            unnoticed.append(fault.name)
    assert unnoticed == []


def _notices(scenario: Scenario, recording: Recording, honest: Verdict) -> bool:
    if honest.needed is None:
        return False
    # What a reload takes up first is chance in the real one, so promises alone judge it.
    judged = "reload" not in honest.needed
    wrong = judged and not agrees(scenario, recording, honest.needed)
    return wrong or bool(broken(scenario, recording.begins_ms))
