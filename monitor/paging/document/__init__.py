"""Alertmanager's configuration file, read into what the pager goes by."""

from monitor.paging.document.reading import from_mapping, load

__all__ = ["from_mapping", "load"]
