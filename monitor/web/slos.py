"""Objectives, alerts, exclusions and the gate under /api/v1."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import QueryParams

from monitor.errors import QueryError
from monitor.sli.times import parse_time_ms
from monitor.slo.asking import Asking
from monitor.slo.excluding import NewExclusion
from monitor.slo.question import SloQuestion
from monitor.slo.shown import (
    shown_alert,
    shown_decision,
    shown_exclusion,
    shown_health,
    shown_standing,
    shown_transition,
)
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.answers import Refused
from monitor.web.caller import Caller, caller_of
from monitor.web.context import WebContext
from monitor.web.questions import alert_question_of, slo_question_of
from monitor.web.workers import Workers

__all__ = ["add_slos"]

_SHOWN = 100


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/exclusions."""

    from_: str | int = msgspec.field(name="from")
    to: str | int
    reason: str
    author: str | None = None
    model: str | None = None
    objective: str | None = None


def add_slos(router: APIRouter, context: WebContext, workers: Workers) -> None:
    """The routes: those that read for viewers, those that change what counts for responders."""
    ask = Asking(context.store, context.bases, context.slo)

    @router.get("/slos")
    async def slos(request: Request) -> Response:
        """How the objectives stand, the worst first, as `monitor slo list --format json` prints it.

        Parameters: model, name, version, at.
        """
        return _json(await workers.run(_standings, ask, context, request.query_params))

    @router.get("/slos/{model}/{name}")
    async def slo(request: Request, model: str, name: str) -> Response:
        """One objective, for each part of its model that it is told apart by, with what its alerts did.

        Parameters: version, at.
        """
        return _json(await workers.run(_one, ask, context, request.query_params, model, name))

    @router.get("/alerts/state")
    async def alerts(request: Request) -> Response:
        """The alerts that are pending or firing, the worst first. Parameters: model."""
        return _json(await workers.run(_alerts, ask, context, request.query_params))

    @router.get("/alerts/history")
    async def history(request: Request) -> Response:
        """What alerts did, the newest first, each with its reason and figures.

        Parameters: model, from, to, limit.
        """
        return _json(await workers.run(_history, ask, context, request.query_params))

    @router.get("/health")
    async def health(request: Request) -> Response:
        """Each model's health: the worst of its objectives, and the weighted mean of the budgets left.

        Parameters: model, at.
        """
        return _json(await workers.run(_health, ask, context, request.query_params))

    @router.get("/gate")
    async def gate(request: Request) -> Response:
        """Whether a model may be deployed: `ok`, and if not the reasons. Parameters: model, version."""
        return _json(await workers.run(_gate, ask, context, request.query_params))

    @router.get("/exclusions")
    async def exclusions() -> Response:
        """The spans of time that objectives do not count, with author and reason; revoked ones too."""
        return _json(await workers.run(_exclusions, ask))

    _add_excluding(router, context, workers, ask)


def _add_excluding(router: APIRouter, context: WebContext, workers: Workers, ask: Asking) -> None:
    @router.post("/exclusions", status_code=201, dependencies=[needs(Role.RESPONDER)])
    async def exclude(request: Request) -> JSONResponse:
        """Excludes a span of time: `{"from": .., "to": .., "reason": .., "model": .., "objective": ..}`.

        The author is the name of the token; on a server without tokens `author` says who.
        """
        body, caller = await request.body(), caller_of(request.scope)
        return JSONResponse(await workers.run(_exclude, ask, context, body, caller), 201)

    @router.delete("/exclusions/{number}", dependencies=[needs(Role.RESPONDER)])
    async def revoke(
        request: Request,
        number: Annotated[int, Path(ge=0, lt=2**31)],
        author: Annotated[str | None, Query(max_length=200)] = None,
    ) -> JSONResponse:
        """Takes an exclusion back; its time counts again."""
        by = _author(caller_of(request.scope), author)
        if not await workers.run(ask.revoke, number, by, context.clock.now_ms()):
            raise Refused(404, f"there is no exclusion {number} in force")
        return JSONResponse({"revoked": number})


def _json(value: bytes) -> Response:
    return Response(value, media_type="application/json")


def _standings(ask: Asking, context: WebContext, parameters: QueryParams) -> bytes:
    now_ms = context.clock.now_ms()
    found = ask.standings(slo_question_of(parameters, now_ms), now_ms)
    return msgspec.json.encode([shown_standing(one.objective, one.standing) for one in found])


def _one(ask: Asking, context: WebContext, parameters: QueryParams, model: str, name: str) -> bytes:
    now_ms = context.clock.now_ms()
    asked = slo_question_of(parameters, now_ms, ("version", "at"))
    question = SloQuestion(model, name, asked.version, asked.at_ms)
    try:
        found = ask.standings(question, now_ms)
    except QueryError as e:
        raise Refused(404, str(e)) from None
    rows = [
        {
            **shown_standing(one.objective, one.standing),
            "transitions": [shown_transition(t) for t in ask.transitions_of(one.standing, _SHOWN)],
        }
        for one in found
    ]
    return msgspec.json.encode(rows)


def _alerts(ask: Asking, context: WebContext, parameters: QueryParams) -> bytes:
    question = alert_question_of(parameters, context.clock.now_ms(), ("model",))
    return msgspec.json.encode([shown_alert(state) for state in ask.alerts(question)])


def _history(ask: Asking, context: WebContext, parameters: QueryParams) -> bytes:
    question = alert_question_of(parameters, context.clock.now_ms())
    return msgspec.json.encode([shown_transition(kept) for kept in ask.transitions(question)])


def _health(ask: Asking, context: WebContext, parameters: QueryParams) -> bytes:
    now_ms = context.clock.now_ms()
    found = ask.health(slo_question_of(parameters, now_ms, ("model", "at")), now_ms)
    return msgspec.json.encode([shown_health(one, stood) for one, stood in found])


def _gate(ask: Asking, context: WebContext, parameters: QueryParams) -> bytes:
    now_ms = context.clock.now_ms()
    question = slo_question_of(parameters, now_ms, ("model", "version"))
    if question.model is None:
        raise QueryError("model: missing; say which model is to be deployed")
    decision = ask.gate(question, now_ms)
    return msgspec.json.encode(shown_decision(question.model, question.version, decision))


def _exclusions(ask: Asking) -> bytes:
    return msgspec.json.encode([shown_exclusion(e) for e in ask.exclusions(revoked=True)])


def _exclude(ask: Asking, context: WebContext, body: bytes, caller: Caller) -> dict[str, Any]:
    try:
        asked = msgspec.json.decode(body, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Refused(400, f"the body is no exclusion: {e}") from None
    texts = (asked.reason, asked.author, asked.model, asked.objective)
    if any(text is not None and "\0" in text for text in texts):
        raise Refused(400, "the body has a NUL character")
    now_ms = context.clock.now_ms()
    wanted = NewExclusion(
        from_ms=_moment_ms("from", asked.from_, now_ms),
        to_ms=_moment_ms("to", asked.to, now_ms),
        author=_author(caller, asked.author),
        reason=asked.reason,
        model=asked.model,
        objective=asked.objective,
    )
    return shown_exclusion(ask.exclude(wanted, now_ms))


def _moment_ms(name: str, given: str | int, now_ms: int) -> int:
    return parse_time_ms(name, str(given), now_ms)


def _author(caller: Caller, said: str | None) -> str:
    """A token's name can't be denied; without tokens whoever asks says who they are."""
    if caller.token is not None:
        return caller.token.name
    if not said:
        raise QueryError("author: missing; this server knows no tokens, so say who you are")
    return said
