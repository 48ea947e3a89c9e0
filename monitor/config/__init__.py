"""The configuration: read once, checked as a whole, frozen."""

from monitor.config.model import Config

__all__ = ["Config"]
