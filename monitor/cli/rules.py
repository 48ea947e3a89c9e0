"""`monitor rules build|check`: the objectives as Prometheus rules, with promtool's tests of them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, configured
from monitor.errors import ConfigError
from monitor.slo.prometheus.directory import differences, write
from monitor.slo.prometheus.files import TESTS, rule_files
from monitor.slo.settings import from_config

__all__ = ["app"]

app = typer.Typer(help="Alert on objectives in Prometheus too: write the rules, and check them.")
_DirectoryOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="The directory of the rule files.")
]
_DIRECTORY = Path("alert_rules")
_PROMTOOL_S = 600


@app.command("build")
def build(config: ConfigOption = None, output: _DirectoryOption = _DIRECTORY) -> None:
    """Write recording and alerting rules for every objective and the generic ones, and tests beside them."""
    files = rule_files(from_config(configured(config)))
    try:
        stale = write(output, files)
    except OSError as e:
        raise ConfigError([f"--output {output}: {e.strerror or e}"]) from None
    for name in files:
        print(output / name)
    for path in stale:
        print(f"{path}: removed, nothing in the configuration gives it")


@app.command("check")
def check(config: ConfigOption = None, output: _DirectoryOption = _DIRECTORY) -> None:
    """Say whether the rule files are what the configuration gives, and let promtool check and test them."""
    files = rule_files(from_config(configured(config)))
    problems = differences(output, files)
    for problem in problems:
        print(problem)
    if problems:
        print(f"{output}: build the rules again: monitor rules build -o {output}", file=sys.stderr)
        raise typer.Exit(FAILED)
    rules = [str(output / name) for name in files if not name.startswith(f"{TESTS}/")]
    tests = [str(output / name) for name in files if name.startswith(f"{TESTS}/")]
    if shutil.which("promtool") is None:
        print(f"{output}: up to date; promtool is not installed, so that nothing was tested")
        return
    for arguments in (["check", "rules", *rules], ["test", "rules", *tests]):
        _promtool(arguments)
    print(f"{output}: up to date; promtool accepts {len(rules)} rule files and their tests pass")


def _promtool(arguments: list[str]) -> None:
    """Runs promtool; where it finds a mistake, prints what it says and ends the program."""
    try:
        ran = subprocess.run(
            ["promtool", *arguments], capture_output=True, text=True, timeout=_PROMTOOL_S, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"promtool {arguments[0]} rules did not end in {_PROMTOOL_S} s", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    if ran.returncode != 0:
        print(ran.stdout + ran.stderr, file=sys.stderr, end="")
        raise typer.Exit(FAILED)
