"""The program's edges: exit codes, errors, streams."""

import json

import pytest
import typer

from monitor import __version__
from monitor.cli import app as module
from monitor.cli import main
from monitor.cli.guard import Guarded
from monitor.errors import ConfigError, MonitorError, QueryError, StoreBusy
from monitor.ingest.contract import json_schema
from monitor.ingest.label_contract import label_schema
from tests.cli.run import run


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A program of the same kind with one command, `fail`, which raises what it is given."""
    app = typer.Typer(cls=Guarded, pretty_exceptions_enable=False)
    monkeypatch.setattr(module, "app", app)
    app.callback()(lambda: None)
    return app


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MonitorError("it broke"), 1, "monitor: it broke\n"),
        (StoreBusy("the store did not answer"), 1, "monitor: the store did not answer\n"),
        (QueryError("no such SLI"), 2, "monitor: no such SLI\n"),
        (ConfigError(["a: wrong", "b: wrong"]), 2, "monitor: a: wrong\nmonitor: b: wrong\n"),
        (MonitorError("no answer from postgresql://u:hunter2@h/d"), 1,
         "monitor: no answer from postgresql://u:***@h/d\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(3), 3, ""),
    ],
)  # fmt: skip
def test_an_error_is_a_sentence_and_a_code(
    failing: typer.Typer, error: BaseException, code: int, said: str
) -> None:
    @failing.command()
    def fail() -> None:
        raise error

    ran = run("fail")
    assert (ran.code, ran.out, ran.err) == (code, "", said)


def test_a_bug_keeps_its_traceback(failing: typer.Typer) -> None:
    @failing.command()
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("fail")


def test_reads_from_the_stream_that_it_is_given(failing: typer.Typer) -> None:
    @failing.command()
    def echo() -> None:
        print(input())

    assert run("echo", stdin="hello\n").out == "hello\n"


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"monitor {__version__}\n"


def test_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["monitor", "version"])
    assert main() == 0
    assert capsys.readouterr().out == f"monitor {__version__}\n"


def test_the_schema() -> None:
    ran = run("schema")
    assert ran.code == 0
    assert json.loads(ran.out) == json_schema()
    assert json.loads(run("schema", "--labels").out) == label_schema()


@pytest.mark.parametrize("argv", [["nonsense"], ["check", "--nonsense"], ["version", "more"]])
def test_wrong_usage(argv: list[str]) -> None:
    ran = run(*argv)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: monitor" in ran.err


def test_help() -> None:
    ran = run("--help")
    assert ran.code == 0
    assert all(command in ran.out for command in ("check", "doctor", "schema", "version"))
