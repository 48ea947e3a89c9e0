"""`monitor gate`: whether the error budgets allow a deployment; for CI/CD and retraining pipelines."""

from typing import Annotated

import typer

from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption
from monitor.cli.render import Format, render
from monitor.cli.slo_options import asking
from monitor.clock import WallClock
from monitor.slo.question import SloQuestion
from monitor.slo.shown import shown_decision

__all__ = ["gate"]


def gate(
    model: Annotated[str, typer.Option("--model", "-m", help="The model that is to be deployed.")],
    version: Annotated[
        str | None,
        typer.Option("--version", help="The version that is to be deployed; its own objectives count too."),
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether a model may be deployed: exit code 0 if so, else 1 with the reason.

    It may not while a page fires or an error budget is as low as a policy that freezes deployments says.
    """
    with asking(config, store) as ask:
        decision = ask.gate(SloQuestion(model, version=version), WallClock().now_ms())
    if format is not Format.TABLE:
        render([shown_decision(model, version, decision)], format)
    else:
        what = model if version is None else f"{model} version {version}"
        print(f"{what}: {'may be deployed' if decision.ok else 'must not be deployed'}")
        for reason in decision.reasons:
            print(f"  {reason}")
        for note in decision.notes:
            print(f"  note: {note}")
    if not decision.ok:
        raise typer.Exit(FAILED)
