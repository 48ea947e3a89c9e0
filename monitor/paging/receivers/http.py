"""Telling a provider over HTTP, and what its answer means for the next try."""

import json
import re
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

import httpx

from monitor.clock import Clock, WallClock
from monitor.paging.message import Delivery, Result
from monitor.paging.receivers.http_config import PLAIN, HttpConfig, Url, authorization, secret, tls_context

__all__ = ["PLAIN", "Answer", "HttpConfig", "Url", "post", "scrubbed", "secret"]

_SHOWN_CHARACTERS = 200
_MAX_BYTES = 4 << 20
_MAX_REDIRECTS = 3
_LONGEST_WAIT_S = 86_400
_KEEPS_METHOD = (307, 308)
_WALL = WallClock()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said, at most 4 MiB of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The document in it, None for what is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True)
class _Watch:
    """Follows a request: whether all of it has gone out, and its socket, to hang up when time is over.

    httpx bounds each read alone, so that a provider which sends a byte now and then would hold us for ever.
    """

    sent: bool = False
    over: bool = False
    tunnels: bool = False
    sockets: list[socket.socket] = field(default_factory=list)

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.sockets.append(info["return_value"].get_extra_info("socket"))
        elif event.endswith("send_request_headers.started"):
            self.tunnels = info["request"].method == b"CONNECT"
        elif event.endswith("send_request_body.complete"):
            self.sent = not self.tunnels

    def hang_up(self) -> None:
        self.over = True
        for each in self.sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def post(
    url: str,
    body: Any,
    timeout_s: float,
    config: HttpConfig = PLAIN,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    clock: Clock = _WALL,
    secrets: Iterable[str] = (),
) -> tuple[Delivery, Answer | None]:
    """Sends `body` as JSON (None: nothing), and says what became of it; the answer where there was one.

    Blocks for `timeout_s` at most, but for what looking up a name may take; raises nothing. Neither the URL's
    path nor a header nor one of `secrets` is in the delivery's detail.
    """
    hidden = [*_secrets_of(url), *(headers or {}).values(), *secrets]
    try:
        more, basic = authorization(config)
        sent = httpx.Headers([("User-Agent", "monitor"), *more, *(headers or {}).items()])
        hidden += [value for _, value in more] + list(basic or ())
        client = httpx.Client(
            verify=tls_context(config.tls_config),
            proxy=config.proxy_url,
            trust_env=config.proxy_from_environment,
            timeout=httpx.Timeout(timeout_s),
            # Each message has its connection: one that was kept may have gone when it is needed.
            limits=httpx.Limits(max_keepalive_connections=0),
            auth=basic,
        )
        request = client.build_request(method, url, json=body, headers=sent)
    except OSError as e:
        wrong = (e.strerror or type(e).__name__).lower()
        return Delivery(Result.PERMANENT, f"a file of its settings can't be read: {wrong}"), None
    except (httpx.InvalidURL, ValueError, TypeError):
        return Delivery(Result.PERMANENT, "its URL or its headers can't be sent; correct them"), None
    with client:
        delivery, answer = _exchange(client, request, timeout_s, config, clock)
    return Delivery(delivery.result, scrubbed(delivery.detail, hidden), delivery.retry_after_ms), answer


def _exchange(
    client: httpx.Client, request: httpx.Request, timeout_s: float, config: HttpConfig, clock: Clock
) -> tuple[Delivery, Answer | None]:
    watch = _Watch()
    request.extensions["trace"] = watch
    if config.tls_config.server_name:
        request.extensions["sni_hostname"] = config.tls_config.server_name
    timer = threading.Timer(timeout_s, watch.hang_up)
    timer.daemon = True
    timer.start()
    try:
        answer = _answered(client, request, config.follow_redirects, watch)
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        return Delivery(Result.PERMANENT, "its URL or its headers can't be sent; correct them"), None
    except (httpx.TransportError, httpx.DecodingError, OSError) as e:
        return _broken(e, watch, timeout_s), None
    finally:
        timer.cancel()
    return _meaning(answer, clock), answer


def _answered(client: httpx.Client, request: httpx.Request, follows: bool, watch: _Watch) -> Answer:
    for _ in range(_MAX_REDIRECTS + 1):
        with closing(client.send(request, stream=True, follow_redirects=False)) as response:
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    break
            answer = Answer(response.status_code, response.headers, body[:_MAX_BYTES])
        following = _elsewhere(request, response) if follows else None
        if following is None:
            return answer
        watch.sent = False
        request = following
    return answer


def _elsewhere(request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
    """The request to follow a redirect with: the same one, at the same host, which may know the secret."""
    keeps = response.status_code in _KEEPS_METHOD or request.method == "GET"
    if not (response.is_redirect and keeps):
        return None
    try:
        url = request.url.join(response.headers["Location"])
    except httpx.InvalidURL:
        return None
    old = request.url
    if (url.scheme, url.host, url.port) != (old.scheme, old.host, old.port):
        return None
    return httpx.Request(
        request.method, url, headers=request.headers, content=request.read(), extensions=request.extensions
    )


def _broken(error: Exception, watch: _Watch, timeout_s: float) -> Delivery:
    late = watch.over or isinstance(error, httpx.TimeoutException)
    if watch.sent:
        how = f"no answer within {timeout_s:g} s" if late else f"broke off before it answered: {_said(error)}"
        return Delivery(Result.DOUBTFUL, how)
    how = f"not reached within {timeout_s:g} s" if late else f"can't be reached: {_said(error)}"
    return Delivery(Result.TRANSIENT, how)


def _said(error: Exception) -> str:
    """`connection refused` of `[Errno 111] Connection refused`."""
    text = re.sub(r"^\[[^]]*\]\s*|\s*\(_ssl\.c:\d+\)", "", str(error)).strip()
    return (text[:1].lower() + text[1:]) if text else type(error).__name__


def _meaning(answer: Answer, clock: Clock) -> Delivery:
    status = answer.status
    if 200 <= status < 300:
        return Delivery(Result.DELIVERED, f"answered {status}")
    if 300 <= status < 400:
        said = "it is elsewhere, which is not followed; correct the URL"
    else:
        said = " ".join(answer.body[:4096].decode(errors="replace").split())
    detail = f"answered {status}" + (f": {said}" if said else "")
    if status in (408, 425, 429) or status >= 500:
        return Delivery(Result.TRANSIENT, detail, _retry_after_ms(answer.headers, clock))
    return Delivery(Result.PERMANENT, detail)


def _retry_after_ms(headers: Mapping[str, str], clock: Clock) -> int | None:
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return min(int(text[:9]), _LONGEST_WAIT_S) * 1000
    try:
        until = parsedate_to_datetime(text)
        # The provider's own clock says what its date is worth, if it tells.
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else None
        now = now or datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
        wait_s = (until.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return int(min(max(0.0, wait_s), _LONGEST_WAIT_S) * 1000)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The beginning of a text, without the secrets that it may repeat."""
    for value in sorted({s for given in secrets for s in (given, unquote(given))}, key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, "***")
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 2].rstrip() + " …"


def _secrets_of(url: str) -> list[str]:
    """What of a URL may let somebody in: who it names, its path and its query, whole and in parts."""
    rest = re.sub(r"^[a-z]+://", "", url, flags=re.IGNORECASE)
    user, at, where = rest.rpartition("@")
    _, slash, path = where.partition("/")
    found = re.split(r"[:]", user) if at else []
    parts = re.split(r"[/?&=#]", path)
    return [*found, *([slash + path] if path else []), *(p for p in parts if len(p) >= 6)]
