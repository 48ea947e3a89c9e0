"""`/ack/<token>`: looking at the link of a message changes nothing, posting its form acknowledges.

The token is all that is needed. Mail scanners follow links, so that a GET must do nothing.
"""

import functools
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from monitor.errors import StoreBusy
from monitor.paging.links.following import Followed, Standing, acknowledge, look, who_is
from monitor.paging.links.signing import signing
from monitor.web.acknowledge_page import page, refused_page
from monitor.web.answers import Refused
from monitor.web.caller import address_of
from monitor.web.context import WebContext
from monitor.web.limits import TokenBuckets
from monitor.web.paging_site import PagingSite
from monitor.web.workers import Workers

__all__ = ["acknowledging"]

_WAIT_S = 3.0
_MOST_BYTES = 4096
# A mistyped link now and then; what is signed is never held back, for a scanner must lock nobody out.
_BAD_PER_S, _BAD_BURST = 0.2, 20


def acknowledging(context: WebContext, site: PagingSite, workers: Workers) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    bad = TokenBuckets(_BAD_PER_S, _BAD_BURST)
    signs = functools.cache(lambda: signing(context.store))

    def looked(token: str) -> Followed:
        return look(context.store, signs()(site.settings().links).key, token, context.clock.now_ms())

    def acknowledged(token: str, name: str) -> Followed:
        key, now_ms = signs()(site.settings().links).key, context.clock.now_ms()
        return acknowledge(context.store, key, token, name, now_ms, _WAIT_S, wake=site.wake)

    def told(request: Request, followed: Followed, *, posted: bool = False, mistake: str = "") -> Response:
        wait_s = bad.take(address_of(request.scope)) if followed.standing.is_bad else 0.0
        if wait_s > 0:
            return refused_page(429, "Too many bad links", "Wait a while before you try another.", 60)
        return page(followed, context.clock.now_ms(), posted=posted, mistake=mistake)

    @router.api_route("/ack/{token}", methods=["GET", "HEAD"])
    async def show(request: Request, token: str) -> Response:
        try:
            return told(request, await workers.run(looked, token))
        except (StoreBusy, Refused):
            return _busy()

    @router.post("/ack/{token}")
    async def act(request: Request, token: str) -> Response:
        try:
            found = await workers.run(looked, token)
            if found.standing is not Standing.OPEN:
                return told(request, found, posted=True)
            try:
                name = who_is(await _name_in(request))
            except ValueError as e:
                return told(request, found, posted=True, mistake=str(e))
            return told(request, await workers.run(acknowledged, token, name), posted=True)
        except (StoreBusy, Refused):
            return _busy()

    return router


async def _name_in(request: Request) -> str:
    """The field of the form. Raises ValueError where there is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ValueError("That is too long for a name.")
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, errors="strict", max_num_fields=10)
    except ValueError:
        return ""
    return fields.get("name", [""])[0]


def _busy() -> Response:
    sentence = "The store did not answer. Nothing was changed unless a try before went through."
    return refused_page(503, "Try again in a moment", sentence, 5)
