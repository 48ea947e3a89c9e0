"""The API under /api/v1: questions about the models, and about monitor itself."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import QueryParams

from monitor.ingest.contract import json_schema
from monitor.ingest.events.kinds import event_schema
from monitor.ingest.label_contract import label_schema
from monitor.operations.asking import ask_events
from monitor.operations.cost_question import ask_costs, parse_month
from monitor.sli.catalogue import SLIS
from monitor.sli.fairness_question import ask_fairness
from monitor.sli.query import answer
from monitor.sli.samples import samples
from monitor.sli.verdicts import drift
from monitor.store import dead, names
from monitor.store.tokens import Role
from monitor.web.access import needs
from monitor.web.answers import Refused
from monitor.web.caller import caller_of
from monitor.web.canary import add_canary
from monitor.web.cards import add_cards
from monitor.web.context import WebContext
from monitor.web.incidents import add_incidents
from monitor.web.questions import (
    check_names,
    drift_question_of,
    event_question_of,
    fairness_question_of,
    question_of,
    sample_question_of,
)
from monitor.web.shown import shown_letter, shown_status
from monitor.web.slos import add_slos
from monitor.web.workers import Workers

__all__ = ["api"]

_MAX_LETTERS = 1000


def api(context: WebContext, workers: Workers) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(prefix="/api/v1", dependencies=[needs(Role.VIEWER), Depends(_without_nul)])
    schemas = {"records": json_schema(), "labels": label_schema(), "events": event_schema()}

    @router.get("/query")
    async def query(request: Request) -> Response:
        """An indicator over windows and groups, as `monitor query --format json` prints it.

        Parameters: model, sli, from, to, step, by, version, endpoint, segment=label:value, feature.
        """
        found = await workers.run(_answered, context, request.query_params)
        return Response(found, media_type="application/json")

    @router.get("/drift")
    async def drift_verdicts(request: Request) -> Response:
        """The verdicts on a model's features in one window, as `monitor drift --format json` prints them.

        Parameters: model, at, window, version, segment=label:value, against.
        """
        found = await workers.run(_drift, context, request.query_params)
        return Response(found, media_type="application/json")

    @router.get("/samples")
    async def sampled(request: Request) -> JSONResponse:
        """Records to look at, as `monitor samples list --format json` prints them.

        Parameters: model, reason, from, to, version, limit. What may hold personal data (features,
        prediction, label) is shown to responders only.
        """
        in_full = caller_of(request.scope).may(Role.RESPONDER)
        return JSONResponse(await workers.run(_samples, context, request.query_params, in_full))

    @router.get("/fairness")
    async def fairness(request: Request) -> Response:
        """How a model treats the groups of a segment label, as `monitor fairness --format json` prints it.

        Parameters: model, by, from, to, version, min_group.
        """
        found = await workers.run(_fairness, context, request.query_params)
        return Response(found, media_type="application/json")

    @router.get("/events")
    async def events(request: Request) -> Response:
        """What happened around the models, the newest first, as `monitor event list --format json` prints it.

        Parameters: kind (may be repeated or hold commas), model, from, to, limit.
        """
        found = await workers.run(_events, context, request.query_params)
        return Response(found, media_type="application/json")

    @router.get("/costs")
    async def costs(request: Request) -> Response:
        """What a month costs, as `monitor costs show --format json` prints it. Parameters: by, month."""
        found = await workers.run(_costs, context, request.query_params)
        return Response(found, media_type="application/json")

    @router.get("/models")
    async def models() -> JSONResponse:
        """The models that have been seen."""
        return JSONResponse(await workers.run(names.models, context.store))

    @router.get("/slis")
    async def slis() -> list[dict[str, str]]:
        """Every indicator: its name, unit and meaning."""
        return [{"name": s.name, "unit": s.unit, "meaning": s.meaning} for s in SLIS]

    @router.get("/schema")
    async def contract(of: Literal["records", "labels", "events"] = "records") -> dict[str, Any]:
        """The contract of records, of labels or of events, as JSON Schema."""
        return schemas[of]

    @router.get("/status")
    async def status() -> JSONResponse:
        """How the job does: progress, owner, lag and watermark of every partition."""
        return JSONResponse(await workers.run(shown_status, context))

    _add_dead_letters(router, context, workers)
    add_incidents(router, context, workers)
    add_slos(router, context, workers)
    add_canary(router, context, workers)
    add_cards(router, context, workers)
    return router


def _add_dead_letters(router: APIRouter, context: WebContext, workers: Workers) -> None:
    @router.get("/dead-letters")
    async def dead_letters(
        request: Request,
        reason: Annotated[str | None, Query(max_length=40)] = None,
        topic: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=_MAX_LETTERS)] = 100,
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    ) -> JSONResponse:
        """Messages that were no records, the oldest first; `after` is the last id of the page before.

        A payload may hold personal data: it is shown to responders only.
        """
        in_full = caller_of(request.scope).may(Role.RESPONDER)
        found = await workers.run(
            dead.list_kept, context.store, reason=reason, topic=topic, after_id=after, limit=limit
        )
        return JSONResponse([shown_letter(letter, in_full) for letter in found])


def _answered(context: WebContext, parameters: QueryParams) -> bytes:
    now_ms = context.clock.now_ms()
    question = question_of(parameters, now_ms)
    return msgspec.json.encode(answer(context.store, question, now_ms, context.bases))


def _drift(context: WebContext, parameters: QueryParams) -> bytes:
    question = drift_question_of(parameters, context.clock.now_ms())
    return msgspec.json.encode(drift(context.store, question, context.bases))


def _samples(context: WebContext, parameters: QueryParams, in_full: bool) -> list[dict[str, Any]]:
    question = sample_question_of(parameters, context.clock.now_ms())
    return samples(context.store, question, context.samples, in_full)


def _fairness(context: WebContext, parameters: QueryParams) -> bytes:
    question = fairness_question_of(parameters, context.clock.now_ms())
    return msgspec.json.encode(ask_fairness(context.store, question, context.bases))


def _costs(context: WebContext, parameters: QueryParams) -> bytes:
    check_names(parameters, ("by", "month"))
    by, now_ms = parameters.get("by", "team"), context.clock.now_ms()
    asked = parse_month("month", parameters.get("month"), by, now_ms)
    return msgspec.json.encode(ask_costs(context.store, context.costs, asked, context.bases))


def _events(context: WebContext, parameters: QueryParams) -> bytes:
    question = event_question_of(parameters, context.clock.now_ms())
    return msgspec.json.encode(ask_events(context.store, question))


async def _without_nul(request: Request) -> None:
    """PostgreSQL holds no NUL characters, so a name with one can't be looked up."""
    if any("\0" in part for pair in request.query_params.multi_items() for part in pair):
        raise Refused(400, "a parameter has a NUL character")
