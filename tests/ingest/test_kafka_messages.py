"""What messages are asked for once a run and not each gives the same as asking each."""

import gc

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from monitor.ingest.kafka_confluent import _offsets, _runs, _uncollected
from monitor.records import Partition

partitions = st.builds(Partition, st.sampled_from(["a", "b"]), st.integers(0, 2))


def _messages(places: list[Partition]) -> list[Message]:
    return [Message(topic=p.topic, partition=p.number, offset=i) for i, p in enumerate(places)]


@given(st.lists(st.tuples(partitions, st.integers(1, 3)).map(lambda pair: [pair[0]] * pair[1]), max_size=8))
def test_runs_hold_every_message_in_order_under_its_partition(drawn: list[list[Partition]]) -> None:
    places = [place for run in drawn for place in run]
    runs = list(_runs(_messages(places), one_topic=False))
    assert [(partition, m.offset()) for partition, run in runs for m in run] == [
        (place, i) for i, place in enumerate(places)
    ]


@given(st.lists(st.integers(0, 2), max_size=20))
def test_the_messages_of_one_topic_need_no_more_than_a_partition(numbers: list[int]) -> None:
    messages = _messages([Partition("a", number) for number in numbers])
    assert list(_runs(messages, one_topic=True)) == list(_runs(messages, one_topic=False))


@given(st.sets(st.integers(0, 30) | st.integers(2**40, 2**40 + 30), min_size=1))
def test_offsets_with_and_without_gaps(offsets: set[int]) -> None:
    messages = [Message(topic="a", partition=0, offset=offset) for offset in sorted(offsets)]
    assert _offsets(messages).tolist() == sorted(offsets)


def test_the_collector_is_left_as_it_was() -> None:
    with _uncollected():
        assert not gc.isenabled()
        with _uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
