"""A Kafka topic as the place where posted records become durable."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from monitor.errors import ConfigError, StoreBusy, StoreError
from monitor.ingest.kafka_advice import what_to_do

__all__ = ["KafkaSink"]

_log = logging.getLogger(__name__)
_POLL_S = 0.1
_FIXED: dict[str, Any] = {"acks": "all", "enable.idempotence": True}
# The options are shared with the source; librdkafka warns of those that a producer has no use for.
_CONSUMER_ONLY = (
    "fetch.",
    "queued.",
    "session.",
    "heartbeat.",
    "max.poll.",
    "partition.assign",
    "isolation.",
)
_FOR_GOOD = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}


class _Delivery:
    """What became of the records of one call of `append`."""

    def __init__(self) -> None:
        self.settled = threading.Event()
        self.error: KafkaError | None = None
        self._left = 0
        self._all_sent = False
        self._lock = threading.Lock()

    def sent(self) -> None:
        with self._lock:
            self._left += 1

    def all_sent(self) -> None:
        with self._lock:
            self._all_sent = True
            if not self._left:
                self.settled.set()

    def report(self, error: KafkaError | None, message: Message | None) -> None:
        """Called once for each record, by the thread that polls."""
        with self._lock:
            self._left -= 1
            self.error = self.error or error
            if self._all_sent and not self._left:
                self.settled.set()


class KafkaSink:
    """Appends records to a topic; a `DurableLog`. `options` are librdkafka properties.

    A record is durable when all replicas in sync have it. `timeout_s` is how long `append` waits.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        options: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 20.0,
    ) -> None:
        """Raises ConfigError for options that can't be; connects in the background."""
        given = {k: v for k, v in (options or {}).items() if not k.startswith(_CONSUMER_ONLY)}
        wrong = [k for k, v in _FIXED.items() if str(given.get(k, v)).lower() != str(v).lower()]
        if wrong:
            raise ConfigError(
                [f"source.kafka.options.{k}: must stay {_FIXED[k]} to post records" for k in wrong]
            )
        self._topic = topic
        self._timeout_s = timeout_s
        self._config: dict[str, Any] = {
            "linger.ms": 5,
            "queue.buffering.max.kbytes": 65_536,
            "message.max.bytes": 2 << 20,
            **given,
            **_FIXED,
            "delivery.timeout.ms": int(timeout_s * 1000),
            "bootstrap.servers": bootstrap_servers,
            "error_cb": self._on_error,
        }
        self._changing = threading.Lock()
        self._broken = False
        self._producer = self._connect()
        self._closed = threading.Event()
        self._poller = threading.Thread(target=self._serve, name="kafka-sink", daemon=True)
        self._poller.start()

    def append(self, lines: Sequence[bytes]) -> None:
        """See DurableLog. Raises StoreError where the broker refuses for good; some may be written then."""
        if not lines:
            return
        if self._closed.is_set():
            raise StoreBusy(f"the sink of topic {self._topic} is closed")
        delivery = _Delivery()
        until = time.monotonic() + self._timeout_s
        producer = self._sound_producer()
        try:
            for line in lines:
                self._produce(producer, line, delivery, until)
        except KafkaException as e:
            raise self._failure(e.args[0]) from e
        finally:
            delivery.all_sent()
        # The client itself gives up after the timeout, and then says so of every record.
        if not delivery.settled.wait(self._timeout_s + 1.0):
            raise StoreBusy(f"topic {self._topic}: no answer from the broker in {self._timeout_s:.0f} s")
        if delivery.error is not None:
            raise self._failure(delivery.error)

    def close(self) -> None:
        """See DurableLog. Waits for what is under way, `timeout_s` at most."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._poller.join()
        self._producer.flush(self._timeout_s)

    def _connect(self) -> Producer:
        try:
            return Producer(self._config, logger=logging.getLogger("librdkafka"))
        except KafkaException as e:
            raise ConfigError([f"source.kafka.options: {e.args[0].str()}"]) from e

    def _sound_producer(self) -> Producer:
        """The producer; a new one after a fatal error, for the old one takes nothing any more."""
        with self._changing:
            if self._broken:
                self._producer, self._broken = self._connect(), False
            return self._producer

    def _produce(self, producer: Producer, line: bytes, delivery: _Delivery, until: float) -> None:
        while True:
            delivery.sent()
            try:
                producer.produce(self._topic, line, on_delivery=delivery.report)
                return
            except BufferError as e:
                delivery.report(None, None)
                if time.monotonic() > until:
                    raise StoreBusy(f"topic {self._topic}: the broker does not keep up") from e
                producer.poll(_POLL_S)
            except KafkaException:
                delivery.report(None, None)
                raise

    def _failure(self, error: KafkaError) -> StoreError:
        sentence = f"topic {self._topic}: {error.str()}{what_to_do(error.name())}"
        return StoreError(sentence) if error.code() in _FOR_GOOD else StoreBusy(sentence)

    def _serve(self) -> None:
        """Calls back for what was delivered, and keeps the connection's token fresh."""
        while not self._closed.is_set():
            self._producer.poll(_POLL_S)

    def _on_error(self, error: KafkaError) -> None:
        self._broken = self._broken or error.fatal()
        reason = f"{error.str()}{what_to_do(error.name())}"
        _log.warning("kafka sink", extra={"reason": reason, "topic": self._topic})
