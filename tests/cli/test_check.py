"""`monitor check`, as the whole program says it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import run

GOLDEN = Path(__file__).parent / "golden"
RIGHT = """\
store: postgresql://monitor:hunter2@db/monitor
source:
  kafka:
    bootstrap_servers: broker1:9093
    topics: [inferences]
    options:
      security.protocol: SASL_PLAINTEXT
      sasl.mechanism: PLAIN
      sasl.username: monitor
      sasl.password: hunter2
models:
  fraud: {owner: risk}
web: {host: 0.0.0.0}
"""


def test_every_mistake_at_its_line() -> None:
    """The real program over a file with one of each; the whole output."""
    ran = subprocess.run(
        [sys.executable, "-m", "monitor.cli", "check", "-c", "many_mistakes.yaml"],
        cwd=GOLDEN,
        env={**os.environ, "PYTHONPATH": str(GOLDEN.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == (GOLDEN / "many_mistakes.txt").read_text()
    assert ran.stderr == "many_mistakes.yaml: 26 mistakes\n"
    assert ran.returncode == 1


def test_what_will_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("monitor.yaml").write_text(RIGHT)
    ran = run("check", "-c", "monitor.yaml")
    assert ran.out == (GOLDEN / "right.txt").read_text()
    assert (ran.code, ran.err) == (0, "")


def test_a_file_that_is_not_there() -> None:
    ran = run("check", "-c", "/not/there.yaml")
    assert ran.out.startswith("/not/there.yaml: can't be read: no such file or directory;")
    assert (ran.code, ran.err) == (1, "/not/there.yaml: 1 mistake\n")


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.yaml").write_text(RIGHT)
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "m.yaml"))
    assert run("check").out.startswith(f"{tmp_path}/m.yaml: ok\n")


def test_without_a_file() -> None:
    ran = run("check")
    assert ran.code == 2
    assert "--config" in ran.err
