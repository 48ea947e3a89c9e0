"""POST /v1/inferences and /v1/labels: records and labels over HTTP, answered once they are durable."""

import logging
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from monitor.errors import MonitorError
from monitor.ingest.spool import DurableLog
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.answers import Refused
from monitor.web.bodies import decompress, split
from monitor.web.context import WebContext
from monitor.web.workers import Workers

__all__ = ["ingestion"]

_log = logging.getLogger(__name__)


def ingestion(context: WebContext, workers: Workers) -> APIRouter:
    """The routes POST /v1/inferences and POST /v1/labels."""
    router = APIRouter(prefix="/v1", dependencies=[needs(Role.INGEST)])

    async def kept(request: Request, log: DurableLog, what: str) -> JSONResponse:
        body = await request.body()
        content_type = request.headers.get("content-type", "")
        encoding = request.headers.get("content-encoding", "")
        lines = await workers.run(_parsed, body, content_type, encoding, context.settings.max_body_bytes)
        if lines:
            await workers.run(_append, log, lines, what)
        return JSONResponse({"accepted": len(lines)}, 202)

    @router.post("/inferences", status_code=202)
    async def inferences(request: Request) -> JSONResponse:
        """Takes one record, an array, or NDJSON, plain or gzip.

        202 with the number of records once they are durable. After any other answer, or none, send
        them again: a record that got through twice is counted as a duplicate by its id.
        """
        if context.durable_log is None:
            raise Refused(
                404,
                "this server takes no records: name an ingest.spool, or a Kafka source, in its configuration",
            )
        return await kept(request, context.durable_log, "records")

    @router.post("/labels", status_code=202)
    async def labels(request: Request) -> JSONResponse:
        """Takes one label, an array, or NDJSON, plain or gzip.

        202 with the number of labels once they are durable. After any other answer, or none, send
        them again: a label that got through twice counts once.
        """
        if context.label_log is None:
            raise Refused(
                404,
                "this server takes no labels: name an ingest.spool, or source.kafka.label_topics, in its "
                "configuration",
            )
        return await kept(request, context.label_log, "labels")

    return router


def _parsed(body: bytes, content_type: str, encoding: str, max_bytes: int) -> list[bytes]:
    return split(decompress(body, encoding, max_bytes), content_type)


def _append(log: DurableLog, lines: Sequence[bytes], what: str) -> None:
    try:
        log.append(lines)
    except (MonitorError, OSError) as e:
        _log.error("posted %s not kept", what, extra={what: len(lines), "reason": str(e)})
        raise Refused(503, f"the {what} could not be made durable; send them again", 5) from e
