"""A question as a URL puts it."""

from collections.abc import Sequence
from difflib import get_close_matches

from starlette.datastructures import QueryParams

from monitor.errors import QueryError
from monitor.operations.asking import MAX_EVENTS, EventQuestion, parse_kinds
from monitor.sli.canary.question import CONFIDENCE, USUAL_SLIS, CanaryQuestion, Margins
from monitor.sli.fairness import MIN_GROUP
from monitor.sli.fairness_question import FairnessQuestion
from monitor.sli.question import Question, parse_against, parse_time
from monitor.sli.samples import MAX_SAMPLES, SampleQuestion, parse_reasons
from monitor.sli.times import parse_share, parse_step_s, parse_time_ms
from monitor.sli.verdicts import DriftQuestion
from monitor.slo.alert_question import AlertQuestion
from monitor.slo.question import SloQuestion

__all__ = [
    "alert_question_of",
    "canary_question_of",
    "check_names",
    "drift_question_of",
    "event_question_of",
    "fairness_question_of",
    "question_of",
]
__all__ += ["sample_question_of", "slo_question_of"]

_NAMES = (
    "model",
    "sli",
    "from",
    "to",
    "step",
    "by",
    "version",
    "endpoint",
    "segment",
    "feature",
    "against",
    "time",
)
_DRIFT_NAMES = ("model", "at", "window", "version", "segment", "against")
_EVENT_NAMES = ("kind", "model", "from", "to", "limit")
_SAMPLE_NAMES = ("model", "reason", "from", "to", "version", "limit")
_CANARY_NAMES = (
    *("model", "candidate", "champion", "sli", "from", "to", "by", "confidence"),
    *("max_latency_regression", "max_error_increase", "max_quality_loss"),
)
_REPEATED = ("by", "segment", "reason")
_FAIRNESS_NAMES = ("model", "by", "from", "to", "version", "min_group")
_SLO_NAMES = ("model", "name", "version", "at")
_ALERT_NAMES = ("model", "from", "to", "limit")
_MAX_TRANSITIONS = 10_000


def question_of(parameters: QueryParams, now_ms: int) -> Question:
    """The question; `by` may be repeated or hold commas, `segment` is `label:value`.

    Times and steps are written as on the command line. Raises QueryError that names the parameter.
    """
    check_names(parameters, _NAMES)
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
        against=parse_against("against", parameters.get("against", "baseline")),
        time=parse_time("time", parameters.get("time", "prediction")),
    )


def drift_question_of(parameters: QueryParams, now_ms: int) -> DriftQuestion:
    """The question about the drift of a window. Raises QueryError that names the parameter."""
    check_names(parameters, _DRIFT_NAMES)
    at, window = parameters.get("at"), parameters.get("window", "1h")
    return DriftQuestion(
        model=_needed(parameters, "model"),
        at_ms=None if at is None else parse_time_ms("at", at, now_ms),
        window_s=parse_step_s("window", window),
        version=parameters.get("version"),
        segment=dict(map(_segment, parameters.getlist("segment"))),
        against=parse_against("against", parameters.get("against", "baseline")),
    )


def event_question_of(parameters: QueryParams, now_ms: int) -> EventQuestion:
    """The question about events; `kind` may be repeated or hold commas. Raises QueryError that names the
    parameter."""
    check_names(parameters, _EVENT_NAMES, repeated=("kind",))
    begin, end = (parameters.get(name) for name in ("from", "to"))
    return EventQuestion(
        kinds=parse_kinds("kind", parameters.getlist("kind")),
        model=parameters.get("model"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        limit=_limit(parameters, MAX_EVENTS),
    )


def sample_question_of(parameters: QueryParams, now_ms: int) -> SampleQuestion:
    """The question about samples; `reason` may be repeated or hold commas. Raises QueryError that names the
    parameter."""
    check_names(parameters, _SAMPLE_NAMES)
    begin, end = (parameters.get(name) for name in ("from", "to"))
    return SampleQuestion(
        model=_needed(parameters, "model"),
        reasons=parse_reasons("reason", parameters.getlist("reason")),
        version=parameters.get("version"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        limit=_limit(parameters, MAX_SAMPLES),
    )


def fairness_question_of(parameters: QueryParams, now_ms: int) -> FairnessQuestion:
    """The question about groups. Raises QueryError that names the parameter."""
    check_names(parameters, _FAIRNESS_NAMES)
    begin, end, minimum = (parameters.get(name) for name in ("from", "to", "min_group"))
    if minimum is not None and not (minimum.isascii() and minimum.isdecimal() and len(minimum) < 10):
        raise QueryError(f"min_group: {minimum[:100]!r} is no number of predictions")
    return FairnessQuestion(
        model=_needed(parameters, "model"),
        by=_needed(parameters, "by"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        version=parameters.get("version"),
        minimum=MIN_GROUP if minimum is None else int(minimum),
    )


def canary_question_of(parameters: QueryParams, now_ms: int) -> CanaryQuestion:
    """The question about a candidate; `sli` may be repeated or hold commas. Raises QueryError that names the
    parameter."""
    check_names(parameters, _CANARY_NAMES, repeated=("sli",))
    begin, end = (parameters.get(name) for name in ("from", "to"))
    slis = tuple(name for given in parameters.getlist("sli") for name in given.split(",") if name)

    def share(name: str, usual: float) -> float:
        return usual if (given := parameters.get(name)) is None else parse_share(name, given)

    usual = Margins()
    return CanaryQuestion(
        model=_needed(parameters, "model"),
        candidate=_needed(parameters, "candidate"),
        champion=parameters.get("champion"),
        slis=slis or USUAL_SLIS,
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        by=parameters.get("by"),
        margins=Margins(
            share("max_latency_regression", usual.latency),
            share("max_error_increase", usual.errors),
            share("max_quality_loss", usual.quality),
        ),
        confidence=share("confidence", CONFIDENCE),
    )


def slo_question_of(parameters: QueryParams, now_ms: int, names: Sequence[str] = _SLO_NAMES) -> SloQuestion:
    """The question about objectives, of parameters with these names. Raises QueryError that names the
    parameter."""
    check_names(parameters, names)
    at = parameters.get("at")
    return SloQuestion(
        model=parameters.get("model"),
        name=parameters.get("name"),
        version=parameters.get("version"),
        at_ms=None if at is None else parse_time_ms("at", at, now_ms),
    )


def alert_question_of(
    parameters: QueryParams, now_ms: int, names: Sequence[str] = _ALERT_NAMES
) -> AlertQuestion:
    """The question about alerts, of parameters with these names. Raises QueryError that names the
    parameter."""
    check_names(parameters, names)
    begin, end = (parameters.get(name) for name in ("from", "to"))
    return AlertQuestion(
        model=parameters.get("model"),
        from_ms=None if begin is None else parse_time_ms("from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("to", end, now_ms),
        limit=_limit(parameters, _MAX_TRANSITIONS),
    )


def _limit(parameters: QueryParams, most: int) -> int:
    given = parameters.get("limit")
    if given is None:
        return 100
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and 1 <= int(given) <= most):
        raise QueryError(f"limit: {given[:20]!r} is no whole number from 1 to {most}")
    return int(given)


def check_names(parameters: QueryParams, known: Sequence[str], repeated: Sequence[str] = _REPEATED) -> None:
    """Raises QueryError for a name that is not known, or that is there twice and may not be."""
    for name in parameters:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"
            raise QueryError(f"there is no parameter {name[:100]!r}; {hint}")
        if name not in repeated and len(parameters.getlist(name)) > 1:
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
