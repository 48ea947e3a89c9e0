"""Token buckets, by a clock set by hand."""

from monitor.web.limits import TokenBuckets


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    seconds = Seconds()
    buckets = TokenBuckets(2.0, 3, seconds)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    seconds.now = 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") == 0.5
    seconds.now = 1000
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_clients_are_apart_and_their_number_is_bounded() -> None:
    buckets = TokenBuckets(1.0, 1, Seconds(), limit=100)
    for i in range(1000):
        assert buckets.take(f"client {i}") == 0
    assert len(buckets) == 100


def test_a_client_that_keeps_asking_is_not_forgotten() -> None:
    buckets = TokenBuckets(1.0, 1, Seconds(), limit=10)
    assert buckets.take("busy") == 0
    for i in range(100):
        buckets.take(f"client {i}")
        assert buckets.take("busy") > 0
