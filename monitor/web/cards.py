"""Cards of models and what is missing of them, under /api/v1."""

from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from monitor.cards.auditing import audit, registered, shown_audited
from monitor.cards.card import card_of, newest_ms
from monitor.cards.markdown import markdown
from monitor.sli.times import parse_time_ms
from monitor.web.answers import Refused
from monitor.web.context import WebContext
from monitor.web.questions import check_names
from monitor.web.workers import Workers

__all__ = ["add_cards"]


def add_cards(router: APIRouter, context: WebContext, workers: Workers) -> None:
    """The routes."""

    @router.get("/models/{name}/card")
    async def card(name: str, request: Request, format: Literal["md", "json"] = "json") -> Response:
        """A model's card, as `monitor model card` writes it. Parameters: at, format (md or json)."""
        found = await workers.run(_card, context, name, request.query_params)
        if format == "md":
            return Response(markdown(found), media_type="text/markdown")
        return Response(msgspec.json.encode(found), media_type="application/json")

    @router.get("/audit/gaps")
    async def gaps(request: Request) -> Response:
        """What is missing of each model, as `monitor audit --format json` prints it. Parameter: model."""
        found = await workers.run(_gaps, context, request.query_params)
        return Response(msgspec.json.encode(found), media_type="application/json")


def _card(context: WebContext, name: str, parameters: QueryParams) -> dict[str, Any]:
    check_names(parameters, ("at", "format"))
    if "\0" in name or name not in registered(context.store, context.cards):
        raise Refused(404, f"there is no model {name[:100]!r}")
    at, now_ms = parameters.get("at"), context.clock.now_ms()
    at_ms = newest_ms(context.store, context.cards, now_ms) if at is None else parse_time_ms("at", at, now_ms)
    return card_of(context.store, context.cards, name, at_ms)


def _gaps(context: WebContext, parameters: QueryParams) -> list[dict[str, Any]]:
    check_names(parameters, ("model",))
    found = audit(context.store, context.cards, parameters.get("model"), context.clock.now_ms())
    return [shown_audited(one) for one in found]
