"""What waits for the pager: reports of alerts, a document for each batch, and what people do."""

from collections.abc import Sequence

import msgspec

from monitor.paging.alert import Alert
from monitor.paging.incidents.incident import Deed
from monitor.store.paging import append_inbox
from monitor.store.store import Store

__all__ = ["deed_of", "post", "post_deed", "reports", "written"]

_decoder = msgspec.json.Decoder(list[Alert])
_deeds = msgspec.json.Decoder(Deed)


def post(store: Store, alerts: Sequence[Alert], now_ms: int) -> None:
    """Keeps the reports until the pager takes them, in their order. Raises StoreBusy: then none is kept."""
    if alerts:
        append_inbox(store, now_ms, msgspec.json.encode(alerts))


def post_deed(store: Store, deed: Deed, now_ms: int) -> None:
    """Keeps what a person does about an incident until the pager takes it. Raises StoreBusy."""
    append_inbox(store, now_ms, written(deed))


def written(deed: Deed) -> bytes:
    """As `post_deed` keeps it."""
    return msgspec.json.encode(deed)


def reports(document: bytes) -> list[Alert]:
    """The alerts that `post` kept; none of a deed."""
    return _decoder.decode(document) if document.startswith(b"[") else []


def deed_of(document: bytes) -> Deed | None:
    """What `post_deed` kept; None of reports."""
    return _deeds.decode(document) if document.startswith(b"{") else None
