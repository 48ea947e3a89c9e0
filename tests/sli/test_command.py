"""`monitor query`, as a user runs it."""

import csv
import io
import json
from pathlib import Path

import pytest

from monitor.cli.app import main
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.filling import fill


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    store = Store.open(url)
    rows = [record(id=str(i), version=v, ts=T0_MS + i * 120_000) for i in range(2) for v in ("1", "2")]
    fill(store, rows)
    store.close()
    return url


def run(url: str, *more: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    arguments = ["query", "--store", url, "--model", "fraud", *more]
    return main(arguments, stdout=out, stderr=err), out.getvalue(), err.getvalue()


def test_json_is_one_array_of_the_published_shape(url: str) -> None:
    code, out, _ = run(url, "--sli", "latency_p99", "--step", "1m", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert [row["value"] for row in rows] == [12.5, None, 12.5]
    assert [row["count"] for row in rows] == [2, 0, 2]
    assert rows[0]["start"] == "2023-11-14T22:14:00Z"
    assert {"start", "end", "model", "version", "endpoint", "segment", "value", "count"} <= set(rows[0])


def test_csv_always_has_the_same_columns(url: str) -> None:
    _, some, _ = run(url, "--sli", "records", "--by", "version", "-f", "csv")
    _, none, _ = run(url, "--sli", "records", "--from", "2030-01-01", "-f", "csv")
    assert some.splitlines()[0] == none.splitlines()[0]
    assert [row["value"] for row in csv.DictReader(io.StringIO(some))] == ["2.0", "2.0"]


def test_a_table_shows_what_differs(url: str) -> None:
    _, out, _ = run(url, "--sli", "records", "--by", "version,country", "--segment", "country=DE")
    head, _, first, second = out.splitlines()
    assert head.split() == ["start", "end", "version", "country", "value", "count", "coverage"]
    assert first.split()[4:] == ["1", "DE", "2", "2", "0"]
    assert second.split()[4:] == ["2", "DE", "2", "2", "0"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--sli", "latency_99"], "monitor: sli: there is no 'latency_99'; did you mean latency_p99"),
        (["--sli", "records", "--segment", "DE"], "monitor: --segment: 'DE' is no label=value"),
        (["--sli", "records", "--step", "90s"], "monitor: step: 90 s is no whole multiple"),
    ],
)
def test_a_mistake_is_a_sentence_and_exit_code_2(url: str, more: list[str], sentence: str) -> None:
    code, out, err = run(url, *more)
    assert (code, out) == (2, "")
    assert sentence in err
