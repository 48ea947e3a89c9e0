"""Real logs through the real job: the answers equal numpy's on the raw files, and the facts beside them."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.config import default_config
from monitor.service import Service
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question
from monitor.store import Store

AZURE = "azure_llm_2023"


def run(directory: Path, store_url: str) -> None:
    service = Service(default_config(files=directory, store=store_url), web=False, follow=False)
    service.run(until_caught_up=True)


def ask(store: Store, model: str, sli: str, **rest: Any) -> list[Answer]:
    return answer(store, Question(model, sli, **rest), 0)


def value(store: Store, model: str, sli: str, **rest: Any) -> float:
    (line,) = ask(store, model, sli, **rest)
    assert line["value"] is not None
    assert "coverage" not in line
    return line["value"]


def azure_rows(shared: Path, name: str) -> Iterator[dict[str, str]]:
    path = shared / "data" / AZURE / f"AzureLLMInferenceTrace_{name}.csv.gz"
    with gzip.open(path, "rt") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def azure(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two Azure LLM services, one log each: token counts stand in for latencies (the log has none)."""
    root = tmp_path_factory.mktemp("azure")
    (root / "logs").mkdir()
    for name in ("code", "conv"):
        with open(root / "logs" / f"{name}.jsonl", "w") as out:
            for i, row in enumerate(azure_rows(shared, name)):
                line = {
                    "id": f"{name}-{i}",
                    "ts": row["TIMESTAMP"].replace(" ", "T") + "Z",
                    "model": name,
                    "latency_ms": int(row["ContextTokens"]),
                    "queue_ms": int(row["GeneratedTokens"]),
                    "tokens_in": int(row["ContextTokens"]),
                    "tokens_out": int(row["GeneratedTokens"]),
                    "features": {"context": int(row["ContextTokens"])},
                }
                out.write(json.dumps(line) + "\n")
    url = f"sqlite:///{root / 'm.db'}"
    run(root / "logs", url)
    store = Store.open(url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "data" / AZURE / "facts.json").read_text())
    return loaded


@pytest.mark.parametrize("name", ["code", "conv"])
def test_requests_of_every_minute(azure: Store, facts: dict[str, Any], name: str) -> None:
    by_minute = {line["start"][11:16]: line["count"] for line in ask(azure, name, "records", step_s=60)}
    expected = facts[name]["requests_per_clock_minute"]
    assert {m: by_minute.get(m, 0) for m in expected} == expected
    assert sum(by_minute.values()) == facts[name]["rows"]


@pytest.mark.parametrize("name", ["code", "conv"])
def test_no_traffic_has_no_value(azure: Store, name: str) -> None:
    for sli in ("records", "error_rate", "latency_p99", "request_rate", "request_rate_peak"):
        for line in ask(azure, name, sli, step_s=60):
            assert (line["value"] is None) == (line["count"] == 0)


@pytest.mark.parametrize("name", ["code", "conv"])
def test_the_busiest_second_and_the_sums(azure: Store, facts: dict[str, Any], name: str) -> None:
    expected = facts[name]
    assert value(azure, name, "request_rate_peak") == expected["max_requests_in_a_clock_second"]
    assert value(azure, name, "tokens_in") == expected["context_tokens"]["sum"]
    assert value(azure, name, "tokens_out") == expected["generated_tokens"]["sum"]


@pytest.mark.parametrize("name", ["code", "conv"])
def test_quantiles_of_the_whole(azure: Store, facts: dict[str, Any], name: str) -> None:
    for part, column in (("latency", "context_tokens"), ("queue", "generated_tokens")):
        for p in ("p50", "p90", "p95", "p99"):
            assert value(azure, name, f"{part}_{p}") == pytest.approx(facts[name][column][p], rel=0.01)
        assert value(azure, name, f"{part}_max") == facts[name][column]["max"]


@pytest.mark.parametrize("step_s", [60, 300, 3600])
def test_quantiles_of_every_window(shared: Path, azure: Store, step_s: int) -> None:
    rows = list(azure_rows(shared, "conv"))
    ms = np.array([r["TIMESTAMP"].rstrip("Z") for r in rows], "datetime64[ms]").astype(np.int64)
    tokens = np.array([float(r["ContextTokens"]) for r in rows])
    window = ms // 1000 // step_s
    for q in (50, 95, 99):
        found = ask(azure, "conv", f"latency_p{q}", step_s=step_s)
        starts = [np.datetime64(line["start"].rstrip("Z"), "s").astype(np.int64) // step_s for line in found]
        assert set(window.tolist()) <= set(map(int, starts))
        for start, line in zip(starts, found, strict=True):
            mine = tokens[window == start]
            assert line["count"] == len(mine)
            if len(mine):
                assert line["value"] == pytest.approx(np.quantile(mine, q / 100), rel=0.01)


def llmperf_rows(shared: Path) -> list[dict[str, Any]]:
    with gzip.open(shared / "data" / "llmperf" / "individual_responses.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def llmperf(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Real calls to LLM providers: a provider is an endpoint, a size a version, 100 ms apart."""
    root = tmp_path_factory.mktemp("llmperf")
    (root / "logs").mkdir()
    with gzip.open(root / "logs" / "calls.jsonl.gz", "wt") as out:
        for i, row in enumerate(llmperf_rows(shared)):
            code = row["error_code"]
            line = {
                "id": str(i),
                "ts": 1_701_388_800_000 + i * 100,
                "model": "llama-2",
                "version": row["model_size"],
                "endpoint": row["provider"],
                "segment": {"run": row["file"]},
                "status": 200 if code is None else code if code > 0 else "error",
                "latency_ms": row["end_to_end_latency_s"] * 1000,
                "compute_ms": row["ttft_s"] * 1000,
            }
            out.write(json.dumps(line) + "\n")
    url = f"sqlite:///{root / 'm.db'}"
    run(root / "logs", url)
    store = Store.open(url)
    yield store
    store.close()


def test_latencies_of_every_provider_and_size(shared: Path, llmperf: Store) -> None:
    rows = llmperf_rows(shared)
    for sli, column in (("latency", "end_to_end_latency_s"), ("compute", "ttft_s")):
        for p in (50, 95, 99):
            found = ask(llmperf, "llama-2", f"{sli}_p{p}", by=("version", "endpoint"))
            assert len(found) == len({(r["model_size"], r["provider"]) for r in rows})
            for line in found:
                mine = [
                    r[column] * 1000
                    for r in rows
                    if (r["model_size"], r["provider"]) == (line["version"], line["endpoint"])
                ]
                assert line["count"] == len(mine)
                assert line["value"] == pytest.approx(np.quantile(mine, p / 100), rel=0.01)


def test_the_published_percentiles_of_every_run(shared: Path, llmperf: Store) -> None:
    facts = json.loads((shared / "data" / "llmperf" / "facts.json").read_text())
    clean = {name: run for name, run in facts["per_file"].items() if not run["errors"]}
    assert len(clean) >= 10
    for p in ("p50", "p95", "p99"):
        found = {
            line["segment"]["run"]: line["value"]
            for line in ask(llmperf, "llama-2", f"latency_{p}", by=("run",))
        }
        for name, expected in clean.items():
            assert found[name] == pytest.approx(expected["e2e_s"][p] * 1000, rel=0.01)


def test_errors_by_class(shared: Path, llmperf: Store) -> None:
    codes = Counter(r["error_code"] for r in llmperf_rows(shared))
    n = sum(codes.values())
    client = sum(c for code, c in codes.items() if code and 400 <= code < 500 and code not in (401, 403))
    infrastructure = sum(c for code, c in codes.items() if code and (code < 0 or code >= 500))
    assert value(llmperf, "llama-2", "client_error_rate") == pytest.approx(client / n, rel=1e-12)
    assert value(llmperf, "llama-2", "error_rate") == pytest.approx(infrastructure / n, rel=1e-12)
    assert value(llmperf, "llama-2", "auth_failure_rate") == codes[401] + codes[403]
