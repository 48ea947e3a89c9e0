"""A candidate version against the champion, for pipelines: Argo Rollouts asks, Flagger calls."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from monitor.errors import QueryError
from monitor.sli.canary.question import CONFIDENCE, CanaryAnswer, CanaryQuestion, Margins, ask_canary
from monitor.sli.canary.verdict import Verdict
from monitor.sli.times import parse_share, parse_time_ms
from monitor.web.answers import Refused
from monitor.web.context import WebContext
from monitor.web.workers import Workers

__all__ = ["add_canary"]

_NAMES = (
    *("model", "candidate", "champion", "sli", "from", "to", "by", "confidence"),
    *("max_latency_regression", "max_error_increase", "max_quality_loss"),
)


class _Called(msgspec.Struct):
    """What Flagger posts; the question stands in `metadata`."""

    metadata: dict[str, str]


def add_canary(router: APIRouter, context: WebContext, workers: Workers) -> None:
    """The routes."""

    @router.get("/canary")
    async def canary(request: Request) -> Response:
        """The verdict, as `monitor canary verdict --format json` prints it.

        Parameters: model, candidate, champion, sli (may be repeated or hold commas), from, to, by,
        max_latency_regression, max_error_increase, max_quality_loss, confidence.
        """
        given = {name: request.query_params.getlist(name) for name in request.query_params}
        return _json(await workers.run(_asked, context, {k: ",".join(v) for k, v in given.items()}))

    @router.post("/canary")
    async def checked(request: Request) -> Response:
        """As Flagger's webhook calls it, with the parameters above under `metadata`: 409 for a candidate that
        is worse; with `unsure: fail` for one of which that isn't known yet, too."""
        try:
            called = msgspec.json.decode(await request.body(), type=_Called)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
            raise Refused(400, f"the body is no call of Flagger's: {e}") from None
        given = dict(called.metadata)
        if any("\0" in text for text in given.values()):
            raise Refused(400, "the body has a NUL character")
        unsure = given.pop("unsure", "pass")
        if unsure not in ("pass", "fail"):
            raise QueryError(f"unsure: {unsure[:100]!r} is neither pass nor fail")
        found = await workers.run(_asked, context, given)
        refused = (Verdict.WORSE, Verdict.NOT_ENOUGH) if unsure == "fail" else (Verdict.WORSE,)
        return _json(found, 409 if found["verdict"] in refused else 200)


def _json(found: CanaryAnswer, status: int = 200) -> Response:
    return Response(msgspec.json.encode(found), status, media_type="application/json")


def _asked(context: WebContext, given: Mapping[str, str]) -> CanaryAnswer:
    return ask_canary(context.store, _question(given, context.clock.now_ms()), context.bases)


def _question(given: Mapping[str, str], now_ms: int) -> CanaryQuestion:
    """Raises QueryError that names the parameter."""
    if unknown := sorted(set(given) - set(_NAMES)):
        raise QueryError(f"{unknown[0][:100]!r} is no parameter; there are {', '.join(_NAMES)}")
    for name in ("model", "candidate"):
        if not given.get(name):
            raise QueryError(f"{name}: is missing")
    begin, end, slis = (given.get(name) for name in ("from", "to", "sli"))

    def share(name: str, usual: float) -> float:
        return parse_share(name, given[name]) if name in given else usual

    known: dict[str, Any] = {} if not slis else {"slis": tuple(filter(None, slis.split(",")))}
    usual = Margins()
    return CanaryQuestion(
        given["model"],
        given["candidate"],
        given.get("champion"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        by=given.get("by"),
        margins=Margins(
            share("max_latency_regression", usual.latency),
            share("max_error_increase", usual.errors),
            share("max_quality_loss", usual.quality),
        ),
        confidence=share("confidence", CONFIDENCE),
        **known,
    )
