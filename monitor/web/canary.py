"""A candidate version against the champion, for pipelines: Argo Rollouts asks, Flagger calls."""

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from monitor.errors import QueryError
from monitor.sli.canary.question import CanaryAnswer, ask_canary
from monitor.sli.canary.verdict import Verdict
from monitor.web.answers import Refused
from monitor.web.context import WebContext
from monitor.web.questions import canary_question_of
from monitor.web.workers import Workers

__all__ = ["add_canary"]


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
        return _json(await workers.run(_asked, context, request.query_params))

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
        found = await workers.run(_asked, context, QueryParams(given))
        refused = (Verdict.WORSE, Verdict.NOT_ENOUGH) if unsure == "fail" else (Verdict.WORSE,)
        return _json(found, 409 if found["verdict"] in refused else 200)


def _json(found: CanaryAnswer, status: int = 200) -> Response:
    return Response(msgspec.json.encode(found), status, media_type="application/json")


def _asked(context: WebContext, parameters: QueryParams) -> CanaryAnswer:
    return ask_canary(context.store, canary_question_of(parameters, context.clock.now_ms()), context.bases)
