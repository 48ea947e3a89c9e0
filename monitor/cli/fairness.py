"""`monitor fairness`: how a model treats groups."""

import json
from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.sli.fairness import MIN_GROUP
from monitor.sli.fairness_question import FairnessAnswer, FairnessQuestion, ask_fairness
from monitor.sli.times import parse_time_ms
from monitor.store import Store

__all__ = ["fairness_command"]


def fairness_command(
    model: Annotated[str, typer.Option("--model", "-m", help="The model.")],
    by: Annotated[str, typer.Option("--by", metavar="LABEL", help="The label that makes the groups.")],
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Else from the first.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Else to the last.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="This version only.")] = None,
    minimum: Annotated[
        int, typer.Option("--min-group", help="Groups of fewer predictions are not shown.")
    ] = MIN_GROUP,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Compare how a model treats the groups of a segment label: selection, errors, calibration."""
    now_ms = WallClock().now_ms()
    question = FairnessQuestion(
        model=model,
        by=by,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        version=version,
        minimum=minimum,
    )
    settings = configured(config, store)
    opened = Store.open(settings.store)
    try:
        found = ask_fairness(opened, question, settings.windows)
    finally:
        opened.close()
    if format is Format.JSON:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif found is None:
        typer.echo("nothing found")
    elif format is Format.CSV:
        render(_flat(found), format)
    else:
        _print(found)


def _print(found: FairnessAnswer) -> None:
    render(
        [
            {found["by"]: g["group"], **{k: _shown(v) for k, v in g.items() if k != "group"}}
            for g in found["groups"]
        ]
    )
    typer.echo("")
    render(
        [
            {
                "contrast": name.replace("_", " "),
                "value": c["value"],
                "95 % from": c["low"],
                "to": c["high"],
                "between": f"{c['lowest']} and {c['highest']}" if c["value"] is not None else c["why"],
            }
            for name, c in found["contrasts"].items()
        ]
    )
    if found["hidden"]:
        typer.echo(f"\nnot shown, for they are too small: {', '.join(found['hidden'])}")


def _shown(estimate: dict[str, Any]) -> Any:
    return estimate["why"] if estimate["value"] is None else estimate["value"]


def _flat(found: FairnessAnswer) -> list[dict[str, Any]]:
    return [
        {"group": group["group"], "rate": rate, **estimate}
        for group in found["groups"]
        for rate, estimate in group.items()
        if rate != "group"
    ]
