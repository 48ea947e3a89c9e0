"""A wrong question gets a sentence that says what to ask instead."""

from pathlib import Path
from typing import Any

import pytest

from monitor.errors import QueryError
from monitor.sli.catalogue import SLIS, find_sli
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.store import Store
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import fill

GOOD: dict[str, Any] = {"model": "fraud", "sli": "records"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('s') / 'm.db'}")
    fill(store, [record(version=v, segment={"country": "DE", "plan": "x"}) for v in ("1", "2")])
    return store


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "fruad"}, "model: there is no 'fruad'; did you mean 'fraud'?"),
        ({"model": "zzz"}, "model: there is no 'zzz'; there is 'fraud'"),
        ({"sli": "latency_99"}, "sli: there is no 'latency_99'; did you mean latency_p99"),
        ({"sli": "latency_p101"}, "sli: 'latency_p101': a percentile is from 0 to 100"),
        ({"sli": "null_share"}, "null_share: name a feature (or @prediction, @score)"),
        ({"feature": "amount"}, "records is not about a feature; leave the feature out"),
        ({"sli": "null_share", "feature": "amuont"}, "feature: there is no 'amuont'; did you mean 'amount'?"),
        (
            {"sli": "null_share", "feature": "amount", "by": ["endpoint"]},
            "features are kept per model and version",
        ),
        (
            {"sli": "null_share", "feature": "amount", "by": ["country"]},
            "are not kept by country; name it in models.fraud.feature_segments",
        ),
        ({"by": ["versoin"]}, "by: there is no 'versoin'; did you mean 'version'"),
        ({"by": ["country", "plan"]}, "segment: country and plan together: each label is counted by itself"),
        ({"by": ["plan"], "segment": {"country": "DE"}}, "segment: country and plan together"),
        ({"version": "3"}, "version: there is no '3'; there is '1', '2'"),
        ({"endpoint": "/v1/predcit"}, "endpoint: there is no '/v1/predcit'; did you mean '/v1/predict'?"),
        ({"segment": {"country": "ED"}}, "segment.country: there is no 'ED'; did you mean 'DE'?"),
        ({"step_s": 90}, "step: 90 s is no whole multiple of the base window of 60 s"),
        ({"from_ms": T0_MS, "to_ms": T0_MS}, "range: it ends before it begins"),
        ({"from_ms": 0, "to_ms": T0_MS, "step_s": 60}, "windows of 60 s are more than 50000"),
        (
            {"from_ms": T0_MS - 40_000 * 60_000, "to_ms": T0_MS + 60_000, "step_s": 60, "by": ["version"]},
            "40001 windows of 2 groups are more than 50000 values",
        ),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(filled: Store, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(QueryError) as error:
        answer(filled, Question(**{**GOOD, **changes}), NOW_MS)
    assert sentence in str(error.value)


def test_an_empty_store_has_no_model_yet(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="there is no 'fraud'; there is none yet"):
        answer(Store.open(f"sqlite:///{tmp_path / 'm.db'}"), Question(**GOOD), NOW_MS)


def test_every_name_of_the_catalogue_is_found_once() -> None:
    assert len({sli.name for sli in SLIS}) == len(SLIS)
    assert all(find_sli(sli.name) is sli for sli in SLIS)
    assert find_sli("queue_p99.9").formula == find_sli("queue_p99.9").formula
