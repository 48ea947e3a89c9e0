"""Answers that are no success: one JSON shape, `{"error": ..}`, with what to do and when to come back."""

import math

from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Refused", "answer", "refusal"]


class Refused(Exception):
    """A request that is answered with an error; raised anywhere below the middlewares."""

    def __init__(self, status: int, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s


def refusal(refused: Refused) -> JSONResponse:
    """The response to a request that was refused."""
    headers = {}
    if refused.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refused.retry_after_s)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="monitor"'
    if refused.status in (408, 413):
        # The rest of the body is not read, so the connection can't serve another request.
        headers["Connection"] = "close"
    return JSONResponse({"error": refused.message}, refused.status, headers)


async def answer(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends the refusal."""
    await refusal(refused)(scope, receive, send)


def started(message: Message) -> bool:
    """Whether this message begins a response."""
    return bool(message["type"] == "http.response.start")
