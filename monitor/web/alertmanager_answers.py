"""What Alertmanager's API answers: JSON, with two shapes of errors.

What breaks the schema is `{"code": .., "message": ..}`, as go-openapi has it; what is refused for what it
says is a JSON string.
"""

from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

__all__ = ["Answer", "handle_answers", "malformed", "no_such_path", "outside", "reply", "told"]

# go-openapi's codes of what is wrong with a value.
INVALID_TYPE, REQUIRED, TOO_FEW = 601, 602, 612


class Answer(Exception):
    """A request that is answered with this status and body instead."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(body)
        self.status, self.body, self.headers = status, body, headers


def told(status: int, sentence: str) -> Answer:
    """A refusal in one sentence."""
    return Answer(status, sentence)


def malformed(sentence: str) -> Answer:
    """The body is not JSON of the right types."""
    return Answer(400, {"code": 400, "message": sentence})


def outside(code: int, sentence: str) -> Answer:
    """A value that the schema doesn't allow."""
    return Answer(422, {"code": code, "message": sentence})


def no_such_path(path: str) -> Answer:
    return Answer(404, {"code": 404, "message": f"path {path} was not found"})


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The value as JSON."""
    body = msgspec.json.encode(value) + b"\n"
    return Response(body, status, headers, media_type="application/json")


def handle_answers(app: FastAPI) -> None:
    """Lets an Answer that is raised be the response."""

    @app.exception_handler(Answer)
    async def answer(_: Request, found: Answer) -> Response:
        return reply(found.body, found.status, found.headers)
