"""The one verdict on a version in a window, out of a store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitor.profiles.bins import Bins, bin_column, edges_of
from monitor.profiles.layout import FEATURE_STRIDE
from monitor.records import Floats
from monitor.sli.drifting import Against
from monitor.sli.verdicts import DriftQuestion, WindowDrift, drift
from monitor.store import Store, fits
from monitor.store.detectors import ConceptAlarm, Held, swap
from monitor.store.fits import NewBaseline
from monitor.watching import watch
from tests.builders import record
from tests.filling import fill
from tests.labelling import binary, counted, numbers, without_labels
from tests.making import counts_of, new_baseline
from tests.outcomes import add_outcomes, labels_have_come_to

HOUR_S = 3600
DAY_S = 86_400
T0_S = 1_700_000_000 // DAY_S * DAY_S
ELEC2_S = 831_427_200


def fitted(store: Store, columns: dict[str, Floats], quality: str | None = None) -> None:
    edges = {name: Bins(edges=edges_of(values)) for name, values in columns.items()}
    counts = {
        i: dict(enumerate(np.bincount(bin_column(edges[n], values), minlength=FEATURE_STRIDE).tolist()))
        for i, (n, values) in enumerate(columns.items(), 1)
    }
    made = new_baseline(features=edges)
    rows = len(next(iter(columns.values())))
    slots = {-1: counts_of(rows, counts)}
    new = NewBaseline(
        made.model, made.version, made.author, made.source, made.features, slots, quality=quality
    )
    fits.create(store, new, 0, 0)


def validation(accuracy: float, n: int = 5_000) -> str:
    truth = np.arange(n) % 2
    right = np.arange(n) < accuracy * n
    keys, counts = counted(binary(truth, np.where(right, truth, 1 - truth)), np.zeros(n, int), 1).counts
    cells = dict(zip((keys & ((1 << 20) - 1)).tolist(), counts.tolist(), strict=True))
    return str({"counts": {str(c): n for c, n in cells.items()}, "sums": {}}).replace("'", '"')


def hour(
    store: Store, start_s: int, moved: float, accuracy: float | None, labelled: float = 1.0, n: int = 600
) -> None:
    """An hour of `n` inferences of one feature, and how the model did in it; None: no pairs were kept."""
    random = np.random.default_rng(start_s)
    ts_s = start_s + np.arange(n) * HOUR_S // n
    values = random.normal(moved, 1, n)
    prediction = {"prediction": ..., "score": ...}
    fill(
        store,
        [
            record(id=f"{t}-{i}", ts=int(t) * 1000, version="1", features={"amount": float(v)}, **prediction)
            for i, (t, v) in enumerate(zip(ts_s, values, strict=True))
        ],
    )
    if accuracy is not None:
        truth = random.integers(0, 2, n)
        right = random.random(n) < accuracy
        pairs = binary(truth, np.where(right, truth, 1 - truth), np.where(right == truth, 0.9, 0.1))
        pairs = without_labels(pairs, np.arange(n) >= labelled * n)
        add_outcomes(store, pairs, ts_s, writer=1 + start_s // HOUR_S % 24)


def verdict(store: Store, **asked: object) -> WindowDrift:
    (found,) = drift(store, DriftQuestion("fraud", **asked))  # type: ignore[arg-type]
    return found


@pytest.fixture
def baseline(store: Store) -> None:
    fitted(store, {"amount": np.random.default_rng(1).normal(0, 1, 5_000)}, validation(0.9))


@pytest.mark.usefixtures("baseline")
@pytest.mark.parametrize(
    ("moved", "accuracy", "labelled", "kind"),
    [
        (0, 0.9, 1, "all quiet"),
        (2, 0.9, 1, "inputs moved, quality held"),
        (0, 0.6, 1, "quality lost, inputs held"),
        (2, 0.6, 1, "inputs moved and quality lost"),
        (2, 0.6, 0, "inputs moved, no labels yet"),
        (0, 0.6, 0, "inputs held, no labels yet"),
        (2, None, 0, "inputs moved, no labels yet"),
    ],
)
def test_inputs_and_quality_are_told_apart(
    store: Store, moved: float, accuracy: float | None, labelled: float, kind: str
) -> None:
    hour(store, T0_S, moved, accuracy, labelled)
    found = verdict(store)
    assert found["verdict"]["kind"] == kind
    assert found["verdict"]["sentence"].startswith(kind)
    if labelled:
        assert found["quality"]["baseline"] == 0.9
        assert found["quality"]["labels"] == 600
        assert found["quality"]["label_coverage"] == 1


@pytest.mark.usefixtures("baseline")
def test_too_few_rows_say_so(store: Store) -> None:
    hour(store, T0_S, 2, 0.6, n=5)
    assert verdict(store)["verdict"]["kind"] == "too little to tell"


@pytest.mark.usefixtures("baseline")
def test_part_of_the_labels(store: Store) -> None:
    hour(store, T0_S, 0, 0.6, labelled=0.5)
    found = verdict(store)
    assert found["verdict"]["kind"] == "quality lost, inputs held"
    assert "50 % of the predictions have labels" in found["verdict"]["sentence"]


def test_without_validation_labels_the_first_days_count(store: Store) -> None:
    fitted(store, {"amount": np.random.default_rng(1).normal(0, 1, 5_000)})
    hour(store, T0_S - 2 * DAY_S, 0, 0.9)
    assert verdict(store)["quality"]["state"] == "unknown"
    hour(store, T0_S, 0, 0.6)
    found = verdict(store)
    assert found["quality"]["state"] == "lost"
    assert found["quality"]["baseline"] == pytest.approx(0.9, abs=0.04)


@pytest.mark.usefixtures("baseline")
def test_against_the_window_before(store: Store) -> None:
    for i, accuracy in enumerate((0.6, 0.6)):
        hour(store, T0_S + i * HOUR_S, 0, accuracy)
    assert verdict(store)["quality"]["state"] == "lost"
    assert verdict(store, against=Against.PREVIOUS)["quality"]["state"] == "held"


@pytest.mark.usefixtures("baseline")
def test_numbers_are_judged_by_their_error(store: Store) -> None:
    hour(store, T0_S + DAY_S, 0, None)
    random = np.random.default_rng(4)
    label = random.normal(100, 10, 1_200)
    error = np.concatenate((random.normal(0, 5, 600), random.normal(0, 9, 600)))
    add_outcomes(store, numbers(label, label + error), T0_S + np.repeat([0, DAY_S], 600))
    found = verdict(store)
    assert (found["quality"]["metric"], found["quality"]["state"]) == ("mae", "lost")
    assert found["quality"]["value"] == pytest.approx(np.abs(error[600:]).mean())
    assert found["quality"]["baseline"] == pytest.approx(np.abs(error[:600]).mean())


@pytest.mark.usefixtures("baseline")
def test_alarms_of_the_week_are_shown(store: Store) -> None:
    hour(store, T0_S, 0, 0.9)
    old, new = (ConceptAlarm("fraud", "1", "adwin", T0_S - d * DAY_S, 0.1, 0.4) for d in (8, 1))
    other = ConceptAlarm("fraud", "2", "adwin", T0_S - DAY_S, 0.1, 0.4)
    swap(store, "fraud", "1", None, Held(T0_S, "{}"), [old, new, other], 0)
    (shown,) = verdict(store)["concept"]
    assert (shown["detector"], shown["before"], shown["after"]) == ("adwin", 0.1, 0.4)
    assert shown["at"].startswith(str(pd.Timestamp(T0_S - DAY_S, unit="s").date()))


def test_elec2_loses_quality_and_its_detectors_say_since_when(store: Store, shared: Path) -> None:
    """Against its training rows; 28 days before the drift, and 28 days in the middle of it."""
    frame = pd.read_csv(shared / "data/elec2/elec.csv.gz")
    told = pd.read_csv(shared / "data/elec2/static_model_predictions.csv.gz").set_index("row")
    names = ["feat_2", "feat_3"]
    fitted(store, {n: frame[n][:8640].to_numpy() for n in names}, validation(0.86))
    rows = range(11_000, 20_500)
    ts_s = ELEC2_S + np.array(rows) * 1800
    pairs = binary(told.target[rows], told.y_pred[rows], told.y_pred_proba[rows])
    add_outcomes(store, pairs, ts_s)
    fill(
        store,
        [
            record(
                id=f"r{i}",
                ts=int(t) * 1000,
                version="1",
                features={n: float(frame[n][i]) for n in names},
                prediction=int(told.y_pred[i]),
                score=...,
            )
            for i, t in zip(rows, ts_s.tolist(), strict=True)
            if any(abs(i - middle) < 1_344 for middle in (13_000, 19_500))
        ],
    )
    end_ms = (int(ts_s.max()) + DAY_S) * 1000
    labels_have_come_to(store, end_ms, end_ms)
    watch(store, HOUR_S, end_ms, 60_000)
    asked = {"window_s": 28 * DAY_S}
    before = verdict(store, at_ms=(ELEC2_S + 13_000 * 1800) * 1000, **asked)
    assert before["quality"]["state"] == "held"
    assert before["concept"] == []
    during = verdict(store, at_ms=(ELEC2_S + 19_500 * 1800) * 1000, **asked)
    assert during["quality"]["state"] == "lost"
    assert "quality lost" in during["verdict"]["kind"]
    assert {c["detector"] for c in during["concept"]} >= {"adwin"}
