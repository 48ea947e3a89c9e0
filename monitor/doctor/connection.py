"""Why a Kafka client can't reach its broker, from what librdkafka says on the way."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from monitor.ingest.kafka_advice import advise

__all__ = ["Connection"]

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
