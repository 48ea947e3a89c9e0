"""What an answer, or none, means for the next try; and that no secret is told."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.clock import StreamClock
from monitor.paging.message import Delivery, Result
from monitor.paging.receivers.http import post, scrubbed
from monitor.paging.receivers.http_config import HttpConfig
from tests.paging.providers import Asked, HttpProvider, Reply


@pytest.fixture
def provider() -> Iterator[HttpProvider]:
    with HttpProvider() as server:
        yield server


def sent(provider: HttpProvider, reply: Reply, timeout_s: float = 5.0) -> Delivery:
    provider.reply = lambda asked: reply
    return post(f"{provider.url}/services/T000/B000/hookhookhook", {"a": 1}, timeout_s)[0]


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (Reply(200), Result.DELIVERED),
        (Reply(204), Result.DELIVERED),
        (Reply(400), Result.PERMANENT),
        (Reply(401), Result.PERMANENT),
        (Reply(404), Result.PERMANENT),
        (Reply(408), Result.TRANSIENT),
        (Reply(429), Result.TRANSIENT),
        (Reply(500), Result.TRANSIENT),
        (Reply(503), Result.TRANSIENT),
        (Reply(302, headers={"Location": "/elsewhere"}), Result.PERMANENT),
        (Reply(drops=True), Result.DOUBTFUL),
    ],
)
def test_an_answer_says_whether_to_try_again(provider: HttpProvider, reply: Reply, result: Result) -> None:
    assert sent(provider, reply).result is result


def test_no_answer_in_time_is_doubtful(provider: HttpProvider) -> None:
    found = sent(provider, Reply(hangs=True), 0.2)
    assert found == Delivery(Result.DOUBTFUL, "no answer within 0.2 s")


def test_an_answer_that_trickles_does_not_hold_us(provider: HttpProvider) -> None:
    found = sent(provider, Reply(body=b"x" * 1_000, trickles=True), 0.3)
    assert found.result is Result.DOUBTFUL
    assert "0.3 s" in found.detail


def test_a_port_that_nobody_listens_on_can_be_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found, answer = post(f"http://127.0.0.1:{free.getsockname()[1]}/", {}, 2.0)
    assert found == Delivery(Result.TRANSIENT, "can't be reached: connection refused")
    assert answer is None


def test_a_host_that_does_not_answer_can_be_tried_again() -> None:
    # A full backlog: the connection is never made.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        found, _ = post(f"http://127.0.0.1:{port}/", {}, 0.3)
        for other in others:
            other.close()
    assert found.result is Result.TRANSIENT


def test_a_name_that_is_none_can_be_tried_again() -> None:
    assert post("http://no-such-host.invalid/", {}, 5.0)[0].result is Result.TRANSIENT


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"Retry-After": "7"}, 7_000),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "99999999999999999999"}, 86_400_000),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 14:03:30 GMT", "Date": "Mon, 23 Nov 2026 14:03:00 GMT"}, 30_000),
        ({"Retry-After": "Mon, 23 Nov 2026 14:03:30 GMT", "Date": "Mon, 23 Nov 2026 15:00:00 GMT"}, 0),
        ({}, None),
    ],
)
def test_a_provider_may_ask_for_time(
    provider: HttpProvider, headers: dict[str, str], wait_ms: int | None
) -> None:
    provider.reply = lambda asked: Reply(429, headers=headers)
    found, _ = post(provider.url, {}, 5.0, clock=StreamClock(0))
    assert found.retry_after_ms == wait_ms


def test_the_same_host_is_followed_with_the_same_request(provider: HttpProvider) -> None:
    def reply(asked: Asked) -> Reply:
        return Reply(308, headers={"Location": "/b"}) if asked.path == "/a" else Reply(200)

    provider.reply = reply
    assert post(f"{provider.url}/a", {"x": 1}, 5.0)[0].result is Result.DELIVERED
    assert [(a.method, a.path, a.json) for a in provider.asked] == [
        ("POST", "/a", {"x": 1}),
        ("POST", "/b", {"x": 1}),
    ]
    assert (
        post(f"{provider.url}/a", {}, 5.0, HttpConfig(follow_redirects=False))[0].result is Result.PERMANENT
    )


def test_another_host_is_never_followed(provider: HttpProvider) -> None:
    with HttpProvider() as other:
        provider.reply = lambda asked: Reply(307, headers={"Location": f"{other.url}/"})
        config = HttpConfig.model_validate({"authorization": {"credentials": "token-secret"}})
        assert post(provider.url, {}, 5.0, config)[0].result is Result.PERMANENT
        assert other.asked == []


def test_redirects_in_a_circle_end(provider: HttpProvider) -> None:
    provider.reply = lambda asked: Reply(307, headers={"Location": "/"})
    assert post(provider.url, {}, 5.0)[0].result is Result.PERMANENT
    assert len(provider.asked) == 4


def test_who_we_are_is_sent_as_alertmanager_does(provider: HttpProvider, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    for document in (
        {"basic_auth": {"username": "me", "password_file": tmp_path / "password"}},
        {"authorization": {"type": "Token", "credentials": "abcd"}},
        {"bearer_token": "efgh"},
        {"http_headers": {"X-Scope": {"values": ["a"], "secrets": ["b"], "files": [tmp_path / "password"]}}},
    ):
        assert post(provider.url, {}, 5.0, HttpConfig.model_validate(document))[0].result is Result.DELIVERED
    basic, token, bearer, scope = [a.headers for a in provider.asked]
    assert basic["authorization"] == "Basic bWU6Z2VoZWlt"
    assert token["authorization"] == "Token abcd"
    assert bearer["authorization"] == "Bearer efgh"
    assert scope["x-scope"] in ("a, b, geheim", "geheim")
    assert scope["content-type"] == "application/json"


@pytest.mark.parametrize("document", [{"bearer_token": "näïve"}, {"bearer_token": "two\nlines"}])
def test_a_header_that_can_not_be_sent_has_to_be_corrected(
    provider: HttpProvider, document: dict[str, str]
) -> None:
    found, _ = post(provider.url, {}, 5.0, HttpConfig.model_validate(document))
    assert found.result is Result.PERMANENT
    assert document["bearer_token"] not in found.detail


def test_a_file_that_is_not_there_has_to_be_corrected(provider: HttpProvider, tmp_path: Path) -> None:
    config = HttpConfig.model_validate({"bearer_token_file": tmp_path / "none"})
    found, _ = post(provider.url, {}, 5.0, config)
    assert found == Delivery(
        Result.PERMANENT, "a file of its settings can't be read: no such file or directory"
    )


def test_what_a_provider_repeats_of_a_secret_is_hidden(provider: HttpProvider) -> None:
    provider.reply = lambda asked: Reply(404, f"nothing at {asked.target} for {asked.headers}".encode())
    url = provider.url.replace("http://", "http://user:passw0rd@") + "/services/T000/hookhook?key=k3yk3yk3y"
    found, _ = post(url, {}, 5.0, HttpConfig(bearer_token="tokentoken"))
    assert found.detail.startswith("answered 404: nothing at ***")
    for secret in ("passw0rd", "hookhook", "k3yk3yk3y", "tokentoken"):
        assert secret not in found.detail
    assert len(found.detail) <= 200


def test_scrubbing_takes_the_longest_first() -> None:
    assert scrubbed("abcdefgh abcd x", ["abcd", "abcdefgh", "x"]) == "*** *** x"


@pytest.mark.parametrize(
    "authorized",
    [
        {"basic_auth": {"username": "me", "password": "geheim"}},
        {"authorization": {"credentials": "geheim"}},
        {"bearer_token": "geheim"},
    ],
)
def test_no_secret_is_shown_of_a_configuration(authorized: dict[str, object]) -> None:
    given = {"http_headers": {"X": {"secrets": ["geheim"]}}, "proxy_url": "http://user:geheim@proxy"}
    assert "geheim" not in repr(HttpConfig.model_validate(authorized | given))
