"""`monitor version`."""

from monitor.version import __version__

__all__ = ["version"]


def version() -> None:
    """Print the version."""
    print(f"monitor {__version__}")
