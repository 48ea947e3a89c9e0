"""The configuration: read once, checked as a whole, frozen."""

from monitor.config.checks import is_loopback, warnings
from monitor.config.load import default_config, load_config, overridden
from monitor.config.model import Config

__all__ = ["Config", "default_config", "is_loopback", "load_config", "overridden", "warnings"]
