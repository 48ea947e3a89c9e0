"""The floor: consuming a topic and decoding its messages with one library, and nothing else.

Given: bootstrap, topic, group, decoder, records. Answers the seconds, and the processor's, from the first
poll to the last decode.
"""

import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson
import polars
from confluent_kafka import Consumer, KafkaException

from tests.bench.children import arguments, tell
from tests.bench.records import CATEGORIES, NUMBERS

_AT_ONCE = 10_000
# As much as helps: with the default a reader this fast waits up to a second whenever its queue was full.
_FETCHING = {
    "fetch.min.bytes": 65_536,
    "fetch.wait.max.ms": 100,
    "queued.max.messages.kbytes": 65_536,
    "queued.min.messages": 100_000,
    "fetch.queue.backoff.ms": 10,
}
_POLARS = {
    "id": polars.String,
    "ts": polars.Int64,
    "model": polars.String,
    "version": polars.String,
    "endpoint": polars.String,
    "segment": polars.Struct({"country": polars.String}),
    "status": polars.Int64,
    "latency_ms": polars.Float64,
    "queue_ms": polars.Float64,
    "compute_ms": polars.Float64,
    "features": polars.Struct(
        {**dict.fromkeys(NUMBERS, polars.Float64), **dict.fromkeys(CATEGORIES, polars.String)}
    ),
    "prediction": polars.String,
    "score": polars.Float64,
    "trace_id": polars.String,
}


def _record_type() -> Any:
    """The record as a struct with every field typed and required: the least that msgspec has to do."""
    segment = msgspec.defstruct("Segment", [("country", str)], gc=False)
    features = [*((name, float) for name in NUMBERS), *((name, str) for name in CATEGORIES)]
    fields: list[Any] = [("id", str), ("ts", int), ("model", str), ("version", str), ("endpoint", str)]
    fields += [("segment", segment), ("status", int)]
    fields += [(name, float) for name in ("latency_ms", "queue_ms", "compute_ms")]
    fields += [("features", msgspec.defstruct("Features", features, gc=False))]
    fields += [("prediction", str), ("score", float), ("trace_id", str)]
    return msgspec.defstruct("Record", fields, gc=False)


def _nothing(values: Sequence[bytes]) -> int:
    return len(values)


def _orjson(values: Sequence[bytes]) -> int:
    return len(list(map(orjson.loads, values)))


def _msgspec() -> Callable[[Sequence[bytes]], int]:
    decode = msgspec.json.Decoder(_record_type()).decode
    return lambda values: len(list(map(decode, values)))


def _polars(values: Sequence[bytes]) -> int:
    return polars.read_ndjson(io.BytesIO(b"\n".join(values)), schema=_POLARS).height


DECODERS: dict[str, Callable[[Sequence[bytes]], int]] = {
    "nothing": _nothing,
    "orjson": _orjson,
    "msgspec": _msgspec(),
    "polars": _polars,
}


def main() -> None:
    given = arguments()
    decode = DECODERS[given["decoder"]]
    consumer = Consumer(
        {
            "bootstrap.servers": given["bootstrap"],
            "group.id": given["group"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **_FETCHING,
        }
    )
    consumer.subscribe([given["topic"]])
    left = given["records"]
    begun, cpu_before_s = time.perf_counter(), time.process_time()
    while left > 0:
        values = []
        for message in consumer.consume(_AT_ONCE, 0.2):
            if message.error() is not None:
                raise KafkaException(message.error())
            values.append(message.value())
        if values:
            left -= decode(values)
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_before_s
    consumer.close()
    tell({"records": given["records"] - left, "seconds": seconds, "cpu_s": cpu_s})


if __name__ == "__main__":
    main()
