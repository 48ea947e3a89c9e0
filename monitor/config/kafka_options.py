"""Checks librdkafka properties by asking librdkafka, without going near a broker."""

import difflib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka import Consumer, KafkaException

__all__ = ["problems_of"]

# What monitor sets by itself, and where it is said instead.
_OURS = {
    "bootstrap.servers": "source.kafka.bootstrap_servers",
    "metadata.broker.list": "source.kafka.bootstrap_servers",
    "group.id": "source.kafka.group_id",
    "auto.offset.reset": "source.kafka.start",
    "enable.auto.commit": None,
    "enable.auto.offset.store": None,
    "enable.partition.eof": None,
}
_USUAL = (
    *("security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"),
    *("ssl.ca.location", "ssl.ca.pem", "ssl.certificate.location", "ssl.certificate.pem"),
    *("ssl.key.location", "ssl.key.pem", "ssl.key.password", "ssl.keystore.location"),
    *(
        "ssl.keystore.password",
        "ssl.endpoint.identification.algorithm",
        "enable.ssl.certificate.verification",
    ),
    *("sasl.oauthbearer.method", "sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret"),
    *("sasl.oauthbearer.scope", "sasl.oauthbearer.extensions", "sasl.oauthbearer.token.endpoint.url"),
    *("client.id", "client.rack", "fetch.min.bytes", "fetch.wait.max.ms", "session.timeout.ms"),
    *("socket.timeout.ms", "socket.keepalive.enable", "partition.assignment.strategy"),
)
_silent = logging.Logger("librdkafka")
_silent.addHandler(logging.NullHandler())


def problems_of(options: Mapping[str, str]) -> Iterator[tuple[str | None, str]]:
    """What is wrong, as (name of the property or None for all together, sentence)."""
    found = False
    for name, value in options.items():
        sentence = _single(name, value)
        if sentence is not None:
            found = True
            yield name, sentence
    if not found:
        sentence = _together(options)
        if sentence is not None:
            yield None, sentence


def _together(options: Mapping[str, str]) -> str | None:
    protocol = options.get("security.protocol", "plaintext")
    uses_sasl = "sasl" in protocol.lower()
    if not uses_sasl and any(name.startswith("sasl.") for name in options):
        return "sasl.* has no effect without security.protocol: SASL_SSL (or SASL_PLAINTEXT)"
    if uses_sasl and not {"sasl.mechanism", "sasl.mechanisms"} & options.keys():
        return f"{protocol} needs a sasl.mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"
    # The OIDC method would ask for a token at once, and a check goes to no server.
    if options.get("sasl.oauthbearer.method", "").lower() == "oidc":
        return None
    return _refusal(options)


def _single(name: str, value: str) -> str | None:
    if name in _OURS:
        place = _OURS[name]
        return f"is set by monitor; use {place}" if place else "is set by monitor; remove it"
    if name.endswith(".location") and value not in ("", "probe") and not Path(value).exists():
        return f"the file {value} does not exist"
    refusal = _refusal({name: value})
    if refusal is None:
        return None
    if refusal.startswith("No such configuration property"):
        near = difflib.get_close_matches(name, _USUAL, n=1, cutoff=0.8)
        return "librdkafka has no such property" + (f"; did you mean {near[0]}?" if near else "")
    # Anything else may only mean that the other properties are not there.
    known = refusal.startswith(("Invalid value", "Configuration property"))
    return f"librdkafka refuses it: {refusal}" if known else None


def _refusal(options: Mapping[str, str]) -> str | None:
    try:
        consumer = Consumer({"group.id": "check", **options}, logger=_silent)
    except KafkaException as e:
        return " ".join(str(e.args[0].str()).removeprefix("Failed to create consumer: ").split())
    consumer.close()
    return None
