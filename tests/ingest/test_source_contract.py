"""What every source keeps to, run on all of them."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable

import pytest

from monitor.ingest.source import Chunk, Source
from tests.ingest.backends import Backend, DirectoryBackend
from tests.ingest.ownership import MemoryOwnership, Progress
from tests.ingest.reading import DEADLINE_S, drain, poll_until, values_of


def records(stream: int, first: int, count: int) -> list[bytes]:
    return [b'{"stream":%d,"n":%d}' % (stream, n) for n in range(first, first + count)]


def write(backend: Backend, first: int, count: int) -> set[bytes]:
    """Adds `count` records to each stream; returns them all."""
    written = {stream: records(stream, first, count) for stream in range(backend.streams)}
    for stream, values in written.items():
        backend.write(stream, values)
    return {value for values in written.values() for value in values}


def check_order(values: Iterable[bytes]) -> None:
    """Each stream's records come in their order."""
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for value in map(json.loads, values):
        numbers[value["stream"]].append(value["n"])
    for found in numbers.values():
        assert found == sorted(found)


def committed(progress: Progress) -> list[bytes]:
    return [value for read in progress.records.values() for _, value in read]


@pytest.mark.parametrize("most", [7, 10_000])
def test_everything_is_delivered_once_and_in_order(backend: Backend, most: int) -> None:
    written = write(backend, 0, 250)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    values = values_of(drain(source, ownership, most))
    assert len(values) == len(written)
    assert set(values) == written
    check_order(values)
    more = write(backend, 250, 10)
    assert set(values_of(poll_until(source, ownership, len(more)))) == more
    source.close()


def test_positions_grow_from_chunk_to_chunk(backend: Backend) -> None:
    write(backend, 0, 100)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    ends: dict[object, int] = {}
    for chunk in drain(source, ownership, 30):
        assert chunk.positions[0] >= ends.get(chunk.partition, 0)
        ends[chunk.partition] = chunk.next_position
    assert len(ends) >= 1
    source.close()


def test_reading_goes_on_at_any_stored_position(backend: Backend) -> None:
    written = write(backend, 0, 60)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    chunks = drain(source, ownership, 25)
    ownership.pending.clear()
    source.close()
    for cut in (1, len(chunks) // 2, len(chunks) - 1):
        before = MemoryOwnership()
        commit(before, chunks[:cut])
        after = MemoryOwnership(before.progress)
        source = backend.open(after)
        rest = values_of(drain(source, after))
        assert len(rest) + len(values_of(chunks[:cut])) == len(written)
        assert {*rest, *values_of(chunks[:cut])} == written
        source.close()


def commit(ownership: MemoryOwnership, chunks: list[Chunk]) -> None:
    ownership.assigned({chunk.partition for chunk in chunks})
    ownership.take(chunks)
    ownership.flush()


def test_what_was_not_committed_is_delivered_again(backend: Backend) -> None:
    written = write(backend, 0, 50)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    assert len(values_of(drain(source, ownership))) == len(written)
    ownership.pending.clear()
    source.close()
    source = backend.open(ownership)
    assert set(values_of(drain(source, ownership))) == written
    source.close()


def test_a_paused_partition_delivers_nothing_and_stays_ours(backend: Backend) -> None:
    write(backend, 0, 50)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    drain(source, ownership)
    owned = set(source.lags())
    source.pause(owned)
    more = write(backend, 50, 50)
    for _ in range(10):
        assert source.poll(1_000, 0.05) == []
    assert set(source.lags()) == owned
    assert [name for name, _ in ownership.calls] == ["assigned"]
    source.resume(owned)
    assert set(values_of(poll_until(source, ownership, len(more)))) == more
    source.close()


def test_pausing_some_leaves_the_others(backend: Backend) -> None:
    written = write(backend, 0, 200)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    first = poll_until(source, ownership, 1)
    paused = first[0].partition
    source.pause([paused])
    until = time.monotonic() + DEADLINE_S
    others = [p for p in source.lags() if p != paused]
    chunks = list(first)
    while any(source.lags()[p].behind != 0 for p in others) or not others:
        assert time.monotonic() < until
        found = source.poll(1_000, 0.05)
        assert paused not in {chunk.partition for chunk in found}
        chunks += found
    source.resume([paused])
    values = values_of([*chunks, *drain(source, ownership)])
    assert len(values) == len(written)
    source.close()


def test_the_lag_is_unknown_or_above_zero_until_all_is_delivered(backend: Backend) -> None:
    written = write(backend, 0, 300)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    assert source.lags() == {}
    count = 0
    until = time.monotonic() + DEADLINE_S
    while count < len(written):
        assert time.monotonic() < until
        count += sum(len(chunk.values) for chunk in source.poll(50, 0.1))
        behind = [lag.behind for lag in source.lags().values()]
        assert count == len(written) or any(b is None or b > 0 for b in behind) or not behind
    drain(source, ownership)
    assert all(lag.behind == 0 and lag.position == lag.end for lag in source.lags().values())
    source.close()


def test_nothing_new_is_told_in_time(backend: Backend) -> None:
    write(backend, 0, 5)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    drain(source, ownership)
    begin = time.monotonic()
    assert source.poll(100, 0.2) == []
    assert time.monotonic() - begin < 1.5
    source.close()


def test_closing_gives_up_what_was_owned(backend: Backend) -> None:
    write(backend, 0, 20)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    drain(source, ownership)
    owned = set(source.lags())
    source.close()
    source.close()
    assert ownership.calls[-1] == ("revoked", frozenset(owned))
    assert [name for name, _ in ownership.calls].count("revoked") == 1
    assert len(committed(ownership.progress)) == 20 * backend.streams
    assert source.lags() == {}


@pytest.mark.parametrize("begin", ["earliest", "latest"])
def test_a_new_reader_begins_where_it_is_told(backend: Backend, begin: str) -> None:
    old = write(backend, 0, 20)
    ownership = MemoryOwnership()
    source = backend.open(ownership, start="latest" if begin == "latest" else "earliest")
    found = values_of(drain(source, ownership))
    new = write(backend, 20, 5)
    found += values_of(poll_until(source, ownership, len(new)))
    assert set(found) == (new if begin == "latest" else old | new)
    ownership.flush()
    source.close()
    newer = write(backend, 25, 5)
    source = backend.open(ownership, start="latest")
    assert set(values_of(drain(source, ownership))) == newer
    source.close()


def test_restart_asks_anew_where_to_read_on(backend: Backend) -> None:
    written = write(backend, 0, 30)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    assert len(values_of(drain(source, ownership))) == len(written)
    ownership.pending.clear()
    source.restart(list(source.lags()))
    assert set(values_of(drain(source, ownership))) == written
    assert [name for name, _ in ownership.calls] == ["assigned", "assigned"]
    source.close()


def test_telling_what_is_committed_never_fails(backend: Backend) -> None:
    write(backend, 0, 10)
    ownership = MemoryOwnership()
    source = backend.open(ownership)
    drain(source, ownership)
    positions = ownership.flush()
    source.committed(positions)
    source.committed({})
    source.poll(1, 0.05)
    source.close()
    source.committed(positions)


def test_two_consumers_share_and_each_record_is_committed_once(backend: Backend) -> None:
    written = write(backend, 0, 100)
    progress = Progress()
    first, second = MemoryOwnership(progress), MemoryOwnership(progress)
    one = backend.open(first, member=(0, 2))
    step([(one, first)])
    two = backend.open(second, member=(1, 2))
    both = [(one, first), (two, second)]
    until = time.monotonic() + DEADLINE_S
    batch = 100
    while not (set(one.lags()) and set(two.lags())) or len(committed(progress)) < len(written):
        assert time.monotonic() < until, f"{len(committed(progress))} of {len(written)} committed"
        if batch < 400:
            written |= write(backend, batch, 10)
            batch += 10
        step(both)
    assert not set(one.lags()) & set(two.lags())
    one.close()
    written |= write(backend, batch, 10)
    if not isinstance(backend, DirectoryBackend):  # Lanes are shared out once and for all.
        while len(committed(progress)) < len(written):
            assert time.monotonic() < until, f"{len(committed(progress))} of {len(written)} committed"
            step([(two, second)])
    two.close()
    values = committed(progress)
    assert len(values) == len(set(values))
    assert set(values) <= written


def step(readers: list[tuple[Source, MemoryOwnership]]) -> None:
    for source, ownership in readers:
        ownership.take(source.poll(40, 0.05))
        ownership.flush()
