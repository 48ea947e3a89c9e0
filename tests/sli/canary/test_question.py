"""The verdict from a store, over the command line and HTTP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.errors import QueryError
from monitor.sli.canary.question import CanaryQuestion, Margins, ask_canary
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import Ran, run
from tests.filling import fill
from tests.web.apps import Site

N = 6_000
MINUTE_MS = 60_000


def serving(version: str, n: int, *, slower: float = 1.0, failing: float = 0.0, at_ms: int = T0_MS) -> Any:
    rng = np.random.default_rng(int(version))
    for i in range(n):
        yield record(
            id=f"{version}-{at_ms}-{i}",
            ts=at_ms + i * 600_000 // n,
            version=version,
            latency_ms=float(20 * slower * rng.lognormal(0, 0.4)),
            status=500 if rng.random() < failing else 200,
            segment={"country": "FR" if rng.random() < 0.2 else "DE"},
        )


def filled(store: Store) -> Store:
    """Version 3 has served long before 4, 5 and 6 came; 2 is all but gone."""
    early = serving("3", N, slower=9.0, at_ms=T0_MS - 100 * MINUTE_MS)
    late = (serving("3", 4 * N), serving("2", 10), serving("4", N, slower=1.3), serving("5", N))
    fill(store, [each for some in (early, *late, serving("6", N, failing=0.05)) for each in some])
    return store


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('canary')}/m.db"
    filled(Store.open(url)).close()
    return url


@pytest.fixture
def monitor(url: str) -> Callable[..., Ran]:
    return lambda *argv: run("canary", "verdict", "--model", "fraud", "--store", url, *argv)


def test_a_slow_one_is_worse_and_fails_the_pipeline(monitor: Callable[..., Ran]) -> None:
    ran = monitor("--candidate", "4", "--max-latency-regression", "5%", "--format", "json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert (found["verdict"], found["champion"]) == ("worse", "3")
    changes = {c["sli"]: c for c in found["changes"]}
    assert changes["latency_p95"]["low"] < 0.3 < changes["latency_p95"]["high"]
    assert changes["latency_p95"]["champion"] < 50  # of the time that both were there
    assert changes["error_rate"]["verdict"] == "no worse than margin"
    shown = monitor("--candidate", "4")
    assert shown.out.startswith("fraud 4 against 3: worse\n  latency_p50 is ")


def test_one_that_is_alike_passes(monitor: Callable[..., Ran]) -> None:
    ran = monitor("--candidate", "5", "--max-latency-regression", "30%", "--by", "country")
    assert (ran.code, ran.err) == (0, "")
    assert "fraud 5 against 3: no worse than margin" in ran.out


def test_one_that_fails_is_worse_by_its_errors(monitor: Callable[..., Ran]) -> None:
    ran = monitor("--candidate", "6", "--sli", "error_rate")
    assert ran.code == 1
    assert "error_rate is 4." in ran.out or "error_rate is 5." in ran.out


def test_what_isn_t_sure_yet_says_how_much_more_it_takes(monitor: Callable[..., Ran]) -> None:
    ran = monitor("--candidate", "5", "--max-latency-regression", "0.5%", "--format", "json")
    assert ran.code == 3
    found = json.loads(ran.out)
    assert found["verdict"] == "not enough data"
    assert found["needed"] > N
    assert "more would tell" in found["reasons"][0]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--candidate", "9"], "version: there is no '9'; there is '2', '3', '4', '5', '6'"),
        (["--candidate", "4", "--champion", "4"], "champion: is the candidate itself"),
        (["--candidate", "4", "--sli", "throughput"], "sli: throughput can't be compared"),
        (["--candidate", "4", "--sli", "no"], "there is no 'no'"),
        (["--candidate", "4", "--max-latency-regression", "much"], "'much' is no share; write 5% or 0.05"),
        (["--candidate", "4", "--confidence", "20%"], "confidence: must be from 50 %"),
        (["--candidate", "4", "--by", "planet"], "planet"),
        (["--candidate", "4", "--from", "2030-01-01"], "nothing of version '4' is stored"),
    ],
)
def test_bad_questions_say_what_to_do(monitor: Callable[..., Ran], argv: list[str], said: str) -> None:
    ran = monitor(*argv)
    assert ran.code == 2
    assert said in ran.err


def test_it_comes_to_the_same_on_both_databases(store: Store) -> None:
    found = ask_canary(filled(store), CanaryQuestion("fraud", "4", margins=Margins(0.05)))
    assert found["verdict"] == "worse"
    assert [c["n_candidate"] for c in found["changes"]] == [N] * 5
    with pytest.raises(QueryError, match="no other version"):
        ask_canary(store, CanaryQuestion("fraud", "3", to_ms=T0_MS - 50 * MINUTE_MS))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    filled(made.store)
    yield made
    made.close()


def test_rollouts_ask_over_http(site: Site) -> None:
    asked = "/api/v1/canary?model=fraud&candidate=4&max_latency_regression=5%25&sli=latency_p95,error_rate"
    found = site.client.get(asked)
    assert (found.status_code, found.json()["verdict"]) == (200, "worse")
    assert [c["sli"] for c in found.json()["changes"]] == ["latency_p95", "error_rate"]

    def called(**metadata: str) -> int:
        body = {"name": "fraud", "namespace": "ml", "phase": "Progressing", "metadata": metadata}
        return int(site.client.post("/api/v1/canary", json=body).status_code)

    assert called(model="fraud", candidate="4") == 409
    unsure = {"model": "fraud", "candidate": "5", "max_latency_regression": "0.5%"}
    assert called(**unsure) == 200
    assert called(**unsure, unsure="fail") == 409
    for wrong in ({"model": "fraud"}, {**unsure, "unsure": "maybe"}, {**unsure, "speed": "1"}):
        assert called(**wrong) == 400
    assert site.client.post("/api/v1/canary", content=b"{").status_code == 400
    for asked in ("candidate=4", "model=fraud&candidate=4&champion=3&champion=2", "model=m&candidate=4&x=1"):
        assert site.client.get(f"/api/v1/canary?{asked}").status_code == 400
