"""The dead man's switch, and messages on the console."""

import logging

import pytest

from monitor.paging.alert import Status
from monitor.paging.message import Purpose, Result
from monitor.paging.receivers import KINDS
from monitor.paging.receivers.console import ConsoleConfig
from monitor.paging.receivers.heartbeat import HeartbeatConfig
from tests.paging.messages import message
from tests.paging.providers import HttpProvider, Reply

BEAT = message(purpose=Purpose.HEARTBEAT, alerts=())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_beat_is_a_request_without_a_body(method: str) -> None:
    with HttpProvider() as provider:
        config = HeartbeatConfig.model_validate({"url": f"{provider.url}/ping/abc", "method": method})
        assert KINDS["heartbeat"].make(config).send(BEAT, 5.0).result is Result.DELIVERED
        assert [(a.method, a.path, a.body) for a in provider.asked] == [(method, "/ping/abc", b"")]


def test_an_alert_that_fires_is_a_sign_of_life_and_its_end_is_none() -> None:
    with HttpProvider() as provider:
        sender = KINDS["heartbeat"].make(HeartbeatConfig(url=provider.url))
        assert sender.dedups
        for said in (message(), message(status=Status.RESOLVED)):
            assert sender.send(said, 5.0).result is Result.DELIVERED
        assert len(provider.asked) == 1


def test_a_switch_that_is_away_is_told() -> None:
    with HttpProvider(lambda asked: Reply(503)) as provider:
        sender = KINDS["heartbeat"].make(HeartbeatConfig(url=provider.url))
        assert sender.send(BEAT, 5.0).result is Result.TRANSIENT


def test_the_interval_has_a_unit() -> None:
    config = HeartbeatConfig.model_validate({"url": "http://x", "interval": "30s"}, by_alias=True)
    assert config.interval_ms == 30_000


def test_the_console_shows_the_whole_message(capsys: pytest.CaptureFixture[str]) -> None:
    delivery = KINDS["console"].make(ConsoleConfig()).send(message(), 5.0)
    assert delivery.result is Result.DELIVERED
    said = capsys.readouterr().err
    assert said.startswith(
        "\n[PAGE] fraud: availability spends its budget 14.4 times too fast (to risk-primary)\n"
    )
    assert "  Acknowledge:  https://monitor.example.com/a/abc\n" in said


def test_it_may_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        KINDS["console"].make(ConsoleConfig(to="log")).send(message(), 5.0)
    assert "page for risk-primary: [PAGE] fraud" in caplog.text
