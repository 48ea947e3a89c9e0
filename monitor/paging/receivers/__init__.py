"""Ways to reach somebody, by the name that a configuration has for them."""

from collections.abc import Mapping

from monitor.paging.receivers import webhook
from monitor.paging.receivers.kind import Kind

__all__ = ["KINDS", "Kind"]

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (webhook.KIND,)}
