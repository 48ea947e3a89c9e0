"""The outermost layer: an id, a log line and a count for each request; no traceback leaves it."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.logs import correlation
from monitor.web.answers import Refused, answer, started
from monitor.web.caller import PROBES, caller_of, is_link, shown_path
from monitor.web.metrics import ServiceMetrics

__all__ = ["RequestLog"]

_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REASONS = {
    401: "token",
    403: "role",
    408: "timeout",
    413: "too_large",
    421: "host",
    429: "rate",
    503: "unavailable",
    504: "timeout",
}


class RequestLog:
    """Logs and counts requests. The id comes from X-Request-ID where that is sane, and goes back in it."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        begun_s, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if started(message):
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with correlation(request_id):
            try:
                await self._app(scope, receive, watched)
            except Exception:
                _log.exception("request failed", extra={"path": shown_path(scope["path"])})
                if status:
                    raise
                failed = Refused(500, f"something went wrong here; the log has it under {request_id}")
                await answer(failed, scope, receive, watched)
            finally:
                self._tell(scope, status, time.perf_counter() - begun_s)
        return None

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(route, method, status)
        if status in _REASONS and scope["path"] not in PROBES:
            forged = status == 403 and is_link(scope["path"])
            self._metrics.rejected("link" if forged else _REASONS[status])
        caller = caller_of(scope)
        _log.log(
            _level(scope["path"], status),
            "request",
            extra={
                "method": method,
                "path": shown_path(scope["path"]),
                "status": status,
                "seconds": round(seconds, 6),
                "client": caller.token.name if caller.token else caller.client,
            },
        )


def _level(path: str, status: int) -> int:
    """Somebody has to see who is turned away, and what failed."""
    if path in PROBES:
        return logging.DEBUG
    return logging.WARNING if status in _REASONS or status >= 500 else logging.INFO
