"""Drift asked of a real store, against the raw values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitor.errors import QueryError
from monitor.profiles.bins import Bins, bin_column, edges_of
from monitor.profiles.layout import FEATURE_STRIDE
from monitor.records import Floats
from monitor.sli.drifting import Against
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.sli.verdicts import DriftQuestion, WindowDrift, drift
from monitor.store import Store, fits
from monitor.store.fits import NewBaseline
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import fill
from tests.making import counts_of, new_baseline

HOUR_MS = 3_600_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS
PLANS = ("basic", "gold")
Random = np.random.Generator


def baseline(store: Store, amounts: Floats, plans: Sequence[str], **rest: Any) -> NewBaseline:
    """Fits and activates a baseline of `amount` and `plan` by hand."""
    edges = Bins(edges=edges_of(amounts))
    categories = Bins(categories=PLANS)
    counted = {
        1: dict(enumerate(np.bincount(bin_column(edges, amounts), minlength=FEATURE_STRIDE).tolist())),
        2: {i: list(plans).count(name) for i, name in enumerate(PLANS)},
    }
    new = new_baseline(features={"amount": edges, "plan": categories}, **rest)
    new = NewBaseline(
        new.model, new.version, new.author, new.source, new.features, {-1: counts_of(len(amounts), counted)}
    )
    fits.create(store, new, 0, 0)
    return new


def records(begin_ms: int, amounts: Floats, plans: Sequence[str], **changes: Any) -> list[dict[str, Any]]:
    """One record for each pair of values, spread over an hour."""
    step_ms = HOUR_MS / len(amounts)
    return [
        record(
            id=f"{begin_ms}-{i}",
            ts=int(begin_ms + i * step_ms),
            features={"amount": float(a), "plan": p},
            prediction=...,
            score=...,
            **changes,
        )
        for i, (a, p) in enumerate(zip(amounts, plans, strict=True))
    ]


def draw(random: Random, n: int, moved: float = 0.0, gold: float = 0.5) -> tuple[Floats, list[str]]:
    return random.normal(moved, 1, n), np.where(random.random(n) < gold, "gold", "basic").tolist()


def value(store: Store, sli: str, **asked: Any) -> float | None:
    (found,) = answer(store, Question("fraud", sli, H0_MS, H0_MS + HOUR_MS, **asked), NOW_MS)
    return found["value"]


def judged(store: Store, **asked: Any) -> WindowDrift:
    (found,) = drift(store, DriftQuestion("fraud", **asked))
    return found


def test_distances_are_those_of_the_raw_values(store: Store) -> None:
    random = np.random.default_rng(4)
    before, plans_before = draw(random, 3000)
    now, plans_now = draw(random, 2000, moved=0.4, gold=0.7)
    baseline(store, before, plans_before)
    fill(store, records(H0_MS, now, plans_now))
    exact = stats.ks_2samp(before, now).statistic
    assert value(store, "drift_ks", feature="amount") == pytest.approx(exact, abs=0.005)
    deciles = np.quantile(before, np.arange(1, 10) / 10)
    p, q = (
        np.bincount(np.searchsorted(deciles, x, side="right"), minlength=10) / len(x) for x in (before, now)
    )
    assert value(store, "drift_psi", feature="amount") == pytest.approx(((q - p) * np.log(q / p)).sum())
    table = np.array([[x.count(name) for name in PLANS] for x in (plans_before, plans_now)])
    chi2 = stats.chi2_contingency(table, correction=False).statistic
    assert value(store, "drift_chi2", feature="plan") == pytest.approx(chi2)
    js = jensenshannon(*(table / table.sum(axis=1, keepdims=True)), base=2)
    assert value(store, "drift_js", feature="plan") == pytest.approx(js)
    assert value(store, "drift_ks", feature="plan") is None
    wasserstein = stats.wasserstein_distance(before, now) / before.std()
    assert value(store, "drift_wasserstein", feature="amount") == pytest.approx(wasserstein, rel=0.05)


def test_unseen_categories_are_a_share(store: Store) -> None:
    before, plans = draw(np.random.default_rng(1), 100)
    baseline(store, before, plans)
    fill(store, records(H0_MS, np.zeros(10), ["gold"] * 6 + ["silver"] * 3 + ["lead"]))
    assert value(store, "unseen_share", feature="plan") == 0.4


def test_a_window_is_held_against_the_one_before(store: Store) -> None:
    random = np.random.default_rng(7)
    reference, plans = draw(random, 1000)
    first, first_plans = draw(random, 1000, moved=0.5)
    second, second_plans = draw(random, 1000, moved=0.5)
    baseline(store, reference, plans)
    fill(store, records(H0_MS, first, first_plans) + records(H0_MS + HOUR_MS, second, second_plans))
    span = (H0_MS, H0_MS + 2 * HOUR_MS, 3600)
    to_baseline = answer(store, Question("fraud", "drift_ks", *span, feature="amount"), NOW_MS)
    assert all((a["value"] or 0) > 0.15 for a in to_baseline)
    asked = Question("fraud", "drift_ks", *span, feature="amount", against=Against.PREVIOUS)
    alone, after = answer(store, asked, NOW_MS)
    assert alone["value"] is None
    assert after["value"] == pytest.approx(stats.ks_2samp(first, second).statistic, abs=0.005)
    state = judged(store, at_ms=H0_MS + HOUR_MS, against=Against.PREVIOUS)
    assert (state["state"], state["against"]) == ("none", "previous")


def test_the_whole_model(store: Store) -> None:
    random = np.random.default_rng(3)
    before, plans = draw(random, 2000)
    now, plans_now = draw(random, 2000, moved=1)
    baseline(store, before, plans)
    fill(store, records(H0_MS, now, plans_now))
    assert value(store, "drifted_share") == 0.5
    found = {f["feature"]: f for f in judged(store)["features"]}
    effects = [found[name]["effect"] for name in ("amount", "plan")]
    assert value(store, "model_drift") == pytest.approx(np.mean([e for e in effects if e is not None]))
    assert value(store, "attribution_ndcg") is None


def test_verdicts_name_what_moved(store: Store) -> None:
    random = np.random.default_rng(5)
    before, plans = draw(random, 2000)
    baseline(store, before, plans)
    hours = [draw(random, 500), draw(random, 500, moved=1.5), draw(random, 500, moved=1.5)]
    fill(store, [r for i, h in enumerate(hours) for r in records(H0_MS + (i - 2) * HOUR_MS, *h)])
    calm, moved, again = (judged(store, at_ms=H0_MS + (i - 2) * HOUR_MS) for i in range(3))
    assert [calm["state"], moved["state"], again["state"]] == ["none", "drifted", "drifted"]
    assert [calm["confirmed"], moved["confirmed"], again["confirmed"]] == [False, False, True]
    assert again["baseline"] == 1
    assert not again["provisional"]
    assert again["rows"] == 500
    worst = again["features"][0]
    assert worst["feature"] == "amount"
    assert "moved up" in worst["sentence"]
    assert [f["state"] for f in again["features"]] == ["drifted", "none"]
    assert judged(store) == again


def test_each_version_by_itself(store: Store) -> None:
    random = np.random.default_rng(6)
    before, plans = draw(random, 1000)
    baseline(store, before, plans)
    fill(
        store,
        records(H0_MS, *draw(random, 300), version="1") + records(H0_MS, *draw(random, 300, 3), version="2"),
    )
    found = drift(store, DriftQuestion("fraud"))
    assert [(d["version"], d["state"]) for d in found] == [("1", "none"), ("2", "drifted")]
    assert [d["version"] for d in drift(store, DriftQuestion("fraud", version="2"))] == ["2"]


def test_without_a_reference_it_says_what_to_do(store: Store) -> None:
    fill(store, records(H0_MS, *draw(np.random.default_rng(2), 30)))
    found = judged(store)
    assert (found["state"], found["features"]) == ("too few rows", [])
    assert "monitor baseline fit FILE --model fraud" in (found["note"] or "")
    assert value(store, "drift_psi", feature="amount") is None


def test_mistakes(store: Store) -> None:
    fill(store, records(H0_MS, *draw(np.random.default_rng(2), 30)))
    with pytest.raises(QueryError, match="drift_psi: name a feature"):
        value(store, "drift_psi")
    with pytest.raises(QueryError, match="model_drift is not about a feature"):
        value(store, "model_drift", feature="amount")
    with pytest.raises(QueryError, match="there is no 'amuont'; did you mean 'amount'"):
        value(store, "drift_psi", feature="amuont")
    with pytest.raises(QueryError, match="there is no 'frau'"):
        drift(store, DriftQuestion("frau"))
