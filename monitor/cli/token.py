"""`monitor token create|list|revoke`: who may use the API."""

from typing import Annotated

import typer

from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock, rfc3339, rfc3339_or_none
from monitor.errors import QueryError
from monitor.store import Store, tokens

__all__ = ["app"]

app = typer.Typer(help="Bearer tokens for the API: made, listed and revoked here; only hashes are stored.")
_NameOption = Annotated[str, typer.Argument(metavar="NAME", help="Who holds the token.")]


@app.command("create")
def create(
    name: _NameOption,
    role: Annotated[tokens.Role, typer.Option("--role", help="What it may do.")],
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Make a token and print its secret, this once."""
    opened = Store.open(configured(config, store).store)
    print(tokens.create(opened, name, role, WallClock().now_ms()))
    opened.close()


@app.command("list")
def list_all(
    config: ConfigOption = None, store: StoreOption = None, format: FormatOption = Format.TABLE
) -> None:
    """List the tokens, revoked ones too."""
    opened = Store.open(configured(config, store).store)
    rows = [
        {
            "name": t.name,
            "role": t.role,
            "created": rfc3339(t.created_ms),
            "revoked": rfc3339_or_none(t.revoked_ms),
        }
        for t in tokens.list_tokens(opened)
    ]
    opened.close()
    render(rows, format)


@app.command("revoke")
def revoke(name: _NameOption, config: ConfigOption = None, store: StoreOption = None) -> None:
    """Revoke a token; running servers refuse it within half a minute."""
    opened = Store.open(configured(config, store).store)
    revoked = tokens.revoke(opened, name, WallClock().now_ms())
    opened.close()
    if not revoked:
        raise QueryError(f"there is no token {name!r} in force; `monitor token list` lists them")
    print(f"{name}: revoked")
