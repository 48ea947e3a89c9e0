"""Limits on every request: size, rate and time. Pure ASGI, so that nothing is read that is not wanted."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.answers import Refused, answer, started
from monitor.web.caller import caller_of

__all__ = ["BodyLimit", "RateLimit", "TimeLimit", "TokenBuckets"]

_MAX_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class TokenBuckets:
    """A token bucket for each client, of at most `limit` clients: the longest idle is forgotten first."""

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        monotonic: Callable[[], float] = time.monotonic,
        limit: int = _MAX_BUCKETS,
    ) -> None:
        self._rate, self._burst, self._monotonic, self._limit = rate_per_s, burst, monotonic, limit
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str) -> float:
        """Takes one token; returns 0, or the seconds after which there is one again."""
        now_s = self._monotonic()
        bucket = self._buckets.setdefault(client, _Bucket(float(self._burst), now_s))
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._limit:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._rate)
        bucket.at_s = now_s
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._rate


class RateLimit:
    """Answers 429 to a client that asks more often than it may."""

    def __init__(self, app: ASGIApp, buckets: TokenBuckets) -> None:
        self._app, self._buckets = app, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            wait_s = self._buckets.take(caller_of(scope).client)
            if wait_s > 0:
                refused = Refused(429, f"too many requests; try again in {wait_s:.1f} s", wait_s)
                return await answer(refused, scope, receive, send)
        return await self._app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body of more than `max_bytes`, by its announced length or as it arrives."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._max_bytes:
            return await answer(self._refused(), scope, receive, send)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise self._refused()
            return message

        return await self._app(scope, counted, send)

    def _refused(self) -> Refused:
        return Refused(413, f"the body has more than {self._max_bytes} bytes; send less at once")


class TimeLimit:
    """Ends a request that takes longer than `seconds`, reading its body included, with 504."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or started(message)
            await send(message)

        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                return await self._app(scope, receive, watched)
        except TimeoutError:
            if begun or not deadline.expired():
                raise
        refused = Refused(504, f"not done within {self._seconds:g} s; ask for less, or try again", 5)
        return await answer(refused, scope, receive, send)
