"""POST /v1/inferences, /v1/labels and /v1/events: what is posted, answered once it is durable."""

import logging
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from monitor.errors import MonitorError
from monitor.ingest.events.cloudevents import http_attributes, structured
from monitor.ingest.spool import DurableLog
from monitor.records import Carries
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.answers import Refused
from monitor.web.bodies import decompress, split
from monitor.web.context import WebContext
from monitor.web.workers import Workers

__all__ = ["ingestion"]

_log = logging.getLogger(__name__)
_MISSING = {
    Carries.RECORDS: "name an ingest.spool, or a Kafka source",
    Carries.LABELS: "name an ingest.spool, or source.kafka.label_topics",
    Carries.EVENTS: "name an ingest.spool, or source.kafka.event_topics",
}


def ingestion(context: WebContext, workers: Workers) -> APIRouter:
    """The routes POST /v1/inferences, /v1/labels and /v1/events."""
    router = APIRouter(prefix="/v1", dependencies=[needs(Role.INGEST)])

    async def kept(request: Request, what: Carries) -> JSONResponse:
        log = context.logs.get(what)
        if log is None:
            raise Refused(404, f"this server takes no {what}: {_MISSING[what]}, in its configuration")
        body = await request.body()
        lines = await workers.run(_parsed, body, request.headers, what, context.settings.max_body_bytes)
        if lines:
            await workers.run(_append, log, lines, what)
        return JSONResponse({"accepted": len(lines)}, 202)

    @router.post("/inferences", status_code=202)
    async def inferences(request: Request) -> JSONResponse:
        """Takes one record, an array, or NDJSON, plain or gzip.

        202 with the number of records once they are durable. After any other answer, or none, send
        them again: a record that got through twice is counted as a duplicate by its id.
        """
        return await kept(request, Carries.RECORDS)

    @router.post("/labels", status_code=202)
    async def labels(request: Request) -> JSONResponse:
        """Takes one label, an array, or NDJSON, plain or gzip.

        202 with the number of labels once they are durable. After any other answer, or none, send
        them again: a label that got through twice counts once.
        """
        return await kept(request, Carries.LABELS)

    @router.post("/events", status_code=202)
    async def events(request: Request) -> JSONResponse:
        """Takes CloudEvents: structured (one, an array, or NDJSON) or binary (`ce-` headers), plain or gzip.

        202 with the number of events once they are durable. After any other answer, or none, send
        them again: an event that got through twice counts once, by its source and id.
        """
        return await kept(request, Carries.EVENTS)

    return router


def _parsed(body: bytes, headers: Mapping[str, str], what: Carries, max_bytes: int) -> list[bytes]:
    body = decompress(body, headers.get("content-encoding", ""), max_bytes)
    attributes = http_attributes(headers) if what is Carries.EVENTS else {}
    if attributes:
        return [structured(attributes, body)]
    return split(body, headers.get("content-type", ""))


def _append(log: DurableLog, lines: Sequence[bytes], what: Carries) -> None:
    try:
        log.append(lines)
    except (MonitorError, OSError) as e:
        _log.error("posted %s not kept", what, extra={what: len(lines), "reason": str(e)})
        raise Refused(503, f"the {what} could not be made durable; send them again", 5) from e
