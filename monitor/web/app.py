"""The web app: routes, and the layers around them, outermost first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from monitor.errors import QueryError, StoreBusy
from monitor.store.tokens import Authenticator
from monitor.version import __version__
from monitor.web.access import HostGuard, Identify, RequireToken
from monitor.web.acknowledging import acknowledging
from monitor.web.alertmanager import alertmanager, pager_probes
from monitor.web.alertmanager_answers import handle_answers
from monitor.web.answers import Refused, refusal
from monitor.web.api import api
from monitor.web.context import WebContext
from monitor.web.inbound import inbound
from monitor.web.ingestion import ingestion
from monitor.web.limits import BodyLimit, RateLimit, TimeLimit, TokenBuckets
from monitor.web.probes import probes
from monitor.web.request_log import RequestLog
from monitor.web.workers import Workers

__all__ = ["create_app"]


def create_app(context: WebContext) -> FastAPI:
    """The app over a store and a job. Starts nothing; see WebServer."""
    readers = Workers("web-read", threads=4, waiting=60)
    writers = Workers("web-append", threads=4, waiting=60)
    # Apart from the rest, so that a probe never waits behind a slow query.
    checkers = Workers("web-check", threads=2, waiting=60)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for workers in (readers, writers, checkers):
            workers.close()

    app = FastAPI(
        title="monitor",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.include_router(probes(context, checkers))
    app.include_router(api(context, readers))
    app.include_router(ingestion(context, writers))
    if context.paging is not None:
        app.include_router(alertmanager(context, context.paging, readers, writers))
        app.include_router(pager_probes(context.paging, readers))
        app.include_router(inbound(context, context.paging, writers))
        app.include_router(acknowledging(context, context.paging, readers))
        handle_answers(app)
    _handle_errors(app)
    _surround(app, context, checkers)
    return app


def _surround(app: FastAPI, context: WebContext, workers: Workers) -> None:
    """The layers, added from the innermost to the outermost."""
    settings = context.settings
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequireToken)
    app.add_middleware(RateLimit, buckets=TokenBuckets(settings.rate_per_s, settings.burst))
    app.add_middleware(
        Identify,
        authenticator=Authenticator(context.store),
        workers=workers,
        needs_tokens=settings.needs_tokens,
    )
    if not settings.needs_tokens:
        app.add_middleware(HostGuard, settings=settings)
    app.add_middleware(TimeLimit, seconds=settings.request_timeout_s)
    app.add_middleware(RequestLog, metrics=context.metrics)


def _handle_errors(app: FastAPI) -> None:
    """Every error below leaves as `{"error": ..}`."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(QueryError)
    async def question(_: Request, error: QueryError) -> JSONResponse:
        return refusal(Refused(400, str(error)))

    @app.exception_handler(StoreBusy)
    async def busy(_: Request, error: StoreBusy) -> JSONResponse:
        return refusal(Refused(503, "the store did not answer; try again", 5))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [f"{e['loc'][-1]}: {e['msg']}" for e in error.errors()]
        return refusal(Refused(400, "; ".join(problems)))
