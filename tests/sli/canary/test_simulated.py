"""What the figures of the canary leave out may be left out."""

import numpy as np
import pytest

from monitor.sli.canary.verdict import Verdict, judge
from tests.sli.canary.simulated import Served, looks, suspects

MINUTES, ALPHA = 90, 0.0025


@pytest.mark.parametrize(
    ("seed", "slower", "errors", "sigma"),
    [
        (1, 1.0, 0.001, 0.5),
        (2, 1.06, 0.001, 0.5),
        (3, 1.0, 0.004, 0.5),
        (4, 1.02, 0.001, 0.6),
        (5, 0.9, 0.0, 0.5),
    ],
)
def test_every_minute_at_which_the_verdict_is_worse_is_suspected(
    seed: int, slower: float, errors: float, sigma: float
) -> None:
    rng = np.random.default_rng(seed)
    champion = Served(rng, MINUTES, 2_000)
    candidate = Served(rng, MINUTES, 150, slower=slower, errors=errors, sigma=sigma)

    def worse(minute: int) -> bool:
        return judge(looks(champion, candidate, minute, ALPHA, (0.0, 0.0))).verdict is Verdict.WORSE

    found = {minute for minute in range(MINUTES) if worse(minute)}
    suspected = set(suspects(champion, candidate, ALPHA).tolist())
    assert found <= suspected
    assert len(suspected - found) <= 2
    assert bool(found) == (seed in (2, 3, 4))
