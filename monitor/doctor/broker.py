"""Looks at a Kafka cluster: does it answer, has it the topics, does it let us into the group."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, TopicPartition

# The last two are public; the types of the package forget to export them.
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec  # type: ignore[attr-defined]

from monitor.clock import Clock
from monitor.config.durations import format_duration
from monitor.config.model import KafkaConfig
from monitor.doctor.connection import Connection
from monitor.doctor.finding import Finding, failed, fine, warned

__all__ = ["look_at_broker"]

_CLOCK_SLACK_MS = 1_000
_RETRY_S = 0.2
_NOT_YET = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


def look_at_broker(
    kafka: KafkaConfig, max_ahead_ms: int, clock: Clock, timeout_s: float
) -> Iterator[Finding]:
    """Findings on the cluster; only the first where it does not answer."""
    servers = kafka.bootstrap_servers
    try:
        connection = Connection({"bootstrap.servers": servers, **kafka.options})
    except KafkaException as e:
        yield failed("broker", str(e.args[0].str()), "correct source.kafka.options")
        return
    metadata = connection.metadata(timeout_s)
    if metadata is None:
        reason, advice = connection.reason()
        yield failed("broker", f"{servers}: {reason}", advice)
        return
    protocol = kafka.options.get("security.protocol", "plaintext").lower()
    count = len(metadata.brokers)
    yield fine("broker", f"{count} {'broker' if count == 1 else 'brokers'} behind {servers}, {protocol}")
    present: dict[str, int] = {}
    for topic in (*kafka.topics, *kafka.label_topics, *kafka.event_topics):
        found = metadata.topics.get(topic)
        if found is not None and found.error is None:
            present[topic] = len(found.partitions)
        yield _topic(topic, found)
    yield _group(connection.admin, kafka.group_id, timeout_s)
    yield from _configs(connection.admin, present, timeout_s)
    yield from _newest(connection.admin, present, max_ahead_ms, clock, timeout_s)


def _topic(topic: str, found: Any) -> Finding:
    name = f"topic {topic}"
    if found is None or (found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
        return failed(
            name, "does not exist", "create it, or correct the topics of source.kafka; is it allowed to us?"
        )
    if found.error is not None:
        return failed(name, found.error.str(), "allow this user to describe and read the topic")
    count = len(found.partitions)
    headless = sorted(p for p, each in found.partitions.items() if each.leader < 0)
    if headless:
        return failed(name, f"partitions {headless} have no leader", "bring the brokers that held them back")
    return fine(name, f"{count} {'partition' if count == 1 else 'partitions'}")


def _group(admin: AdminClient, group: str, timeout_s: float) -> Finding:
    name = f"group {group}"
    try:
        found = _answer(lambda: admin.describe_consumer_groups([group])[group], timeout_s)
    except KafkaException as e:
        error = e.args[0]
        if error.code() == KafkaError.GROUP_ID_NOT_FOUND:
            return fine(name, "not there yet; the first run makes it")
        if error.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            return failed(
                name, error.str(), "allow this user to read the group, or change source.kafka.group_id"
            )
        return warned(name, error.str(), "check that the brokers' __consumer_offsets topic is healthy")
    if found.state in (ConsumerGroupState.DEAD, ConsumerGroupState.UNKNOWN):
        return fine(name, "not there yet; the first run makes it")
    members = len(found.members)
    state = found.state.name.lower().replace("_", " ")
    return fine(name, f"{state}, {members} {'member' if members == 1 else 'members'}")


def _configs(admin: AdminClient, topics: Iterable[str], timeout_s: float) -> Iterator[Finding]:
    for topic in topics:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        try:
            config = _answer(partial(_asked_config, admin, resource), timeout_s)
        except KafkaException:
            continue  # Reading a topic's settings needs a right of its own, which monitor can do without.
        policy = config["cleanup.policy"].value
        if "compact" in policy:
            yield warned(
                f"topic {topic} policy",
                f"cleanup.policy is {policy}",
                "records of the same key are lost before they are counted: set it to delete",
            )


def _asked_config(admin: AdminClient, resource: ConfigResource) -> Any:
    return admin.describe_configs([resource])[resource]


def _newest(
    admin: AdminClient, topics: dict[str, int], max_ahead_ms: int, clock: Clock, timeout_s: float
) -> Iterator[Finding]:
    """Compares the newest record of each topic with this machine's clock: it can't be of the future."""
    for topic, partitions in topics.items():
        newest: Any = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call] # typed only in part
        asked = {TopicPartition(topic, p): newest for p in range(partitions)}
        try:
            answers = [
                f.result(timeout_s) for f in admin.list_offsets(asked, request_timeout=timeout_s).values()
            ]
        except (KafkaException, TimeoutError):
            continue  # Brokers before 3.0 can't tell, and what else is wrong was told above.
        newest_ms = max((answer.timestamp for answer in answers), default=-1)
        name = f"clock, topic {topic}"
        if newest_ms < 0:
            yield fine(name, "no record to compare with yet")
            continue
        ahead_ms = newest_ms - clock.now_ms()
        if ahead_ms <= _CLOCK_SLACK_MS:
            yield fine(name, f"the newest record is {format_duration(_rough(-ahead_ms))} old")
            continue
        seen = f"the newest record is {format_duration(_rough(ahead_ms))} ahead of this machine"
        advice = "set this machine's clock and the producers' by NTP"
        if ahead_ms > max_ahead_ms:
            yield failed(name, seen, f"{advice}; records this far ahead become dead letters")
        else:
            yield warned(name, seen, advice)


def _rough(ms: int) -> int:
    """Milliseconds to the second, or to the minute or hour where it is long ago."""
    unit = 1000 if abs(ms) < 120_000 else 60_000 if abs(ms) < 7_200_000 else 3_600_000
    return max(0, ms) // unit * unit


def _answer(ask: Callable[[], Any], timeout_s: float) -> Any:
    """The answer to a request, asked again while a coordinator is being made. Raises KafkaException."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask().result(max(0.05, deadline - time.monotonic()))
        except TimeoutError:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
        except KafkaException as e:
            if e.args[0].code() not in _NOT_YET or time.monotonic() + _RETRY_S >= deadline:
                raise
        time.sleep(_RETRY_S)
