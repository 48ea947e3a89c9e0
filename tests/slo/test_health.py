"""A model's health, and whether it may be deployed."""

from monitor.slo.health import decide, health
from monitor.slo.question import Stood
from monitor.slo.rule import Severity
from monitor.slo.standing import Phase
from tests.slo.standings import alert, excluded, objective, standing


def stood(name: str = "availability", weight: float = 1.0, **changes: object) -> Stood:
    of = objective(name, weight=weight)
    return Stood(of, standing(of, **changes))


def test_health_is_the_worst_state_and_the_weighted_mean_of_what_is_left() -> None:
    found = [stood("a", 3.0, left=0.9), stood("b", 1.0, left=-5.0), stood("c", left=None, total=0.0)]
    one = health("fraud", found)
    assert (one.model, one.state, one.worst) == ("fraud", "spent", "b")
    assert one.score == (3 * 0.9 + 1 * 0.0) / 4


def test_of_several_versions_the_worst_counts() -> None:
    found = [stood("a", version="1", left=0.9), stood("a", version="2", left=0.2), stood("b", left=1.0)]
    assert health("fraud", found).score == 0.6


def test_without_data_there_is_no_score() -> None:
    one = health("fraud", [stood(left=None, total=0.0)])
    assert (one.state, one.score) == ("no data", None)


def test_a_full_budget_opens_the_gate() -> None:
    decision = decide([stood(), stood("latency")])
    assert (decision.ok, decision.reasons, decision.notes) == (True, (), ())


def test_a_page_closes_it_and_a_ticket_does_not() -> None:
    decision = decide([stood(alerts=(alert(),)), stood("b", alerts=(alert(severity=Severity.TICKET),))])
    assert not decision.ok
    assert decision.reasons == ("availability of fraud: burn 14.4 (page) is firing",)
    assert decision.notes == ("b of fraud: burn 14.4 (ticket) is firing",)


def test_a_spent_budget_closes_it_with_the_figures() -> None:
    decision = decide([stood(left=-1.2, bad=2200.0)])
    assert decision.reasons == (
        "availability of fraud: the error budget is overspent, 2,200 bad of 1,000 allowed; the policy "
        "'spent' (at 0 %) freezes deployments",
    )


def test_the_strictest_policy_is_named_once() -> None:
    decision = decide([stood(left=0.249)])
    assert decision.ok
    assert decision.notes == (
        "availability of fraud: 24 % of the error budget is left; the policy 'quarter' (at 25 %) asks for a "
        "ticket",
    )


def test_a_young_stream_does_not_freeze_and_says_so() -> None:
    decision = decide([stood(left=-4.0, bad=500.0, total=100_000.0, coverage=0.15)])
    assert decision.ok
    assert decision.notes == (
        "availability of fraud: the error budget is overspent, 500 bad of 100 allowed; the policy 'quarter' "
        "(at 25 %) asks for a ticket",
    )
    (note,) = decide([stood(left=-1.0, bad=200.0, total=100_000.0, coverage=0.1)]).notes
    assert note.endswith("200 bad of 100 allowed, but too little of the period is over for a policy")


def test_no_data_is_no_reason_but_is_said() -> None:
    decision = decide([stood(left=None, total=0.0, why="nothing to count in the period")])
    assert decision.ok
    assert decision.notes == ("availability of fraud: nothing to count in the period",)


def test_what_is_watched_besides_may_close_it_too() -> None:
    outage = alert(objective("total_outage"))
    pending = alert(objective("no_traffic"), phase=Phase.PENDING)
    decision = decide([stood()], [outage, pending])
    assert decision.reasons == ("total_outage of fraud: burn 14.4 (page) is firing",)


def test_what_is_excluded_is_said() -> None:
    decision = decide([stood(excluded=(excluded(),))])
    assert decision.ok
    assert decision.notes == (
        "availability of fraud: 50 bad of 4,000 events are excluded, by ann: database moved",
    )
