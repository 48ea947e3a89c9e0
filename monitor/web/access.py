"""Who may ask what: tokens and roles, and the guard of a server that trusts this machine."""

from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.errors import StoreError
from monitor.store.tokens import Authenticator, Role
from monitor.web.answers import Refused, answer
from monitor.web.caller import PROBES, Caller, address_of, caller_of, is_link, set_caller
from monitor.web.settings import WebSettings
from monitor.web.workers import Workers

__all__ = ["HostGuard", "Identify", "RequireToken", "needs"]

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class HostGuard:
    """Keeps web pages away from a server without tokens: a page may neither reach it under a name of
    its own that resolves to this machine (DNS rebinding), nor post to it from another origin."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._names = _LOCAL | {_bare(settings.host), *map(_bare, settings.hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A link's form comes from wherever its page was reached, and without an origin of its own.
        judged = scope["type"] == "http" and not is_link(scope["path"])
        refused = self._judge(Headers(scope=scope)) if judged else None
        if refused is None:
            return await self._app(scope, receive, send)
        return await answer(refused, scope, receive, send)

    def _judge(self, headers: Headers) -> Refused | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _bare(hosts[0]) not in self._names:
            return Refused(421, "this server is called localhost; add other names of it to web.hosts")
        origin = headers.get("origin")
        if origin is not None and _origin_host(origin) not in self._names:
            return Refused(403, "requests from pages of other origins are refused")
        return None


def _bare(host: str) -> str:
    """A host without port and brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


class Identify:
    """Finds out who calls; refuses nobody, for the rate limit comes first."""

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, workers: Workers, needs_tokens: bool
    ) -> None:
        self._app, self._authenticator, self._workers = app, authenticator, workers
        self._needs_tokens = needs_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            set_caller(scope, await self._caller(scope))
        except StoreError:
            refused = Refused(503, "the store did not answer, so the token can't be checked; try again", 5)
            return await answer(refused, scope, receive, send)
        except Refused as refused:
            return await answer(refused, scope, receive, send)
        return await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        address = address_of(scope)
        if not self._needs_tokens:
            return Caller(address, trusted=True)
        scheme, _, secret = Headers(scope=scope).get("authorization", "").partition(" ")
        if scope["path"] in PROBES or scheme.lower() != "bearer":
            return Caller(address)
        secret = secret.strip()
        token, settled = self._authenticator.recall(secret)
        if not settled:
            token = await self._workers.run(self._authenticator.authenticate, secret)
        return Caller(address) if token is None else Caller(f"token {token.id}", token)


class RequireToken:
    """Answers 401 to whoever has no valid token, on every path, known or not, but the probes and links that
    acknowledge."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES and not is_link(scope["path"]):
            caller = caller_of(scope)
            if caller.token is None and not caller.trusted:
                refused = Refused(401, "a valid token is needed: Authorization: Bearer mon_..")
                return await answer(refused, scope, receive, send)
        return await self._app(scope, receive, send)


def needs(role: Role) -> Dependency:
    """A dependency that answers 403 unless the caller may act as `role`."""

    async def check(request: Request) -> None:
        if not caller_of(request.scope).may(role):
            raise Refused(403, f"this needs a token with the role {role}")

    found: Dependency = Depends(check)
    return found
