"""Kinds of predictions and labels through the job: rankings, ratings, weights, and a share of the pairs."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from monitor.records import Floats
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question, Time
from tests.builders import T0_MS, label, record
from tests.job.stream import Stream

N = 200


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/m.db"


@pytest.fixture
def stream(url: str) -> Iterator[Stream]:
    made = Stream(url)
    yield made
    made.store.close()


def ask(stream: Stream, sli: str) -> Answer:
    (found,) = answer(stream.store, Question("fraud", sli), T0_MS + 20_000_000)
    return found


def shuffled(messages: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    return random.Random(seed).sample(list(messages), len(messages))


class Weighed:
    """Numbers and classes with weighted labels, some of which correct an earlier one of another weight."""

    def __init__(self, numeric: bool) -> None:
        rng = np.random.default_rng(5)
        self.numeric = numeric
        self.predicted: Floats = np.round(rng.normal(10, 4, N), 2) + 0.001
        self.actual: Floats = np.round(self.predicted + rng.normal(0, 2, N), 2)
        if not numeric:
            self.predicted, self.actual = ((x > 10).astype(np.float64) for x in (self.predicted, self.actual))
        self.weight: Floats = np.round(rng.gamma(2, 2, N) + 0.1, 2)
        self.records = [record(id=f"r-{i}", prediction=self._value(self.predicted[i])) for i in range(N)]
        given = [self._label(i, self.actual[i], self.weight[i], 2000) for i in range(N)]
        corrected = [self._label(i, 1 - self.actual[i], 9.0, 1000) for i in range(0, N, 3)]
        self.labels = [*given, *corrected]

    def _value(self, number: float) -> Any:
        return float(number) if self.numeric else bool(number)

    def _label(self, i: int, actual: float, weight: float, after_ms: int) -> dict[str, Any]:
        return label(id=f"r-{i}", label=self._value(actual), weight=float(weight), ts=T0_MS + after_ms)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_are_those_of_the_labels_that_hold_whatever_came_first(stream: Stream, seed: int) -> None:
    made = Weighed(numeric=True)
    both = [("records", m) for m in made.records] + [("labels", m) for m in made.labels]
    order = random.Random(seed).sample(both, len(both))
    for begin in range(0, len(order), 60):
        for topic in ("labels", "records"):
            stream.take(topic, [m for t, m in order[begin : begin + 60] if t == topic])
    weights = {"sample_weight": made.weight}
    for sli, exact in (
        ("mae", metrics.mean_absolute_error(made.actual, made.predicted, **weights)),
        ("rmse", metrics.root_mean_squared_error(made.actual, made.predicted, **weights)),
        ("r2", metrics.r2_score(made.actual, made.predicted, **weights)),
        ("bias", np.average(made.predicted - made.actual, weights=made.weight)),
    ):
        assert ask(stream, sli)["value"] == pytest.approx(exact, abs=1e-9), sli
    assert ask(stream, "mae")["count"] == N
    assert ask(stream, "correction_rate")["value"] == pytest.approx(
        made.weight[::3].sum() / made.weight.sum()
    )


def test_weights_count_in_shares(stream: Stream) -> None:
    made = Weighed(numeric=False)
    stream.take("labels", shuffled(made.labels, 4))
    stream.take("records", made.records)
    weights = {"sample_weight": made.weight}
    for sli, exact in (
        ("accuracy", metrics.accuracy_score(made.actual, made.predicted, **weights)),
        ("precision", metrics.precision_score(made.actual, made.predicted, **weights)),
        ("mcc", metrics.matthews_corrcoef(made.actual, made.predicted, **weights)),
    ):
        assert ask(stream, sli)["value"] == pytest.approx(exact, abs=1e-9), sli


def test_rankings_meet_items_lists_and_grades(stream: Stream) -> None:
    items = ["a", "b", "c", "d"]
    stream.take("records", [record(id=f"r-{i}", prediction=items, score=...) for i in range(5)])
    told: list[Any] = ["b", ["c", "x"], {"a": 3, "d": 1}, ["none of them"], "b"]
    stream.take("labels", [label(id=f"r-{i}", label=value) for i, value in enumerate(told[:4])])
    stream.take("labels", [label(id="r-4", label=told[4]), label(id="r-4", label=["d"], ts=T0_MS + 5000)])
    relevant = [{"b": 1}, {"c": 1, "x": 1}, {"a": 3, "d": 1}, {"none of them": 1}, {"d": 1}]
    ndcg = [_ndcg(items, grades) for grades in relevant]
    assert ask(stream, "ndcg_at_10")["value"] == pytest.approx(np.mean(ndcg), abs=1e-9)
    assert ask(stream, "hit_rate")["value"] == pytest.approx(4 / 5)
    assert ask(stream, "mrr")["value"] == pytest.approx((1 / 2 + 1 / 3 + 1 + 0 + 1 / 4) / 5)


def _ndcg(items: Sequence[str], grades: dict[str, int]) -> float:
    """By scikit-learn, over the items listed and the relevant ones that were not."""
    everything = [*items, *(item for item in grades if item not in items), "z"]
    truth = [[grades.get(item, 0) for item in everything]]
    given = [[len(items) - items.index(item) if item in items else 0 for item in everything]]
    return float(metrics.ndcg_score(truth, given, k=len(items), ignore_ties=True))


def test_ratings_are_no_truths(stream: Stream) -> None:
    stream.take("records", [record(id=f"r-{i}", prediction="an answer") for i in range(4)])
    rated = [label(id=f"r-{i}", label=stars, kind="rating") for i, stars in enumerate((5, 3, 4))]
    stream.take("labels", [*rated, label(id="r-1", label=1, kind="rating", ts=T0_MS + 9000)])
    assert ask(stream, "rating_mean")["value"] == pytest.approx((5 + 1 + 4) / 3)
    assert ask(stream, "label_coverage")["value"] == pytest.approx(3 / 4)
    assert ask(stream, "accuracy")["value"] is None


def test_a_share_of_the_pairs_is_the_same_for_both_halves_and_says_that_it_is_one(url: str) -> None:
    n, share = 2_000, 0.3
    stream = Stream(url, pair_samples={"fraud": share})
    stream.take("labels", [label(id=f"r-{i}", label="no", model="fraud") for i in range(0, n, 2)])
    stream.take("records", [record(id=f"r-{i}", prediction="yes" if i % 10 else "no") for i in range(n)])
    stream.take("labels", [label(id=f"r-{i}", label="no") for i in range(1, n, 2)])
    coverage, accuracy = ask(stream, "label_coverage"), ask(stream, "accuracy")
    assert coverage["value"] == 1.0
    assert coverage["count"] == accuracy["count"] == pytest.approx(n * share, rel=0.1)
    assert accuracy["value"] == pytest.approx(0.1, abs=0.04)
    assert coverage["estimate"] is True
    assert accuracy["estimate"] is True
    stream.store.close()
    whole = Stream(url.replace("m.db", "whole.db"))
    whole.take("records", [record(id="a")])
    whole.take("labels", [label(id="a")])
    assert "estimate" not in ask(whole, "accuracy")
    whole.store.close()


@pytest.mark.parametrize("sli", ["mae", "accuracy", "roc_auc", "label_lag_p50", "ndcg_at_10"])
def test_what_had_no_predictions_says_so_and_not_that_labels_are_still_to_come(
    stream: Stream, sli: str
) -> None:
    stream.take("records", [record(id="a")])
    hour_ms = 3_600_000
    begin_ms = T0_MS // hour_ms * hour_ms
    asked = Question("fraud", sli, begin_ms - hour_ms, begin_ms + hour_ms, step_s=3600)
    now_ms = T0_MS + 20_000_000
    assert [a["why"] for a in answer(stream.store, asked, now_ms)] == ["no predictions", "no labels yet"]
    stream.take("labels", [label(id="a", ts=T0_MS + 10)])
    by_label = replace(asked, sli="mae", time=Time.LABEL)
    found = [a["why"] for a in answer(stream.store, by_label, now_ms)]
    assert found == ["no labels yet", "no prediction and label that are both numbers"]
