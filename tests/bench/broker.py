"""A broker with a topic full of the records that are measured."""

import itertools
import uuid
from collections.abc import Sequence

from tests.bench.records import Made
from tests.servers import Kafka

__all__ = ["PARTITIONS", "filled_topic", "group"]

PARTITIONS = 4


def filled_topic(kafka: Kafka, pool: Sequence[Made], records: int) -> str:
    """A new topic of 4 partitions with `records` messages: the pool, over and over."""
    topic = kafka.create_topic(f"bench-{uuid.uuid4().hex[:8]}", PARTITIONS)
    made = itertools.islice(itertools.cycle(pool), records)
    payloads, keys = itertools.tee(made)
    kafka.produce(
        topic,
        (each.payload for each in payloads),
        keys=(each.key for each in keys),
        partition=(i % PARTITIONS for i in range(records)),
        client={"batch.size": 500_000, "linger.ms": 50},
    )
    return topic


def group() -> str:
    """A consumer group that reads from the start."""
    return f"bench-{uuid.uuid4().hex[:8]}"
