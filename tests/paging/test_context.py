"""What a message says besides its alerts."""

from dataclasses import replace

import pytest

from monitor.clock import rfc3339
from monitor.paging.alert import Alert
from monitor.paging.context import with_context
from monitor.paging.detected import Detector
from monitor.paging.incidents.incident import Incident, Phase
from monitor.paging.message import Links, Message
from monitor.paging.syncing import synced
from monitor.paging.templates import DEFAULT, Part
from monitor.slo.evaluate import Evaluator
from monitor.store.engine import writing
from monitor.store.events import write
from monitor.store.store import Store
from tests.ingest.events.making import event
from tests.paging.messages import LABELS, message, told
from tests.paging.simulated import alert
from tests.slo.test_evaluate import END_S, OUTAGE_S, T0_S, outage, settings
from tests.store.conftest import store
from tests.store.test_events import events_of

__all__ = ["outage", "store"]


def bare(*annotations: dict[str, str], **changed: object) -> Message:
    given = {
        "context": {},
        "links": Links(),
        "incident": None,
        "alerts": tuple(told(None, a) for a in annotations),
    }
    return message(**(given | changed))  # fmt: skip


def incident(id: int, phase: Phase = Phase.OPEN) -> Incident:
    return Incident(id, (), "x", "risk", "page", phase, 0, 0)


def test_of_several_alerts_the_least_budget_and_the_fastest_burn_count() -> None:
    found = with_context(
        bare({"budget_left": "0.5", "burn": "15"}, {"budget_left": "-0.02", "burn": "6.1"}), ()
    )
    assert (found.context["budget_left"], found.context["burn"]) == (-0.02, 15.0)
    text = DEFAULT.render(Part.TEXT, found)
    assert "Budget left:  -2 %" in text
    assert "Burn rate:    15 " in text


@pytest.mark.parametrize("value", ["", "plenty", "nan", "inf", "1e999"])
def test_what_is_no_figure_is_left_out(value: str) -> None:
    found = with_context(bare({"budget_left": value, "burn": "0"}), ())
    assert found.context.get("budget_left") is None
    assert found.context["burn"] == 0.0


def test_deployment_links_and_steps_come_from_the_alerts() -> None:
    labels = {**LABELS, "version": "7", "deployment": "fraud-7"}
    links = {"runbook_url": "https://x/r", "dashboard": "https://x/d", "traces_url": "https://x/t"}
    found = with_context(bare(alerts=(told(labels, links),)), ())
    assert (found.context["version"], found.context["deployment"]) == ("7", "fraud-7")
    assert found.context["runbook_steps"]
    text = DEFAULT.render(Part.MARKDOWN, found)
    for link in ("[Runbook](https://x/r)", "[Dashboard](https://x/d)", "[Traces](https://x/t)"):
        assert link in text


def test_the_open_incident_counts_and_is_linked_to() -> None:
    found = with_context(bare({}), [incident(3), incident(4, Phase.RESOLVED)])
    assert (found.incident, found.links.incident) == (3, "https://monitor.example.com/api/v1/incidents/3")
    assert with_context(bare({}, external_url=""), [incident(3)]).links.incident == ""
    assert with_context(bare({}), []).incident is None


def test_the_detector_tells_what_the_evaluator_wrote(outage: Store) -> None:
    """Whoever pages may be another process than whoever evaluates."""
    during_s = OUTAGE_S + 600
    evaluator = Evaluator(outage, settings())
    evaluator.run(during_s, during_s * 1000, T0_S)
    found = {dict(a.labels)["rule"]: dict(a.annotations) for a in Detector(outage, settings())()}
    (stood,) = evaluator.standings()
    hour = next(b.burn for b in stood.burning if b.window_s == 3600)
    assert float(found["burn 14.4"]["burn"]) == pytest.approx(hour, rel=5e-3)
    assert float(found["burn 14.4"]["budget_left"]) == pytest.approx(stood.left_of_whole, rel=5e-3)
    assert stood.left_of_whole is not None
    assert stood.left_of_whole < 1
    evaluator.run(END_S, END_S * 1000, T0_S)
    ended = {dict(a.labels)["severity"] for a in Detector(outage, settings())()}
    assert ended == {"ticket"}


def test_the_detector_names_the_deployment_before(outage: Store) -> None:
    at_ms = OUTAGE_S * 1000
    happened = [
        (1, {"version": "4", "deployed": at_ms - 60_000, "by": "ana", "commit": "3f2a"}),
        (2, {"version": "5", "deployed": at_ms + 1_200_000}),
        (3, {"version": "3", "deployed": at_ms - 86_400_000}),
        (4, {"version": "9", "deployed": at_ms - 1, "model": "other"}),
    ]
    with writing(outage.engine) as connection:
        events = events_of(*(event("deployment", str(id), **data) for id, data in happened))
        write(outage, connection, events)
    evaluator, detector = Evaluator(outage, settings()), Detector(outage, settings())
    evaluator.run(OUTAGE_S + 600, (OUTAGE_S + 600) * 1000, T0_S)
    for _ in range(2):
        said = {dict(a.annotations)["deployment"] for a in detector()}
        assert said == {
            f"version 4 was deployed with 10% of traffic by ana (3f2a) at {rfc3339(at_ms - 60_000)}"
        }
    text = DEFAULT.render(Part.TEXT, with_context(bare({"deployment": said.pop()}), ()))
    assert "version 4 was deployed with 10% of traffic by ana (3f2a)" in text


def test_figures_that_move_are_news_and_others_are_not() -> None:
    def fires(burn: str) -> Alert:
        return replace(alert("A", 500, annotations={"burn": burn}), source="slo")

    known: list[Alert] = []
    told = []
    for at_ms, burn in enumerate(("15", "15", "16", "16")):
        reports = synced([fires(burn)], known, 1_000 + at_ms)
        told.append(len(reports))
        known = reports or known
    assert told == [1, 0, 1, 0]
    (over,) = synced([], known, 2_000)
    assert over.ends_ms == 2_000
    assert synced([], [replace(over, source="api", ends_ms=9_000)], 3_000) == []
