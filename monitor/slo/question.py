"""Which objectives are asked about, and how they stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from monitor.errors import QueryError
from monitor.slo.objective import Objective
from monitor.slo.standing import Standing
from monitor.slo.state import State, state_of

__all__ = ["SloQuestion", "Stood", "chosen", "worst_first"]


@dataclass(frozen=True, slots=True)
class SloQuestion:
    """Of which model, by which name, of which version; None for all. `at_ms` asks how things stood then."""

    model: str | None = None
    name: str | None = None
    version: str | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stood:
    """An objective, and how one of its subjects stands."""

    objective: Objective
    standing: Standing

    @property
    def state(self) -> State:
        return state_of(self.objective, self.standing)


def chosen(objectives: Iterable[Objective], question: SloQuestion, seen: Iterable[str]) -> list[Objective]:
    """The objectives that the question is about; `seen` are the models that have records.

    Raises QueryError, with what to do, where it names what is not there.
    """
    found = list(objectives)
    if question.model is not None:
        of_model = [o for o in found if o.meter.model == question.model]
        if not of_model:
            raise _no_model(question.model, {o.meter.model for o in found}, set(seen))
        found = of_model
    if question.name is not None:
        named = [o for o in found if o.name == question.name]
        if not named:
            raise _no_name(question, sorted({o.name for o in found}))
        found = named
    return found


def _no_model(model: str, with_objectives: set[str], seen: set[str]) -> QueryError:
    if model in seen:
        return QueryError(
            f"model: {model!r} has no objectives; write them under models.{model}.objectives in the "
            f"configuration and give it with -c; `monitor slo init --model {model}` writes a start"
        )
    near = get_close_matches(model, sorted(with_objectives | seen), 3, 0.5)
    if near:
        return QueryError(f"model: there is no {model!r}; did you mean {' or '.join(map(repr, near))}?")
    known = ", ".join(map(repr, sorted(with_objectives))) or "none"
    return QueryError(f"model: there is no {model!r}; objectives are there for {known}")


def _no_name(question: SloQuestion, names: Sequence[str]) -> QueryError:
    of = "" if question.model is None else f" of {question.model}"
    near = get_close_matches(str(question.name), names, 3, 0.5)
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    elif names:
        hint = f"there is {', '.join(map(repr, names))}"
    else:
        hint = (
            "there is none: write it under models.MODEL.objectives in the configuration, and give it with -c"
        )
    return QueryError(f"objective: there is no {question.name!r}{of}; {hint}")


def worst_first(stood: Iterable[Stood]) -> list[Stood]:
    """What needs somebody comes first; among equals the least budget, then by name."""

    def order(one: Stood) -> tuple[int, float, str, str, str]:
        left = one.standing.left
        name = (one.objective.meter.model, one.objective.name, str(one.standing.subject))
        return (one.state.rank, 2.0 if left is None else left, *name)

    return sorted(stood, key=order)
