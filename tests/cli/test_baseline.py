"""`monitor baseline`: fit, list, show, activate, retire, diff, contract, as a shell sees them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import Ran, run
from tests.filling import fill

Monitor = Callable[..., Ran]


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    """Runs `monitor baseline ..` on a store of its own."""
    return lambda *argv: run("baseline", *argv, "--store", f"sqlite:///{tmp_path}/m.db")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"amount": rng.normal(50, 10, 2000), "plan": rng.choice(["a", "b"], 2000)})
    frame["day"] = pd.date_range("2026-01-01", periods=2000, freq="min").strftime("%Y-%m-%dT%H:%M:%SZ")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def listed(monitor: Monitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(monitor("list", "--format", "json").out)
    return found


def test_from_a_file_to_an_edited_contract(monitor: Monitor, rows: Path, tmp_path: Path) -> None:
    ran = monitor(
        "fit", str(rows), "-m", "fraud", "--time", "day", "--author", "ann", "--importance", "amount=1"
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "baseline 1 of fraud, all versions: 2000 rows, 2 features; active from the beginning\n"
    )
    assert [(b["number"], b["state"], b["author"]) for b in listed(monitor)] == [
        (0, "provisional, superseded", "monitor"),
        (1, "active", "ann"),
    ]
    shown = json.loads(monitor("show", "-m", "fraud", "-n", "1", "-f", "json").out)
    assert [(f["feature"], f["type"], f["bins"], f["importance"]) for f in shown] == [
        ("amount", "number", 200, 1.0),
        ("plan", "text", 2, None),
    ]
    text = monitor("contract", "-m", "fraud").out
    assert 'categories: ["a", "b"]' in text
    (tmp_path / "c.yaml").write_text(text.replace('["a", "b"]', '["a", "b", "c"]'))
    ran = monitor("contract", "-m", "fraud", "--number", "1", "--apply", str(tmp_path / "c.yaml"))
    assert "baseline 2 of fraud" in ran.out
    assert [b["state"] for b in listed(monitor)][1:] == ["retired", "active"]
    difference = json.loads(monitor("diff", "-m", "fraud", "1", "2", "-f", "json").out)
    assert [(d["feature"], d["change"], d["psi"]) for d in difference] == [
        ("amount", "", 0.0),
        ("plan", "1 new categories (c)", 0.0),
    ]
    ran = monitor(
        "fit", "--like", "2", "--contract", str(tmp_path / "c.yaml"), "-m", "fraud", "--no-activate"
    )
    assert "not active; see `monitor baseline activate --model fraud --number 3`" in ran.out


def test_a_second_baseline_of_a_version_is_refused(monitor: Monitor, rows: Path) -> None:
    assert monitor("fit", str(rows), "-m", "fraud", "--version", "3").code == 0
    ran = monitor("fit", str(rows), "-m", "fraud", "--version", "3")
    assert ran.code == 1
    assert "retire it first with `monitor baseline retire --model fraud --number 1`" in ran.err
    assert monitor("retire", "-m", "fraud", "-n", "1", "--from", "2026-05-01").out == (
        "baseline 1 of fraud: retired from 2026-05-01T00:00:00Z\n"
    )
    assert monitor("fit", str(rows), "-m", "fraud", "--version", "3").code == 0
    assert monitor("activate", "-m", "fraud", "-n", "2", "--from", "2026-05-01").code == 0
    assert [b["state"] for b in listed(monitor)] == ["provisional", "retired", "active"]


def test_columns_that_the_stream_never_has_are_named(monitor: Monitor, rows: Path, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    fill(store, [record(ts=T0_MS, prediction=..., score=...)])
    store.close()
    ran = monitor("fit", str(rows), "-m", "fraud", "--time", "day")
    assert "warning: 1 features that the stream has, and the files don't: new" in ran.err
    assert "active from 2023-11-14T22:20:00Z; windows already counted stay as they are" in ran.out
    ran = monitor("fit", str(rows), "-m", "fraud", "--version", "4")
    assert "warning: 1 features that the stream has never had: day" in ran.err


def test_from_the_stream(monitor: Monitor, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/m.db")
    fill(store, [record(ts=T0_MS + i * 1000, id=str(i)) for i in range(2500)])
    store.close()
    ran = monitor("fit", "-m", "fraud", "--from", "2023-11-14", "--to", "2023-11-15")
    assert (ran.code, ran.err) == (0, "")
    assert "baseline 1 of fraud, all versions: 2500 rows, 5 features" in ran.out


MISTAKES = {
    "no source": ((), "fit: name files, or a range --from --to, or --like N: one of the three, not nothing"),
    "two sources": (("rows.csv", "--like", "1"), "not FILE... and --like"),
    "a time zone": (("rows.csv", "--time-zone", "Berlin"), "--time-zone: there is no 'Berlin'"),
    "a file that is not there": (("nowhere.csv",), "nowhere.csv: does not exist"),
    "a range upside down": (("--from", "2026-01-02", "--to", "2026-01-01"), "--to: the range ends before"),
    "like nothing": (("--like", "7", "--contract", "c.yaml"), "model: there is no 'fraud'"),
    "a weight that is none": (("rows.csv", "--importance", "a=x"), "--importance: a: 'x' is no number"),
    "weights that are not there": (
        ("rows.csv", "--importance", "w.json"),
        "--importance: w.json: no such file",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_says_what_is_wrong(monitor: Monitor, case: str) -> None:
    argv, said = MISTAKES[case]
    ran = monitor("fit", "-m", "fraud", *argv)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert "Traceback" not in ran.err
