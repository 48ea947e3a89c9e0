"""`monitor samples list`: what it prints, and what it says to questions that are wrong."""

import json
from pathlib import Path

import pytest

from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import run
from tests.filling import fill


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/m.db"
    store = Store.open(url)
    fill(store, [record(id="a", status=500), record(id="b", ts=T0_MS + 60_000, latency_ms=900.0)])
    store.close()
    return url


def test_a_table_for_people(url: str) -> None:
    ran = run("samples", "list", "--model", "fraud", "--reason", "slow", "--store", url)
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    columns = "ts version endpoint reason id trace_id outcome latency_ms score prediction features"
    assert " ".join(lines[0]) == columns
    assert [line[5] for line in lines[2:]] == ["b", "a"]
    assert "amount=10, new=true, plan=basic" in ran.out


def test_json_and_csv_have_every_column(url: str) -> None:
    asked = ("samples", "list", "-m", "fraud", "--reason", "failed", "--store", url)
    (row,) = json.loads(run(*asked, "-f", "json").out)
    assert row == {
        "ts": "2023-11-14T22:14:00Z",
        "window": "2023-11-14T22:10:00Z",
        "model": "fraud",
        "version": "3",
        "endpoint": "/v1/predict",
        "reason": "failed",
        "id": "a",
        "trace_id": record()["trace_id"],
        "outcome": "infrastructure",
        "latency_ms": 12.5,
        "score": 0.75,
        "prediction": "yes",
        "label": None,
        "features": {"amount": 10, "new": "true", "plan": "basic"},
    }
    head, line = run(*asked, "-f", "csv").out.splitlines()
    assert head.split(",") == list(row)
    assert line.startswith("2023-11-14T22:14:00Z,")


def test_a_range_a_version_and_a_limit(url: str) -> None:
    asked = ("samples", "list", "-m", "fraud", "--store", url, "-f", "json")
    assert len(json.loads(run(*asked).out)) == 3
    assert len(json.loads(run(*asked, "--limit", "1").out)) == 1
    assert (
        len(json.loads(run(*asked, "--from", "2023-11-14T22:00:00Z", "--to", "2023-11-14T23:00:00Z").out))
        == 3
    )
    assert json.loads(run(*asked, "--from", "2023-11-14T23:00:00Z").out) == []
    assert json.loads(run(*asked, "--version", "4").out) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--reason", "slw"), "monitor: --reason: there is no reason 'slw'; did you mean 'slow'?\n"),
        (("--from", "now", "--to", "now-1h"), "monitor: from: is not before to; turn them round\n"),
        (("--from", "then"), "monitor: --from: 'then' is no time"),
    ],
)
def test_a_wrong_question_is_refused(url: str, given: tuple[str, ...], said: str) -> None:
    ran = run("samples", "list", "-m", "fraud", "--store", url, *given)
    assert ran.code == 2
    assert ran.err.startswith(said)
