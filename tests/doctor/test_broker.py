"""The doctor on Kafka: with a real broker, with nothing there, and with what does not let us in."""

import socket
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer

from monitor.clock import StreamClock, WallClock
from monitor.config import Config
from monitor.config.model import KafkaConfig, SourceConfig, StreamConfig
from monitor.doctor import Finding, diagnose
from tests.doctor.asking import TIMEOUT_S, found
from tests.servers import Kafka
from tests.servers.ports import free_ports


def reading(servers: str, *topics: str, **options: object) -> Config:
    """A configuration that reads topics; options with `_` for `.`."""
    named = {key.replace("_", "."): str(value) for key, value in options.items()}
    kafka = KafkaConfig(bootstrap_servers=servers, topics=topics or ("absent",), options=named)
    return Config(source=SourceConfig(kafka=kafka))


def secured(kafka: Kafka, protocol: str, mechanism: str | None = None) -> dict[str, str]:
    """The options for a listener, without its address."""
    settings = {k: str(v) for k, v in kafka.client_config(protocol, mechanism).items()}
    return {k.replace(".", "_"): v for k, v in settings.items() if k != "bootstrap.servers"}


def test_a_broker_that_does_not_listen() -> None:
    (port,) = free_ports(1)
    begun = time.monotonic()
    finding = found(reading(f"127.0.0.1:{port}"), "broker")
    assert finding == Finding(
        "broker",
        "fail",
        f"127.0.0.1:{port}: Connect to ipv4#127.0.0.1:{port} failed: Connection refused",
        "nothing listens there: correct source.kafka.bootstrap_servers, or start the broker",
    )
    assert time.monotonic() - begun < TIMEOUT_S


def test_a_host_without_an_address() -> None:
    finding = found(reading("no-such-host.invalid:9092"), "broker")
    assert finding.state == "fail"
    assert finding.advice.startswith("no such host: correct source.kafka.bootstrap_servers")


def test_a_broker_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        finding = found(reading(f"127.0.0.1:{silent.getsockname()[1]}"), "broker", timeout_s=1.0)
        assert time.monotonic() - begun < 5
    assert finding.state == "fail"
    assert finding.advice.startswith("no answer: check source.kafka.bootstrap_servers")


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [("PLAINTEXT", None), ("SSL", None), ("SASL_SSL", "PLAIN"), ("SASL_PLAINTEXT", "SCRAM-SHA-256")],
)
def test_answers(kafka: Kafka, topic: Callable[..., str], protocol: str, mechanism: str | None) -> None:
    name = topic(partitions=3)
    servers = kafka.listeners[protocol]
    config = reading(servers, name, **secured(kafka, protocol, mechanism))
    findings = diagnose(config, timeout_s=TIMEOUT_S)
    assert findings[:4] == [
        Finding("broker", "ok", f"1 broker behind {servers}, {protocol.lower()}"),
        Finding(f"topic {name}", "ok", "3 partitions"),
        Finding("group monitor", "ok", "not there yet; the first run makes it"),
        Finding(f"clock, topic {name}", "ok", "no record to compare with yet"),
    ]


def test_label_topics_are_looked_at_too(kafka: Kafka, topic: Callable[..., str]) -> None:
    config = reading(kafka.bootstrap, topic(partitions=1))
    assert config.source.kafka is not None
    asked = config.source.kafka.model_copy(update={"label_topics": ("absent-labels",)})
    config = config.model_copy(update={"source": config.source.model_copy(update={"kafka": asked})})
    finding = found(config, "topic absent-labels")
    assert (finding.state, finding.seen) == ("fail", "does not exist")


def test_a_topic_that_does_not_exist(kafka: Kafka) -> None:
    finding = found(reading(kafka.bootstrap, "absent"), "topic absent")
    assert (finding.state, finding.seen) == ("fail", "does not exist")


@pytest.mark.parametrize(
    ("listener", "options", "seen", "advice"),
    [
        (
            "SASL_SSL",
            {"sasl_password": "wrong"},
            "SASL authentication error: Authentication failed: Invalid username or password",
            "check sasl.username, sasl.password (or the token) and sasl.mechanism",
        ),
        (
            "SASL_SSL",
            {"sasl_mechanism": "SCRAM-SHA-512"},
            "Unsupported SASL mechanism",
            "sasl.mechanism to one of these: PLAIN,SCRAM-SHA-256,OAUTHBEARER",
        ),
        (
            "SASL_SSL",
            {"ssl_ca_location": "probe"},
            "certificate verify failed",
            "set ssl.ca.location in source.kafka.options",
        ),
        (
            "PLAINTEXT",
            {},
            "PLAINTEXT broker listener|SSL connection closed by peer",
            "the port speaks no TLS: name the TLS port",
        ),
    ],
    ids=["password", "mechanism", "certificate authority", "no TLS there"],
)
def test_why_it_does_not_let_us_in(
    kafka: Kafka, listener: str, options: dict[str, str], seen: str, advice: str
) -> None:
    config = reading(kafka.listeners[listener], **{**secured(kafka, "SASL_SSL"), **options})
    finding = found(config, "broker")
    assert finding.state == "fail"
    assert any(words in finding.seen for words in seen.split("|"))
    assert "thrd:" not in finding.seen
    assert advice in finding.advice


@pytest.mark.parametrize("listener", ["SSL", "SASL_SSL", "SASL_PLAINTEXT"])
def test_a_listener_that_wants_more_than_plain_text(kafka: Kafka, listener: str) -> None:
    finding = found(reading(kafka.listeners[listener]), "broker", timeout_s=3.0)
    assert finding.state == "fail"
    assert "set security.protocol to what its listener speaks" in finding.advice


def test_a_group_with_a_member(kafka: Kafka, topic: Callable[..., str]) -> None:
    name = topic()
    consumer = Consumer({**kafka.client_config(), "group.id": f"group-{name}"})
    try:
        consumer.subscribe([name])
        config = reading(kafka.bootstrap, name)
        assert config.source.kafka is not None
        changed = config.source.kafka.model_copy(update={"group_id": f"group-{name}"})
        config = Config(source=SourceConfig(kafka=changed))
        deadline = time.monotonic() + 20
        while not consumer.assignment() and time.monotonic() < deadline:
            consumer.poll(0.1)
        assert found(config, f"group group-{name}").seen == "stable, 1 member"
    finally:
        consumer.close()


def test_a_compacted_topic(kafka: Kafka, topic: Callable[..., str]) -> None:
    name = topic(cleanup_policy="compact")
    finding = found(reading(kafka.bootstrap, name), f"topic {name} policy")
    assert (finding.state, finding.seen) == ("warn", "cleanup.policy is compact")


@pytest.mark.parametrize(
    ("ahead_ms", "max_ahead_ms", "state", "seen"),
    [
        (-90_000, 3_600_000, "ok", "the newest record is 90s old"),
        (90_000, 3_600_000, "warn", "the newest record is 90s ahead of this machine"),
        (90_000, 60_000, "fail", "the newest record is 90s ahead of this machine"),
    ],
)
def test_records_of_the_future(
    kafka: Kafka,
    topic: Callable[..., str],
    ahead_ms: int,
    max_ahead_ms: int,
    state: str,
    seen: str,
) -> None:
    name = topic(partitions=2)
    now_ms = WallClock().now_ms()
    kafka.produce(name, [b"x"], partition=1, timestamps_ms=[now_ms])
    config = reading(kafka.bootstrap, name)
    config = config.model_copy(update={"stream": StreamConfig(max_ahead_ms=max_ahead_ms)})
    finding = found(config, f"clock, topic {name}", clock=StreamClock(now_ms - ahead_ms))
    assert (finding.state, finding.seen) == (state, seen)
