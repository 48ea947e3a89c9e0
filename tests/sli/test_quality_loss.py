"""What is lost of a model's quality, as a figure of each window."""

import numpy as np
import pytest

from monitor.sli.query import answer
from monitor.sli.question import Question, Time
from monitor.store.store import Store
from tests.labelling import binary
from tests.outcomes import add_outcomes

DAY_S = 86_400
BEGIN_S = 1_700_000_000 // DAY_S * DAY_S


@pytest.mark.parametrize("time", list(Time))
def test_only_a_loss_beyond_chance_counts(store: Store, time: Time) -> None:
    """A day of which 9 in 10 are right; two days later an hour as before, one of half, and one too short."""
    hours = [(hour, 60, 10) for hour in range(24)] + [(48, 600, 10), (49, 600, 2), (50, 20, 2)]
    ts_s = np.concatenate([np.full(n, BEGIN_S + hour * 3600) for hour, n, _ in hours])
    wrong = np.concatenate([np.arange(n) % every == 0 for _, n, every in hours])
    truth = np.ones(len(ts_s), np.int64)
    add_outcomes(store, binary(truth, np.where(wrong, 0, truth)), ts_s)
    begin_ms = (BEGIN_S + 48 * 3600) * 1000
    asked = Question("fraud", "quality_loss", begin_ms, begin_ms + 3 * 3_600_000, 3600, time=time)
    held, lost, few = answer(store, asked, begin_ms)
    assert (held["value"], held["count"]) == (0.0, 600)
    assert lost["value"] == pytest.approx((0.9 - 0.5) / 0.9, abs=1e-9)
    assert (few["value"], few["count"]) == (None, 20)
