"""A new version that is worse pages while it is live, and no other does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.backtest.replay import Span, transitions_over
from monitor.clock import DAY_S
from monitor.slo.alert_log import KeptTransition
from monitor.slo.evaluate import Evaluator
from monitor.slo.rule import Severity
from monitor.slo.settings import SloSettings
from monitor.slo.standing import Phase, Why
from monitor.slo.tuning import Limits, Tuning
from monitor.store.objectives import add_exclusion
from monitor.store.store import Store
from tests.builders import record
from tests.filling import Writer

T0_S = 1_700_000_040
CAME_S, LEFT_S, END_S = T0_S + 90 * 60, T0_S + 130 * 60, T0_S + 170 * 60
NEW_EVERY = 20


def served(
    version: str,
    from_s: int,
    to_s: int,
    per_s: float,
    slower: Callable[[int], float] = lambda _: 1.0,
    **changes: Any,
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(int(version))
    for i in range(int((to_s - from_s) * per_s)):
        t = from_s + i / per_s
        latency_ms = float(30 * slower(int(t)) * rng.lognormal(0, 0.3))
        given = {"id": f"{version}-{i}", "ts": int(t * 1000), "version": version, "latency_ms": latency_ms}
        yield record(**given, **changes, features={"amount": 1.0}, segment={})


def filled(store: Store, *versions: Iterator[dict[str, Any]]) -> Store:
    writer = Writer(store, now_ms=END_S * 1000)
    writer.take(sorted((each for some in versions for each in some), key=lambda r: r["ts"]))
    writer.flush()
    return store


def told(store: Store, step_s: int | None = None, tuning: Tuning | None = None) -> list[KeptTransition]:
    """What the watch did, evaluated at once or every `step_s` with a restart each time."""
    settings = SloSettings(tuning=tuning or Tuning())
    found: list[KeptTransition] = []
    for now_s in [END_S] if step_s is None else range(T0_S + step_s, END_S + step_s, step_s):
        found += Evaluator(store, settings).run(min(now_s, END_S), END_S * 1000, T0_S)
    return [k for k in found if k.transition.key.objective == "rollback_needed"]


def shown(kept: list[KeptTransition]) -> list[tuple[int, str | None, Phase, Why]]:
    return [
        (
            (k.transition.at_s - CAME_S) // 60,
            k.transition.key.subject.version,
            k.transition.after,
            k.transition.why,
        )
        for k in kept
    ]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/m.db")
    yield opened
    opened.close()


def old() -> Iterator[dict[str, Any]]:
    return served("3", T0_S, END_S, 3.0)


def test_one_that_is_slower_pages_soon_and_ends_after_its_rollback(store: Store) -> None:
    filled(store, old(), served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.5))
    found = told(store)
    assert {k.transition.severity for k in found} == {Severity.PAGE}
    minute, version, phase, why = shown(found)[0]
    assert (version, phase, why) == ("4", Phase.FIRING, Why.BURNS)
    assert minute <= 15
    assert [each[2] for each in shown(found)] == [Phase.FIRING, Phase.RESOLVING, Phase.INACTIVE]
    assert (LEFT_S - CAME_S) // 60 < shown(found)[1][0] <= (LEFT_S - CAME_S) // 60 + 15


@pytest.mark.parametrize("step_s", [300, 1260])
def test_the_steps_of_evaluation_and_restarts_make_no_difference(held: Store, step_s: int) -> None:
    filled(held, old(), served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.5))
    whole = transitions_over(held, SloSettings(), Span(T0_S, END_S), "fraud")
    at_once = [t for t in whole if t.key.objective == "rollback_needed"]
    assert len(at_once) == 3
    assert [k.transition for k in told(held, step_s)] == at_once


def test_one_that_fails_more_pages(held: Store) -> None:
    failing = served("4", CAME_S, LEFT_S, 0.2, status=503)
    assert [each[1] for each in shown(told(filled(held, old(), failing)))][:1] == ["4"]


@pytest.mark.parametrize(
    "new",
    [
        lambda: served("4", CAME_S, LEFT_S, 1.0),
        lambda: served("4", CAME_S, LEFT_S, 1.0, lambda _: 0.7),
        # Slower by less than is allowed.
        lambda: served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.06),
        # It answers nobody.
        lambda: served("4", CAME_S, LEFT_S, 1.0, lambda _: 3.0, shadow=True),
        # Nothing of the one before at its endpoint to hold it against.
        lambda: served("4", CAME_S, LEFT_S, 1.0, lambda _: 3.0, endpoint="/v2"),
        # Too few to be a canary.
        lambda: served("4", CAME_S, LEFT_S, 0.01, lambda _: 3.0),
    ],
    ids=["alike", "faster", "hardly slower", "shadow", "other endpoint", "hardly any"],
)
def test_another_doesn_t(held: Store, new: Callable[[], Iterator[dict[str, Any]]]) -> None:
    assert told(filled(held, old(), new())) == []


def test_the_one_before_is_not_worse_for_being_slower_than_the_new_one(held: Store) -> None:
    assert told(filled(held, old(), served("4", CAME_S, END_S, 1.0, lambda _: 0.5))) == []


def test_a_day_s_rhythm_is_no_difference(held: Store) -> None:
    """Both are three times as slow from one hour on, in which the new one gets ten times its share."""
    slow_s = (CAME_S // 3600 + 1) * 3600

    def rhythm(t: int) -> float:
        return 3.0 if t >= slow_s else 1.0

    before = served("3", T0_S, END_S, 3.0, rhythm)
    ramp = (
        served("4", CAME_S, slow_s, 0.1),
        (replace_id(r) for r in served("4", slow_s, END_S, 2.0, rhythm)),
    )
    assert told(filled(held, before, *ramp)) == []


def replace_id(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "id": f"late-{of['id']}"}


def test_two_weeks_on_a_version_is_no_longer_on_trial(held: Store) -> None:
    early = served("4", T0_S - 15 * DAY_S, T0_S - 15 * DAY_S + 60, 1.0)
    oldest = served("3", T0_S - 16 * DAY_S, T0_S - 16 * DAY_S + 60, 1.0)
    now = (replace_id(r) for r in served("4", CAME_S, LEFT_S, 1.0, lambda _: 2.0))
    before = (replace_id(r) for r in old())
    assert told(filled(held, oldest, early, before, now)) == []


def test_switched_off_it_is_still(held: Store) -> None:
    filled(held, old(), served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.5))
    assert told(held, tuning=Tuning(disabled=frozenset({"rollback_needed"}))) == []


def test_a_threshold_above_its_change_keeps_it_still(held: Store) -> None:
    filled(held, old(), served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.5))
    assert told(held, tuning=Tuning(Limits(slower_share=0.9))) == []


def test_an_exclusion_keeps_it_still(held: Store) -> None:
    filled(held, old(), served("4", CAME_S, LEFT_S, 1.0, lambda _: 1.5))
    add_exclusion(held, CAME_S, END_S, "ann", "a rehearsal", END_S * 1000, model="fraud")
    assert told(held) == []
