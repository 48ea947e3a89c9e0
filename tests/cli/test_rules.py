"""`monitor rules build|check`, as a person uses them."""

from pathlib import Path

import pytest

from tests.cli.run import run

CONFIG = """\
source: {files: {path: .}}
slo: {generic: false}
models:
  fraud:
    objectives:
      availability: {objective: 99.9}
  churn:
    objectives:
      deployment_lead_time: {objective: 95, at_most: 1d}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("monitor.yaml").write_text(CONFIG)
    return tmp_path


def test_what_is_built_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("rules", "build", "-c", "monitor.yaml").out.splitlines() == [
        "alert_rules/generic.yaml",
        "alert_rules/tests/generic.yaml",
        "alert_rules/model-churn.yaml",
        "alert_rules/tests/model-churn.yaml",
        "alert_rules/model-fraud.yaml",
        "alert_rules/tests/model-fraud.yaml",
    ]
    monkeypatch.setenv("PATH", "")
    ran = run("rules", "check", "-c", "monitor.yaml")
    assert ran == (0, "alert_rules: up to date; promtool is not installed, so that nothing was tested\n", "")


def test_check_names_each_file_that_is_not() -> None:
    run("rules", "build", "-c", "monitor.yaml", "-o", "out")
    Path("out/generic.yaml").unlink()
    Path("monitor.yaml").write_text(CONFIG.replace("99.9", "99.5"))
    ran = run("rules", "check", "-c", "monitor.yaml", "-o", "out")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "out/generic.yaml: missing",
        "out/model-fraud.yaml: is not what the configuration gives",
        "out/tests/model-fraud.yaml: is not what the configuration gives",
    ]
    assert ran.err == "out: build the rules again: monitor rules build -o out\n"


def test_rules_of_a_model_that_is_gone_go_and_what_people_wrote_stays() -> None:
    run("rules", "build", "-c", "monitor.yaml")
    Path("alert_rules/mine.yaml").write_text("groups: []\n")
    Path("monitor.yaml").write_text(CONFIG.replace("  fraud:", "  risk:"))
    stale = "alert_rules/model-fraud.yaml: nothing in the configuration gives this file"
    assert stale in run("rules", "check", "-c", "monitor.yaml").out
    assert "alert_rules/model-fraud.yaml: removed" in run("rules", "build", "-c", "monitor.yaml").out
    found = sorted(path.name for path in Path("alert_rules").glob("*.yaml"))
    assert found == ["generic.yaml", "mine.yaml", "model-churn.yaml", "model-risk.yaml"]


def test_promtool_has_its_say(promtool_run: object) -> None:
    run("rules", "build", "-c", "monitor.yaml")
    ran = run("rules", "check", "-c", "monitor.yaml")
    assert ran.out == "alert_rules: up to date; promtool accepts 3 rule files and their tests pass\n"


def test_a_directory_that_cannot_be_written() -> None:
    Path("taken").write_text("")
    ran = run("rules", "build", "-c", "monitor.yaml", "-o", "taken")
    assert ran.code == 2
    assert ran.err.startswith("monitor: --output taken: ")
