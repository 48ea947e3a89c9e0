"""`monitor costs ..`, from the files to the store."""

import os
from pathlib import Path

import pytest

from monitor.clock import DAY_MS, WallClock, rfc3339
from monitor.operations.costs import current
from monitor.store.events import list_events
from monitor.store.store import Store
from tests.cli.run import run
from tests.ingest.costs.making import FOCUS, export, written


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/m.db"


def _total(url: str) -> float:
    opened = Store.open(url)
    try:
        return sum(cost.amount for cost in current(list_events(opened, kinds=("cost",))))
    finally:
        opened.close()


def _row(**changed: str) -> dict[str, str]:
    """A row of three days ago: what has not come yet is refused."""
    day = rfc3339(WallClock().now_ms() - 3 * DAY_MS)[:10]
    return {
        **FOCUS,
        "ChargePeriodStart": f"{day}T04:00:00Z",
        "ChargePeriodEnd": f"{day}T05:00:00Z",
        **changed,
    }


def test_an_export_counts_once_and_a_later_one_takes_its_place(store: str, tmp_path: Path) -> None:
    path = written(tmp_path / "e.csv", [_row(), _row(ServiceName="Storage")])
    first = run("costs", "load", str(path), "--store", store)
    assert (first.code, first.err) == (0, "")
    assert first.out == f"2 rows, as 2 events in {store}\n"
    again = run("costs", "load", str(path), "--store", store)
    assert again.out.endswith("as they were before\n")
    assert _total(store) == 5.0
    old = path.stat().st_mtime
    later = written(tmp_path / "later.csv", [_row(EffectiveCost="2")])
    os.utime(later, (old + 60, old + 60))
    assert run("costs", "load", str(later), "--store", store).code == 0
    assert _total(store) == 2.0
    assert run("costs", "load", str(path), "--store", store, "--issued", "2026-01-01").code == 0
    assert _total(store) == 2.0


def test_bad_rows_are_told_and_the_others_loaded(store: str, tmp_path: Path) -> None:
    rows = [_row(), *export(_row(), *({"BillingCurrency": "EUX"} for _ in range(25)))]
    done = run("costs", "load", str(written(tmp_path / "e.csv", rows)), "--store", store)
    assert (done.code, done.out) == (1, f"1 rows, as 1 events in {store}\n")
    assert f"{tmp_path}/e.csv:3: currency 'EUX'" in done.err
    assert done.err.endswith("25 rows refused; the first 20 of them above\n")


def test_a_month_is_shown_with_the_rules_that_made_it(store: str, tmp_path: Path) -> None:
    row = _row()
    assert run("costs", "load", str(written(tmp_path / "e.csv", [row])), "--store", store).code == 0
    month = row["ChargePeriodStart"][:7]
    shown = run("costs", "show", "--month", month, "--store", store)
    assert shown.code == 0
    assert "risk    EUR           2.5" in shown.out
    assert "0.0% of the EUR have no team" in shown.out
    assert "shared costs are divided among models by their requests" in shown.out
    assert "no costs from 2020-01-01" in run("costs", "show", "--month", "2020-01", "--store", store).out
    assert run("costs", "show", "--month", "x", "--store", store).code == 2


def test_mistakes_are_named(store: str, tmp_path: Path) -> None:
    assert "--store" in run("costs", "load", f"{tmp_path}/e.csv").err
    missing = run("costs", "load", f"{tmp_path}/e.csv", "--store", store)
    assert (missing.code, missing.err) == (1, f"monitor: {tmp_path}/e.csv: No such file or directory\n")
