"""The log as machines and as people read it, without secrets."""

import asyncio
import io
import json
import logging
import re
from typing import Any, Literal

import numpy as np
import pytest

from monitor.logs import Masker, correlation, correlation_id, set_up

SECRET = "hunter2-hunter2"
_log = logging.getLogger("monitor.test")


def logging_to(format: Literal["json", "text"], **options: Any) -> io.StringIO:
    stream = io.StringIO()
    set_up(format=format, stream=stream, **options)
    return stream


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    loaded: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return loaded


def test_an_event_with_its_fields() -> None:
    stream = logging_to("json")
    _log.info(
        "store migrated to %s", "0003", extra={"rows": 3, "took_s": 0.5, "partition": ("t", 1), "no": None}
    )
    line = only(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("ts"))
    assert line == {
        "level": "info",
        "logger": "monitor.test",
        "event": "store migrated to 0003",
        "rows": 3,
        "took_s": 0.5,
        "partition": ["t", 1],
        "no": None,
    }


def test_a_line_is_a_line_whatever_is_in_it() -> None:
    stream = logging_to("json")
    _log.info(
        "a\nb\u2028c",
        extra={"x": "d\r\ne\u2029", "n": np.int64(3), "f": float("nan"), "o": object, "m": {1: 2}},
    )
    line = only(stream)
    assert line["event"] == "a\nb\u2028c"
    assert (line["x"], line["n"], line["f"], line["m"]) == ("d\r\ne\u2029", 3, "nan", {"1": 2})


def test_a_field_does_not_overwrite_what_a_line_has() -> None:
    stream = logging_to("json")
    _log.warning("x", extra={"level": 9, "event": "y"})
    line = only(stream)
    assert (line["level"], line["event"], line["level_"], line["event_"]) == ("warning", "x", 9, "y")


def test_an_exception_stays_in_its_line() -> None:
    stream = logging_to("json", secrets=[SECRET])
    try:
        raise ValueError(f"can't log in with {SECRET}")
    except ValueError:
        _log.exception("failed")
    line = only(stream)
    assert line["error"].startswith("Traceback")
    assert line["error"].endswith("ValueError: can't log in with ***")


def test_the_correlation_id_follows_the_context() -> None:
    stream = logging_to("json")

    async def handle(identifier: str) -> None:
        with correlation(identifier):
            await asyncio.sleep(0)
            _log.info("handled")

    async def both() -> None:
        await asyncio.gather(handle("a"), handle("b"))

    asyncio.run(both())
    with correlation("outer"), correlation("inner"):
        assert correlation_id() == "inner"
    assert correlation_id() is None
    _log.info("after")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("correlation_id") for line in lines] == ["a", "b", None]


def test_the_level_and_a_second_set_up() -> None:
    first = logging_to("json", level="warning")
    _log.info("unseen")
    _log.warning("seen")
    second = logging_to("json", level="debug")
    _log.debug("seen too")
    assert "unseen" not in first.getvalue()
    assert len(first.getvalue().splitlines()) == 1
    assert only(second)["event"] == "seen too"


def test_warnings_are_logged() -> None:
    stream = logging_to("json")
    logging.getLogger("py.warnings").warning("deprecated")
    assert only(stream)["logger"] == "py.warnings"


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize(
    ("message", "extra"),
    [
        (f"password is {SECRET}", {}),
        ("x", {"why": f"login with {SECRET} failed"}),
        ("x", {"sasl.password": SECRET[:3] + "unlisted"}),
        (
            "x",
            {
                "options": {
                    "sasl.password": "unlisted-secret",
                    "deep": [{"ssl.key.password": "unlisted-secret"}],
                }
            },
        ),
        ("connecting to postgresql://u:unlisted-secret@h/d", {}),
        ("header Authorization: Bearer unlisted-secret", {}),
        ("sasl.password=unlisted-secret;x", {}),
        ("made mon_unlistedunlistedunlistedunlisted", {}),
    ],
)
def test_no_secret_is_logged(format: Literal["json", "text"], message: str, extra: dict[str, Any]) -> None:
    stream = logging_to(format, secrets=[SECRET, ""])
    _log.info(message, extra=extra)
    assert "***" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert "unlisted" not in stream.getvalue()


def test_what_is_no_secret_is_left_alone() -> None:
    text = "a password policy: see https://example.org/bearer at 10:00@noon"
    assert Masker().text(text) == text


def test_text_for_a_terminal() -> None:
    stream = logging_to("text")
    with correlation("c-1"):
        _log.warning(
            "not\nflushed\x1b[31m", extra={"partition": "t[0]", "reason": "the store is away\n", "n": 3}
        )
    line = stream.getvalue()
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} warning not\\nflushed\\x1b\[31m"
        r'  partition=t\[0\]  reason="the store is away\\n"  n=3  correlation_id=c-1\n',
        line,
    )
