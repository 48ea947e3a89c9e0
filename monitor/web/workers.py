"""Threads for what blocks: bounded, with a bounded queue, so that load turns into 503 and not memory."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from monitor.web.answers import Refused

__all__ = ["Workers"]

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Runs functions in `threads` threads; at most `waiting` more may wait for one.

    Unlike a pool that forgets a call when its request is cut short, a thread counts until it is done.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = threads + waiting
        self._held = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result. Raises Refused (503) when too many wait; only called in the event loop."""
        if self._held >= self._limit:
            raise Refused(503, "too many requests are being worked on; try again", 1)
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        call = functools.partial(function, *args, **kwargs)
        self._held += 1
        future: Future[T] = self._pool.submit(context.run, call)
        future.add_done_callback(lambda _: self._let_go(loop))
        return await asyncio.wrap_future(future)

    def _let_go(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._held -= 1

    def close(self) -> None:
        """Takes no more calls; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
