"""A real Prometheus server with a configuration of the test's own, and promtool beside it."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.servers.ports import free_ports
from tests.servers.server import INSTALL, Server, ServerFailed, wait_until

HTTP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """What to scrape and which rules to evaluate.

    `targets` maps a job's name to the `host:port` addresses behind it; `extra` is merged over the top level
    of prometheus.yml, for what the other fields don't cover (`alerting`, `remote_write`, ..).
    """

    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rule_files: Sequence[Path] = ()
    scrape_interval: str = "1s"
    evaluation_interval: str = "1s"
    metrics_path: str = "/metrics"
    bearer_token: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the content of prometheus.yml."""
        return {
            "global": {
                "scrape_interval": self.scrape_interval,
                "scrape_timeout": self.scrape_interval,
                "evaluation_interval": self.evaluation_interval,
            },
            "rule_files": [str(path) for path in self.rule_files],
            "scrape_configs": [self._job(name, addresses) for name, addresses in self.targets.items()],
            **self.extra,
        }

    def _job(self, name: str, addresses: Sequence[str]) -> dict[str, Any]:
        job = {
            "job_name": name,
            "metrics_path": self.metrics_path,
            "static_configs": [{"targets": list(addresses)}],
        }
        if self.bearer_token is not None:
            job["authorization"] = {"credentials": self.bearer_token}
        return job


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector: its labels (with `__name__`), unix time in seconds, and value."""

    labels: Mapping[str, str]
    time_s: float
    value: float


class Prometheus(Server):
    """Prometheus with exemplar storage and reload by HTTP; `url` has no slash at its end."""

    name: ClassVar[str] = "prometheus"

    def __init__(self, config: PrometheusConfig | None = None) -> None:
        super().__init__()
        self.config = config or PrometheusConfig()
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    @classmethod
    def missing(cls) -> str | None:
        """Return why Prometheus can't run here, or None."""
        absent = [tool for tool in ("prometheus", "promtool") if shutil.which(tool) is None]
        return (
            f"{' and '.join(absent)} not found: {INSTALL} or apt-get install prometheus" if absent else None
        )

    def prepare(self) -> None:
        """Write prometheus.yml."""
        self._file.write_text(yaml.safe_dump(self.config.document(), sort_keys=False))

    def command(self) -> Sequence[str]:
        """Return the server's command line."""
        return [
            "prometheus",
            f"--config.file={self._file}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            "--web.enable-remote-write-receiver",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ]

    def answers(self) -> bool:
        """Whether it says that it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def reload(self, config: PrometheusConfig) -> None:
        """Take up another configuration. Raises ServerFailed with the reason when Prometheus refuses it."""
        self.config = config
        self.prepare()
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")
        try:
            urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S).close()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ServerFailed(
                    f"prometheus refused its configuration: {refusal.read().decode()}"
                ) from None

    def api(self, path: str, **parameters: str) -> Any:
        """Return `data` of GET /api/v1/`path`. Raises ServerFailed with Prometheus's words for an error."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{query}", timeout=HTTP_TIMEOUT_S
            ) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ServerFailed(f"prometheus: {path}?{query}: {refusal.read().decode()}") from None

    def query(self, promql: str, at_s: float | None = None) -> list[Sample]:
        """Evaluate `promql`, which gives an instant vector or a scalar, at unix time `at_s` or now."""
        when = {} if at_s is None else {"time": repr(at_s)}
        data = self.api("query", query=promql, **when)
        if data["resultType"] == "scalar":
            return [_sample({}, data["result"])]
        return [_sample(element["metric"], element["value"]) for element in data["result"]]

    def wait_for(self, promql: str, deadline_s: float = 30.0) -> list[Sample]:
        """Return the first non-empty answer to `promql`; compare in it (`m > 3`) to wait for a value."""
        found: list[Sample] = []

        def answered() -> bool:
            found[:] = self.query(promql)
            return bool(found)

        if not wait_until(answered, deadline_s):
            raise ServerFailed(
                f"prometheus: {promql} is still empty after {deadline_s:.0f} s; {self._targets()}"
            )
        return found

    def _targets(self) -> str:
        targets = self.api("targets")["activeTargets"]
        return ", ".join(f"{each['scrapeUrl']} is {each['health']} {each['lastError']}" for each in targets)

    @property
    def _file(self) -> Path:
        return self.directory / "prometheus.yml"


def promtool(*arguments: str) -> str:
    """Run promtool, for example `promtool("check", "rules", path)`; return its output.

    Raises ServerFailed with that output when it finds a mistake. Blocks for a minute at most.
    """
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    output = run.stdout + run.stderr
    if run.returncode != 0:
        raise ServerFailed(f"promtool {' '.join(arguments)}:\n{output}")
    return output


def _sample(labels: Mapping[str, str], value: Sequence[Any]) -> Sample:
    time_s, text = value
    return Sample(labels=labels, time_s=float(time_s), value=float(text))
