"""`slo.watches`: what the watches that every model has take for too much, and who is told."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated

from pydantic import Field

from monitor.config.amounts import Bounding, in_unit
from monitor.config.durations import Seconds
from monitor.config.mistake import Mistake
from monitor.config.section import Section
from monitor.config.severity import SeverityName
from monitor.slo.catalogue import generic
from monitor.slo.rule import Severity
from monitor.slo.tuning import LIMITS, THRESHOLDS, Change, Tuning

__all__ = ["WatchConfig", "tuning_of", "watch_mistakes"]


class WatchConfig(Section):
    """Changes to a watch; what is not given stays. `threshold` is what it is about: a share as `5%`, or a
    time as `300ms`. `for` is how long it must hold before the alert fires."""

    threshold: Annotated[Bounding, Field(examples=["5%"])] | None = None
    for_s: Annotated[Seconds, Field(ge=0)] | None = None
    severity: SeverityName | None = None
    disabled: bool = False


def watch_mistakes(watches: Mapping[str, WatchConfig]) -> Iterator[Mistake]:
    """Names that no watch has, and thresholds that don't fit theirs."""
    names = [g.name for g in generic()]
    for name, said in watches.items():
        if name not in names:
            near = get_close_matches(name, names, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            yield Mistake(("slo", "watches", name), f"there is no watch {name!r}; {hint}")
        elif said.threshold is not None and (sentence := _mistake(name, said)):
            yield Mistake(("slo", "watches", name, "threshold"), sentence)


def _mistake(name: str, said: WatchConfig) -> str | None:
    threshold = THRESHOLDS.get(name)
    if threshold is None:
        return f"{name} has none yet; remove it"
    try:
        return threshold.mistake(_value(name, said))
    except ValueError as e:
        return str(e)


def _value(name: str, said: WatchConfig) -> float:
    return 0.0 if said.threshold is None else in_unit(said.threshold, THRESHOLDS[name].unit)


def _limit(name: str, said: WatchConfig) -> float:
    value = _value(name, said)
    return round(value) if THRESHOLDS[name].unit == "s" else value


def tuning_of(watches: Mapping[str, WatchConfig], disabled: frozenset[str]) -> Tuning:
    """The tuning that a section without mistakes asks for; `disabled` are off besides."""
    limits = {
        THRESHOLDS[name].limit: _limit(name, said)
        for name, said in watches.items()
        if said.threshold is not None
    }
    return Tuning(
        replace(LIMITS, **limits),  # type: ignore[arg-type]  # each by its own type
        disabled | {name for name, said in watches.items() if said.disabled},
        {
            name: Change(said.for_s, None if said.severity is None else Severity(said.severity))
            for name, said in watches.items()
        },
    )
