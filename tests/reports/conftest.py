"""A stream of one model, with and without a baseline that was fitted on files."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import run
from tests.filling import fill

N = 2500


def features(rng: random.Random, moved: float) -> dict[str, Any]:
    return {
        "amount": rng.gauss(10 + 3 * moved, 2),
        "visits": rng.randrange(5),
        "plan": rng.choices(["basic", "pro", "<b>team</b>"], [5, 3, 2])[0],
        "email": f"p{rng.randrange(10**9)}@example.org",
        "code": f"c{rng.randrange(60)}",
        "constant": 1,
        "gone": None,
    }


def stream(seed: int, moved: float) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        record(id=f"r-{i}", ts=T0_MS + i * 1000, features=features(rng, moved), score=rng.random())
        for i in range(N)
    ]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A store whose model has only a provisional baseline to come."""
    url = f"sqlite:///{tmp_path}/m.db"
    Store.open(url).close()
    return url


@pytest.fixture
def fitted(url: str, tmp_path: Path) -> str:
    """A store with a baseline from a file, and a stream that moved away from it."""
    rng = random.Random(3)
    rows = [features(rng, 0.0) | {"p": "yes", "s": rng.random()} for _ in range(3000)]
    with (tmp_path / "train.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    given = ("--model", "fraud", "--prediction", "p", "--score", "s", "--store", url)
    ran = run("baseline", "fit", str(tmp_path / "train.csv"), *given)
    assert ran.code == 0, ran.err
    store = Store.open(url)
    fill(store, stream(1, 1.0))
    store.close()
    return url
