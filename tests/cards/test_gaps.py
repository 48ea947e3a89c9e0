"""What is missing of a model: a whole one, and what each lack says."""

from dataclasses import replace
from typing import Any

import pytest

from monitor.cards.gaps import Known, gaps
from monitor.cards.settings import Described
from monitor.ingest.events.kinds import Deployment

APPROVED = Deployment(model="fraud", version="4", by="ci", approver="ada")
WHOLE = Known(
    model="fraud",
    described=Described(owner="risk", purpose="stops stolen cards", contact="risk@example.org"),
    logged=True,
    labelled=True,
    objectives=2,
    runbook=True,
    live={"4": APPROVED},
    baseline=True,
)


def test_nothing_is_missing_of_a_whole_one() -> None:
    assert gaps(WHOLE) == []


@pytest.mark.parametrize(
    ("change", "part", "why"),
    [
        ({"described": replace(WHOLE.described, owner=None)}, "owner", "models.fraud.owner"),
        ({"logged": False}, "logs", "no inference of it was ever read"),
        ({"labelled": False}, "labels", "no label came"),
        ({"objectives": 0}, "objectives", "`monitor slo init --model fraud`"),
        ({"runbook": False}, "runbook", "models.fraud.card.runbook"),
        ({"live": {}}, "approval", "no deployment is known"),
        ({"live": {"3": None}}, "approval", "version 3 is in production, and no deployment says"),
        (
            {"live": {"4": APPROVED, "5": Deployment(model="fraud", version=5, by="bob")}},
            "approval",
            "version 5 was deployed by bob, and no approver is named",
        ),
        ({"baseline": False}, "baseline", "`monitor baseline fit`"),
        ({"described": replace(WHOLE.described, contact=None)}, "card", "contact not written"),
    ],
)
def test_each_lack_is_one_gap(change: dict[str, Any], part: str, why: str) -> None:
    (gap,) = gaps(replace(WHOLE, **change))
    assert str(gap.part) == part
    assert why in gap.why
