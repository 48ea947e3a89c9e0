"""What a job does with messages of a partition that changed hands since they were read, one case each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest import mock

import pytest
import sqlalchemy as sa

from monitor.errors import StoreBusy
from monitor.ingest.source import Partition
from monitor.profiles.profiler import Profiler
from monitor.store.engine import writing
from monitor.store.store import Store
from tests.exactly_once.compare import check
from tests.exactly_once.conftest import Fresh
from tests.exactly_once.oracle import Oracle
from tests.exactly_once.records import RECORDS, Generator
from tests.exactly_once.simulation import Process
from tests.fakes import MemoryLog

ONE, TWO = PARTITIONS = (Partition(RECORDS, 0), Partition(RECORDS, 1))


class Stream:
    """Two partitions of twenty messages each at least, and the oracle that knows them."""

    def __init__(self) -> None:
        self.log, self.oracle = MemoryLog(RECORDS), Oracle()
        messages = Generator(5, len(PARTITIONS)).take(80)
        self.oracle.take(messages)
        for message in messages:
            self.log.append(message.partition, message.payload)


def start(store: Store, stream: Stream, name: str = "a") -> Process:
    """A process that owns both partitions and has read nothing yet."""
    process = Process(store, stream.log, name)
    own(process)
    process.job.step()
    return process


def own(process: Process) -> None:
    process.source.later(lambda: process.source.give(PARTITIONS))


def drain(process: Process) -> None:
    process.source.limit = None
    while process.job.step():
        pass
    process.job.flush()


def once_busy(meanwhile: Callable[[], None]) -> AbstractContextManager[object]:
    """The store is away while the first batch is profiled; `meanwhile` happens then."""
    profile, calls = Profiler.profile, []

    def moody(self: Profiler, *arguments: object) -> object:
        calls.append(self)
        if len(calls) == 1:
            meanwhile()
            raise StoreBusy("away")
        return profile(self, *arguments)  # type: ignore[arg-type]  # passed on as they came

    return mock.patch.object(Profiler, "profile", moody)


@contextmanager
def once_unanswered(committed: bool) -> Iterator[None]:
    """The first flush gets no answer, whether it was committed or not."""
    left = [committed]

    @contextmanager
    def moody(engine: sa.Engine) -> Iterator[sa.Connection]:
        unanswered = left.pop() if left else None
        if unanswered is False:
            raise StoreBusy("away")
        with writing(engine) as connection:
            yield connection
        if unanswered:
            raise StoreBusy("the answer was lost")

    with mock.patch("monitor.store.flush.writing", moody):
        yield


def test_messages_that_come_twice_count_once(fresh_store: Fresh) -> None:
    stream = Stream()
    with fresh_store(0) as store:
        process = start(store, stream)
        process.source.limit = 10
        process.job.step()
        process.source.step_back(ONE, 10)
        process.job.step()
        process.job.flush()
        process.source.step_back(TWO, 15)
        drain(process)
        check(store, stream.oracle)


def test_a_rebalance_while_waiting_voids_what_was_read_before_it(fresh_store: Fresh) -> None:
    stream = Stream()
    with fresh_store(0) as store:
        process = start(store, stream)
        process.source.limit = 10
        process.job.step()

        def rebalance() -> None:
            process.source.later(lambda: process.source.lose(PARTITIONS))
            own(process)

        with once_busy(rebalance):
            process.job.step()
        drain(process)
        check(store, stream.oracle)


def test_a_fenced_partition_that_still_delivers_while_the_store_is_away(fresh_store: Fresh) -> None:
    stream = Stream()
    with fresh_store(0) as store:
        zombie = start(store, stream)
        zombie.source.limit = 5
        zombie.job.step()
        successor = Process(store, stream.log, "b")
        successor.source.later(lambda: successor.source.give([ONE]))
        successor.job.step()
        zombie.job.flush()
        with once_busy(lambda: None):
            zombie.job.step()
        drain(zombie)
        drain(successor)
        check(store, stream.oracle)


@pytest.mark.parametrize("committed", [False, True])
def test_a_commit_without_an_answer_is_settled_by_reading_progress(
    committed: bool, fresh_store: Fresh
) -> None:
    stream = Stream()
    with fresh_store(0) as store:
        process = start(store, stream)
        process.job.step()
        with once_unanswered(committed):
            process.job.flush()
        drain(process)
        check(store, stream.oracle)
