"""Questions and answers over a real store, against the records themselves."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from monitor.records import Partition
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question
from monitor.store import Store, peaks
from monitor.store.engine import writing
from monitor.store.schema import profiles
from tests.builders import NOW_MS, T0_MS, record
from tests.filling import Writer, fill

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
H0_MS = T0_MS // HOUR_MS * HOUR_MS


def ask(store: Store, sli: str, now_ms: int = NOW_MS, **asked: Any) -> list[Answer]:
    return answer(store, Question(asked.pop("model", "fraud"), sli, **asked), now_ms)


def one(store: Store, sli: str, **asked: Any) -> Answer:
    (row,) = ask(store, sli, **asked)
    return row


def value(store: Store, sli: str, **asked: Any) -> float | None:
    return one(store, sli, **asked)["value"]


def test_rates_keep_the_kinds_of_errors_apart(store: Store) -> None:
    statuses = [200] * 10 + [500] * 3 + [504] * 2 + [404] * 2 + [401, 403] + ["invalid"]
    fill(store, [record(id=str(i), status=s, cold_start=i < 4) for i, s in enumerate(statuses)])
    assert value(store, "records") == 20
    assert value(store, "error_rate") == pytest.approx(5 / 20)
    assert value(store, "client_error_rate") == pytest.approx(2 / 20)
    assert value(store, "auth_failure_rate") == pytest.approx(2 / 20)
    assert value(store, "quality_error_rate") == pytest.approx(1 / 20)
    assert value(store, "cold_start_rate") == pytest.approx(4 / 20)
    assert value(store, "throughput") == pytest.approx(10 / 60)
    assert value(store, "request_rate") == pytest.approx(20 / 60)


def test_every_percentile_of_every_part(store: Store) -> None:
    rng = np.random.default_rng(3)
    raw = {p: rng.lognormal(2, 1, 200) for p in ("latency", "queue", "network", "feature", "compute")}
    fill(
        store,
        [
            record(id=str(i), cold_start=i % 2 == 0, feature_ts=T0_MS - 1000 * (i + 1))
            | {f"{p}_ms": float(v[i]) for p, v in raw.items()}
            for i in range(200)
        ],
    )
    for part, values in raw.items():
        for p in ("50", "90", "95", "99", "99.9"):
            assert value(store, f"{part}_p{p}") == pytest.approx(
                np.quantile(values, float(p) / 100), rel=0.01
            )
        assert value(store, f"{part}_max") == values.max()
    assert value(store, "cold_start_latency_p95") == pytest.approx(
        np.quantile(raw["latency"][::2], 0.95), rel=0.01
    )
    ages = 1000.0 * np.arange(1, 201)
    assert value(store, "feature_age_p95") == pytest.approx(np.quantile(ages, 0.95), rel=0.01)


def test_an_answer_has_the_published_shape(store: Store) -> None:
    fill(store, [record()])
    fill(store, [record(ts=T0_MS + HOUR_MS)], Partition("t", 0))
    (row, *_) = ask(store, "latency_p50", step_s=60)
    assert row == {
        "start": "2023-11-14T22:14:00Z",
        "end": "2023-11-14T22:15:00Z",
        "model": "fraud",
        "version": None,
        "endpoint": None,
        "segment": {},
        "value": 12.5,
        "count": 1,
        "coverage": 0.0,
    }


@pytest.mark.parametrize("sli", ["latency_p99", "error_rate", "throughput", "records", "request_rate_peak"])
def test_no_traffic_is_no_value(store: Store, sli: str) -> None:
    fill(store, [record(), record(ts=T0_MS + 2 * MINUTE_MS)])
    rows = ask(store, sli, step_s=60)
    assert [row["value"] is None for row in rows] == [False, True, False]
    assert [row["count"] for row in rows] == [1, 0, 1]
    (before,) = ask(store, sli, from_ms=0, to_ms=MINUTE_MS)
    assert (before["value"], before["count"]) == (None, 0)


def test_sampled_logs_are_scaled_up_and_say_so(store: Store) -> None:
    fill(store, [record(id=str(i), sample_rate=0.1, latency_ms=float(i + 1)) for i in range(5)])
    fill(store, [record(ts=T0_MS + MINUTE_MS, latency_ms=3.0)], Partition("t", 1))
    sampled, whole = ask(store, "records", step_s=60)
    assert (sampled["value"], sampled["count"], sampled["estimate"]) == (pytest.approx(50), 5, True)
    assert (whole["value"], whole["count"]) == (1, 1)
    assert "estimate" not in whole
    row, other = ask(store, "latency_p90", step_s=60)
    assert row["value"] == pytest.approx(np.quantile(np.repeat(np.arange(1.0, 6), 10), 0.9), rel=0.01)
    assert row["estimate"] is True
    assert "estimate" not in other


def test_the_peak_adds_partitions_and_versions_before_it_is_taken(store: Store) -> None:
    for number in (0, 1):
        at = [5_100, 5_900, 7_000, MINUTE_MS + 1]
        fill(
            store,
            [record(id=str(i), ts=H0_MS + t, version=str(number)) for i, t in enumerate(at)],
            Partition("t", number),
        )
    asked = {"from_ms": H0_MS, "to_ms": H0_MS + HOUR_MS}
    assert value(store, "request_rate_peak", **asked) == 4
    assert [r["value"] for r in ask(store, "request_rate_peak", **asked, by=["version"])] == [2, 2]
    rows = ask(store, "request_rate_peak", from_ms=H0_MS, to_ms=H0_MS + 2 * MINUTE_MS, step_s=60)
    assert [r["value"] for r in rows] == [4, 2]
    assert [r["value"] for r in ask(store, "request_rate_peak", **asked, step_s=3600)] == [4]


def test_a_closed_hour_has_the_peak_that_was_stored(store: Store) -> None:
    records = [record(id=str(i), ts=H0_MS + i) for i in range(3)]
    records += [record(id=f"n{i}", ts=H0_MS + HOUR_MS + i) for i in range(5)]
    writer = Writer(store, now_ms=H0_MS + 2 * HOUR_MS)
    writer.take(records)
    writer.flush()
    assert peaks.close(store, H0_MS + HOUR_MS, 60, H0_MS // 1000) == 1
    writer.take([record(id=f"l{i}", ts=H0_MS + i) for i in range(4)])
    writer.flush()
    asked = {"from_ms": H0_MS, "to_ms": H0_MS + 2 * HOUR_MS}
    assert [r["value"] for r in ask(store, "request_rate_peak", **asked, step_s=3600)] == [3, 5]
    assert value(store, "request_rate_peak", **asked) == 5
    assert (
        value(store, "request_rate_peak", from_ms=H0_MS - MINUTE_MS, to_ms=H0_MS + HOUR_MS + MINUTE_MS) == 5
    )


def test_nulls_are_what_a_features_values_leave_over(store: Store) -> None:
    features = [{"amount": 1.0, "plan": "a"}, {"amount": None}, {"amount": 2.0}, {"other": 1}]
    fill(store, [record(id=str(i), features=f, version="1") for i, f in enumerate(features)])
    row = one(store, "null_share", feature="amount")
    assert (row["value"], row["count"]) == (0.5, 4)
    assert value(store, "null_share", feature="plan") == 0.75
    assert value(store, "null_share", feature="@prediction") == 0
    assert value(store, "null_share", feature="plan", by=["version"]) == 0.75


def test_groups_filters_and_segments(store: Store) -> None:
    countries = ["DE", "DE", "DE", "FR"]
    fill(
        store,
        [
            record(id=str(i), version=v, endpoint=e, segment={"country": c, "plan": "x"})
            for v in ("1", "2")
            for e in ("/a", "/b")
            for i, c in enumerate(countries)
        ],
    )

    def groups(**asked: Any) -> list[tuple[Any, ...]]:
        rows = ask(store, "records", **asked)
        return [(r["version"], r["endpoint"], dict(r["segment"]), r["value"]) for r in rows]

    assert groups() == [(None, None, {}, 16)]
    assert groups(by=["version"]) == [("1", None, {}, 8), ("2", None, {}, 8)]
    assert groups(by=["version", "endpoint"])[1] == ("1", "/b", {}, 4)
    assert groups(version="2", by=["endpoint"]) == [("2", "/a", {}, 4), ("2", "/b", {}, 4)]
    assert groups(by=["country"]) == [(None, None, {"country": "DE"}, 12), (None, None, {"country": "FR"}, 4)]
    assert groups(by=["segment.country"]) == groups(by=["country"])
    assert groups(segment={"country": "FR"}, version="1") == [("1", None, {"country": "FR"}, 2)]


def test_counts_that_are_kept_apart(store: Store) -> None:
    writer = fill(store, [record(), record(id="s", shadow=True), record(ts=T0_MS + HOUR_MS // 2)])
    writer.take([record(id="x", ts=T0_MS + HOUR_MS // 2 + 1), record(id="late", ts=T0_MS)])
    writer.flush()
    assert value(store, "records") == 4
    assert value(store, "shadow_records") == 1
    assert value(store, "late_records") == 1
    assert value(store, "too_late_records") == 0


def test_tokens_and_cost(store: Store) -> None:
    fill(store, [record(id=str(i), tokens_in=10 * (i + 1), tokens_out=5, cost=0.5) for i in range(3)])
    fill(store, [record(id="free")], Partition("t", 1))
    assert value(store, "tokens_in") == 60
    assert value(store, "tokens_out") == 15
    assert value(store, "cost") == pytest.approx(1.5)
    row = one(store, "cost_per_prediction")
    assert (row["value"], row["count"]) == (pytest.approx(0.5), 3)


def test_the_age_of_the_newest_record(store: Store) -> None:
    fill(store, [record(version="1"), record(id="b", version="2", ts=T0_MS + 61_500)])
    row = one(store, "data_age", now_ms=T0_MS + 91_000)
    assert row["value"] == 30
    assert row["start"] == "2023-11-14T22:15:01Z"
    by_version = ask(store, "data_age", now_ms=T0_MS + 91_000, by=["version"])
    assert [r["value"] for r in by_version] == [91, 30]


def test_the_age_is_known_after_the_fine_windows_are_gone(store: Store) -> None:
    fill(store, [record()])
    with writing(store.engine) as connection:
        connection.execute(sa.delete(profiles).where(profiles.c.tier_s == 60))
    assert value(store, "data_age", now_ms=H0_MS + 2 * HOUR_MS) == 7200
    assert value(store, "records") == 1


def test_nothing_stored_is_an_empty_answer_and_one_row_where_a_range_is_given(store: Store) -> None:
    fill(store, [record(features=...)])
    assert ask(store, "records", from_ms=T0_MS + HOUR_MS) == []
    assert len(ask(store, "records", from_ms=T0_MS + HOUR_MS, to_ms=T0_MS + 2 * HOUR_MS)) == 1
    assert ask(store, "records", from_ms=T0_MS + HOUR_MS, to_ms=T0_MS + 2 * HOUR_MS, by=["version"]) == []
