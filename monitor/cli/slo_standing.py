"""`monitor slo list|show|budget|health`: how the objectives stand."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption
from monitor.cli.render import Format, render
from monitor.cli.slo_options import AtOption, ModelOption, VersionOption, asking
from monitor.cli.slo_tables import as_of, budget_table, health_table, list_table, print_one
from monitor.clock import WallClock
from monitor.sli.times import parse_time_ms
from monitor.slo.asking import NO_OBJECTIVES
from monitor.slo.question import SloQuestion
from monitor.slo.shown import shown_health, shown_standing, shown_transition

__all__ = ["budget", "health", "list_objectives", "show"]

_SHOWN = 20


def list_objectives(
    model: ModelOption = None,
    version: VersionOption = None,
    at: AtOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the objectives, the worst first: what fires, what is left of each budget, how fast it burns."""
    _print_all(_question(model, None, version, at), config, store, format, list_table)


def budget(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="This objective only.")] = None,
    model: ModelOption = None,
    version: VersionOption = None,
    at: AtOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the error budgets: spent and left, when they end, burn over each window, what was excluded."""
    _print_all(_question(model, name, version, at), config, store, format, budget_table)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The objective, as `monitor slo list` has it.")],
    model: ModelOption = None,
    version: VersionOption = None,
    at: AtOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show everything about one objective: figures, burn, exclusions, alerts and what they did."""
    question = _question(model, name, version, at)
    with asking(config, store) as ask:
        found = ask.standings(question, WallClock().now_ms())
        rows = [shown_standing(one.objective, one.standing) for one in found]
        did = [list(map(shown_transition, ask.transitions_of(one.standing, _SHOWN))) for one in found]
    if format is not Format.TABLE:
        render([{**row, "transitions": each} for row, each in zip(rows, did, strict=True)], format)
        return
    for i, (row, transitions) in enumerate(zip(rows, did, strict=True)):
        print("\n" if i else "", end="")
        print_one(row, transitions)


def health(
    model: ModelOption = None,
    at: AtOption = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show each model's health: the worst of its objectives, and the weighted mean of the budgets left."""
    question = _question(model, None, None, at)
    with asking(config, store) as ask:
        found = ask.health(question, WallClock().now_ms())
    rows = [shown_health(one, stood) for one, stood in found]
    if format is Format.TABLE and not rows:
        print(NO_OBJECTIVES)
    elif format is Format.TABLE:
        render(health_table(rows))
    else:
        render(rows, format)


def _question(model: str | None, name: str | None, version: str | None, at: str | None) -> SloQuestion:
    at_ms = None if at is None else parse_time_ms("--at", at, WallClock().now_ms())
    return SloQuestion(model, name, version, at_ms)


def _print_all(
    question: SloQuestion,
    config: Path | None,
    store: str | None,
    format: Format,
    table: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    now_ms = WallClock().now_ms()
    with asking(config, store) as ask:
        rows = [shown_standing(one.objective, one.standing) for one in ask.standings(question, now_ms)]
        behind_s = None if question.at_ms is not None else ask.behind_s(now_ms)
    if format is not Format.TABLE:
        render(rows, format)
    elif not rows:
        print(NO_OBJECTIVES)
    else:
        print(as_of(rows, behind_s))
        print()
        render(table(rows))
