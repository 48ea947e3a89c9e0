"""The page: whole, by itself, and made without any network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import run

ROOT = Path(__file__).resolve().parents[2]
# Runs the program with whatever anybody does with a socket noted down.
_WATCHED = """
import json, sys
calls = []
def note(event, args):
    if event.startswith("socket.") and event != "socket.__new__":
        calls.append([event, repr(args[1:])])
sys.addaudithook(note)
from monitor.cli import main
code = main(sys.argv[1:])
print(json.dumps([code, calls]))
"""


def test_no_network_is_used(fitted: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    command = ["report", "drift", "--model", "fraud", "-o", str(page), "--store", fitted]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _WATCHED, *command],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, calls = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    # Nothing is connected, looked up or sent. urllib3, when imported, tries whether a socket can have an IPv6
    # address, this machine's own.
    assert [call for call in calls if call != ["socket.bind", "(('::1', 0),)"]] == []
    assert "8 columns" in done.stdout
    check(page.read_text("utf-8"))


def check(text: str) -> None:
    """The page has what it must, and fetches nothing."""
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>Drift of fraud, 2023-11-14 22:00 UTC to" in text
    assert "rows that baseline 1 was fitted on" in text
    assert "Drift is detected for" in text
    for fetching in ("<link", "<script src", '<img src="http', "url(http"):
        assert fetching not in text
    assert "</h1>" in text
    assert text.index("</h1>") < text.index('id="root_')


def test_without_evidently_it_says_how_to_get_it(
    fitted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    ran = run("report", "drift", "--model", "fraud", "-o", str(tmp_path / "r.html"), "--store", fitted)
    assert ran.code == 2
    assert 'pip install "monitor[reports]"' in ran.err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--model", "none"), "there is no sample of 'none'"),
        (("--model", "fraud", "--window", "x"), "--window"),
        (("--model", "fraud", "--from", "then"), "--from: 'then' is no time"),
    ],
)
def test_a_wrong_question_is_refused(fitted: str, tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    ran = run("report", "drift", *given, "-o", str(tmp_path / "r.html"), "--store", fitted)
    assert ran.code == 2
    assert said in ran.err


def test_only_one_module_knows_of_evidently() -> None:
    modules = {p.name: p.read_text() for p in (ROOT / "monitor").rglob("*.py")}
    knows = [name for name, text in modules.items() if "import evidently" in text or "from evidently" in text]
    assert knows == ["drift_page.py"]
