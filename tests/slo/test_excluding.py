"""What may be excluded, and the sentences for what may not."""

from dataclasses import replace
from typing import Any

import pytest

from monitor.errors import QueryError
from monitor.slo.excluding import NewExclusion, checked
from tests.slo.standings import objective

GOOD = NewExclusion(1_700_000_030_000, 1_700_003_600_001, "ann", "database moved", "fraud")
OBJECTIVES = [objective(), objective("latency")]


def check(**changes: Any) -> Any:
    return checked(replace(GOOD, **changes), OBJECTIVES, {"fraud", "pricing"}, 60)


def test_it_is_widened_to_whole_windows() -> None:
    assert check() == (1_699_999_980, 1_700_003_640)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"author": "  "}, "author: 1 to 200 printable characters are needed; say who you are"),
        ({"author": "a\nb"}, "author: 1 to 200"),
        ({"reason": ""}, "reason: 1 to 2000 characters are needed"),
        ({"to_ms": GOOD.from_ms}, "to: the exclusion ends before it begins"),
        ({"from_ms": -1}, "between the years 1970 and 9999"),
        ({"to_ms": 10**15}, "between the years 1970 and 9999"),
        ({"model": "froud"}, "there is no 'froud'; did you mean 'fraud'?"),
        ({"objective": "latencies"}, "did you mean 'latency'?"),
        ({"model": "pricing", "objective": "latency"}, "'pricing' has no objectives"),
    ],
)
def test_a_mistake_is_a_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError) as error:
        check(**changes)
    assert said in str(error.value)


def test_a_model_without_objectives_may_be_excluded_too() -> None:
    assert check(model="pricing") == check()


def test_names_are_not_checked_where_nothing_is_known() -> None:
    assert checked(replace(GOOD, objective="any"), [], (), 60) == check()
