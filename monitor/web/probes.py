"""Whether it lives, whether it can work, and /metrics."""

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from monitor.errors import StoreError
from monitor.store.engine import reading
from monitor.store.store import Store
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.context import WebContext
from monitor.web.workers import Workers

__all__ = ["probes"]


def probes(context: WebContext, workers: Workers) -> APIRouter:
    """The routes /healthz, /readyz and /metrics."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """The store answers and the job can work; else 503 with the reason."""
        reason = await workers.run(_unready, context)
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "error": reason}, 503)

    @router.get("/metrics", dependencies=[needs(Role.VIEWER)])
    async def metrics(request: Request) -> Response:
        """All metrics, in OpenMetrics or the text format, as Accept asks."""
        accept = request.headers.get("accept", "")
        body, content_type = await workers.run(context.metrics.exposition, accept)
        return Response(body, headers={"Content-Type": content_type})

    return router


def _unready(context: WebContext) -> str | None:
    status = context.status()
    if not status.ready:
        return status.problem or "the job is not ready"
    try:
        _ask(context.store)
    except StoreError as e:
        return str(e)
    return None


def _ask(store: Store) -> None:
    with reading(store.engine) as connection:
        connection.execute(sa.select(1))
