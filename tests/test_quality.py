"""Predictions and labels from files to answers: the whole way, against scikit-learn."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from monitor.cli.app import main
from monitor.clock import StreamClock
from monitor.config import default_config
from monitor.errors import QueryError
from monitor.records import Floats
from monitor.service import Service
from monitor.sli.fairness_question import FairnessQuestion, ask_fairness
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question, Time
from monitor.store import Store
from tests.builders import T0_MS, encode, label, record

HOUR_MS = 3_600_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS
N = 3000
LAG_MS = 2 * HOUR_MS


class Truth:
    """What was predicted and what came true: scores that tell the truth, in two countries, over two hours."""

    def __init__(self) -> None:
        random = np.random.default_rng(11)
        self.score: Floats = np.round(random.beta(2, 3, N), 3)
        self.actual = random.random(N) < self.score
        self.predicted = self.score >= 0.5
        self.country = np.where(random.random(N) < 0.3, "FR", "DE")
        self.hour = np.arange(N) * 2 // N
        self.labelled = random.random(N) < 0.8


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth()


@pytest.fixture(scope="module")
def url(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store that the service filled from a directory of inferences and one of labels."""
    directory = tmp_path_factory.mktemp("quality")
    for name in ("inferences", "labels"):
        (directory / name).mkdir()
    (directory / "inferences" / "i.jsonl").write_bytes(
        b"\n".join(
            encode(
                record(
                    id=str(i),
                    ts=int(H0_MS + truth.hour[i] * HOUR_MS + i),
                    prediction=bool(truth.predicted[i]),
                    score=float(truth.score[i]),
                    segment={"country": str(truth.country[i])},
                )
            )
            for i in range(N)
        )
        + b"\n"
    )
    (directory / "labels" / "l.jsonl").write_bytes(
        b"\n".join(
            encode(label(id=str(i), label=int(truth.actual[i]), ts=int(H0_MS + LAG_MS + i)))
            for i in np.flatnonzero(truth.labelled).tolist()
        )
        + b"\n"
    )
    url = f"sqlite:///{directory / 'm.db'}"
    config = default_config(files=directory / "inferences", store=url, labels=directory / "labels")
    clock = StreamClock(H0_MS + 4 * HOUR_MS)
    Service(config, web=False, follow=False, clock=clock).run(until_caught_up=True)
    return url


@pytest.fixture
def ask(url: str) -> Callable[..., Answer]:
    def asked(sli: str, **more: Any) -> Answer:
        store = Store.open(url)
        try:
            (found,) = answer(store, Question("fraud", sli, **more), H0_MS + 5 * HOUR_MS)
            return found
        finally:
            store.close()

    return asked


Ask = Callable[..., Answer]


def test_metrics_are_those_of_scikit_learn(truth: Truth, ask: Ask) -> None:
    mine = truth.labelled
    actual, predicted, score = truth.actual[mine], truth.predicted[mine], truth.score[mine]
    for sli, exact, within in (
        ("accuracy", metrics.accuracy_score(actual, predicted), 1e-9),
        ("precision", metrics.precision_score(actual, predicted), 1e-9),
        ("recall", metrics.recall_score(actual, predicted), 1e-9),
        ("mcc", metrics.matthews_corrcoef(actual, predicted), 1e-9),
        ("brier", metrics.brier_score_loss(actual, score), 1e-9),
        ("roc_auc", metrics.roc_auc_score(actual, score), 0.002),
    ):
        found = ask(sli)
        assert found["value"] == pytest.approx(exact, abs=within), sli
        assert found["low"] < found["value"] < found["high"]  # type: ignore[operator]  # numbers here
        assert found["label_coverage"] == pytest.approx(mine.mean())
        assert found["label_lag_p50_s"] == pytest.approx(5400, rel=0.4)


def test_one_hour_by_either_time(truth: Truth, ask: Ask) -> None:
    first = truth.labelled & (truth.hour == 0)
    exact = metrics.accuracy_score(truth.actual[first], truth.predicted[first])
    assert ask("accuracy")["count"] == int(truth.labelled.sum())
    assert ask("accuracy", from_ms=H0_MS, to_ms=H0_MS + HOUR_MS)["value"] == pytest.approx(exact)
    later = {"from_ms": H0_MS + LAG_MS, "to_ms": H0_MS + LAG_MS + HOUR_MS}
    assert ask("accuracy", **later)["why"] == "no predictions"
    by_label = ask("accuracy", **later, time=Time.LABEL)
    assert by_label["count"] == int(truth.labelled.sum())
    with pytest.raises(QueryError, match="only quality can be asked by the time of labels"):
        ask("latency_p99", time=Time.LABEL)


def test_quality_is_expected_before_labels_come(truth: Truth, ask: Ask) -> None:
    expected = ask("expected_accuracy")
    promised = np.where(truth.predicted, truth.score, 1 - truth.score).mean()
    assert expected["value"] == pytest.approx(promised, abs=0.02)
    assert expected["count"] == N
    assert abs(ask("expected_accuracy_error")["value"] or 1) < 0.02


def test_labels_and_clicks_are_compared(url: str, truth: Truth, ask: Ask) -> None:
    assert ask("label_drift")["value"] == pytest.approx(0, abs=1e-12)
    with pytest.raises(QueryError, match="ctr_lift: compares groups"):
        ask("ctr_lift")
    store = Store.open(url)
    germany, france = answer(store, Question("fraud", "ctr_lift", by=("country",)), H0_MS)
    clicks = {
        c: (truth.actual & truth.labelled)[truth.country == c].sum() / (truth.country == c).sum()
        for c in ("DE", "FR")
    }
    assert germany["value"] == pytest.approx(0)
    assert france["value"] == pytest.approx(clicks["FR"] / clicks["DE"] - 1)
    store.close()


def test_groups_are_compared(url: str, truth: Truth) -> None:
    store = Store.open(url)
    found = ask_fairness(store, FairnessQuestion("fraud", "country"))
    assert found is not None
    rates = {g["group"]: g["selection_rate"]["value"] for g in found["groups"]}
    assert rates == {c: pytest.approx(truth.predicted[truth.country == c].mean()) for c in ("DE", "FR")}
    ratio = min(rates.values()) / max(rates.values())
    assert found["contrasts"]["selection_ratio"]["value"] == pytest.approx(ratio)
    few = ask_fairness(store, FairnessQuestion("fraud", "country", minimum=N // 2))
    assert few is not None
    assert (few["hidden"], [g["group"] for g in few["groups"]]) == (["FR"], ["DE"])
    with pytest.raises(QueryError, match="there is no 'contry'; did you mean 'country'"):
        ask_fairness(store, FairnessQuestion("fraud", "contry"))
    store.close()


def test_the_commands(url: str) -> None:
    def run(*arguments: str) -> str:
        out = io.StringIO()
        assert main([*arguments, "--store", url, "--model", "fraud"], stdout=out) == 0
        return out.getvalue()

    (row,) = json.loads(run("query", "--sli", "accuracy", "--format", "json"))
    assert {"low", "high", "label_coverage", "label_lag_p50_s"} <= set(row)
    assert "labels in" in run("query", "--sli", "f1")
    assert "selection ratio" in run("fairness", "--by", "country")
    assert json.loads(run("fairness", "--by", "country", "--format", "json"))["by"] == "country"


def test_every_indicator_answers(url: str) -> None:
    """None is NaN or infinite, whatever there is or isn't to compute it from."""
    from monitor.sli.catalogue import SLIS, Operational

    store = Store.open(url)
    for sli in SLIS:
        feature = "amount" if sli.needs_feature else None
        by = () if isinstance(sli.formula, Operational) else ("version",)
        question = Question("fraud", sli.name, feature=feature, by=by)
        for found in answer(store, question, H0_MS + 5 * HOUR_MS):
            numbers = [found["value"], found.get("low"), found.get("high")]
            assert all(n is None or np.isfinite(n) for n in numbers), sli.name
            if sli.kind.name == "QUALITY":
                assert found["value"] is not None or found["why"], sli.name
    store.close()
