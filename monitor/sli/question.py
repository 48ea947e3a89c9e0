"""What is asked, and which series it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum

from monitor.errors import QueryError
from monitor.profiles.layout import Kind
from monitor.sli.catalogue import Operational, Sli, find_sli
from monitor.sli.comparing import Compared
from monitor.sli.drifting import Against
from monitor.store.events import has_events
from monitor.store.names import SeriesKey, find_series, models
from monitor.store.store import Store

__all__ = ["Group", "Question", "Scope", "Time", "parse_against", "parse_time", "scope_of", "unknown"]

_NONE: Mapping[str, str] = {}


class Time(StrEnum):
    """Which time puts a labelled prediction into a window: its own, or that of its label."""

    PREDICTION = "prediction"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Question:
    """An indicator of a model over [from_ms, to_ms) (None: all that is stored) in windows of `step_s`
    (None: one window).

    `by` lists what the answer is grouped by: "version", "endpoint", and one segment label, as `country`
    or `segment.country`. `version`, `endpoint` and `segment` (one label) leave out everything else.
    `against` is what drift is measured from, `time` whether quality is that of the predictions made in a
    window, or of those whose labels came in it.
    """

    model: str
    sli: str
    from_ms: int | None = None
    to_ms: int | None = None
    step_s: int | None = None
    by: Sequence[str] = ()
    version: str | None = None
    endpoint: str | None = None
    segment: Mapping[str, str] = field(default_factory=dict)
    feature: str | None = None
    against: Against = Against.BASELINE
    time: Time = Time.PREDICTION


@dataclass(frozen=True, slots=True)
class Group:
    """What one line of the answer is about; None where it is summed over."""

    version: str | None = None
    endpoint: str | None = None
    segment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """A question resolved: the indicator, and the series that each group adds up."""

    sli: Sli
    series: Mapping[int, Group]
    grouped: bool


def unknown(what: str, name: str, known: Iterable[str]) -> QueryError:
    """The error for a name that isn't there, with those that are nearest to it."""
    names = sorted(set(known))
    near = get_close_matches(name, names, 3, 0.5)
    if near:
        return QueryError(f"{what}: there is no {name!r}; did you mean {' or '.join(map(repr, near))}?")
    some = ", ".join(map(repr, names[:20])) + (", .." if len(names) > 20 else "")
    return QueryError(
        f"{what}: there is no {name!r}; " + (f"there is {some}" if names else "there is none yet")
    )


def parse_against(option: str, text: str) -> Against:
    """What drift is measured from. Raises QueryError that names `option`."""
    try:
        return Against(text)
    except ValueError:
        raise QueryError(f"{option}: {text[:100]!r} is neither baseline nor previous") from None


def parse_time(option: str, text: str) -> Time:
    """Which time counts. Raises QueryError that names `option`."""
    try:
        return Time(text)
    except ValueError:
        raise QueryError(f"{option}: {text[:100]!r} is neither prediction nor label") from None


def scope_of(store: Store, question: Question) -> Scope:
    """The series that the question is about. Raises QueryError where it names what isn't there."""
    sli = find_sli(question.sli)
    keys: Mapping[SeriesKey, int] = find_series(store, question.model)
    if isinstance(sli.formula, Operational):
        return _of_operations(store, sli, question, keys)
    if not keys:
        raise unknown("model", question.model, models(store))
    _check_feature(sli, question)
    if question.time is Time.LABEL:
        if sli.kind is not Kind.QUALITY:
            raise QueryError(f"{sli.name}: only quality can be asked by the time of labels")
        sli = replace(sli, kind=Kind.LEARNED)
    label, by = _label(question, {k.label for k in keys if k.label})
    if sli.kind is Kind.FEATURES:
        keys = _of_features(sli, question, keys, label, by)
    _check_value("version", question.version, (k.version for k in keys))
    _check_value("endpoint", question.endpoint, (k.endpoint for k in keys))
    _check_value(f"segment.{label}", question.segment.get(label), (k.value for k in keys if k.label == label))
    if sli.formula is Compared.CTR_LIFT and not by:
        raise QueryError(f"{sli.name}: compares groups; ask by version, or by a segment label")
    series = {
        number: Group(
            key.version if "version" in by or question.version is not None else None,
            key.endpoint if "endpoint" in by or question.endpoint is not None else None,
            {label: key.value} if label else {},
        )
        for key, number in keys.items()
        if _wanted(key, question, label)
    }
    return Scope(sli, series, bool(by))


def _of_operations(store: Store, sli: Sli, question: Question, keys: Mapping[SeriesKey, int]) -> Scope:
    """Events are about a model as a whole, which need not have records."""
    if question.version or question.endpoint or question.segment or question.by or question.feature:
        raise QueryError(f"{sli.name}: events are about the whole model; ask without any part of it")
    if not keys and not has_events(store, question.model):
        raise unknown("model", question.model, models(store))
    return Scope(sli, {}, False)


def _of_features(
    sli: Sli, question: Question, keys: Mapping[SeriesKey, int], label: str, by: set[str]
) -> Mapping[SeriesKey, int]:
    """The series that feature profiles are kept for."""
    if question.endpoint is not None or "endpoint" in by:
        raise QueryError(f"{sli.name}: features are kept per model and version; leave the endpoint out")
    kept = {key: number for key, number in keys.items() if not key.label or not key.endpoint}
    if label and not any(key.label == label for key in kept):
        raise QueryError(
            f"{sli.name}: the features of {question.model} are not kept by {label}; name it in "
            f"models.{question.model}.feature_segments"
        )
    return kept


def _check_feature(sli: Sli, question: Question) -> None:
    if sli.needs_feature and not question.feature:
        raise QueryError(f"{sli.name}: name a feature (or @prediction, @score)")
    if question.feature and not sli.takes_feature:
        raise QueryError(f"{sli.name} is not about a feature; leave the feature out")


def _label(question: Question, known: set[str]) -> tuple[str, set[str]]:
    """The segment label that the question is about ("" for none), and what it is grouped by."""
    by: set[str] = set()
    labels = {name.removeprefix("segment.") for name in question.segment}
    for name in question.by:
        if name in ("version", "endpoint"):
            by.add(name)
        elif name == "segment" and len(known) == 1 and name not in known:
            by.update(known)
        else:
            by.add(name.removeprefix("segment."))
    labels |= by - {"version", "endpoint"}
    for label in sorted(labels):
        if label not in known:
            raise unknown("segment" if label not in by else "by", label, {"version", "endpoint", *known})
    if len(labels) > 1:
        raise QueryError(
            f"segment: {' and '.join(sorted(labels))} together: each label is counted by itself, "
            "so ask for one at a time"
        )
    return "".join(labels), by


def _check_value(what: str, value: str | None, known: Iterable[str]) -> None:
    names = set(known)
    if value is not None and value not in names:
        raise unknown(what, value, names)


def _wanted(key: SeriesKey, question: Question, label: str) -> bool:
    return (
        key.label == label
        and question.version in (None, key.version)
        and question.endpoint in (None, key.endpoint)
        and (question.segment.get(label) in (None, key.value) if label else True)
    )
