"""What must hold of the pager whatever happens, in whatever order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from monitor.paging.alert import Alert, Status, fingerprint, labels_of, merged
from monitor.paging.settings import InhibitRule, Integration, Receiver
from monitor.paging.silence import Silence
from monitor.paging.state import Kind, read, written
from tests.paging.simulated import Simulated, alert, equals, pager_settings, route

END_MS = 200_000
NAMES = "ABC"
RULE = InhibitRule((equals("alertname", "A"),), (equals("alertname", "B"),))


class Step(NamedTuple):
    after_ms: int
    what: str
    name: str
    length_ms: int


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 8_000),
        st.sampled_from(
            ["fire", "fire", "fire", "end", "silence", "restart", "reload", "acknowledge", "fail"]
        ),
        st.sampled_from(NAMES),
        st.integers(1_000, 20_000),
    ),
    max_size=25,
)


def simulated(*, muted: bool = False) -> Simulated:
    root = route(group_by=(), mute_intervals=("night",) if muted else ())
    receiver = Receiver("team", (Integration("webhook", 0, None), Integration("push", 1, None)))
    return Simulated(
        pager_settings(
            root,
            receivers={"team": receiver},
            inhibit_rules=(RULE,),
            intervals={"night": lambda now_ms: now_ms // 10_000 % 3 == 1},
        )
    )


def play(sim: Simulated, some: Sequence[Step], restarts: bool = True) -> None:
    silences: list[Silence] = []
    failing = [False]
    sim.fails = lambda message, now_ms: failing[0]
    for step in some:
        sim.run(sim.now_ms + step.after_ms)
        now_ms = sim.now_ms
        sim.retry()
        match step.what:
            case "fire":
                sim.put(alert(step.name, now_ms, resolve_timeout_ms=60_000))
            case "end":
                sim.put(alert(step.name, now_ms, now_ms, at_ms=now_ms))
            case "silence":
                matcher = (equals("alertname", step.name),)
                silences.append(
                    Silence(str(len(silences)), matcher, now_ms, now_ms + step.length_ms, now_ms, "a", "b")
                )
                sim.silences(silences)
            case "restart" if restarts:
                sim.restart()
            case "reload":
                sim.settings = replace(sim.settings, max_alerts=step.length_ms)
                sim.pager.reconfigure(sim.settings, now_ms)
            case "acknowledge":
                for group in sim.pager.state().groups:
                    sim.pager.acknowledge(group, now_ms)
            case "fail":
                failing[0] = not failing[0]
    failing[0] = False
    sim.retry()
    while sim.now_ms < END_MS:
        sim.run(sim.now_ms + 1_000)
        sim.retry()


@given(steps, st.booleans())
def test_what_was_told_as_firing_is_always_told_of_its_end(some: list[Step], muted: bool) -> None:
    sim = simulated(muted=muted)
    play(sim, some)
    for integration in (0, 1):
        open_alerts: set[str] = set()
        for _, message in sim.sent:
            if message.integration == integration:
                open_alerts |= {t.alert.fingerprint for t in message.firing}
                open_alerts -= {t.alert.fingerprint for t in message.resolved}
        assert not open_alerts
    assert sim.pager.state().groups == {}
    assert sim.pager.state().sent == {}


@given(steps, st.booleans())
def test_restarts_change_nothing(some: list[Step], muted: bool) -> None:
    with_them, without = simulated(muted=muted), simulated(muted=muted)
    play(with_them, some)
    play(without, some, restarts=False)
    assert with_them.sent == without.sent
    assert with_them.reasons() == without.reasons()


@given(steps)
def test_the_same_set_is_never_told_twice_within_the_repeat_interval(some: list[Step]) -> None:
    sim = simulated()
    play(sim, some)
    last: dict[int, tuple[int, set[tuple[str, str]]]] = {}
    for at_ms, message in sim.sent:
        told = {(t.alert.fingerprint, str(t.status)) for t in message.alerts}
        before = last.get(message.integration)
        news = message.reason in ("repeat", "released") or not message.firing
        if before is not None and before[1] == told and not news:
            firing = {f for f, status in told if status == Status.FIRING}
            ended = any(
                t.alert.fingerprint in firing
                for ms, m in sim.sent
                if m.integration == message.integration and before[0] <= ms < at_ms
                for t in m.resolved
            )
            assert ended or at_ms - before[0] > 60_000
        last[message.integration] = (at_ms, told)


@given(st.permutations([alert("A", 0), alert("B", 0), alert("C", 0, 90_000, at_ms=0)]), st.integers(1, 3))
def test_the_order_of_reports_and_their_number_make_no_difference(reports: list[Alert], times: int) -> None:
    sims = [simulated(), simulated()]
    sims[0].put(alert("A", 0), alert("B", 0), alert("C", 0, 90_000, at_ms=0))
    for _ in range(times):
        sims[1].put(*reports)
    for sim in sims:
        sim.run(100_000)
    assert sims[0].sent == sims[1].sent


texts = st.text(max_size=8)
pairs = st.dictionaries(st.text("abc_", min_size=1, max_size=3), texts, max_size=4).map(labels_of)
moments = st.integers(0, 1_000)
alerts = st.builds(Alert, pairs, pairs, moments, moments, moments, st.booleans(), texts, texts, st.booleans())


@given(alerts)
def test_an_alert_is_read_back_as_it_was_written(one: Alert) -> None:
    assert read(Kind.ALERT, written(one)) == one


@given(alerts, alerts)
def test_a_later_report_brings_its_annotations_and_never_a_later_start(old: Alert, new: Alert) -> None:
    new = replace(new, labels=old.labels)
    both = merged(old, new)
    assert both.annotations == new.annotations
    assert both.updated_ms == new.updated_ms
    assert both.starts_ms <= new.starts_ms
    assert merged(None, new) == new


def test_fingerprints_are_alertmanagers() -> None:
    """The empty set is FNV's offset, by `model.LabelSet.Fingerprint`."""
    assert fingerprint(()) == "cbf29ce484222325"
    assert fingerprint(labels_of({"alertname": "test"})) == fingerprint((("alertname", "test"),))
