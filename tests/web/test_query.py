"""GET /api/v1/query: the same answers as everywhere else, and a sentence for every wrong question."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.sli.catalogue import SLIS
from monitor.sli.query import answer
from monitor.sli.question import Question
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import fill
from tests.web.apps import Site

MINUTE_MS = 60_000


@pytest.fixture
def filled(site: Site) -> Site:
    """A site whose model `fraud` answered 60 requests in three minutes, a third of them with errors."""
    fill(
        site.store,
        [
            record(
                id=f"r{i}",
                ts=T0_MS + i // 20 * MINUTE_MS + i,
                version=str(i % 2),
                latency_ms=float(i + 1),
                status=500 if i % 3 == 0 else 200,
                segment={"country": "DE" if i % 4 else "FR"},
            )
            for i in range(60)
        ],
    )
    return site


def ask(site: Site, **parameters: Any) -> Any:
    got = site.client.get("/api/v1/query", params={"model": "fraud", "sli": "records", **parameters})
    assert got.status_code == 200, got.text
    assert got.headers["content-type"] == "application/json"
    return got.json()


def test_an_answer_per_window_and_group(filled: Site) -> None:
    rows = ask(filled, step="1m", by="version", **{"from": T0_MS, "to": T0_MS + 3 * MINUTE_MS})
    assert [(r["version"], r["value"]) for r in rows] == [("0", 10)] * 3 + [("1", 10)] * 3
    assert rows[0]["start"] == "2023-11-14T22:14:00Z"
    assert set(rows[0]) >= {"start", "end", "model", "version", "endpoint", "segment", "value", "count"}


def test_it_is_the_answer_of_the_library(filled: Site) -> None:
    for sli in ("latency_p99", "error_rate", "throughput", "coverage", "data_age"):
        got = ask(filled, sli=sli, step="1m")
        wanted = answer(filled.store, Question("fraud", sli, step_s=60), NOW_MS)
        assert got == json.loads(json.dumps(wanted))


def test_times_as_people_write_them(filled: Site) -> None:
    rows = ask(filled, **{"from": "2023-11-14T22:14:00Z", "to": "2023-11-14T23:15:00+01:00"})
    assert [r["value"] for r in rows] == [20]
    assert ask(filled, **{"from": "now-2h", "to": "now"})[0]["value"] == 60


def test_segments_features_and_several_groups(filled: Site) -> None:
    assert ask(filled, segment="country:FR")[0]["value"] == 15
    assert len(ask(filled, by="version,endpoint")) == 2
    assert len(ask(filled, by=["version", "country"])) == 3
    assert ask(filled, sli="null_share", feature="amount")[0]["value"] == 0


def test_no_traffic_is_null(filled: Site) -> None:
    (row,) = ask(filled, sli="error_rate", **{"from": T0_MS - 3_600_000, "to": T0_MS})
    assert (row["value"], row["count"]) == (None, 0)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"model": "frau"}, "did you mean 'fraud'"),
        ({"model": ""}, "model: missing"),
        ({"sli": "latency_p999x"}, "latency"),
        ({"step": "7"}, "step"),
        ({"step": "90s"}, "no whole multiple"),
        ({"from": "yesterday"}, "from: 'yesterday' is no time"),
        ({"from": "2023-11-15", "to": "2023-11-14"}, "ends before it begins"),
        ({"segment": "DE"}, "label:value"),
        ({"segment": "contry:DE"}, "contry"),
        ({"by": "nothing"}, "nothing"),
        ({"sli": "null_share"}, "feature"),
        ({"form": "now"}, "did you mean 'from'"),
        ({"version": "a\0b"}, "NUL"),
        ({"version": ["1", "2"]}, "version: given twice"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_question_is_told_what_is_wrong(filled: Site, parameters: dict[str, Any], said: str) -> None:
    got = filled.client.get("/api/v1/query", params={"model": "fraud", "sli": "records", **parameters})
    assert got.status_code == 400
    assert said in got.json()["error"]


odd = st.one_of(
    st.text(max_size=30),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["now", "now-1h", "now-99999999d", "1m", "0s", "9999999d", "9999-12-31", "NaN", "1e9"]),
    st.sampled_from(
        ["version", "endpoint", "country", "segment.country", "country:DE", "a:b:c", "DE", "amount"]
    ),
    st.sampled_from([str(T0_MS), str(T0_MS + MINUTE_MS), "1970-01-01", "0001-01-01T00:00:00+14:00"]),
)
questions = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["fraud", "fraud", "churn"]),
        "sli": st.sampled_from([s.name for s in SLIS]) | odd,
    },
    optional=dict.fromkeys(("from", "to", "step", "by", "version", "endpoint", "segment", "feature"), odd),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=questions)
def test_no_question_breaks_the_server(filled: Site, parameters: dict[str, str]) -> None:
    got = filled.client.get("/api/v1/query", params=parameters)
    assert got.status_code in (200, 400), (parameters, got.text)
    if got.status_code == 400:
        assert got.json()["error"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=st.dictionaries(st.sampled_from(["reason", "topic", "limit", "after", "x"]), odd))
def test_no_parameters_break_the_listings(filled: Site, parameters: dict[str, str]) -> None:
    for path in ("dead-letters", "models", "status", "slis"):
        assert filled.client.get(f"/api/v1/{path}", params=parameters).status_code in (200, 400)
