"""What an objective counts, in words."""

from monitor.profiles.layout import Service
from monitor.slo.objective import (
    Bound,
    Correct,
    Fresh,
    Happened,
    Meter,
    Objective,
    OnTrial,
    Outcomes,
    Source,
    Traffic,
    Under,
)

__all__ = ["describe", "describe_source"]

_FAILURES = {
    Service.INFRASTRUCTURE: "server errors",
    Service.TIMEOUT: "timeouts",
    Service.CLIENT: "refusals of wrong requests",
    Service.AUTH: "refusals for want of rights",
    Service.QUALITY: "invalid answers",
}
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def describe(objective: Objective) -> str:
    """What has to be good, of what: `requests without server errors or timeouts`."""
    return describe_source(objective.meter.source, objective.meter)


def describe_source(source: Source, meter: Meter) -> str:
    """The same, of a source as the meter counts it."""
    match source:
        case Outcomes(bad):
            events = f"requests without {_listed([_FAILURES.get(cell, cell.name.lower()) for cell in bad])}"
        case Under(limit_ms):
            events = f"requests of at most {limit_ms:g} ms"
        case Correct():
            events = "labelled predictions that were right"
        case Bound():
            return f"{_slices(meter)} with {_bounds(source)}"
        case Fresh(at_most_s):
            return f"{_slices(meter)} whose newest record is at most {_length(at_most_s)} old"
        case Traffic(share):
            return f"{_slices(meter)} with at least {share * 100:g} % of the usual requests"
        case Happened(measure):
            events = f"events with {measure} {_limits(source)}"
        case OnTrial(slower, failing):
            worse = f"slower by {slower * 100:g} %, or failing by {failing * 100:g} points more"
            return f"{_slices(meter)} of a version on trial that is not {worse}"
    if meter.slice_target is None:
        return events
    return f"{_slices(meter)} with at least {meter.slice_target * 100:g} % {events}"


def _slices(meter: Meter) -> str:
    length = _length(meter.slice_s or 0)
    unit = {"1 d": "days", "1 h": "hours", "1 min": "minutes"}
    return unit.get(length, f"slices of {length}")


def _bounds(bound: Bound) -> str:
    name = bound.sli if bound.feature is None else f"{bound.sli} of {bound.feature}"
    return f"{name} {_limits(bound)}"


def _limits(bound: Bound | Happened) -> str:
    limits = [f"at least {bound.at_least:g}"] if bound.at_least is not None else []
    limits += [f"at most {bound.at_most:g}"] if bound.at_most is not None else []
    return " and ".join(limits)


def _listed(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _length(seconds: int) -> str:
    unit, of = next((u, s) for u, s in _UNITS if seconds % s == 0)
    return f"{seconds // of} {unit}"
