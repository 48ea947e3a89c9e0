"""Why a Kafka client can't reach its broker, from what librdkafka says on the way."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

__all__ = ["Connection", "advise"]

_ATTEMPT_S = 1.0
# After these another attempt would end the same way.
_DECISIVE = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._ALL_BROKERS_DOWN)
# The most telling first; a client reports several, and that all brokers are down does not say why.
_TELLING = (
    KafkaError._AUTHENTICATION,
    KafkaError._SSL,
    KafkaError._RESOLVE,
    KafkaError._TRANSPORT,
)
_WHERE = re.compile(
    r"^\[thrd:[^]]*\]: |(?:\w+://)?[^\s/]+/(?:bootstrap|\d+): |\s*\(after \d+ms in state .*\)$"
)

_ADVICE = (
    (
        r"supported mechanisms: (?P<found>[\w,.-]+)",
        "set source.kafka.options sasl.mechanism to one of these: {found}",
    ),
    (r"OIDC|token endpoint|oauthbearer", "check sasl.oauthbearer.* and that the token endpoint answers"),
    (r"authentication", "check sasl.username, sasl.password and sasl.mechanism in source.kafka.options"),
    (
        r"PLAINTEXT broker listener",
        "the port speaks no TLS: name the TLS port, or set security.protocol to PLAINTEXT or SASL_PLAINTEXT",
    ),
    (
        r"certificate could not be verified|certificate verify failed",
        "set ssl.ca.location in source.kafka.options to the certificate of the broker's authority, "
        "and name the broker as its certificate does",
    ),
    (r"SSL", "check ssl.* in source.kafka.options against what the broker wants"),
    (r"resolve", "no such host: correct source.kafka.bootstrap_servers, or the DNS of this machine"),
    (r"refused", "nothing listens there: correct source.kafka.bootstrap_servers, or start the broker"),
    (
        r"state APIVERSION_QUERY|state UP|closed by peer",
        "the port closes such connections: set security.protocol to what its listener speaks "
        "(SSL, SASL_SSL or SASL_PLAINTEXT)",
    ),
)
_OTHERWISE = "no answer: check source.kafka.bootstrap_servers, the network and the firewall"


def advise(reason: str) -> str:
    """What to do about a reason as librdkafka gives it."""
    for pattern, advice in _ADVICE:
        match = re.search(pattern, reason, re.IGNORECASE)
        if match is not None:
            return advice.format(**match.groupdict())
    return _OTHERWISE


class Connection:
    """An admin client that remembers what went wrong. Raises KafkaException on properties that clash."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._errors: dict[int, str] = {}
        self._logged: list[str] = []
        log = logging.Logger("librdkafka")
        log.addHandler(_Into(self._logged))
        settings: dict[str, Any] = {**properties, "error_cb": self._note}
        self.admin = AdminClient(settings, logger=log)

    def _note(self, error: KafkaError) -> None:
        self._errors.setdefault(error.code(), error.str())

    def metadata(self, timeout_s: float) -> Any:
        """The cluster's metadata, or None when it can't be had within the time; then see `reason`."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = deadline - time.monotonic()
            try:
                return self.admin.list_topics(timeout=max(0.05, min(_ATTEMPT_S, left_s)))
            except KafkaException as e:
                self.admin.poll(0)
                if any(code in self._errors for code in _DECISIVE) or time.monotonic() >= deadline:
                    self._errors.setdefault(e.args[0].code(), e.args[0].str())
                    return None

    def reason(self) -> tuple[str, str]:
        """(why there is no connection, what to do about it)."""
        raw = next((self._errors[code] for code in _TELLING if code in self._errors), None)
        failures = [text for text in self._logged if "Failed" in text or "FAIL" in text]
        # The bare transport failure says less than the log line about the connection that was closed.
        if failures and (raw is None or "Failed to get metadata" in raw):
            raw = failures[0].partition("]: ")[2] or failures[0]
        raw = raw or "no answer"
        return _WHERE.sub("", _WHERE.sub("", raw)), advise(raw)


class _Into(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._lines) < 100:
            self._lines.append(record.getMessage())
