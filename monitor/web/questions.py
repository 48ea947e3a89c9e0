"""A question as a URL puts it."""

from difflib import get_close_matches

from starlette.datastructures import QueryParams

from monitor.errors import QueryError
from monitor.sli.question import Question
from monitor.sli.times import parse_step_s, parse_time_ms

__all__ = ["question_of"]

_NAMES = ("model", "sli", "from", "to", "step", "by", "version", "endpoint", "segment", "feature")
_REPEATED = ("by", "segment")


def question_of(parameters: QueryParams, now_ms: int) -> Question:
    """The question; `by` may be repeated or hold commas, `segment` is `label:value`.

    Times and steps are written as on the command line. Raises QueryError that names the parameter.
    """
    _check_names(parameters)
    begin, end, step = (parameters.get(name) for name in ("from", "to", "step"))
    return Question(
        model=_needed(parameters, "model"),
        sli=_needed(parameters, "sli"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        step_s=None if step is None else parse_step_s("step", step),
        by=tuple(name for given in parameters.getlist("by") for name in given.split(",") if name),
        version=parameters.get("version"),
        endpoint=parameters.get("endpoint"),
        segment=dict(map(_segment, parameters.getlist("segment"))),
        feature=parameters.get("feature"),
    )


def _check_names(parameters: QueryParams) -> None:
    for name in parameters:
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(_NAMES)}"
            raise QueryError(f"there is no parameter {name[:100]!r}; {hint}")
        if name not in _REPEATED and len(parameters.getlist(name)) > 1:
            raise QueryError(f"{name}: given twice")


def _needed(parameters: QueryParams, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise QueryError(f"{name}: missing; say which {name} is asked about")
    return value


def _segment(text: str) -> tuple[str, str]:
    label, colon, value = text.partition(":")
    if not label or not colon:
        raise QueryError(f"segment: {text[:100]!r} is no label:value, such as country:DE")
    return label, value
