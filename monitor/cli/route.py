"""`monitor route test|show`: where an alert goes."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from monitor.cli.guard import FAILED
from monitor.cli.pager_options import PagerFileOption, pager_settings
from monitor.errors import QueryError
from monitor.paging.matching import matchers_text
from monitor.paging.settings import Route

__all__ = ["app"]

app = typer.Typer(help="Say where alerts go, by the routes of a configuration.")


@app.command("test")
def ask(
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="The labels of an alert.")
    ] = None,
    file: PagerFileOption = Path("alertmanager.yml"),
    verify: Annotated[
        str | None,
        typer.Option("--verify.receivers", metavar="A,B", help="Fail unless it goes to these receivers."),
    ] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Show the routes that match as a tree.")] = False,
) -> None:
    """Print the receivers that an alert with these labels goes to, in the order of the routes.

    Example: monitor route test --config.file alertmanager.yml owner=risk severity=page
    """
    settings = pager_settings(file)
    given = dict(map(_label, labels or []))
    routes = settings.route.match(given)
    found = ",".join(route.receiver for route in routes)
    if tree:
        _print(_tree(settings.route, frozenset(route.id for route in routes)))
    print(found)
    if verify is not None and verify != found:
        print(f"expected {verify}: the labels go elsewhere", file=sys.stderr)
        raise typer.Exit(FAILED)


@app.command("show")
def show(file: PagerFileOption = Path("alertmanager.yml")) -> None:
    """Print the routes as a tree."""
    _print(_tree(pager_settings(file).route, None))


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise QueryError(f"{text!r} is no label; write name=value")
    return name, value.strip('"')


def _print(tree: Tree) -> None:
    Console(soft_wrap=True, highlight=False).print(tree)


def _tree(root: Route, only: frozenset[str] | None) -> Tree:
    """All routes, or those on the way to the ones of `only`."""
    found = Tree(_words(root, "default-route", only))
    _grow(found, root, only)
    return found


def _grow(tree: Tree, route: Route, only: frozenset[str] | None) -> None:
    for child in route.routes:
        if only is None or _leads(child, only):
            _grow(tree.add(_words(child, matchers_text(child.matchers), only)), child, only)


def _leads(route: Route, only: frozenset[str]) -> bool:
    return route.id in only or any(_leads(child, only) for child in route.routes)


def _words(route: Route, name: str, only: frozenset[str] | None) -> str:
    words = [escape(name)]
    words += ["continue: true"] if route.continues and only is None else []
    words += [f"receiver: {escape(route.receiver)}"] if only is None or route.id in only else []
    return "  ".join(words)
