"""A real Alertmanager with a configuration of the test's own, and amtool beside it."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import yaml

from tests.servers.ports import free_ports
from tests.servers.server import INSTALL, Server, ServerFailed

__all__ = ["Alertmanager", "amtool"]

HTTP_TIMEOUT_S = 10.0


class Alertmanager(Server):
    """Alertmanager alone, without a cluster; what it knows is kept over a restart. `url` has no slash at its
    end."""

    name: ClassVar[str] = "alertmanager"

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__()
        self.document = document
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    @classmethod
    def missing(cls) -> str | None:
        """Return why Alertmanager can't run here, or None."""
        absent = [tool for tool in ("prometheus-alertmanager", "amtool") if shutil.which(tool) is None]
        names = " and ".join(absent)
        return f"{names} not found: {INSTALL} or apt-get install prometheus-alertmanager" if absent else None

    def prepare(self) -> None:
        """Write alertmanager.yml."""
        self._file.write_text(yaml.safe_dump(dict(self.document), sort_keys=False))

    def command(self) -> Sequence[str]:
        """Return the server's command line."""
        return [
            "prometheus-alertmanager",
            f"--config.file={self._file}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    def answers(self) -> bool:
        """Whether it says that it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def reload(self, document: Mapping[str, Any]) -> None:
        """Take up another configuration. Raises ServerFailed with the reason when it is refused."""
        self.document = document
        self.prepare()
        self.request("POST", "/-/reload")

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that it answers, None for nothing. Raises ServerFailed with its words for an error."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S) as response:
                text = response.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ServerFailed(f"alertmanager: {method} {path}: {refusal.read().decode()}") from None
        return json.loads(text) if text.startswith((b"{", b"[", b'"')) else None

    @property
    def _file(self) -> Any:
        return self.directory / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    """Run amtool; return what it prints. Raises ServerFailed with its words where it fails."""
    run = subprocess.run(["amtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    if run.returncode != 0:
        raise ServerFailed(f"amtool {' '.join(arguments)}:\n{run.stdout}{run.stderr}")
    return run.stdout
