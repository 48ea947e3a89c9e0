"""Which objectives are asked about, and the sentences for names that are not there."""

import pytest

from monitor.errors import QueryError
from monitor.slo.question import SloQuestion, Stood, chosen, worst_first
from tests.slo.standings import alert, objective, standing

FRAUD = [objective(), objective("latency")]
CHURN = objective(model="churn")
SEEN = {"fraud", "churn", "pricing"}


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (SloQuestion(), [*FRAUD, CHURN]),
        (SloQuestion("fraud"), FRAUD),
        (SloQuestion(name="availability"), [FRAUD[0], CHURN]),
        (SloQuestion("churn", "availability"), [CHURN]),
    ],
)
def test_by_model_and_name(question: SloQuestion, found: list[object]) -> None:
    assert chosen([*FRAUD, CHURN], question, SEEN) == found


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (SloQuestion("froud"), "model: there is no 'froud'; did you mean 'fraud'?"),
        (SloQuestion("zzz"), "model: there is no 'zzz'; objectives are there for 'churn', 'fraud'"),
        (
            SloQuestion("pricing"),
            "model: 'pricing' has no objectives; write them under models.pricing.objectives in the "
            "configuration and give it with -c; `monitor slo init --model pricing` writes a start",
        ),
        (SloQuestion(name="avail"), "objective: there is no 'avail'; did you mean 'availability'?"),
        (
            SloQuestion("churn", "zzz"),
            "objective: there is no 'zzz' of churn; there is 'availability'",
        ),
    ],
)
def test_a_name_that_is_not_there(question: SloQuestion, said: str) -> None:
    with pytest.raises(QueryError) as error:
        chosen([*FRAUD, CHURN], question, SEEN)
    assert str(error.value) == said


def test_without_any_objectives() -> None:
    assert chosen([], SloQuestion(), ()) == []
    with pytest.raises(QueryError, match=r"write it under models.MODEL.objectives .* -c"):
        chosen([], SloQuestion(name="availability"), ())


def test_the_worst_comes_first() -> None:
    burning = Stood(FRAUD[1], standing(FRAUD[1], alerts=(alert(),)))
    spent = Stood(FRAUD[0], standing(FRAUD[0], left=-1.0))
    less, more = (Stood(CHURN, standing(CHURN, version=v, left=x)) for v, x in (("2", 0.6), ("1", 0.9)))
    empty = Stood(CHURN, standing(CHURN, left=None, total=0.0))
    assert worst_first([empty, more, less, spent, burning]) == [burning, spent, less, more, empty]
