"""A model of several classes from files to answers: the whole way, on real rows, against scikit-learn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from monitor.clock import StreamClock
from monitor.config import default_config
from monitor.service import Service
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question
from monitor.store import Store
from tests.builders import T0_MS, encode, label, record

HOUR_MS = 3_600_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS
N = 2_000
LABELLED = 1_500
NAMES = ("highstreet_card", "prepaid_card", "upmarket_card")


@pytest.fixture(scope="module")
def rows(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "data/nannyml/mc_reference.csv.gz", nrows=N)


@pytest.fixture(scope="module", params=["object", "array"])
def store(
    request: pytest.FixtureRequest, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """What the service made of the rows, with scores by name, or in the order of the classes 0, 1 and 2."""
    named = request.param == "object"
    folder = tmp_path_factory.mktemp("several")
    inferences, labels = [], []
    for i, row in enumerate(rows.itertuples()):
        scores = {name: float(getattr(row, f"y_pred_proba_{name}")) for name in NAMES}
        said, true = str(row.y_pred), str(row.y_true)
        made = record(
            id=str(i),
            ts=H0_MS + i,
            prediction=said if named else NAMES.index(said),
            scores=scores if named else list(scores.values()),
        )
        del made["score"]
        inferences.append(encode(made))
        if i < LABELLED:
            value = true if named else NAMES.index(true)
            labels.append(encode(label(id=str(i), label=value, ts=H0_MS + HOUR_MS + i)))
    for name, lines in (("inferences", inferences), ("labels", labels)):
        (folder / name).mkdir()
        (folder / name / "all.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    url = f"sqlite:///{folder / 'm.db'}"
    config = default_config(files=folder / "inferences", store=url, labels=folder / "labels")
    clock = StreamClock(H0_MS + 4 * HOUR_MS)
    Service(config, web=False, follow=False, clock=clock).run(until_caught_up=True)
    return Store.open(url)


def ask(store: Store, sli: str) -> Answer:
    (found,) = answer(store, Question("fraud", sli), H0_MS + 5 * HOUR_MS)
    return found


def test_log_loss_brier_and_accuracy_are_those_of_all_classes(store: Store, rows: pd.DataFrame) -> None:
    labelled = rows[:LABELLED]
    scores = labelled[[f"y_pred_proba_{name}" for name in NAMES]].to_numpy()
    actual = labelled.y_true.map(NAMES.index).to_numpy()
    for sli, exact in (
        ("log_loss", metrics.log_loss(actual, scores)),
        ("brier", ((scores - np.eye(3)[actual]) ** 2).sum(axis=1).mean()),
        ("accuracy", metrics.accuracy_score(labelled.y_true, labelled.y_pred)),
    ):
        found = ask(store, sli)
        assert found["value"] == pytest.approx(exact, abs=1e-9), sli
        assert found["count"] == LABELLED


def test_the_accuracy_to_come_is_expected_from_all_predictions(store: Store, rows: pd.DataFrame) -> None:
    found = ask(store, "expected_accuracy")
    assert found["count"] == N
    assert found["value"] == pytest.approx((rows.y_true == rows.y_pred).mean(), abs=0.02)
    assert ask(store, "expected_accuracy_error")["value"] == pytest.approx(0, abs=0.02)


def test_areas_are_the_mean_of_each_class_against_the_rest(store: Store, rows: pd.DataFrame) -> None:
    labelled = rows[:LABELLED]
    scores = labelled[[f"y_pred_proba_{name}" for name in NAMES]].to_numpy()
    actual = labelled.y_true.map(NAMES.index).to_numpy()
    for sli, exact in (
        ("roc_auc", metrics.roc_auc_score(actual, scores, multi_class="ovr")),
        ("pr_auc", metrics.average_precision_score(actual, scores)),
    ):
        found = ask(store, sli)
        assert found["value"] == pytest.approx(exact, abs=0.002), sli
        assert found["count"] == LABELLED


def test_what_ranks_by_one_class_says_why_not(store: Store) -> None:
    found = ask(store, "precision_at_100")
    assert found["value"] is None
    assert found["why"] == "several classes: there is no one class to rank by the score of"
