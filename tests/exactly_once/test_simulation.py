"""Random schedules of crashes, takeovers, zombies and lost answers, in one process."""

import pytest

from tests.exactly_once.compare import check, differences
from tests.exactly_once.conftest import Fresh
from tests.exactly_once.simulation import simulate

SEEDS = 200
SLICE = 25


@pytest.mark.parametrize("first", range(0, SEEDS, SLICE))
def test_every_schedule_counts_each_record_once(first: int, fresh_store: Fresh) -> None:
    for seed in range(first, first + SLICE):
        with fresh_store(seed) as store:
            oracle = simulate(store, seed)
            try:
                check(store, oracle)
            except AssertionError as wrong:
                pytest.fail(f"seed {seed}: {wrong}")


def test_without_the_swap_schedules_fail(fresh_store: Fresh) -> None:
    """The simulation can tell: many schedules count wrongly as soon as the compare-and-swap is gone."""
    wrong = 0
    for seed in range(SLICE):
        with fresh_store(seed) as store:
            oracle = simulate(store, seed, swap=False)
            wrong += bool(differences(store, oracle))
    assert wrong >= SLICE // 5
