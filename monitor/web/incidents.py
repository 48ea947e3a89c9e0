"""Incidents under /api/v1: what is wrong, what was done about it, and doing something."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import QueryParams

from monitor.errors import QueryError
from monitor.paging.incidents import asking
from monitor.paging.incidents.incident import Act, Deed
from monitor.paging.incidents.shown import shown_entry, shown_incident
from monitor.sli.times import parse_time_ms
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.answers import Refused
from monitor.web.caller import Caller, caller_of
from monitor.web.context import WebContext
from monitor.web.questions import check_names
from monitor.web.workers import Workers

__all__ = ["add_incidents"]

_WAIT_S = 2.0
_SHOWN = 1000
_Id = Annotated[int, Path(ge=1, lt=2**53)]


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a POST: why, or for `assign` to whom; `who` counts on a server without tokens."""

    text: str = ""
    who: str | None = None


def add_incidents(router: APIRouter, context: WebContext, workers: Workers) -> None:
    """The routes: those that read for viewers, those that do something for responders."""

    @router.get("/incidents")
    async def incidents(request: Request) -> Response:
        """The open incidents, the newest first. Parameters: since (resolved ones too), owner."""
        return _json(await workers.run(_incidents, context, request.query_params))

    @router.get("/incidents/{id}")
    async def incident(id: _Id) -> Response:
        """An incident with its `timeline`."""
        return _json(await workers.run(_incident, context, id))

    @router.get("/audit")
    async def audit() -> Response:
        """Who did what, when and why, over all incidents and silences: the newest thousand."""
        return _json(await workers.run(_audit, context))

    @router.post("/incidents/{id}/{act}", dependencies=[needs(Role.RESPONDER)])
    async def act(request: Request, id: _Id, act: Act) -> JSONResponse:
        """Acknowledges, mitigates, notes, assigns or resolves: `{"text": why}`.

        `taken` is false where no pager runs to take it up: it will once one does.
        """
        body, caller = await request.body(), caller_of(request.scope)
        return JSONResponse(await workers.run(_act, context, id, act, body, caller))


def _json(value: bytes) -> Response:
    return Response(value, media_type="application/json")


def _incidents(context: WebContext, parameters: QueryParams) -> bytes:
    check_names(parameters, ("since", "owner"))
    since = parameters.get("since")
    since_ms = None if since is None else parse_time_ms("since", since, context.clock.now_ms())
    found = asking.incidents(context.store, since_ms, parameters.get("owner"), _SHOWN)
    return msgspec.json.encode([shown_incident(one) for one in found])


def _incident(context: WebContext, id: int) -> bytes:
    try:
        found = asking.incident(context.store, id)
    except QueryError as e:
        raise Refused(404, str(e)) from None
    entries = asking.entries(context.store, id)
    return msgspec.json.encode({**shown_incident(found), "timeline": [shown_entry(e) for e in entries]})


def _audit(context: WebContext) -> bytes:
    return msgspec.json.encode([shown_entry(e) for e in asking.entries(context.store, limit=_SHOWN)])


def _act(context: WebContext, id: int, act: Act, body: bytes, caller: Caller) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(body or b"{}", type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Refused(400, f'the body is not {{"text": ..}}: {e}') from None
    who = caller.token.name if caller.token is not None else asked.who
    if not who or not who.strip():
        raise Refused(400, "who: missing; this server has no tokens, so say who does it")
    if "\0" in who + asked.text:
        raise Refused(400, "the body has a NUL character")
    try:
        asking.incident(context.store, id)
    except QueryError as e:
        raise Refused(404, str(e)) from None
    deed = Deed(id, act, who, asked.text, context.clock.now_ms())
    taken = asking.act(context.store, deed, _WAIT_S)
    return {**shown_incident(asking.incident(context.store, id)), "taken": taken}
