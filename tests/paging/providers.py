"""Providers on a local port that speak the real protocols, and fail as they do."""

import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Asked", "Github", "HttpProvider", "Jira", "Opsgenie", "Pagerduty", "Reply"]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """What is answered. `drops`: nothing, the connection is closed; `hangs`: nothing, it stays open until the
    provider is closed; `trickles`: a byte of the body now and then."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False
    hangs: bool = False
    trickles: bool = False


class HttpProvider:
    """Answers by `reply`, which a test may give and change; `asked` is what came, in order."""

    def __init__(self, reply: Callable[[Asked], Reply] | None = None) -> None:
        self.asked: list[Asked] = []
        self.reply = reply or self.answer
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def answer(self, asked: Asked) -> Reply:
        """What it says where a test doesn't."""
        return Reply()

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speaks TLS from the next connection on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def wait(self, seconds: float) -> bool:
        """Whether it was closed within this time."""
        return self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


def _handler(provider: HttpProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            provider.asked.append(asked)
            reply = provider.reply(asked)
            self.close_connection = True
            if reply.hangs:
                provider.wait(30)
            if reply.drops or reply.hangs:
                return
            self._give(reply)

        def _give(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else b""
            if not isinstance(reply.body, bytes | type(None)):
                body = json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            for name, value in {
                "Content-Length": str(len(body)),
                "Connection": "close",
                **reply.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if not reply.trickles:
                self.wfile.write(body)
                return
            for byte in body:
                if provider.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: pytest shows what matters."""

    return Handler


class Pagerduty(HttpProvider):
    """Events API v2, as its documentation has it: what is wrong with an event is a 400 with `errors`.
    `alerts` has the state of each dedup key."""

    def __init__(self, routing_key: str = "R" * 32) -> None:
        super().__init__()
        self.routing_key = routing_key
        self.alerts: dict[str, str] = {}
        self.pages = 0

    def answer(self, asked: Asked) -> Reply:
        event = asked.json
        errors = list(_event_errors(event, self.routing_key))
        if asked.path != "/v2/enqueue" or errors:
            return Reply(
                400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            )
        key, state = event["dedup_key"], self.alerts.get(event["dedup_key"])
        match event["event_action"]:
            case "trigger":
                self.pages += state is None
                self.alerts[key] = state or "triggered"
            case "acknowledge" if state:
                self.alerts[key] = "acknowledged"
            case "resolve":
                self.alerts.pop(key, None)
        return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})


def _event_errors(event: Any, routing_key: str) -> Any:
    if event.get("routing_key") != routing_key:
        yield "'routing_key' is invalid"
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        yield "'dedup_key' is missing or too long"
    payload = event.get("payload", {})
    if event.get("event_action") == "trigger":
        for name in ("summary", "source", "severity"):
            if not payload.get(name):
                yield f"'payload.{name}' is missing or blank"
    if len(payload.get("summary", "")) > 1024:
        yield "'payload.summary' is too long"
    if payload.get("severity", "info") not in ("critical", "error", "warning", "info"):
        yield "'payload.severity' is invalid"
    if any("href" not in link for link in event.get("links", [])):
        yield "'links' is invalid"


class Opsgenie(HttpProvider):
    """Alerts API v2; `alerts` has, by alias, what was created, with `status` and `acknowledged`."""

    def __init__(self, key: str = "genie-key-123456") -> None:
        super().__init__()
        self.key = key
        self.alerts: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"GenieKey {self.key}":
            return Reply(403, {"message": "Key format is not valid!"})
        if asked.path == "/v2/alerts":
            return self._create(asked.json)
        found = re.fullmatch(r"/v2/alerts/([^/]+)/(close|acknowledge)", asked.path)
        if found is None or asked.query.get("identifierType") != "alias":
            return Reply(404, {"message": "no such path"})
        alert = self.alerts.get(unquote(found[1]))
        if alert is not None:
            alert |= {"status": "closed"} if found[2] == "close" else {"acknowledged": True}
        return Reply(202, {"result": "Request will be processed", "took": 0.1, "requestId": "r1"})

    def _create(self, alert: dict[str, Any]) -> Reply:
        limits = {"message": 130, "description": 15_000, "alias": 512, "entity": 512, "source": 100}
        long = [name for name, most in limits.items() if len(alert.get(name, "")) > most]
        if not alert.get("message") or long or alert.get("priority") not in ("P1", "P2", "P3", "P4", "P5"):
            return Reply(422, {"message": f"Request body is not processable: {long}"})
        old = self.alerts.get(alert["alias"])
        if old is None or old["status"] == "closed":
            self.alerts[alert["alias"]] = {**alert, "status": "open", "count": 1}
        else:
            old["count"] += 1
        return Reply(202, {"result": "Request will be processed", "took": 0.1, "requestId": "r2"})


class Jira(HttpProvider):
    """REST API v2 of a data center, or v3 of the cloud; `issues` by key, with `comments` and `status`."""

    def __init__(self, token: str = "jira-token-1") -> None:
        super().__init__()
        self.token = token
        self.issues: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401, {"errorMessages": ["You are not authenticated"]})
        path = re.sub(r"^/rest/api/[23]", "", asked.path)
        if path in ("/search", "/search/jql"):
            return self._search(asked.json["jql"])
        if path == "/issue":
            key = f"ML-{len(self.issues) + 1}"
            fields = asked.json["fields"]
            if any(" " in label for label in fields["labels"]) or len(fields["summary"]) > 255:
                return Reply(400, {"errors": {"labels": "The label can't contain spaces."}})
            self.issues[key] = {**fields, "comments": [], "status": "Open"}
            return Reply(201, {"id": "1", "key": key, "self": "x"})
        found = re.fullmatch(r"/issue/([^/]+)/(comment|transitions)", path)
        if found is None or found[1] not in self.issues:
            return Reply(404, {"errorMessages": ["Issue does not exist"]})
        issue = self.issues[found[1]]
        if found[2] == "comment":
            issue["comments"].append(asked.json["body"])
            return Reply(201, {"id": "2"})
        if asked.method == "GET":
            return Reply(200, {"transitions": [{"id": "11", "name": "Start"}, {"id": "31", "name": "Done"}]})
        issue["status"] = {"11": "Started", "31": "Done"}[asked.json["transition"]["id"]]
        return Reply(204)

    def _search(self, jql: str) -> Reply:
        found = re.search(r'labels = "([^"]+)"', jql)
        label = found[1] if found else None
        keys = [k for k, i in self.issues.items() if label in i["labels"] and i["status"] != "Done"]
        return Reply(200, {"issues": [{"key": key} for key in keys[-1:]]})


class Github(HttpProvider):
    """The issues of acme/models; the newest first, by pages."""

    def __init__(self, token: str = "ghp_secret123") -> None:
        super().__init__()
        self.token = token
        self.issues: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401, {"message": "Bad credentials"})
        path = asked.path.removeprefix("/repos/acme/models")
        if path == "/issues" and asked.method == "GET":
            return Reply(200, self._page(asked.query))
        if path == "/issues":
            number = len(self.issues) + 1
            self.issues.append({"number": number, "state": "open", "comments": [], **asked.json})
            return Reply(201, {"number": number})
        found = re.fullmatch(r"/issues/(\d+)(/comments)?", path)
        if found is None:
            return Reply(404, {"message": "Not Found"})
        issue = self.issues[int(found[1]) - 1]
        if found[2]:
            issue["comments"].append(asked.json["body"])
            return Reply(201, {"id": 1})
        issue |= asked.json
        return Reply(200, {"number": issue["number"]})

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        label = query.get("labels")
        some = [i for i in reversed(self.issues) if i["state"] == "open"]
        some = [i for i in some if label is None or label in i.get("labels", ())]
        size, page = int(query["per_page"]), int(query["page"])
        return [
            {k: v for k, v in i.items() if k != "comments"} for i in some[(page - 1) * size : page * size]
        ]
