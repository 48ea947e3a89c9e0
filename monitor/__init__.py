"""Observability for machine-learning models in production: windowed SLIs, exactly once."""

from monitor.version import __version__

__all__ = ["__version__"]
