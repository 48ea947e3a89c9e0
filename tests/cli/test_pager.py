"""`monitor pager` as it is run in the place of an Alertmanager: with a Prometheus, amtool and a webhook."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from monitor.cli.app import main
from tests.servers import Prometheus, PrometheusConfig
from tests.servers.ports import free_ports
from tests.waiting import until


class Webhook:
    """A receiver that keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        kept = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.close()


def document(url: str, **route: Any) -> dict[str, Any]:
    return {
        "route": {"receiver": "team", "group_wait": "100ms", "group_interval": "1s", **route},
        "receivers": [{"name": "team", "webhook_configs": [{"url": url}]}],
    }


class Process:
    """The program; `url` is where it listens."""

    def __init__(self, directory: Path, configuration: Mapping[str, Any]) -> None:
        self.file, self.log = directory / "alertmanager.yml", directory / "pager.log"
        self.file.write_text(yaml.safe_dump(dict(configuration)))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "monitor.cli", "pager", f"--config.file={self.file}"),
                    *(f"--web.listen-address=127.0.0.1:{port}", f"--store=sqlite:///{directory}/p.db"),
                ],
                stderr=log,
                stdout=log,
            )
        until(lambda: _answers(self.url))

    def said(self, words: str) -> bool:
        return words in self.log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running(directory: Path, configuration: Mapping[str, Any]) -> Iterator[Process]:
    made = Process(directory, configuration)
    try:
        yield made
    finally:
        made.process.terminate()
        made.process.wait(30)


@pytest.mark.prometheus
def test_a_prometheus_sends_to_it_and_the_webhook_arrives(
    tmp_path: Path, webhook: Webhook, prometheus_factory: Callable[[PrometheusConfig], Prometheus]
) -> None:
    rules = tmp_path / "rules.yml"
    labels = {"severity": "page", "model": "fraud"}
    # By the time it fires Prometheus has found whom to tell; then it ends by itself.
    rule = {
        **{"alert": "Always", "expr": f"vector(time()) < {time.time() + 25:.0f}", "for": "7s"},
        **{"labels": labels, "annotations": {"summary": "it fires"}},
    }
    with running(tmp_path, document(webhook.url)) as pager:
        rules.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
        address = pager.url.removeprefix("http://")
        alerting = {"alertmanagers": [{"static_configs": [{"targets": [address]}]}]}
        prometheus_factory(PrometheusConfig(rule_files=[rules], extra={"alerting": alerting}))
        until(lambda: webhook.bodies)
        told = webhook.bodies[0]
        assert (told["version"], told["status"], told["receiver"]) == ("4", "firing", "team")
        assert told["alerts"][0]["labels"] == {"alertname": "Always", **labels}
        assert told["alerts"][0]["annotations"] == {"summary": "it fires"}
        assert told["externalURL"] == pager.url
        until(lambda: webhook.bodies[-1]["status"] == "resolved")
        assert len(webhook.bodies) == 2


@pytest.mark.alertmanager
def test_amtool_works_with_it(tmp_path: Path, webhook: Webhook, amtool_run: Callable[..., str]) -> None:
    with running(tmp_path, document(webhook.url)) as pager:

        def amtool(*arguments: str) -> str:
            return amtool_run(f"--alertmanager.url={pager.url}", *arguments)

        amtool("alert", "add", "Drift", "model=fraud", "--annotation=summary=amount has drifted")
        assert "Drift" in amtool("alert", "query", "model=~fr.*", "alertname!=Other")
        until(lambda: webhook.bodies)
        id = amtool("silence", "add", "-c", "planned", "-a", "ann", "model=fraud").strip()
        assert id in amtool("silence", "query", "model=fraud")
        assert "Drift" in amtool("alert", "query", "-s")
        assert "Drift" not in amtool("alert", "query")
        assert id in amtool("silence", "update", "-d", "3h", "-c", "longer", id)
        assert "longer" in amtool("silence", "query", "-o", "extended")
        amtool("silence", "expire", id)
        assert id not in amtool("silence", "query")
        assert id in amtool("silence", "query", "--expired")
        assert "Drift" in amtool("alert", "query")
        assert "default-route  receiver: team" in amtool("config", "routes", "show")
        assert amtool("config", "routes", "test", "a=b").strip() == "team"
        assert "webhook_configs" in amtool("config", "show")
        assert "disabled" in amtool("cluster", "show")


def test_it_reads_its_configuration_again(tmp_path: Path, webhook: Webhook) -> None:
    with running(tmp_path, document(webhook.url)) as pager:

        def names() -> list[str]:
            return [one["name"] for one in httpx.get(f"{pager.url}/api/v2/receivers").json()]

        other = document(webhook.url, receiver="other")
        pager.file.write_text(yaml.safe_dump(other))
        pager.process.send_signal(signal.SIGHUP)
        until(lambda: pager.said("configuration not reloaded; the old one holds"))
        assert names() == ["team"]
        refused = httpx.post(f"{pager.url}/-/reload")
        assert refused.status_code == 500
        assert "there is no receiver 'other'" in refused.text
        other["receivers"].append({"name": "other"})
        other["templates"] = ["mine.tmpl"]
        pager.file.write_text(yaml.safe_dump(other))
        pager.process.send_signal(signal.SIGHUP)
        until(lambda: names() == ["team", "other"])
        assert pager.said("aren't read, nor run: mine.tmpl")
        assert httpx.post(f"{pager.url}/-/reload").status_code == 200
        assert httpx.get(f"{pager.url}/api/v2/status").json()["config"]["original"].startswith("receivers:")


def test_it_stops_gracefully_and_forgets_nothing(tmp_path: Path, webhook: Webhook) -> None:
    configuration = document(webhook.url, group_wait="2s")
    with running(tmp_path, configuration) as pager:
        httpx.post(f"{pager.url}/api/v2/alerts", json=[{"labels": {"alertname": "a"}}])
    assert pager.process.returncode == 0
    assert webhook.bodies == []
    with running(tmp_path, configuration):
        until(lambda: webhook.bodies)
    assert webhook.bodies[0]["alerts"][0]["labels"] == {"alertname": "a"}


def test_a_storm_is_taken_quickly(tmp_path: Path, webhook: Webhook) -> None:
    """10,000 alerts of 100 models in batches of 64, as a Prometheus posts them."""
    alerts = [
        {"labels": {"alertname": "Errors", "model": f"m{i % 100}", "instance": f"i{i}", "severity": "page"}}
        for i in range(10_000)
    ]
    with (
        running(tmp_path, document(webhook.url, group_by=["model"])) as pager,
        httpx.Client(base_url=pager.url, timeout=30) as client,
    ):
        slowest_s, begun_s = 0.0, time.monotonic()
        for at in range(0, len(alerts), 64):
            sent_s = time.monotonic()
            assert client.post("/api/v2/alerts", json=alerts[at : at + 64]).status_code == 200
            slowest_s = max(slowest_s, time.monotonic() - sent_s)
        assert time.monotonic() - begun_s < 60
        assert slowest_s < 5
        until(lambda: len({one["groupLabels"]["model"] for one in webhook.bodies}) == 100)
        assert len(client.get("/api/v2/alerts").json()) == 10_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--web.listen-address", "nowhere"],
            "--web.listen-address: 'nowhere' is no address",
        ),
        (["--config.file", "missing.yml"], "missing.yml"),
        (["--store", "nonsense"], "store"),
        (["--fallback", "nobody"], "has no receiver 'nobody'"),
        (["--fallback", "team", "--fallback-after", "soon"], "--fallback-after: "),
    ],
)
def test_what_is_wrong_is_said_at_the_start(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(document("http://127.0.0.1:1/")))
    assert main(["pager", "--config.file", str(file), "--store", f"sqlite:///{tmp_path}/p.db", *options]) == 2
    assert words in capsys.readouterr().err
