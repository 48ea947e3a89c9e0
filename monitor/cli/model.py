"""`monitor model card|audit`: what there is to know of a model, and what is missing."""

from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from monitor.cards.card import card_of, newest_ms
from monitor.cards.markdown import markdown
from monitor.cards.settings import from_config
from monitor.cli.audit import missing
from monitor.cli.options import ConfigOption, StoreOption, configured
from monitor.clock import WallClock
from monitor.sli.times import parse_time_ms
from monitor.store.store import Store

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What there is to know of a model, and what is missing.")
app.command("audit")(missing)


class CardFormat(StrEnum):
    """How a card is printed."""

    MD = "md"
    JSON = "json"


@app.command("card")
def card(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="As it was then; else at the newest moment stored."),
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: Annotated[CardFormat, typer.Option("--format", "-f", help="Markdown or JSON.")] = CardFormat.MD,
) -> None:
    """Write a model's card: lineage, baselines, objectives, quality, drift, incidents, costs, open gaps.

    Owner, purpose and objectives stand in the configuration: give it. The same store and time give the same
    card.
    """
    now_ms = WallClock().now_ms()
    known = configured(config, store)
    settings, opened = from_config(known), Store.open(known.store)
    try:
        at_ms = newest_ms(opened, settings, now_ms) if at is None else parse_time_ms("--at", at, now_ms)
        found = card_of(opened, settings, model, at_ms)
    finally:
        opened.close()
    if format is CardFormat.JSON:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print(markdown(found), end="")
