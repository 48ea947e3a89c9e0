"""The rules in alert_rules are what the example gives, and each alert has its runbook."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from monitor.cli.app import app
from monitor.config import load_config
from monitor.slo.catalogue import alert_name, generic
from monitor.slo.prometheus.directory import differences
from monitor.slo.prometheus.files import TESTS, rule_files
from monitor.slo.prometheus.naming import BUDGET_ALERTS, POLICY
from monitor.slo.settings import from_config

ROOT = Path(__file__).parents[3]
RULES, RUNBOOKS = ROOT / "alert_rules", ROOT / "runbooks"
FILES = rule_files(from_config(load_config(ROOT / "docker" / "examples" / "objectives.yaml", {})))
ALERTS = sorted(
    {name for text in FILES.values() for name in re.findall(r"alert: (\w+)", text)}
    | {alert_name(g.name) for g in generic()}
    | {*BUDGET_ALERTS, POLICY}
)


def test_the_rules_are_up_to_date() -> None:
    assert differences(RULES, FILES) == []


def test_promtool_accepts_them_and_their_tests_pass(promtool_run: Callable[..., str]) -> None:
    rules = [str(RULES / name) for name in FILES if not name.startswith(f"{TESTS}/")]
    promtool_run("check", "rules", *rules)
    promtool_run("test", "rules", *(str(RULES / name) for name in FILES if name.startswith(f"{TESTS}/")))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == ALERTS


@pytest.mark.parametrize("alert", ALERTS)
def test_a_runbook_says_what_to_do_with_commands_that_exist(alert: str) -> None:
    text = (RUNBOOKS / f"{alert}.md").read_text()
    for part in ("Who is hurt", "First five minutes", "Usual causes", "Make it stop", "When to get help"):
        assert part in text
    commands = [line for line in text.splitlines() if line.startswith("monitor ")]
    inline = [c for c in re.findall(r"`(monitor [^`]+)`", text) if ".." not in c]
    assert commands or "curl" in text
    for line in commands:
        command, arguments = _found(line)
        command.make_context("monitor", arguments)
    for line in inline:
        command, arguments = _found(line)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {a for a in arguments if a.startswith("-")} <= known, line


def _found(line: str) -> tuple[Any, list[str]]:
    """The command of a line, which runs nothing, and the arguments that the line gives it."""
    command: Any = typer.main.get_command(app)
    arguments = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        name = arguments.pop(0)
        assert name in command.commands, line
        command = command.commands[name]
    return command, arguments
