"""`monitor drift` and GET /api/v1/drift, as people use them."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from monitor.cli.app import main
from monitor.sli.verdicts import DriftQuestion, drift
from monitor.store import Store
from tests.filling import fill
from tests.sli.test_drifting import H0_MS, baseline, draw, records
from tests.web.apps import Site
from tests.web.conftest import make_site, site

__all__ = ["make_site", "site"]


def moved(store: Store) -> None:
    """A store whose model `fraud` has a baseline and one hour in which `amount` moved."""
    random = np.random.default_rng(9)
    baseline(store, *draw(random, 1000))
    fill(store, records(H0_MS, *draw(random, 300, moved=2)))


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    store = Store.open(url)
    moved(store)
    store.close()
    return url


def run(url: str, *more: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(["drift", "--store", url, "--model", "fraud", *more], stdout=out, stderr=err)
    return code, out.getvalue(), err.getvalue()


def test_a_table_says_what_moved(url: str) -> None:
    code, out, _ = run(url)
    assert code == 0
    verdict, heading, *lines = out.splitlines()
    assert verdict.startswith("fraud 3: inputs moved, no labels yet")
    assert "300 rows against baseline 1: drifted" in heading
    amount = next(line for line in lines if line.startswith("amount"))
    assert "drifted" in amount
    assert "moved up" in amount


def test_json_and_csv(url: str) -> None:
    _, out, _ = run(url, "--format", "json")
    (window,) = json.loads(out)
    assert [(f["feature"], f["state"]) for f in window["features"]] == [
        ("amount", "drifted"),
        ("plan", "none"),
    ]
    _, out, _ = run(url, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(r["feature"], r["state"], r["version"]) for r in rows] == [
        ("amount", "drifted", "3"),
        ("plan", "none", "3"),
    ]


def test_a_window_without_records_says_so(url: str) -> None:
    code, out, _ = run(url, "--at", "2024-05-01")
    assert code == 0
    assert out == "nothing found\n"


def test_a_mistake_is_a_sentence(url: str) -> None:
    code, _, err = run(url, "--window", "7m")
    assert code == 2
    assert "420 s" in err
    assert "600" in err


def test_the_route_gives_the_same(site: Site) -> None:
    moved(site.store)
    got = site.client.get("/api/v1/drift", params={"model": "fraud"})
    assert got.status_code == 200
    assert got.json() == json.loads(json.dumps(drift(site.store, DriftQuestion("fraud"))))
    refused = site.client.get("/api/v1/drift", params={"model": "fraud", "agianst": "previous"})
    assert refused.status_code == 400
    assert "did you mean 'against'" in refused.json()["error"]
