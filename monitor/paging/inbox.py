"""Reports of alerts as they wait for the pager: one document for each batch."""

from collections.abc import Sequence

import msgspec

from monitor.paging.alert import Alert
from monitor.store.paging import append_inbox
from monitor.store.store import Store

__all__ = ["post", "reports"]

_decoder = msgspec.json.Decoder(list[Alert])


def post(store: Store, alerts: Sequence[Alert], now_ms: int) -> None:
    """Keeps the reports until the pager takes them, in their order. Raises StoreBusy: then none is kept."""
    if alerts:
        append_inbox(store, now_ms, msgspec.json.encode(alerts))


def reports(document: bytes) -> list[Alert]:
    """What `post` kept."""
    return _decoder.decode(document)
