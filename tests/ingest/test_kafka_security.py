"""SASL and TLS against the real broker, for both clients; and what is told when something is wrong."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest

from monitor.errors import ConfigError, SourceError
from monitor.ingest.kafka import open_kafka
from monitor.ingest.kafka_python_options import OidcTokens, UnsecuredTokens, translate
from monitor.ingest.kafka_sink import KafkaSink
from monitor.ingest.source import Source
from tests.ingest.backends import CLIENTS, QUICK
from tests.ingest.ownership import MemoryOwnership
from tests.ingest.reading import DEADLINE_S, poll_until, values_of
from tests.servers import Kafka
from tests.servers.kafka_security import MECHANISMS, unsecured_token

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("unclosed_sockets")]
WAYS = [("SSL", None), *((p, m) for p in ("SASL_PLAINTEXT", "SASL_SSL") for m in MECHANISMS)]
Client = Literal["confluent", "kafka-python"]


def settings(
    kafka: Kafka, protocol: str, mechanism: str | None, mutual: bool = False
) -> tuple[str, dict[str, str]]:
    """The bootstrap servers and the options, as a configuration has them."""
    certificate = kafka.certificates.client if mutual else None
    options = {k: str(v) for k, v in kafka.client_config(protocol, mechanism, certificate).items()}
    return options.pop("bootstrap.servers"), options


def opened(
    client: Client, topic: str, servers: str, options: dict[str, str], ownership: MemoryOwnership
) -> Source:
    return open_kafka(
        client,
        [topic],
        topic,
        ownership,
        bootstrap_servers=servers,
        options={**QUICK, **options},
        start="earliest",
    )


def read_one(client: Client, topic: str, servers: str, options: dict[str, str]) -> list[bytes]:
    ownership = MemoryOwnership()
    source = opened(client, topic, servers, options, ownership)
    try:
        return values_of(poll_until(source, ownership, 1))
    finally:
        source.close()


def error_of(client: Client, topic: str, servers: str, options: dict[str, str]) -> SourceError | None:
    """The error that polling ends in; None where it only goes on trying."""
    source = opened(client, topic, servers, options, MemoryOwnership())
    until = time.monotonic() + DEADLINE_S / 3
    try:
        while time.monotonic() < until:
            source.poll(1, 0.2)
    except SourceError as e:
        return e
    finally:
        source.close()
    return None


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("protocol", "mechanism"), WAYS)
def test_a_secured_broker_is_read(
    kafka: Kafka, topic: Callable[..., str], client: Client, protocol: str, mechanism: str | None
) -> None:
    name = topic()
    kafka.produce(name, [b"secret"])
    assert read_one(client, name, *settings(kafka, protocol, mechanism)) == [b"secret"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_shows_its_own_certificate(kafka: Kafka, topic: Callable[..., str], client: Client) -> None:
    name = topic()
    kafka.produce(name, [b"secret"])
    assert read_one(client, name, *settings(kafka, "SSL", None, mutual=True)) == [b"secret"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_told(
    kafka: Kafka, topic: Callable[..., str], client: Client, mechanism: str
) -> None:
    servers, options = settings(kafka, "SASL_SSL", mechanism)
    error = error_of(client, topic(), servers, {**options, "sasl.password": "wrong"})
    assert "check sasl.username, sasl.password" in str(error)
    assert "wrong" not in str(error)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_broker_of_another_authority_is_not_trusted(
    kafka: Kafka, topic: Callable[..., str], client: Client
) -> None:
    servers, options = settings(kafka, "SSL", None)
    del options["ssl.ca.location"]
    error = error_of(client, topic(), servers, options)
    assert "check ssl.ca.location" in str(error)


@pytest.mark.parametrize("client", CLIENTS)
def test_verification_can_be_turned_off(kafka: Kafka, topic: Callable[..., str], client: Client) -> None:
    servers, options = settings(kafka, "SSL", None)
    del options["ssl.ca.location"]
    name = topic()
    kafka.produce(name, [b"secret"])
    unverified = {**options, "enable.ssl.certificate.verification": "false"}
    assert read_one(client, name, servers, unverified) == [b"secret"]


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives an unsecured token to whoever knows the secret."""

    asked: list[tuple[str | None, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.headers["Authorization"], body))
        if self.headers["Authorization"] != "Basic " + base64.b64encode(b"me:s3cret").decode():
            self.send_error(401)
            return
        token, _ = unsecured_token()
        answer = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[tuple[str | None, str]]]]:
    """Where tokens are given, and what was asked there."""
    handler = type("Handler", (TokenEndpoint,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token", handler.asked  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def oidc(url: str, secret: str = "s3cret") -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "me",
        "sasl.oauthbearer.client.secret": secret,
        "sasl.oauthbearer.scope": "logs",
        "sasl.oauthbearer.token.endpoint.url": url,
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_tokens_come_from_an_openid_provider(
    kafka: Kafka,
    topic: Callable[..., str],
    client: Client,
    endpoint: tuple[str, list[tuple[str | None, str]]],
) -> None:
    url, asked = endpoint
    name = topic()
    kafka.produce(name, [b"secret"])
    assert read_one(client, name, kafka.listeners["SASL_PLAINTEXT"], oidc(url)) == [b"secret"]
    assert {"grant_type=client_credentials", "scope=logs"} <= set(asked[0][1].split("&"))


def test_a_token_is_kept_while_it_lives_and_a_refusal_is_told(
    endpoint: tuple[str, list[tuple[str | None, str]]],
) -> None:
    url, asked = endpoint
    tokens = OidcTokens(oidc(url))
    assert tokens.token() == tokens.token()
    assert len(asked) == 1
    with pytest.raises(SourceError, match=r"no token from .*401.*; check sasl.oauthbearer"):
        OidcTokens(oidc(url, "wrong")).token()


def test_an_unsecured_token_says_what_it_is_told() -> None:
    tokens = UnsecuredTokens("principal=me principalClaimName=azp scope=a,b lifeSeconds=60 extension_x=y")
    header, claims, signature = tokens.token().split(".")
    padded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    assert padded[0]["alg"] == "none"
    assert padded[1]["azp"] == "me"
    assert padded[1]["scope"] == ["a", "b"]
    assert padded[1]["exp"] - padded[1]["iat"] == pytest.approx(60)
    assert signature == ""
    assert tokens.extensions() == {"x": "y"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"security.protocol": "SSL", "ssl.ca.location": "/nowhere"}, "ssl.*: "),
        ({"check.crcs": "perhaps"}, "check.crcs: 'perhaps' can't be: is neither true nor false"),
        ({"sasl.mechanism": "OAUTHBEARER"}, "OAUTHBEARER needs the method oidc"),
        (
            {"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc"},
            "sasl.oauthbearer.client.id: is needed for the method oidc",
        ),
        ({"ssl.endpoint.identification.algorithm": "x"}, "is neither https nor none"),
    ],
)
def test_kafka_python_tells_options_that_can_not_be(options: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        translate(options)
    assert problem in str(caught.value)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_posted_records_go_to_a_secured_broker(
    kafka: Kafka, topic: Callable[..., str], mechanism: str
) -> None:
    servers, options = settings(kafka, "SASL_SSL", mechanism)
    name = topic()
    sink = KafkaSink(servers, name, options)
    sink.append([b"1", b"2"])
    sink.close()
    assert kafka.end_offsets(name) == {0: 2}
