"""The program as a person runs it: a process, a configuration, a broker, signals."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import encode, record
from tests.servers import Kafka
from tests.servers.ports import free_ports
from tests.waiting import until

MONITOR = [sys.executable, "-m", "monitor.cli"]
DEADLINE_S = 60


def monitor(*args: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MONITOR, *args], cwd=cwd, check=check, capture_output=True, text=True, timeout=DEADLINE_S
    )


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())


def post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


class Running:
    """`monitor run` in a directory of its own, with what it logs."""

    def __init__(self, directory: Path, *args: str) -> None:
        self.log = directory / "log.jsonl"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*MONITOR, "run", *args], cwd=directory, stderr=log)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*args: str) -> Running:
        started.append(Running(tmp_path, *args))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def configuration(directory: Path, **sections: Any) -> str:
    (directory / "monitor.yaml").write_text(json.dumps({"store": "sqlite:///m.db", **sections}))
    return str(directory / "monitor.yaml")


def now_record(**changes: Any) -> bytes:
    return encode(record(ts=time.time_ns() // 1_000_000, **changes))


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_from_a_broker_to_an_answer(
    tmp_path: Path, kafka: Kafka, topic: Callable[..., str], client: str
) -> None:
    name = topic(4)
    for number in range(4):
        kafka.produce(
            name, [now_record(id=f"{number}-{i}") for i in range(250)] + [b"oops"], partition=number
        )
    path = configuration(
        tmp_path,
        source={
            "kafka": {
                "bootstrap_servers": kafka.bootstrap,
                "topics": [name],
                "client": client,
                "group_id": f"g-{name}",
            }
        },
    )
    assert "ok" in monitor("check", "-c", path, cwd=tmp_path).stdout
    monitor("run", "-c", path, "--until-caught-up", "--no-web", cwd=tmp_path)
    answer = monitor(
        "query", "-c", path, "--model", "fraud", "--sli", "records", "--format", "json", cwd=tmp_path
    )
    (line,) = json.loads(answer.stdout)
    assert (line["value"], line["count"]) == (1000, 1000)
    assert {"start", "end", "model", "version", "endpoint", "segment", "value", "count"} == set(line)
    letters = monitor("dead-letters", "list", "-c", path, "--format", "json", cwd=tmp_path)
    # The partitions are flushed in whichever order they come.
    assert sorted(letter["where"] for letter in json.loads(letters.stdout)) == [
        f"{name}[{n}]@250" for n in range(4)
    ]
    # Once more: nothing is left to read, and nothing is counted again.
    monitor("run", "-c", path, "--until-caught-up", "--no-web", cwd=tmp_path)
    again = monitor(
        "query", "-c", path, "--model", "fraud", "--sli", "records", "--format", "json", cwd=tmp_path
    )
    assert json.loads(again.stdout)[0]["count"] == 1000


@pytest.mark.kafka
def test_a_graceful_stop_flushes_once(
    tmp_path: Path, kafka: Kafka, topic: Callable[..., str], running: Callable[..., Running]
) -> None:
    name, port = topic(2), free_ports(1)[0]
    path = configuration(
        tmp_path,
        source={"kafka": {"bootstrap_servers": kafka.bootstrap, "topics": [name], "group_id": f"g-{name}"}},
        stream={"flush_interval": "10m"},
        web={"port": port},
    )
    service = running("-c", path)
    url = f"http://127.0.0.1:{port}"
    until(lambda: get(f"{url}/readyz"))
    kafka.produce(name, [now_record(id=str(i)) for i in range(500)], partition=1)
    until(lambda: get(f"{url}/api/v1/status")["pending_records"] == 500)
    assert service.terminate() == 0
    answer = monitor(
        "query", "-c", path, "--model", "fraud", "--sli", "records", "--format", "json", cwd=tmp_path
    )
    assert json.loads(answer.stdout)[0]["count"] == 500
    for line in service.log.read_text().splitlines():
        assert {"ts", "level", "event"} <= json.loads(line).keys()


def test_posted_records_are_durable_and_counted(tmp_path: Path, running: Callable[..., Running]) -> None:
    port = free_ports(1)[0]
    path = configuration(tmp_path, ingest={"spool": {"path": str(tmp_path / "spool")}}, web={"port": port})
    service = running("-c", path)
    url = f"http://127.0.0.1:{port}"
    until(lambda: get(f"{url}/readyz"))
    body = b"\n".join(now_record(id=str(i)) for i in range(100)) + b"\n"
    assert post(f"{url}/v1/inferences", body) == 202
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    again = running("-c", path)
    until(lambda: get(f"{url}/readyz"))
    query = f"{url}/api/v1/query?model=fraud&sli=records"

    def counted() -> bool:
        try:
            return bool(get(query)[0]["count"] == 100)
        except (urllib.error.HTTPError, IndexError):
            return False  # The model is not known before the first flush.

    until(counted)
    metrics = urllib.request.urlopen(f"{url}/metrics", timeout=5).read().decode()
    assert (
        'monitor_requests_total{endpoint="/v1/predict",model="fraud",outcome="ok",version="3"} 100.0'
        in metrics
    )
    assert again.terminate() == 0


def test_without_a_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    lines = [
        encode(record(id=str(i), ts=1_700_000_040_000 + i * 1000, latency_ms=float(i))) for i in range(120)
    ]
    (tmp_path / "logs" / "a.jsonl").write_bytes(b"\n".join(lines))
    monitor("run", "--files", "logs", "--store", "sqlite:///m.db", "--until-caught-up", cwd=tmp_path)
    answer = monitor(
        *("query", "--store", "sqlite:///m.db", "--model", "fraud", "--sli", "latency_p99"),
        *("--step", "1m", "--format", "json"),
        cwd=tmp_path,
    )
    windows = json.loads(answer.stdout)
    assert [w["count"] for w in windows] == [60, 60]
    assert windows[0]["start"] == "2023-11-14T22:14:00Z"
    assert windows[0]["value"] == pytest.approx(58.41, rel=0.01)


def test_a_missing_configuration_is_a_sentence(tmp_path: Path) -> None:
    done = monitor("run", "-c", "nowhere.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_runs_to_its_end(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        [*MONITOR, "demo", "--once"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert "late-arrival" in done.stdout
    assert "bad_json" in done.stdout
    assert "of them would have woken somebody" in done.stdout
    assert "misses availability: burn 14.4" in done.stdout
    assert "on-call" not in done.stderr
    listed = monitor("incident", "list", "-c", "monitor-demo/monitor.yaml", cwd=tmp_path).stdout
    assert "AvailabilityBudgetBurn" in listed
