"""Observability for machine-learning models: windowed SLIs from inference logs, exactly once."""

from monitor.api import Client, open
from monitor.version import __version__

__all__ = ["Client", "__version__", "open"]
