"""The pager's decisions, each with its reason, on simulated time."""

from dataclasses import replace

import pytest

from monitor.paging.reason import Reason
from monitor.paging.settings import Damping, Hold, InhibitRule, Integration, Receiver
from monitor.paging.silence import Silence
from tests.paging.simulated import Simulated, alert, equals, pager_settings, route

MUTED = {"night": lambda now_ms: now_ms < 50_000}


def silence(starts_ms: int, ends_ms: int, name: str = "A") -> Silence:
    return Silence("s1", (equals("alertname", name),), starts_ms, ends_ms, 0, "ana", "known")


def test_a_group_waits_then_tells_and_tells_its_end() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0))
    sim.run(999)
    assert sim.sent == []
    sim.run(3_000)
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.run(20_000)
    assert sim.told() == [(1_000, "firing", ["A"]), (6_000, "resolved", ["-A"])]
    assert sim.reasons() == ["FIRST", "ALL_RESOLVED"]
    assert sim.pager.state().groups == {}
    assert sim.pager.state().sent == {}


def test_what_ended_before_it_was_told_is_not_told() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0), alert("A", 0, 500, at_ms=500))
    sim.run(10_000)
    assert sim.told() == []
    assert sim.reasons() == ["NEVER_FIRED"]


def test_an_alert_that_fires_for_long_already_does_not_wait() -> None:
    sim = Simulated(pager_settings(), now_ms=10_000)
    sim.put(alert("A", 0, at_ms=10_000))
    sim.run(10_000)
    assert [at_ms for at_ms, *_ in sim.told()] == [10_000]


def test_a_smaller_set_is_no_news_and_a_larger_one_is() -> None:
    sim = Simulated(pager_settings(route(group_by=())))
    sim.put(alert("A", 0), alert("B", 0))
    sim.run(2_000)
    sim.put(alert("C", 2_000))
    sim.run(7_000)
    assert sim.told()[-1] == (6_000, "firing", ["A", "B", "C"])
    assert sim.reasons() == ["FIRST", "NEW_FIRING"]


def test_the_end_of_some_is_told_to_those_who_want_it() -> None:
    both = Receiver(
        "team", (Integration("webhook", 0, None), Integration("mail", 1, None, send_resolved=False))
    )
    sim = Simulated(pager_settings(route(group_by=()), receivers={"team": both}))
    sim.put(alert("A", 0), alert("B", 0))
    sim.run(2_000)
    sim.put(alert("A", 0, 2_000, at_ms=2_000))
    sim.run(7_000)
    assert [(m.integration, m.reason) for _, m in sim.sent] == [
        (0, "first"),
        (1, "first"),
        (0, "some_resolved"),
    ]
    sim.put(alert("B", 0, 7_000, at_ms=7_000))
    sim.run(20_000)
    assert [m.integration for _, m in sim.sent[3:]] == [0]
    assert sim.pager.state().sent == {}


def test_it_repeats_after_the_interval_and_not_before() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 500_000))
    sim.run(120_000)
    # At 61 s it was not yet more than 60 s ago.
    assert [(at_ms, m.reason) for at_ms, m in sim.sent] == [(1_000, "first"), (66_000, "repeat")]


def test_an_acknowledgement_holds_repeats_back_until_all_has_ended() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 500_000))
    sim.run(2_000)
    (group,) = sim.pager.state().groups
    sim.pager.acknowledge(group, 2_000)
    sim.restart()
    sim.run(130_000)
    assert len(sim.sent) == 1
    assert "ACKNOWLEDGED" in sim.reasons()
    sim.put(alert("A", 0, 130_000, at_ms=130_000))
    sim.run(140_000)
    assert sim.told()[-1][1] == "resolved"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"route": route(mute_intervals=("night",))}, Reason.MUTED),
        ({"route": route(active_intervals=("day",))}, Reason.INACTIVE),
        ({"holds": (Hold("night", (equals("alertname", "A"),), MUTED["night"]),)}, Reason.HELD),
    ],
)
def test_what_begins_in_a_mute_time_is_told_after_it(changed: dict[str, object], reason: Reason) -> None:
    intervals = {**MUTED, "day": lambda now_ms: now_ms >= 50_000}
    sim = Simulated(pager_settings(**({"intervals": intervals} | changed)))
    sim.put(alert("A", 0, 500_000))
    sim.run(60_000)
    assert sim.told() == [(51_000, "firing", ["A"])]
    assert sim.reasons()[:2] == [reason.name, reason.name]


def test_an_end_in_a_mute_time_is_told() -> None:
    night = {"night": lambda now_ms: now_ms > 2_000}
    sim = Simulated(pager_settings(route(mute_intervals=("night",)), intervals=night))
    sim.put(alert("A", 0))
    sim.run(3_000)
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.run(10_000)
    assert sim.told()[-1] == (6_000, "resolved", ["-A"])


def test_an_end_under_a_silence_is_told_and_the_next_firing_too() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0))
    sim.run(2_000)
    sim.silences([silence(2_000, 30_000)])
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.run(20_000)
    assert sim.told() == [(1_000, "firing", ["A"]), (6_000, "resolved", ["-A"])]
    sim.put(alert("A", 29_000, at_ms=20_000, resolve_timeout_ms=900_000))
    sim.run(60_000)
    assert sim.told()[-1][1:] == ("firing", ["A"])


def test_what_is_no_longer_silenced_and_fires_is_told_again() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 500_000))
    sim.run(2_000)
    sim.silences([silence(2_000, 20_000)])
    sim.run(15_000)
    sim.restart()
    sim.run(40_000)
    assert [(at_ms, m.reason) for at_ms, m in sim.sent] == [(1_000, "first"), (21_000, "released")]
    assert sim.reasons().count("SILENCED") == 3


RULE = InhibitRule((equals("alertname", "Down"),), (equals("alertname", "Slow"),), ("zone",))


def test_an_alert_inhibits_those_of_its_zone_while_it_fires() -> None:
    sim = Simulated(pager_settings(route(group_by=None), inhibit_rules=(RULE,)))
    sim.put(
        alert({"alertname": "Down", "zone": "a"}, 0, 8_000, at_ms=0),
        alert({"alertname": "Slow", "zone": "a"}, 0, 500_000),
        alert({"alertname": "Slow", "zone": "b"}, 0, 500_000),
    )
    sim.run(2_000)
    assert sorted(m.group_labels for _, m in sim.sent) == [
        (("alertname", "Down"), ("zone", "a")),
        (("alertname", "Slow"), ("zone", "b")),
    ]
    sim.run(12_000)
    assert (11_000, "firing", ["Slow"]) in sim.told()


def test_two_alerts_that_match_both_sides_do_not_inhibit_each_other() -> None:
    rule = InhibitRule((equals("team", "risk"),), (equals("team", "risk"),))
    sim = Simulated(pager_settings(route(group_by=()), inhibit_rules=(rule,)))
    sim.put(*(alert({"alertname": n, "team": "risk"}, 0) for n in "AB"))
    sim.run(2_000)
    assert sim.told() == [(1_000, "firing", ["A", "B"])]


def test_an_alert_found_while_catching_up_wakes_nobody_until_it_is_news() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 500_000, quiet=True))
    sim.run(4_000)
    assert sim.reasons() == ["QUIET"]
    sim.put(alert("A", 0, 500_000, at_ms=4_000))
    sim.run(7_000)
    assert sim.told() == [(6_000, "firing", ["A"])]


def test_a_flapping_alert_stays_one_page_until_it_has_calmed_down() -> None:
    sim = Simulated(pager_settings(damping=Damping(3, 60_000, 20_000)))
    for begin_ms in range(0, 60_000, 10_000):
        sim.run(begin_ms)
        sim.put(alert("A", begin_ms))
        sim.run(begin_ms + 4_000)
        sim.put(alert("A", begin_ms, begin_ms + 4_000, at_ms=begin_ms + 4_000))
    sim.restart()
    sim.run(200_000)
    statuses = [status for _, status, _ in sim.told()]
    assert statuses == ["firing", "resolved", "firing", "resolved", "firing", "resolved"]
    assert sim.told()[-1][0] >= 74_000
    assert "FLAPPING" in sim.reasons()


def test_a_restart_and_a_pause_of_an_hour_forget_no_flapping() -> None:
    hour_ms = 3_600_000
    settings = pager_settings(
        route(repeat_interval_ms=12 * hour_ms), damping=Damping(3, 6 * hour_ms, 2 * hour_ms)
    )
    sim = Simulated(settings)
    for begin_ms in range(0, 3 * hour_ms, hour_ms):
        sim.run(begin_ms)
        sim.put(alert("A", begin_ms))
        sim.run(begin_ms + 4_000)
        sim.put(alert("A", begin_ms, begin_ms + 4_000, at_ms=begin_ms + 4_000))
        sim.run(begin_ms + 50 * 60_000)
        sim.restart()
    sim.run(6 * hour_ms)
    statuses = [status for _, status, _ in sim.told()]
    assert statuses == ["firing", "resolved"] * 3
    assert sim.told()[-1][0] >= 4 * hour_ms


def test_a_receiver_that_is_off_call_hears_only_the_end_of_what_it_was_told() -> None:
    pair = Receiver(
        "team",
        (
            Integration("push", 0, None, on_duty=lambda now_ms: now_ms < 3_000),
            Integration("push", 1, None, on_duty=lambda now_ms: now_ms >= 3_000),
        ),
    )
    sim = Simulated(pager_settings(receivers={"team": pair}))
    sim.put(alert("A", 0))
    sim.run(7_000)
    sim.put(alert("A", 0, 7_000, at_ms=7_000))
    sim.run(20_000)
    assert [(m.integration, m.reason) for _, m in sim.sent] == [
        (0, "first"),
        (1, "first"),
        (0, "all_resolved"),
        (1, "all_resolved"),
    ]


def test_an_escalation_tells_another_receiver_now_and_of_the_end() -> None:
    receivers = {name: Receiver(name, (Integration("webhook", 0, None),)) for name in ("team", "lead")}
    sim = Simulated(pager_settings(receivers=receivers))
    sim.put(alert("A", 0))
    sim.run(2_000)
    (group,) = sim.pager.state().groups
    sim.take(sim.pager.escalate(group, "lead", 2_000))
    assert sim.pager.escalate(group, "lead", 2_500) == []
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.run(20_000)
    assert [(at_ms, m.receiver, m.reason) for at_ms, m in sim.sent] == [
        (1_000, "team", "first"),
        (2_000, "lead", "escalated"),
        (6_000, "team", "all_resolved"),
        (6_000, "lead", "all_resolved"),
    ]


def test_a_receiver_without_integrations_is_no_error() -> None:
    sim = Simulated(pager_settings(receivers={"team": Receiver("team")}))
    sim.put(alert("A", 0, 3_000, at_ms=0))
    sim.run(20_000)
    assert set(sim.reasons()) == {"NO_INTEGRATION"}
    assert sim.pager.next_ms is None


def test_timers_go_on_over_a_change_of_settings() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0))
    sim.run(500)
    sim.pager.reconfigure(replace(sim.settings, max_alerts=7), 500)
    sim.run(2_000)
    assert sim.told() == [(1_000, "firing", ["A"])]


def test_an_alert_that_moves_to_another_route_is_told_there_and_its_end_in_both() -> None:
    receivers = {name: Receiver(name, (Integration("webhook", 0, None),)) for name in ("team", "risk")}
    sim = Simulated(pager_settings(receivers=receivers))
    sim.put(alert("A", 0, 500_000))
    sim.run(2_000)
    child = route(id="{}/a", key="{}/a", receiver="risk", matchers=(equals("alertname", "A"),))
    sim.pager.reconfigure(replace(sim.settings, route=route(routes=(child,))), 2_000)
    sim.run(9_000)
    sim.put(alert("A", 0, 9_000, at_ms=9_000))
    sim.run(30_000)
    assert [(m.receiver, m.reason) for _, m in sim.sent] == [
        ("team", "first"),
        ("risk", "first"),
        ("team", "all_resolved"),
        ("risk", "all_resolved"),
    ]


def test_what_could_not_be_delivered_before_all_ended_may_be_withdrawn() -> None:
    sim = Simulated(pager_settings(), fails=lambda message, now_ms: True)
    sim.put(alert("A", 0))
    sim.run(2_000)
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.run(10_000)
    assert [(d.reason.name, d.withdraws) for d in sim.decisions] == [("FIRST", False), ("ALL_RESOLVED", True)]


def test_what_arrived_once_is_never_withdrawn() -> None:
    down = [False]
    sim = Simulated(pager_settings(route(group_by=())), fails=lambda message, now_ms: down[0])
    sim.put(alert("A", 0))
    sim.run(2_000)
    down[0] = True
    sim.put(alert("B", 2_000), alert("A", 0, 2_000, at_ms=2_000), alert("B", 2_000, 7_000, at_ms=2_000))
    sim.run(20_000)
    assert [d.withdraws for d in sim.decisions if d.reason is Reason.ALL_RESOLVED] == [False]
    down[0] = False
    sim.retry()
    assert sim.told()[-1][1] == "resolved"


def test_a_send_that_failed_for_good_is_decided_anew() -> None:
    broken = [True]
    sim = Simulated(pager_settings(), fails=lambda message, now_ms: broken[0])
    sim.put(alert("A", 0, 500_000))
    sim.run(2_000)
    sim.pager.failed(sim.decisions[0].slot)
    broken[0] = False
    sim.run(7_000)
    assert [(at_ms, m.reason) for at_ms, m in sim.sent] == [(6_000, "first")]


def test_missed_flushes_happen_at_once_after_a_pause() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 500_000))
    sim.restart()
    sim.now_ms = 100_000
    sim.take(sim.pager.flush(100_000))
    assert [at_ms for at_ms, _ in sim.sent] == [100_000]
    assert sim.pager.next_ms == 105_000


def test_a_long_list_is_cut_with_a_count() -> None:
    sim = Simulated(pager_settings(route(group_by=()), max_alerts=10))
    sim.put(*(alert(f"A{n:03}", 0) for n in range(25)))
    sim.run(2_000)
    (_, message), *_ = sim.sent
    assert (len(message.alerts), message.truncated) == (10, 15)


def test_alerts_are_forgotten_half_an_hour_after_their_end() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0, 1_000, at_ms=0), alert("B", 0))
    sim.run(10_000)
    sim.put(alert("B", 0, 10_000, at_ms=10_000))
    sim.run(3_600_000)
    sim.pager.flush(3_600_000)
    assert sim.pager.state().alerts == {}
    assert sim.pager.state().groups == {}


def test_an_end_that_is_refused_is_told_at_the_next_flush() -> None:
    sim = Simulated(pager_settings())
    sim.put(alert("A", 0))
    sim.run(2_000)
    sim.put(alert("A", 0, 3_000, at_ms=3_000))
    sim.now_ms = 6_000
    (refused,) = sim.pager.flush(6_000)
    sim.pager.failed(refused.slot)
    sim.run(20_000)
    assert sim.told() == [(1_000, "firing", ["A"]), (11_000, "resolved", ["-A"])]
    assert sim.pager.state().groups == {}
