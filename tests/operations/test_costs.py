"""What a month costs: divided, forecast and held against budgets."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.clock import DAY_MS
from monitor.config.costs import BudgetConfig, CostsConfig
from monitor.errors import QueryError
from monitor.ingest.events.kinds import Cost
from monitor.operations.cost_question import ask_costs, parse_month
from monitor.operations.costs import amounts, divide
from monitor.operations.forecast import forecast
from monitor.store import Store
from tests.builders import NOW_MS, record
from tests.filling import fill

MONTH = parse_month("--month", None, "team", NOW_MS)


def cost(amount: float, currency: str = "EUR", shared: bool = False, **tags: str) -> Cost:
    return Cost(begin=0, end=1, amount=amount, currency=currency, shared=shared, tags=tags)


_costs = st.builds(
    lambda cents, currency, shared, model: cost(
        cents / 100, currency, shared, **({"model": model} if model else {})
    ),
    st.integers(0, 10**6),
    st.sampled_from(["EUR", "USD"]),
    st.booleans(),
    st.sampled_from(["", "a", "b"]),
)


@given(st.lists(_costs, max_size=10), st.dictionaries(st.sampled_from("abc"), st.integers(0, 99)))
def test_dividing_shared_costs_keeps_what_each_currency_comes_to(
    costs: list[Cost], requests: dict[str, float]
) -> None:
    assert amounts(divide(costs, requests), "") == pytest.approx(amounts(costs, ""))


def test_shared_costs_go_by_requests_to_the_models_and_their_teams() -> None:
    costs = [cost(5, model="a", team="risk"), cost(1, model="b", team="ads"), cost(8, shared=True)]
    divided = divide(costs, {"a": 30, "b": 10})
    assert amounts(divided, "model") == {("a", "EUR"): 11.0, ("b", "EUR"): 3.0}
    assert amounts(divided, "team") == {("risk", "EUR"): 11.0, ("ads", "EUR"): 3.0}
    assert amounts(divide(costs, {}), "model")["", "EUR"] == 8


@given(st.floats(0, 100), st.integers(1, 31), st.floats(-50, 50))
def test_days_alike_go_on_alike_and_what_comes_once_does_not(day: float, n: int, fixed: float) -> None:
    found = forecast(fixed, [day] * n, 31)
    assert found.amount == pytest.approx(day * 31 + fixed)
    if found.low is not None and found.high is not None:
        assert found.low == pytest.approx(found.high, abs=1e-6)
    assert (found.low is None) == (n < 3)


def test_weekends_are_told_from_weekdays_after_two_weeks() -> None:
    week = [10.0] * 5 + [1.0] * 2
    found = forecast(0, week * 2, 28)
    assert found.amount == pytest.approx(sum(week) * 4)
    before = forecast(0, (week * 2)[:10], 28)
    assert before.low is not None
    assert before.high is not None
    assert before.low < sum(week) * 4 < before.high


def test_a_month_by_team_against_its_budget(store: Store, happen: Callable[..., None]) -> None:
    begin = MONTH.from_ms
    days: list[tuple[str, int, dict[str, Any]]] = [
        (
            "cost",
            begin + d * DAY_MS,
            {"end": begin + (d + 1) * DAY_MS, "amount": 10, "tags": {"team": "risk"}},
        )
        for d in range(5)
    ]
    day = {"end": begin + DAY_MS}
    happen(
        *days,
        ("cost", begin, {**day, "amount": 50}),
        ("cost", begin, {**day, "amount": 7, "currency": "USD", "tags": {"team": "risk"}}),
        ("cost", begin - DAY_MS, {"end": begin, "amount": 999, "tags": {"team": "risk"}}),
    )
    config = CostsConfig(budgets=(BudgetConfig(team="risk", amount=100, currency="EUR"),))
    found = ask_costs(store, config, MONTH)
    shown = [(r["group"], r["currency"], r["amount"], r["budget"], r["state"]) for r in found["rows"]]
    assert shown == [
        ("(untagged)", "EUR", 50.0, None, None),
        ("risk", "EUR", 50.0, 100.0, "will be over"),
        ("risk", "USD", 7.0, None, None),
    ]
    assert found["rows"][1]["forecast"] == pytest.approx(10 * (MONTH.to_ms - begin) / DAY_MS)
    assert found["untagged_share"] == {"EUR": 0.5, "USD": 0.0}


def test_cost_per_prediction_and_token_of_a_model(store: Store, happen: Callable[..., None]) -> None:
    fill(store, [record(tokens_in=100, tokens_out=25) for _ in range(4)])
    begin = MONTH.from_ms
    happen(("cost", begin, {"end": begin + DAY_MS, "amount": 3, "tags": {"model": "fraud"}}))
    happen(("cost", begin, {"end": begin + DAY_MS, "amount": 1, "shared": True}))
    (row,) = ask_costs(store, CostsConfig(), parse_month("--month", None, "model", NOW_MS))["rows"]
    assert (row["group"], row["amount"], row["of_it_shared"]) == ("fraud", pytest.approx(4.0), 1.0)
    assert (row["per_prediction"], row["per_1000_tokens"]) == pytest.approx((1.0, 8.0))
    apart = ask_costs(store, CostsConfig(shared_by="none"), MONTH)
    assert apart["rows"][0]["amount"] == 4.0
    assert apart["shared"].endswith("not divided")


def test_a_month_or_budget_that_cannot_be_is_named() -> None:
    with pytest.raises(QueryError, match=r"--month: '2026-13' is no month"):
        parse_month("--month", "2026-13", "team", NOW_MS)
    for wrong, said in (({"currency": "EUX"}, "ISO 4217"), ({"team": "a", "model": "b"}, "name one of")):
        with pytest.raises(ValidationError, match=said):
            BudgetConfig.model_validate({"amount": 5, "currency": "EUR", **wrong})
