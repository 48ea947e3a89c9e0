"""Runs the program as a shell would, and hands back what it said."""

import io
from typing import NamedTuple

from monitor.cli import main

__all__ = ["Ran", "run"]


class Ran(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


def run(*argv: str, stdin: str = "") -> Ran:
    """The exit code and what was printed."""
    out, err = io.StringIO(), io.StringIO()
    code = main(argv, io.StringIO(stdin), out, err)
    return Ran(code, out.getvalue(), err.getvalue())
