"""POST /v1/inferences: records over HTTP, answered once they are durable."""

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
    """The route POST /v1/inferences."""
    router = APIRouter()

    @router.post("/v1/inferences", status_code=202, dependencies=[needs(Role.INGEST)])
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
        body = await request.body()
        content_type = request.headers.get("content-type", "")
        encoding = request.headers.get("content-encoding", "")
        records = await workers.run(_parsed, body, content_type, encoding, context.settings.max_body_bytes)
        if records:
            await workers.run(_append, context.durable_log, records)
        return JSONResponse({"accepted": len(records)}, 202)

    return router


def _parsed(body: bytes, content_type: str, encoding: str, max_bytes: int) -> list[bytes]:
    return split(decompress(body, encoding, max_bytes), content_type)


def _append(log: DurableLog, records: Sequence[bytes]) -> None:
    try:
        log.append(records)
    except (MonitorError, OSError) as e:
        _log.error("posted records not kept", extra={"records": len(records), "reason": str(e)})
        raise Refused(503, "the records could not be made durable; send them again", 5) from e
