"""The doctor on this machine: port, spool, files; and the command itself."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from monitor.config import Config
from monitor.config.model import FilesConfig, IngestConfig, SourceConfig, SpoolConfig, WebConfig
from monitor.doctor import Finding
from tests.cli.run import run
from tests.doctor.asking import found
from tests.servers.ports import free_ports


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finding = found(Config(web=WebConfig(port=port)), "port")
    assert finding == Finding(
        "port", "fail", f"127.0.0.1:{port} is in use", "stop what uses it, or choose another web.port"
    )


def test_a_port_that_a_monitor_has(healthy: int) -> None:
    finding = found(Config(web=WebConfig(port=healthy)), "port")
    assert (finding.state, finding.seen) == (
        "ok",
        f"127.0.0.1:{healthy} is in use, by a monitor that answers",
    )


@pytest.fixture
def healthy() -> Iterator[int]:
    """The port of a server whose /healthz says that all is well."""

    class Healthz(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Healthz) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_address_of_another_machine() -> None:
    finding = found(Config(web=WebConfig(host="192.0.2.1")), "port")
    assert (finding.state, finding.advice) == ("fail", "name an address of this machine in web.host")


def test_a_spool_that_can_be_made(tmp_path: Path) -> None:
    spool = SpoolConfig(path=tmp_path / "a" / "b", max_bytes=1 << 20)
    config = Config(ingest=IngestConfig(spool=spool))
    assert found(config, "spool") == Finding("spool", "ok", f"{spool.path} can be made")
    assert list(tmp_path.iterdir()) == []
    assert found(config, "spool disk").state == "ok"


def test_a_spool_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    finding = found(Config(ingest=IngestConfig(spool=SpoolConfig(path=tmp_path / "a" / "b"))), "spool")
    assert (finding.state, finding.seen) == ("fail", f"{tmp_path}/a: not a directory")


def test_a_spool_that_may_outgrow_its_disk(tmp_path: Path) -> None:
    config = Config(ingest=IngestConfig(spool=SpoolConfig(path=tmp_path, max_bytes=1 << 60)))
    assert found(config, "spool disk").state == "warn"


def test_files(tmp_path: Path) -> None:
    config = Config(source=SourceConfig(files=FilesConfig(path=tmp_path)))
    assert found(config, "files").state == "warn"
    (tmp_path / "a.jsonl").touch()
    assert found(config, "files") == Finding("files", "ok", f"1 file in {tmp_path}")


def test_files_of_labels(tmp_path: Path) -> None:
    config = Config(source=SourceConfig(labels=FilesConfig(path=tmp_path)))
    finding = found(config, "labels")
    assert finding.state == "warn"
    assert "source.labels.path" in finding.advice
    (tmp_path / "a.jsonl").touch()
    assert found(config, "labels") == Finding("labels", "ok", f"1 file in {tmp_path}")


def test_the_command_prints_a_table_and_fails_with_what_failed(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    source = f"{{kafka: {{bootstrap_servers: '127.0.0.1:{port}', topics: [t]}}}}"
    ran = run("doctor", "-c", written(tmp_path, source), "--timeout", "3")
    assert ran.code == 1
    assert [line.split()[:2] for line in ran.out.splitlines()[2:]] == [
        ["broker", "fail"],
        ["store", "disk"],
        ["store", "ok"],
        ["port", "ok"],
    ]


def test_the_command_succeeds_with_no_more_than_a_warning(tmp_path: Path) -> None:
    source = f"{{files: {{path: {tmp_path}, pattern: '*.jsonl'}}}}"
    ran = run("doctor", "-c", written(tmp_path, source), "--format", "csv")
    assert ran.code == 0
    assert ran.out.startswith("name,state,seen,advice\n")
    assert f"files,warn,no file in {tmp_path} matches *.jsonl," in ran.out
    assert not (tmp_path / "m.db").exists()


def written(directory: Path, source: str) -> str:
    """A configuration file with a store that is not there yet, and any port."""
    file = directory / "monitor.yaml"
    file.write_text(f"store: sqlite:///{directory}/m.db\nsource: {source}\nweb: {{port: 0}}\n")
    return str(file)
