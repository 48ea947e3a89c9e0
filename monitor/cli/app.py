"""The program: its commands, and what it does about errors.

A command is a function in a file beside this one; it is added by one import and one line below.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

import typer

from monitor.cli import (
    audit,
    backtest,
    baseline,
    canary,
    check,
    copies,
    costs,
    demo,
    doctor,
    drift,
    event,
    fairness,
    gate,
    incident,
    labels,
    letters,
    model,
    offsets,
    oncall,
    page,
    pager,
    query,
    report,
    retraining,
    route,
    rules,
    run,
    samples,
    schema,
    slo,
    token,
    version,
)
from monitor.cli.guard import Guarded

__all__ = ["app", "main"]

RUN, OPERATE, SET_UP = "Run and ask", "Operate", "Set up and check"

app = typer.Typer(
    cls=Guarded,
    name="monitor",
    help="Observability for machine-learning models: windowed SLIs from inference logs, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo", rich_help_panel=RUN)(demo.demo)
app.command("run", rich_help_panel=RUN)(run.run)
app.command("serve", rich_help_panel=RUN)(run.serve)
app.command("query", rich_help_panel=RUN)(query.query)
app.command("drift", rich_help_panel=RUN)(drift.drift_command)
app.command("backtest", rich_help_panel=RUN)(backtest.backtest)
app.add_typer(samples.app, name="samples", rich_help_panel=RUN)
app.command("fairness", rich_help_panel=RUN)(fairness.fairness_command)
app.add_typer(report.app, name="report", rich_help_panel=RUN)
app.command("gate", rich_help_panel=RUN)(gate.gate)
app.add_typer(canary.app, name="canary", rich_help_panel=RUN)
app.add_typer(slo.app, name="slo", rich_help_panel=RUN)
app.command("pager", rich_help_panel=RUN)(pager.pager)
app.add_typer(incident.app, name="incident", rich_help_panel=OPERATE)
app.add_typer(oncall.app, name="oncall", rich_help_panel=OPERATE)
app.add_typer(model.app, name="model", rich_help_panel=OPERATE)
app.add_typer(audit.app, name="audit", rich_help_panel=OPERATE)
app.add_typer(page.app, name="page", rich_help_panel=OPERATE)
app.add_typer(route.app, name="route", rich_help_panel=OPERATE)
app.add_typer(retraining.app, name="retraining", rich_help_panel=OPERATE)
app.add_typer(event.app, name="event", rich_help_panel=OPERATE)
app.add_typer(costs.app, name="costs", rich_help_panel=OPERATE)
app.add_typer(labels.app, name="labels", rich_help_panel=OPERATE)
app.add_typer(baseline.app, name="baseline", rich_help_panel=OPERATE)
app.add_typer(letters.app, name="dead-letters", rich_help_panel=OPERATE)
app.add_typer(offsets.app, name="offsets", rich_help_panel=OPERATE)
app.command("backup", rich_help_panel=OPERATE)(copies.backup)
app.command("restore", rich_help_panel=OPERATE)(copies.restore)
app.add_typer(token.app, name="token", rich_help_panel=OPERATE)
app.command("check", rich_help_panel=SET_UP)(check.check)
app.add_typer(rules.app, name="rules", rich_help_panel=SET_UP)
app.command("doctor", rich_help_panel=SET_UP)(doctor.doctor)
app.command("schema", rich_help_panel=SET_UP)(schema.schema)
app.command("version", rich_help_panel=SET_UP)(version.version)


def main(
    argv: Sequence[str] | None = None,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Runs the program with `argv` (the process's by default) on the given streams; returns its exit code.

    0 done, 1 it did not work, 2 it was asked wrongly, 130 interrupted.
    """
    with ExitStack() as streams:
        if stdin is not None:
            streams.enter_context(_reading(stdin))
        if stdout is not None:
            streams.enter_context(redirect_stdout(stdout))
        if stderr is not None:
            streams.enter_context(redirect_stderr(stderr))
        try:
            app(args=None if argv is None else list(argv), prog_name="monitor")
        except SystemExit as e:
            return e.code if isinstance(e.code, int) else int(e.code is not None)
    return 0


@contextmanager
def _reading(stdin: TextIO) -> Iterator[None]:
    before, sys.stdin = sys.stdin, stdin
    try:
        yield
    finally:
        sys.stdin = before
