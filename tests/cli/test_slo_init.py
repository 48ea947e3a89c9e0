"""`monitor slo init`: what it writes can be used as it is."""

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.store import Store
from tests.builders import T0_MS, record
from tests.cli.run import run
from tests.filling import fill


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled() -> None:
    store = Store.open("sqlite:///monitor.db")
    requests = [
        record(id=str(i), ts=T0_MS + i * 6000, status=500 if i % 200 == 0 else 200, latency_ms=80)
        for i in range(1000)
    ]
    fill(store, requests)
    store.close()


def checked(name: str) -> str:
    """What `monitor check` says of a configuration that has the file in it."""
    Path("whole.yaml").write_text("source: {files: {path: .}}\n" + Path(name).read_text())
    ran = run("check", "-c", "whole.yaml")
    assert ran.code == 0, ran.out
    return ran.out


def test_from_a_stream() -> None:
    filled()
    ran = run("slo", "init", "--model", "fraud", "--type", "classification", "-o", "new.yaml")
    assert (ran.out, ran.err, ran.code) == ("wrote new.yaml\n", "", 0)
    text = Path("new.yaml").read_text()
    assert text.startswith("# A start on the objectives of fraud, from 1,000 requests, ")
    assert "# 0.5 % of the requests failed or timed out so far: 99.9 is what to aim for." in text
    assert "fraud: availability 99.5 % (30d), latency p95 95 % (30d), latency p99 99 % (30d)" in checked(
        "new.yaml"
    )
    assert "latency p95" in run("slo", "list", "-c", "whole.yaml").out


def test_without_a_store() -> None:
    ran = run("slo", "init", "--model", "fraud")
    assert "these are usual values" in ran.err
    assert not Path("monitor.db").exists()
    Path("new.yaml").write_text(ran.out)
    objectives = load_config_of("new.yaml")
    assert objectives["availability"] == 99.9
    assert "quality" not in objectives


def test_of_a_model_that_the_store_does_not_have() -> None:
    filled()
    ran = run("slo", "init", "--model", "fruad")
    assert ran.err == (
        "monitor: nothing of 'fruad' is stored: these are usual values\nmonitor: the store has fraud\n"
    )


def test_names_that_yaml_would_read_otherwise() -> None:
    ran = run("slo", "init", "--model", "a: b #1")
    Path("new.yaml").write_text(ran.out)
    Path("whole.yaml").write_text("source: {files: {path: .}}\n" + ran.out)
    assert list(load_config("whole.yaml").models) == ["a: b #1"]


def test_what_the_configuration_has_is_left_out() -> None:
    Path("m.yaml").write_text(
        "source: {files: {path: .}}\nmodels: {fraud: {objectives: {availability: {objective: 99}}}}\n"
    )
    out = run("slo", "init", "--model", "fraud", "-c", "m.yaml").out
    assert "# Left out, for the configuration has them: availability." in out
    assert "      availability:" not in out


def test_no_file_is_written_over() -> None:
    Path("new.yaml").write_text("mine")
    ran = run("slo", "init", "--model", "fraud", "-o", "new.yaml")
    assert (ran.code, Path("new.yaml").read_text()) == (2, "mine")


def load_config_of(name: str) -> dict[str, float]:
    checked(name)
    objectives = load_config("whole.yaml").models["fraud"].objectives
    return {name: said.objective for name, said in objectives.items()}
