"""The command line. `main` is the program; each command is a thin translation in a file of its own."""

from monitor.cli.app import main

__all__ = ["main"]
