"""What a month costs, by team, model, environment, service or any tag: reads the store."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitor.clock import DAY_MS, rfc3339
from monitor.config.costs import BudgetConfig, CostsConfig
from monitor.errors import QueryError
from monitor.ingest.events.kinds import Cost, moment_ms
from monitor.operations.costs import UNTAGGED, amounts, current, divide, group_of
from monitor.operations.forecast import METHOD, forecast
from monitor.sli.query import answer
from monitor.sli.question import Question
from monitor.sli.windows import Bases, UsualBases
from monitor.store import names
from monitor.store.events import list_events
from monitor.store.store import Store

__all__ = ["CostQuestion", "ask_costs", "parse_month"]

_USUAL = UsualBases()
_RULES = {
    "requests": "shared costs are divided among models by their requests in the month",
    "none": "shared costs are not divided",
}


@dataclass(frozen=True, slots=True)
class CostQuestion:
    """The costs of the month that begins at `from_ms`, by `by`: service, or a tag; '' all together."""

    from_ms: int
    to_ms: int
    by: str = "team"


def parse_month(option: str, text: str | None, by: str, now_ms: int) -> CostQuestion:
    """The month as 2026-10, by default this one (UTC). Raises QueryError that names `option`."""
    try:
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        begin = datetime.strptime(text or f"{now:%Y-%m}", "%Y-%m").replace(tzinfo=UTC)
        if not 2000 <= begin.year < 9000:
            raise ValueError
    except ValueError:
        raise QueryError(f"{option}: {(text or '')[:40]!r} is no month, such as 2026-10") from None
    from_ms = int(begin.timestamp() * 1000)
    return CostQuestion(from_ms, from_ms + monthrange(begin.year, begin.month)[1] * DAY_MS, by.lower())


def ask_costs(
    store: Store, config: CostsConfig, asked: CostQuestion, bases: Bases = _USUAL
) -> dict[str, Any]:
    """The answer: amounts by group and currency with forecast and budget, and the rules that made them. A
    cost is of the month in which it began."""
    own = current(list_events(store, kinds=("cost",), from_ms=asked.from_ms, to_ms=asked.to_ms))
    served = _Served(store, asked, bases)
    requests = {model: served.requests(model) for model in names.models(store)} if own else {}
    costs = divide(own, requests) if config.shared_by == "requests" else own
    until_ms = max((_day_ms(cost) + DAY_MS for cost in costs), default=asked.from_ms)
    rows = [
        {
            **_row(group, currency, amount, costs, asked, until_ms),
            **_budget(config.budgets, asked.by, group, currency),
            **(_per(served, group, amount, requests) if asked.by == "model" else {}),
        }
        for (group, currency), amount in sorted(amounts(costs, asked.by).items())
    ]
    return {
        "from": rfc3339(asked.from_ms),
        "to": rfc3339(asked.to_ms),
        "costs_until": rfc3339(until_ms),
        "by": asked.by,
        "rows": [_against_budget(row) for row in rows],
        "untagged_share": _untagged(costs, asked.by),
        "shared": _RULES[config.shared_by],
        "forecast": METHOD,
    }


@dataclass(frozen=True, slots=True)
class _Served:
    """What models did in the time that is asked about."""

    store: Store
    asked: CostQuestion
    bases: Bases

    def requests(self, model: str) -> float:
        return self._value(model, "records")

    def tokens(self, model: str) -> float:
        return self._value(model, "tokens_in") + self._value(model, "tokens_out")

    def _value(self, model: str, sli: str) -> float:
        question = Question(model, sli, self.asked.from_ms, self.asked.to_ms)
        found = answer(self.store, question, self.asked.to_ms, self.bases)
        return sum(one["value"] or 0.0 for one in found)


def _day_ms(cost: Cost) -> int:
    return moment_ms(cost.begin) // DAY_MS * DAY_MS


def _row(
    group: str, currency: str, amount: float, costs: Sequence[Cost], asked: CostQuestion, until_ms: int
) -> dict[str, Any]:
    """Amount and forecast of a group; exports lag, so days so far are those up to the last with any cost."""
    days = [0.0] * ((until_ms - asked.from_ms) // DAY_MS)
    fixed = shared = 0.0
    for cost in costs:
        if (group_of(cost, asked.by), cost.currency) == (group, currency):
            shared += cost.amount if cost.shared else 0.0
            if cost.category == "usage":
                days[(_day_ms(cost) - asked.from_ms) // DAY_MS] += cost.amount
            else:
                fixed += cost.amount
    end = forecast(fixed, days, (asked.to_ms - asked.from_ms) // DAY_MS)
    return {
        "group": group or "(untagged)",
        "currency": currency,
        "amount": amount,
        "of_it_shared": shared,
        "forecast": end.amount,
        "forecast_low": end.low,
        "forecast_high": end.high,
    }


def _budget(budgets: Sequence[BudgetConfig], by: str, group: str, currency: str) -> dict[str, Any]:
    found = [
        budget.amount
        for budget in budgets
        if budget.currency == currency
        and (
            getattr(budget, by) == group
            if by in ("team", "model", "environment")
            else by == "" and budget.team == budget.model == budget.environment
        )
    ]
    return {"budget": sum(found) if found else None}


def _per(served: _Served, model: str, amount: float, requests: dict[str, float]) -> dict[str, Any]:
    n = requests.get(model, 0.0)
    tokens = served.tokens(model) if n else 0.0
    return {
        "per_prediction": amount / n if n else None,
        "per_1000_tokens": amount / tokens * 1000 if tokens else None,
    }


def _against_budget(row: dict[str, Any]) -> dict[str, Any]:
    budget = row["budget"]
    state = None
    if budget is not None:
        late = "will be over" if row["forecast"] > budget else "within"
        state = "over" if row["amount"] > budget else late
    return {**row, "state": state}


def _untagged(costs: Sequence[Cost], by: str) -> dict[str, float]:
    """By currency, of what was charged: credits have no owner to look for."""
    charged = [cost for cost in costs if cost.amount > 0]
    totals: defaultdict[str, float] = defaultdict(float)
    without: defaultdict[str, float] = defaultdict(float)
    for (group, currency), amount in amounts(charged, by).items():
        totals[currency] += amount
        without[currency] += amount if group == UNTAGGED else 0.0
    return {currency: without[currency] / total for currency, total in sorted(totals.items()) if total > 0}
