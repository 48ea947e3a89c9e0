"""Alertmanager's API v2 over the pager's store, so that a Prometheus and amtool work with it unchanged."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from monitor.errors import ConfigError
from monitor.paging.api_times import shown
from monitor.paging.inbox import post
from monitor.paging.incidents.incident import Entry, Kind, entry_row
from monitor.paging.keeping import keep_silences, kept_silences
from monitor.paging.matching import matchers_text
from monitor.paging.silence import Silence
from monitor.paging.silence_rules import ended, put
from monitor.store.tokens import Role
from monitor.version import __version__
from monitor.web.access import needs
from monitor.web.alertmanager_alerts import AlertQuestion, Standing, filters_of, read_standing
from monitor.web.alertmanager_answers import INVALID_TYPE, Answer, no_such_path, outside, reply, told
from monitor.web.alertmanager_posted import posted_alerts
from monitor.web.alertmanager_silences import (
    in_order,
    new_id,
    posted_id,
    posted_silence,
    selected,
    shown_silence,
)
from monitor.web.caller import Caller, caller_of
from monitor.web.context import WebContext
from monitor.web.paging_site import PagingSite
from monitor.web.workers import Workers

__all__ = ["alertmanager", "pager_probes"]

_log = logging.getLogger(__name__)
_PREFIX = "/api/v2"
# Whose API this is: amtool warns with every command where the version isn't its own.
_SPOKEN = "0.25.0"
_METHODS = {"/status": "GET", "/receivers": "GET", "/alerts": "GET,POST", "/alerts/groups": "GET"}
_METHODS |= {"/silences": "GET,POST"}
_ANY = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


def alertmanager(context: WebContext, site: PagingSite, readers: Workers, writers: Workers) -> APIRouter:
    """The routes below /api/v2: viewers read, `ingest` posts alerts, responders set silences."""
    router = APIRouter(prefix=_PREFIX)
    _add_general(router, site)
    _add_alerts(router, context, site, readers, writers)
    _add_silences(router, _Silences(context, site), readers, writers)

    @router.api_route("/{rest:path}", methods=_ANY, include_in_schema=False)
    async def nothing(request: Request, rest: str) -> Response:
        allowed = "DELETE,GET" if rest.startswith("silence/") else _METHODS.get(f"/{rest}")
        if allowed is None or rest == "silence/":
            raise no_such_path(request.url.path)
        sentence = f"method {request.method} is not allowed, but [{allowed}] are"
        raise Answer(405, {"code": 405, "message": sentence}, {"Allow": allowed})

    return router


def _add_general(router: APIRouter, site: PagingSite) -> None:
    @router.get("/status", dependencies=[needs(Role.VIEWER)])
    async def status() -> Response:
        """Version, start, and the configuration without its secrets. There is no cluster."""
        nothing = dict.fromkeys(("buildDate", "buildUser", "goVersion"), "")
        return reply(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": site.original()},
                "uptime": shown(site.started_ms),
                "versionInfo": {**nothing, "branch": "monitor", "revision": __version__, "version": _SPOKEN},
            }
        )

    @router.get("/receivers", dependencies=[needs(Role.VIEWER)])
    async def receivers() -> Response:
        """The names of all receivers."""
        return reply([{"name": name} for name in site.settings().receivers])


def _add_alerts(
    router: APIRouter, context: WebContext, site: PagingSite, readers: Workers, writers: Workers
) -> None:
    def asked(question: AlertQuestion, part: Callable[[Standing, AlertQuestion], Any]) -> Response:
        standing = read_standing(context.store, site.settings(), context.clock.now_ms())
        return reply(part(standing, question))

    @router.get("/alerts", dependencies=[needs(Role.VIEWER)])
    async def alerts(request: Request) -> Response:
        """The alerts that haven't ended.

        Parameters: filter (a matcher, more than once), active, silenced, inhibited, unprocessed, receiver.
        """
        question = AlertQuestion.of(request.query_params)
        return await readers.run(asked, question, Standing.alerts)

    @router.get("/alerts/groups", dependencies=[needs(Role.VIEWER)])
    async def groups(request: Request) -> Response:
        """The alerts in the groups in which they are told. Parameters: as for /alerts."""
        question = AlertQuestion.of(request.query_params)
        return await readers.run(asked, question, Standing.groups)

    @router.post("/alerts", dependencies=[needs(Role.INGEST)])
    async def report(request: Request) -> Response:
        """Takes reports of alerts; where some are refused, the others are taken all the same."""
        _want_json(request)
        return await writers.run(_report, context, site, await request.body())


def _want_json(request: Request) -> None:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        sentence = f'unsupported media type "{kind[:100]}", only [application/json] are allowed'
        raise Answer(415, {"code": 415, "message": sentence})


def _report(context: WebContext, site: PagingSite, body: bytes) -> Response:
    now_ms = context.clock.now_ms()
    posted = posted_alerts(body, now_ms, site.settings().resolve_timeout_ms)
    post(context.store, posted.alerts, now_ms)
    site.wake()
    n = len(posted.alerts) + len(posted.refused)
    site.received.add(firing=n - posted.resolved, resolved=posted.resolved, invalid=len(posted.refused))
    if posted.refused:
        _log.warning("alerts refused", extra={"refused": len(posted.refused), "reason": posted.refused[0]})
        raise told(400, posted.refusal)
    return Response()


class _Silences:
    """The silences of the store, read and changed for requests."""

    def __init__(self, context: WebContext, site: PagingSite) -> None:
        self._store, self._clock, self._site = context.store, context.clock, site

    def listed(self, request: Request) -> Response:
        filters = filters_of(request.query_params)
        now_ms = self._clock.now_ms()
        some = selected(kept_silences(self._store), filters)
        return reply(in_order([shown_silence(silence, now_ms) for silence in some]))

    def one(self, id: str) -> Response:
        return reply(shown_silence(self._found(id), self._clock.now_ms()))

    def _found(self, id: str) -> Silence:
        found = next((s for s in kept_silences(self._store) if s.id == id), None)
        if found is None:
            raise told(404, "silence not found")
        return found

    def set(self, body: bytes, caller: Caller) -> Response:
        now_ms = self._clock.now_ms()
        id = posted_id(body)
        existing = [s for s in kept_silences(self._store) if id and s.id == id]
        wanted = posted_silence(body, existing[0] if existing else None, now_ms)
        if id and not existing:
            raise told(404, "silence not found")
        kept = put(existing[0] if existing else None, wanted, now_ms, new_id)
        who = caller.token.name if caller.token is not None else wanted.created_by
        self._keep(kept, Kind.SILENCED, who, now_ms)
        return reply({"silenceID": kept[-1].id})

    def expire(self, id: str, caller: Caller) -> Response:
        now_ms = self._clock.now_ms()
        over = ended(self._found(id), now_ms)
        if over is not None:
            who = caller.token.name if caller.token is not None else caller.client
            self._keep([over], Kind.SILENCE_ENDED, who, now_ms)
        return Response()

    def _keep(self, some: list[Silence], kind: Kind, who: str, now_ms: int) -> None:
        """With who did it: what isn't told is to be accounted for."""
        said = some[-1]
        until = "ended" if kind is Kind.SILENCE_ENDED else f"until {shown(said.ends_ms)}"
        again = f", {said.repeat}" if said.repeat else ""
        text = f"{said.id}: {matchers_text(said.matchers)} {until}{again}: {said.comment}"
        entry = Entry(None, now_ms, kind, who.replace("\0", "")[:200], text.replace("\0", ""))
        keep_silences(self._store, some, [entry_row(entry)])
        _log.info(str(kind), extra={"who": entry.who, "silence": entry.text})
        self._site.wake()


def _add_silences(router: APIRouter, silences: _Silences, readers: Workers, writers: Workers) -> None:
    @router.get("/silences", dependencies=[needs(Role.VIEWER)])
    async def listed(request: Request) -> Response:
        """All silences, also those that are over. Parameters: filter (a matcher that they have)."""
        return await readers.run(silences.listed, request)

    @router.post("/silences", dependencies=[needs(Role.RESPONDER)])
    async def set_one(request: Request) -> Response:
        """Sets a silence, or changes that of `id`; answers its id, a new one where the past would change.

        With `repeat` (daily, weekly), `timeZone` and `until` it comes again.
        """
        _want_json(request)
        return await writers.run(silences.set, await request.body(), caller_of(request.scope))

    @router.get("/silence/{id}", dependencies=[needs(Role.VIEWER)])
    async def one(id: str) -> Response:
        """One silence."""
        return await readers.run(silences.one, _id(id))

    @router.delete("/silence/{id}", dependencies=[needs(Role.RESPONDER)])
    async def expire(request: Request, id: str) -> Response:
        """Ends a silence now."""
        return await writers.run(silences.expire, _id(id), caller_of(request.scope))


def _id(text: str) -> str:
    found = text.lower()
    parts = found.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12] or set(found) - set("0123456789abcdef-"):
        raise outside(INVALID_TYPE, f'silenceID in path must be of type uuid: "{text[:100]}"')
    return found


def pager_probes(site: PagingSite, workers: Workers) -> APIRouter:
    """The routes /-/healthy, /-/ready and /-/reload."""
    router = APIRouter(prefix="/-")

    @router.api_route("/healthy", methods=["GET", "HEAD"])
    async def healthy() -> Response:
        """The process is alive."""
        return Response("OK", media_type="text/plain")

    @router.api_route("/ready", methods=["GET", "HEAD"])
    async def ready() -> Response:
        """It takes alerts."""
        return Response("OK", media_type="text/plain")

    @router.post("/reload", dependencies=[needs(Role.ADMIN)])
    async def reload() -> Response:
        """Reads the configuration again; 500 and the mistakes where it is wrong: then the old one holds."""
        if site.reload is None:
            return Response("this server reads its configuration only when it starts", 501)
        try:
            await workers.run(site.reload)
        except ConfigError as e:
            return Response(f"failed to reload config: {e}\n", 500, media_type="text/plain")
        return Response()

    return router
