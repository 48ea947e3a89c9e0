"""Concept drift: found when it is there, not before, and the same after a restart."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sli.concept import DetectorSettings, Outcomes, dispersion, losses, outcomes_of, step
from tests.labelling import binary, cells_of, make_pairs, numbers


def windows_of(wrong: np.ndarray, size: int) -> list[Outcomes]:
    """Outcomes in order, cut into windows; a window begins at the number of its first."""
    begins = range(0, len(wrong) // size * size, size)
    return [Outcomes.right_or_wrong(i, size, int(wrong[i : i + size].sum())) for i in begins]


def drifting(
    before: float, after: float, windows: int = 60, size: int = 300, seed: int = 1
) -> list[Outcomes]:
    """The loss changes at the window in the middle."""
    rng = np.random.default_rng(seed)
    rate = np.where(np.arange(windows) < windows // 2, before, after)
    return [Outcomes.right_or_wrong(3600 * i, size, int(rng.binomial(size, p))) for i, p in enumerate(rate)]


@given(st.lists(st.integers(0, 40), max_size=4), st.integers(0, 5))
@settings(max_examples=12, deadline=None)
def test_stepping_one_by_one_through_json_is_the_same_as_at_once(cuts: list[int], seed: int) -> None:
    windows = drifting(0.1, 0.4, windows=40, seed=seed)
    state, alarms = step(None, windows)
    found, held = [], None
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 40], strict=True):
        held, some = step(held, windows[begin:end])
        held = json.dumps(json.loads(held))
        found += some
    one_by_one, single = [], None
    for window in windows:
        single, some = step(single, [window])
        one_by_one += some
    assert tuple(found) == tuple(one_by_one) == alarms
    assert held == single == state
    assert {alarm.detector for alarm in alarms} == {"adwin", "page_hinkley"}


@pytest.mark.parametrize("size", [50, 300, 100_000])
def test_a_rise_of_the_loss_is_found_and_not_before_it_is_there(size: int) -> None:
    _, alarms = step(None, drifting(0.1, 0.3, size=size))
    first = {a.detector: a for a in reversed(alarms)}
    for name, latest in (("adwin", 33), ("page_hinkley", 42)):
        assert 30 * 3600 <= first[name].start_s <= latest * 3600, (size, name)
        assert first[name].worse
        assert first[name].before == pytest.approx(0.1, abs=0.1)


def test_a_fall_of_the_loss_is_an_alarm_that_is_not_worse() -> None:
    _, alarms = step(None, drifting(0.4, 0.1))
    assert alarms
    assert not any(alarm.worse for alarm in alarms)


def test_a_loss_that_stays_gives_no_alarm() -> None:
    """A thousand hours at three rates."""
    for rate in (0.02, 0.14, 0.4):
        _, alarms = step(None, drifting(rate, rate, windows=1000, size=200, seed=3))
        assert alarms == ()


def test_a_window_seen_before_changes_nothing() -> None:
    windows = drifting(0.1, 0.4)
    state, _ = step(None, windows)
    assert step(state, windows) == (state, ())
    assert step(state, [Outcomes.right_or_wrong(0, 100, 100)]) == (state, ())


def test_a_loss_of_degrees_gives_one_value_a_window() -> None:
    rng = np.random.default_rng(5)
    level = np.where(np.arange(400) < 200, 0.2, 0.6)
    windows = [Outcomes(3600 * i, 1000, float(x)) for i, x in enumerate(level + rng.normal(0, 0.02, 400))]
    assert len(losses(windows[0], DetectorSettings())) == 1
    _, alarms = step(None, windows)
    assert alarms
    assert 200 * 3600 <= alarms[0].start_s <= 260 * 3600


def test_losses_are_dealt_alike_each_time_and_add_up() -> None:
    window = Outcomes.right_or_wrong(7200, 1003, 250)
    found = losses(window, DetectorSettings())
    assert len(found) == 200
    assert (found == losses(window, DetectorSettings())).all()
    sizes = np.where(np.arange(200) < 3, 6, 5)
    assert (found * sizes).sum() == pytest.approx(250)
    assert len(losses(window, DetectorSettings(dispersion=10))) == 100
    assert len(losses(Outcomes.right_or_wrong(0, 0, 0), DetectorSettings())) == 0


def test_dispersion_is_1_of_independent_outcomes_and_more_of_runs() -> None:
    rng = np.random.default_rng(6)
    independent = (rng.random(50_000) < 0.2).astype(int)
    assert dispersion(windows_of(independent, 100)) == pytest.approx(1, abs=0.2)
    runs = np.repeat(independent[:5000], 10)
    assert dispersion(windows_of(runs, 100)) == pytest.approx(10, rel=0.3)
    assert dispersion([]) == 1
    assert dispersion([Outcomes.right_or_wrong(0, 10, 0)] * 5) == 1


@pytest.mark.parametrize("size", [168, 336, 1000, 2000])
def test_the_drift_of_elec2_is_found_and_not_before_it_is_there(shared: Path, size: int) -> None:
    """Accuracy is 0.81 to 0.86 until row 14,640, and 0.71 from then on. Its errors come in runs: the windows
    before tell how much they vary."""
    frame = pd.read_csv(shared / "data/elec2/static_model_predictions.csv.gz")
    wrong = (frame.y_pred != frame.target).to_numpy().astype(int)
    begin = 14_640 - 8_640
    windows = windows_of(wrong, size)
    spread = dispersion([w for w in windows if w.start_s + size <= begin])
    _, alarms = step(None, windows, DetectorSettings(dispersion=spread))
    worse = [alarm for alarm in alarms if alarm.worse]
    assert {alarm.detector for alarm in worse} == {"adwin", "page_hinkley"}
    assert worse[0].start_s + size > begin
    assert worse[0].start_s <= begin + 10_000


def test_a_state_that_cannot_be_read_says_so() -> None:
    state, _ = step(None, drifting(0.1, 0.1, windows=5))
    held = json.loads(state)
    for broken in (
        "",
        "{}",
        json.dumps({**held, "format": 9}),
        json.dumps({**held, "adwin": {"window": "??"}}),
    ):
        with pytest.raises(ValueError, match="start them anew"):
            step(broken, [])


def test_outcomes_come_from_the_cells_of_windows_with_labels() -> None:
    start = np.array([0, 3600])
    classes = cells_of(binary([1, 0, 1, 1], [1, 1, 1, 0]), [1, 1, 1, 1], 2)
    assert outcomes_of(classes, start) == [Outcomes.right_or_wrong(3600, 4, 2)]
    errors = cells_of(numbers([1.0, 2.0], [1.5, 1.5]), [0, 0], 2)
    assert outcomes_of(errors, start, scale=0.5) == [Outcomes(0, 2, 0.5)]
    assert outcomes_of(errors, start) == []
    assert outcomes_of(cells_of(make_pairs(2), [0, 1], 2), start, 1.0) == []
