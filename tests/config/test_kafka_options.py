"""librdkafka's own opinion of its properties, at the line that gave them."""

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import ConfigError

KAFKA = "source:\n  kafka:\n    bootstrap_servers: b:9092\n    topics: [t]\n    options:\n"
PLACE = "source.kafka.options"


def problems(directory: Path, *options: str) -> list[str]:
    path = directory / "monitor.yaml"
    path.write_text(KAFKA + "".join(f"      {option}\n" for option in options))
    try:
        load_config(path, {})
    except ConfigError as e:
        return [problem.removeprefix(f"{path}:") for problem in e.problems]
    return []


CASES = {
    "a name near a known one": (
        ["sasl.pasword: x"],
        [f"6: {PLACE}.sasl.pasword: librdkafka has no such property; did you mean sasl.password?"],
    ),
    "a name near no other": (["colour: x"], [f"6: {PLACE}.colour: librdkafka has no such property"]),
    "a value that can't be": (
        ["fetch.min.bytes: -5"],
        [
            f"6: {PLACE}.fetch.min.bytes: librdkafka refuses it: Configuration property "
            '"fetch.min.bytes" value -5 is outside allowed range 0..2147483647'
        ],
    ),
    "a protocol that is none": (
        ["security.protocol: TLS"],
        [
            f"6: {PLACE}.security.protocol: librdkafka refuses it: "
            'Invalid value "TLS" for configuration property "security.protocol"'
        ],
    ),
    "what monitor sets": (
        ["group.id: x", "enable.auto.commit: true"],
        [
            f"6: {PLACE}.group.id: is set by monitor; use source.kafka.group_id",
            f"7: {PLACE}.enable.auto.commit: is set by monitor; remove it",
        ],
    ),
    "a certificate that is not there": (
        ["security.protocol: SSL", "ssl.ca.location: /not/there.pem"],
        [f"7: {PLACE}.ssl.ca.location: the file /not/there.pem does not exist"],
    ),
    "a user without SASL": (
        ["sasl.username: x", "sasl.password: y"],
        [f"5: {PLACE}: sasl.* has no effect without security.protocol: SASL_SSL (or SASL_PLAINTEXT)"],
    ),
    "SASL without a mechanism": (
        ["security.protocol: SASL_SSL"],
        [f"5: {PLACE}: SASL_SSL needs a sasl.mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"],
    ),
    "SASL without a password": (
        ["security.protocol: SASL_SSL", "sasl.mechanism: PLAIN", "sasl.username: x"],
        [f"5: {PLACE}: sasl.username and sasl.password must be set"],
    ),
    "numbers and booleans without quotes": (
        ["socket.keepalive.enable: true", "session.timeout.ms: 30000"],
        [],
    ),
    "OIDC, which asks no server for a token yet": (
        [
            "security.protocol: SASL_SSL",
            "sasl.mechanism: OAUTHBEARER",
            "sasl.oauthbearer.method: oidc",
            "sasl.oauthbearer.client.id: a",
            "sasl.oauthbearer.client.secret: b",
            "sasl.oauthbearer.token.endpoint.url: https://login.invalid/token",
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_properties(tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    options, expected = CASES[case]
    assert problems(tmp_path, *options) == expected
    assert capfd.readouterr() == ("", "")
