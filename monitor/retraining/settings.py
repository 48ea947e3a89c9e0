"""What a configuration says of retraining, and what is wrong with that."""

from collections.abc import Iterator

from monitor.config import Config
from monitor.config.document import Location
from monitor.config.mistake import Mistake
from monitor.config.retraining import RetrainBudget, RetrainConfig
from monitor.config.validating import Notes
from monitor.errors import QueryError
from monitor.paging.actions.configured import webhook
from monitor.paging.mistakes import Noted
from monitor.profiles.layout import Kind
from monitor.retraining.policy import Age, Budget, Drift, Policy, Quality
from monitor.sli.catalogue import find_sli

__all__ = ["policies", "retraining_mistakes"]


def policies(config: Config) -> tuple[Policy, ...]:
    """The policies of a configuration without mistakes."""
    return tuple(_policy(config, i, Noted()) for i in range(len(config.retraining)))


def retraining_mistakes(config: Config) -> Iterator[Mistake]:
    """What no single value shows."""
    found = Noted()
    names: dict[str, int] = {}
    for i, said in enumerate(config.retraining):
        place: Location = ("retraining", i)
        policy = _policy(config, i, found)
        if names.setdefault(policy.name, i) != i:
            key = "model" if said.name is None else "name"
            found.add(
                (*place, key), f"{policy.name} is the name of another policy; give it a name of its own"
            )
        if said.model not in config.models:
            found.add((*place, "model"), f"there is no model {said.model!r}; list it under models")
        if policy.drift is None and policy.quality is None and policy.age is None:
            found.add((*place, "when"), "says nothing; give drift, quality or age")
        if said.budget is not None:
            _check_budget(said.budget, (*place, "budget"), found)
        if not said.dry_run and said.webhook is None and said.approval == "none":
            found.add(
                (*place, "webhook"), "is missing: without dry_run and approval somebody has to be asked"
            )
    yield from found.mistakes


def _check_budget(budget: RetrainBudget, place: Location, found: Notes) -> None:
    if budget.runs is None and budget.amount is None:
        found.add(place, "says nothing; give runs, or amount and currency")
    if (budget.amount is None) != (budget.currency is None):
        found.add(place, "needs amount and currency together")


def _policy(config: Config, number: int, found: Notes) -> Policy:
    said: RetrainConfig = config.retraining[number]
    place: Location = ("retraining", number)
    when = said.when
    return Policy(
        name=said.name or said.model,
        model=said.model,
        drift=None
        if when.drift is None
        else Drift(when.drift.sli, when.drift.above, when.drift.windows, when.drift.window_ms // 1000),
        quality=None if when.quality is None else _quality(said, (*place, "when", "quality"), found),
        age=None if when.age is None else Age(when.age.of, when.age.above_ms),
        cool_down_ms=said.cool_down_ms,
        budget=None
        if said.budget is None
        else Budget(said.budget.per_ms, said.budget.runs, said.budget.amount, said.budget.currency),
        needs_approval=said.approval == "required",
        give_up_ms=said.give_up_ms,
        webhook=None if said.webhook is None else webhook(said.webhook, (*place, "webhook"), found),
        dry_run=said.dry_run,
    )


def _quality(said: RetrainConfig, place: Location, found: Notes) -> Quality | None:
    when = said.when.quality
    if when is None:
        return None
    bound = when.above if when.below is None else when.below
    if bound is None or None not in (when.below, when.above):
        found.add(place, "needs below or above, and not both")
    try:
        if find_sli(when.sli).kind is not Kind.QUALITY:
            found.add((*place, "sli"), f"{when.sli} is no metric of quality; write for example accuracy")
    except QueryError as e:
        found.add((*place, "sli"), str(e).removeprefix("sli: "))
    return Quality(when.sli, bound or 0.0, when.below is not None, when.min_labels, when.window_ms // 1000)
