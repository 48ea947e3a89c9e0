"""Quix Streams over the measured topic; runs in an environment of its own, of which it imports nothing of
ours.

One tumbling window of a minute for each model, version and endpoint, with a count and a sum. Arguments:
the broker, the topic, a directory for its state, how many records. Prints as JSON the seconds from the
first record to the last.
"""

import json
import sys
import time
import uuid

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Sum

_times: list[float] = []


def _event_time(value, headers, timestamp, timestamp_type):  # type: ignore[no-untyped-def]  # not checked here
    return value["ts"]


def _note(value):  # type: ignore[no-untyped-def]  # not checked here
    _times.append(time.perf_counter())


def main() -> None:
    broker, topic, state, records = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    app = Application(
        broker_address=broker,
        consumer_group=f"quix-{uuid.uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        state_dir=state,
        loglevel="ERROR",
    )
    source = app.topic(topic, value_deserializer="json", timestamp_extractor=_event_time)
    frame = app.dataframe(source).update(_note)
    frame = frame.tumbling_window(60_000, grace_ms=180_000).agg(
        requests=Count(), latency_ms=Sum(column="latency_ms")
    )
    frame.current()
    app.run(frame, count=records)
    print(json.dumps({"records": len(_times), "seconds": time.perf_counter() - _times[0]}))


if __name__ == "__main__":
    main()
