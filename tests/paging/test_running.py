"""The pager over a store, with a provider that fails: nothing lost, nothing doubled, order kept."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from monitor.paging.alert import Alert
from monitor.paging.inbox import post
from monitor.paging.message import Delivery, Message, Result
from monitor.paging.outbox.policy import Repeats
from monitor.paging.running import Deposed, Running
from monitor.store.paging import read_outbox
from monitor.store.store import Store
from tests.paging.provider import Provider
from tests.paging.simulated import alert, pager_settings, route
from tests.store.conftest import store

__all__ = ["store"]

ROOT = route(group_by=("alertname",), repeat_interval_ms=600_000)


class Service:
    """Turns on simulated time, with sends in between; `crash` forgets all that is not in the store."""

    def __init__(self, store: Store, provider: Provider, repeats: Repeats = Repeats.MARK) -> None:
        self.store, self.provider, self.repeats, self.now_ms = store, provider, repeats, 0
        self.found: list[Alert] | None = None
        self.start()

    def start(self, holder: str = "a") -> None:
        self.running = Running(
            self.store,
            pager_settings(ROOT),
            holder,
            self.now_ms,
            repeats=self.repeats,
            detected=None if self.found is None else lambda: list(self.found or ()),
            senders={("team", 0): self.provider},
            rng=random.Random(1),
        )

    def turn(self, *, sends: bool = True, answers: bool = True) -> None:
        """A turn; it `sends`, and the `answers` are heard."""
        for item in self.running.turn(self.now_ms).sending:
            if sends:
                delivery = self.running.send(item, 1)
                if answers:
                    self.running.finished(item, delivery)

    def run(self, until_ms: int) -> None:
        while self.now_ms < until_ms:
            self.turn()
            self.now_ms += 250

    def put(self, *alerts: Alert) -> None:
        post(self.store, alerts, self.now_ms)

    def fire(self, name: str) -> None:
        self.put(alert(name, self.now_ms, resolve_timeout_ms=10_000_000))

    def end(self, name: str) -> None:
        self.put(alert(name, 0, self.now_ms, at_ms=self.now_ms))


def test_an_alert_is_told_and_its_end_too(store: Store) -> None:
    service = Service(store, Provider())
    service.fire("A")
    service.run(3_000)
    service.end("A")
    service.run(10_000)
    assert [(m.status, m.reason) for m in service.provider.seen] == [
        ("firing", "first"),
        ("resolved", "all_resolved"),
    ]
    assert [row.state for row in read_outbox(store, 9)] == ["delivered", "delivered"]
    assert service.running.next_ms(service.now_ms) is None


@pytest.mark.parametrize("sent", [True, False])
def test_what_was_being_sent_at_a_crash_is_sent_again_and_says_so(store: Store, sent: bool) -> None:
    service = Service(store, Provider())
    service.fire("A")
    service.turn()
    service.now_ms = 1_000
    service.turn(sends=sent, answers=False)
    service.start()
    service.run(3_000)
    assert service.provider.seen[-1].doubtful
    assert len(service.provider.pages) == 1


def test_what_may_have_arrived_is_not_sent_again_where_that_is_asked(store: Store) -> None:
    service = Service(store, Provider(dedups=False), Repeats.DROP)
    service.fire("A")
    service.turn()
    service.now_ms = 1_000
    service.turn(answers=False)
    service.start()
    service.run(5_000)
    assert len(service.provider.seen) == 1
    assert [row.state for row in read_outbox(store, 9)] == ["unknown"]
    service.end("A")
    service.run(12_000)
    assert [m.status for m in service.provider.seen] == ["firing", "resolved"]


def test_whoever_lost_the_pager_writes_nothing_more(store: Store) -> None:
    service = Service(store, Provider())
    service.fire("A")
    old = service.running
    service.start("b")
    with pytest.raises(Deposed):
        old.turn(0)
    service.run(3_000)
    assert len(service.provider.seen) == 1


def test_a_provider_that_is_away_for_an_hour_gets_everything_later(store: Store) -> None:
    away = [True]
    refused = Delivery(Result.TRANSIENT, "answered 503")
    provider = Provider(answers=lambda m, n: refused if away[0] else Delivery(Result.DELIVERED))
    service = Service(store, provider)
    for name in "ABC":
        service.fire(name)
    service.run(3_000)
    service.end("C")
    while service.now_ms < 3_600_000:
        service.turn()
        service.now_ms += 5_000
    attempts = provider.attempts
    away[0] = False
    while service.now_ms < 4_100_000:
        service.turn()
        service.now_ms += 5_000
    assert attempts < 100
    assert sorted(dict(m.group_labels)["alertname"] for m in provider.seen) == ["A", "B"]
    assert "withdrawn" in {row.state for row in read_outbox(store, 99)}


def test_a_wait_that_the_provider_asks_for_is_kept(store: Store) -> None:
    times: list[int] = []

    def answers(message: Message, attempt: int) -> Delivery:
        times.append(service.now_ms)
        return (
            Delivery(Result.TRANSIENT, "answered 429", 20_000) if attempt == 1 else Delivery(Result.DELIVERED)
        )

    service = Service(store, Provider(answers=answers))
    service.fire("A")
    service.run(40_000)
    assert len(times) == 2
    assert times[1] - times[0] >= 20_000


def test_what_is_refused_for_good_is_decided_anew_at_the_next_flush(store: Store) -> None:
    service = Service(
        store, Provider(answers=lambda m, n: Delivery(Result.PERMANENT if n == 1 else Result.DELIVERED, "no"))
    )
    service.fire("A")
    service.run(8_000)
    assert [row.state for row in read_outbox(store, 9)] == ["delivered", "failed"]


def test_what_monitor_finds_is_ended_when_it_is_no_longer_found(store: Store) -> None:
    service = Service(store, Provider())
    service.found = []
    service.start()
    service.run(1_000)
    service.found = [alert("A", 500)]
    service.found = [Alert(service.found[0].labels, (), 500, 0, 500, source="slo")]
    service.run(6_000)
    service.start()
    service.run(8_000)
    service.found = []
    service.run(20_000)
    assert [m.status for m in service.provider.seen] == ["firing", "resolved"]


events = st.lists(
    st.tuples(
        st.integers(0, 6_000),
        st.sampled_from(["fire", "fire", "end", "crash", "crash sending", "crash sent", "again"]),
        st.sampled_from("AB"),
    ),
    max_size=15,
)
results = st.lists(
    st.sampled_from(
        [Result.DELIVERED, Result.DELIVERED, Result.TRANSIENT, Result.DOUBTFUL, Result.PERMANENT]
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("running")


@given(events, results, st.integers(0, 3))
@example([(217, "fire", "B"), (752, "crash sending", "B"), (0, "end", "B")], [], 0)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # A store for each example: to shrink one takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_whatever_fails_the_provider_ends_with_what_is_so(
    directory: Path, some: list[tuple[int, str, str]], fates: list[Result], loses: int
) -> None:
    kept = Store.open(f"sqlite:///{directory / str(len(list(directory.iterdir())))}.db")

    def answers(message: Message, attempt: int) -> Delivery:
        return Delivery(fates[attempt - 1] if attempt <= len(fates) else Result.DELIVERED)

    service = Service(kept, Provider(answers=answers, loses=lambda m, n: n % 4 == loses))
    firing: set[str] = set()
    for after_ms, what, name in some:
        service.run(service.now_ms + after_ms)
        match what:
            case "fire":
                service.fire(name)
                firing.add(name)
            case "end":
                service.end(name)
                firing.discard(name)
            case "crash":
                service.start()
            case "crash sending":
                service.turn(sends=False)
                service.start()
            case "crash sent":
                service.turn(answers=False)
                service.start()
            case "again":
                service.turn()
    service.run(service.now_ms + 60_000)
    told = {dict(t.alert.labels)["alertname"] for m in service.provider.seen[-50:] for t in m.firing}
    assert len(service.provider.open) == len(firing)
    assert firing <= told
    assert len(service.running.queue) == 0
    kept.close()
