"""`monitor retraining ..`: which policies ask to train a model anew, and what becomes of that."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cards.card import newest_ms
from monitor.cards.settings import from_config as card_settings
from monitor.cli.canary import NOT_ENOUGH as LATER
from monitor.cli.guard import FAILED
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, WhoOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.config import Config
from monitor.errors import QueryError
from monitor.retraining.asking import PASSED, WORSE, review
from monitor.retraining.standing import standing
from monitor.store.store import Store

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Which policies ask for retraining, and what becomes of that.")

_IdArgument = Annotated[int, typer.Argument(metavar="ID", help="As `monitor retraining list` has it.")]
_WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; it stands in the log.")]
_SHORT = ("id", "policy", "model", "at", "status", "version", "gate", "reason")


@contextmanager
def _opened(config: Path | None, store: str | None) -> Iterator[tuple[Store, Config]]:
    known = configured(config, store)
    opened = Store.open(known.store)
    try:
        yield opened, known
    finally:
        opened.close()


def _now_ms(store: Store, config: Config) -> int:
    return newest_ms(store, card_settings(config), WallClock().now_ms())


@app.command("list")
def list_all(
    config: ConfigOption = None, store: StoreOption = None, format: FormatOption = Format.TABLE
) -> None:
    """List the policies with what each comes to now, and their requests."""
    with _opened(config, store) as (opened, known):
        found = standing(opened, known, _now_ms(opened, known))
    if format is Format.JSON:
        render([{"policies": found.policies, "requests": found.requests}], format)
        return
    if format is Format.CSV:
        render(found.requests, format)
        return
    if not found.policies:
        print("no policy is known; write `retraining` into the configuration and give it with -c")
    else:
        render(found.policies)
    if found.requests:
        print()
        render([{name: _text(row[name]) for name in _SHORT} for row in found.requests])


def _text(value: Any) -> Any:
    return "" if value is None else value


@app.command("show")
def show(
    id: _IdArgument,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Exit code 0 if its version may be deployed, 1 if not, 3 if unsure."),
    ] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show a request: why, who approved it, its run, and whether what came of that may be deployed."""
    with _opened(config, store) as (opened, known):
        found = standing(opened, known, _now_ms(opened, known)).requests
    row = next((row for row in found if row["id"] == id), None)
    if row is None:
        raise QueryError(f"there is no request {id}; `monitor retraining list` shows them")
    if format is not Format.TABLE:
        render([row], format)
    else:
        for name, value in row.items():
            if value not in (None, []):
                shown = "; ".join(value) if isinstance(value, list) else value
                print(f"{name.replace('_', ' '):>15}  {shown}")
    if gate and row["gate"] != PASSED:
        raise typer.Exit(FAILED if row["gate"] == WORSE else LATER)


@app.command("approve")
def approve(
    id: _IdArgument,
    who: WhoOption = None,
    why: _WhyOption = "",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Approve a request: its webhook is called within a minute."""
    _review(id, True, who, why, config, store)


@app.command("reject")
def reject(
    id: _IdArgument,
    who: WhoOption = None,
    why: _WhyOption = "",
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Reject a request: the policy asks again once it has cooled down."""
    _review(id, False, who, why, config, store)


def _review(
    id: int, approved: bool, who: str | None, why: str, config: Path | None, store: str | None
) -> None:
    with _opened(config, store) as (opened, _):
        name = who if who is not None else getpass.getuser()
        found = review(opened, id, approved, name, why, WallClock().now_ms())
    print(f"request {id} of {found.policy}: {'approved' if approved else 'rejected'} by {name}")
