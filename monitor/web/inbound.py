"""POST /api/v1/alerts/in/..: the webhooks of other systems, as alerts for the pager."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from monitor.paging.alert import Status
from monitor.paging.inbound.alertmanager import alertmanager_alerts, grafana_alerts
from monitor.paging.inbound.azure import ALERT_ID, azure_alerts
from monitor.paging.inbound.reading import Malformed, Taken
from monitor.paging.inbox import post
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.alertmanager_alerts import read_pager
from monitor.web.answers import Refused
from monitor.web.context import WebContext
from monitor.web.paging_site import PagingSite
from monitor.web.workers import Workers

__all__ = ["inbound"]

_log = logging.getLogger(__name__)
_Read = Callable[[bytes, int], Taken]


def inbound(context: WebContext, site: PagingSite, writers: Workers) -> APIRouter:
    """The routes, for tokens that may `ingest`."""
    router = APIRouter(prefix="/api/v1/alerts/in", dependencies=[needs(Role.INGEST)])

    async def taken(request: Request, read: _Read, source: str) -> JSONResponse:
        return await writers.run(_take, context, site, await request.body(), read, source)

    @router.post("/alertmanager", status_code=202)
    async def alertmanager(request: Request) -> JSONResponse:
        """Takes an Alertmanager's webhook (version 4); let it `send_resolved`."""
        return await taken(request, alertmanager_alerts, "alertmanager")

    @router.post("/grafana", status_code=202)
    async def grafana(request: Request) -> JSONResponse:
        """Takes the webhook of a contact point of Grafana."""
        return await taken(request, grafana_alerts, "grafana")

    @router.post("/azure", status_code=202)
    async def azure(request: Request) -> JSONResponse:
        """Takes the webhook of an action group of Azure Monitor, with the common alert schema."""

        def read(body: bytes, now_ms: int) -> Taken:
            known = [
                alert
                for alert in read_pager(context.store, site.settings()).alerts.values()
                if alert.source == "azure"
                and alert.status_at(now_ms) is Status.FIRING
                and any(name == ALERT_ID for name, _ in alert.labels)
            ]
            return azure_alerts(body, now_ms, site.settings().resolve_timeout_ms, known)

        return await taken(request, read, "azure")

    return router


def _take(context: WebContext, site: PagingSite, body: bytes, read: _Read, source: str) -> JSONResponse:
    now_ms = context.clock.now_ms()
    try:
        found = read(body, now_ms)
    except Malformed as e:
        raise Refused(400, str(e)) from None
    post(context.store, found.alerts, now_ms)
    site.wake()
    n = len(found.alerts)
    resolved = sum(alert.status_at(now_ms) is Status.RESOLVED for alert in found.alerts)
    site.received.add(firing=n - resolved, resolved=resolved, invalid=len(found.refused))
    if found.missing:
        _log.warning("the sender left alerts out", extra={"source": source, "alerts": found.missing})
    answer: dict[str, Any] = {"accepted": n}
    if not found.refused:
        return JSONResponse(answer, 202)
    _log.warning("alerts refused", extra={"source": source, "reason": found.refused[0]})
    return JSONResponse({**answer, "error": "; ".join(found.refused[:10])}, 400)
