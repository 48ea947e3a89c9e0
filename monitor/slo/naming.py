"""What objectives are called where only letters, digits and underscores may be."""

import re

__all__ = ["slug"]

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """The name in a label or a rule of Prometheus: `Latency p95` is `latency_p95`. Empty where nothing of
    it is left."""
    return _OTHER.sub("_", name.lower()).strip("_")
