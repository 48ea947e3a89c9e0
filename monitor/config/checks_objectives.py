"""What the keys of an objective must hold against each other, and against the rest of the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from monitor.config.amounts import Amount, in_unit
from monitor.config.document import Location
from monitor.config.durations import DAY_MS, format_duration
from monitor.config.mistake import Mistake
from monitor.config.model import Config, ModelConfig
from monitor.config.objective_values import indicator_of, period_of
from monitor.config.objectives import ObjectiveConfig
from monitor.errors import QueryError
from monitor.profiles.layout import Kind
from monitor.sli.windows import base_of
from monitor.slo.indicators import Indicator, Limit, Shape, indicator_names
from monitor.slo.naming import slug
from monitor.slo.period import Rolling, Unit

__all__ = ["Placed", "objective_mistakes", "placed_objectives"]

_LONGEST_DAYS = {Unit.WEEK: 7, Unit.MONTH: 31, Unit.QUARTER: 92}
_PARTS = ("version", "endpoint")


@dataclass(frozen=True, slots=True)
class Placed:
    """An objective, where it stands, and what it is about."""

    config: Config
    model: str
    name: str
    said: ObjectiveConfig
    indicator: Indicator

    @property
    def place(self) -> Location:
        return ("models", self.model, "objectives", self.name)

    @property
    def base_s(self) -> int:
        return base_of(self.config.windows, self.indicator.kind)

    @property
    def kept_days(self) -> tuple[int, str]:
        """For how long the windows that it is counted from are kept, days, and the key that says so."""
        retention = self.config.retention
        return (retention.minute_days, "1m") if self.base_s < 3600 else (retention.hour_days, "1h")

    def wrong(self, key: str, sentence: str, *beside: str) -> Mistake:
        """A mistake in what `key` says, which rests on the keys `beside` it too."""
        return Mistake((*self.place, key), sentence, tuple((*self.place, other) for other in beside))

    def lacks(self, key: str, sentence: str, *beside: str) -> Mistake:
        """A mistake in that the objective has no `key`."""
        return Mistake(self.place, sentence, tuple((*self.place, other) for other in (key, *beside)))


def placed_objectives(config: Config) -> Iterator[Placed]:
    """The objectives whose indicator is known."""
    for model, of_model in config.models.items():
        for name, said in of_model.objectives.items():
            try:
                yield Placed(config, model, name, said, indicator_of(name, said))
            except QueryError:
                continue


def objective_mistakes(config: Config) -> Iterator[Mistake]:
    """Every mistake in the objectives of the models."""
    yield from _names(config)
    for model, of_model in config.models.items():
        for name, said in of_model.objectives.items():
            yield from _known(("models", model, "objectives", name), name, said)
    for placed in placed_objectives(config):
        yield from _bounds(placed)
        yield from _slices(placed)
        yield from _scope(placed, config.models[placed.model])
        if "window" in placed.said.model_fields_set:
            yield from _window(placed)
    yield from _usual_window(config)


def _names(config: Config) -> Iterator[Mistake]:
    """Names that alerts and Prometheus could not tell apart."""
    for model, of_model in config.models.items():
        known: dict[str, str] = {}
        for name in of_model.objectives:
            place: Location = ("models", model, "objectives", name)
            if not slug(name) or not name.isprintable():
                yield Mistake(place, "a name needs letters or digits; call it for example availability")
                continue
            other = known.setdefault(slug(name), name)
            if other != name:
                sentence = f"{name!r} and {other!r} would both be {slug(name)} in Prometheus; rename one"
                yield Mistake(place, sentence)


def _known(place: Location, name: str, said: ObjectiveConfig) -> Iterator[Mistake]:
    try:
        indicator_of(name, said)
    except QueryError as e:
        if said.indicator is not None:
            yield Mistake((*place, "indicator"), str(e))
            return
        near = get_close_matches(name, indicator_names(), 1, 0.6)
        hint = f"; did you mean indicator: {near[0]}?" if near else ", such as indicator: latency"
        sentence = f"{name!r} is no indicator, so name the one that it is about{hint}"
        yield Mistake(place, sentence, ((*place, "indicator"),))


def _bounds(placed: Placed) -> Iterator[Mistake]:
    """Limits that are missing, that mean nothing, or that nothing could meet."""
    said, indicator, name = placed.said, placed.indicator, placed.indicator.name
    if indicator.shape is Shape.UNDER and said.under_ms is None:
        yield placed.lacks("under", "latency needs a limit; add for example under: 300ms")
    if indicator.shape is not Shape.UNDER and said.under_ms is not None:
        at_most = f"write at_most: {format_duration(said.under_ms)} instead"
        instead = at_most if indicator.unit in ("ms", "s") else "remove it"
        yield placed.wrong("under", f"{name} has no such limit; {instead}", "indicator")
    given = {"at_least": said.at_least, "at_most": said.at_most}
    for key, amount in given.items():
        if amount is not None:
            yield from _bound(placed, key, amount)
    if indicator.shape is Shape.FRESH and said.at_most is None:
        yield placed.lacks("at_most", f"{name} needs to know how old is too old; add for example at_most: 1h")
    bounded = indicator.shape in (Shape.BOUND, Shape.HAPPENED)
    if bounded and not any(given.values()) and indicator.usual == Limit():
        yield placed.lacks("at_most", f"{name} needs a bound; add at_least or at_most", "at_least")
    yield from _feature(placed)


def _bound(placed: Placed, key: str, amount: Amount) -> Iterator[Mistake]:
    indicator, name = placed.indicator, placed.indicator.name
    only_most = indicator.shape is Shape.FRESH or (
        indicator.shape is Shape.BOUND and indicator.usual.at_most is not None
    )
    if indicator.shape in (Shape.OUTCOMES, Shape.UNDER):
        instead = (
            "under: 300ms is its limit" if indicator.shape is Shape.UNDER else "`objective` is the share"
        )
        yield placed.wrong(
            key, f"{name} counts {indicator.shape.value}, and {instead}; remove it", "indicator"
        )
        return
    if only_most and key == "at_least":
        yield placed.wrong(key, f"{name} has no lower bound; write at_most", "indicator")
        return
    try:
        value = in_unit(amount, indicator.unit)
    except ValueError as e:
        yield placed.wrong(key, str(e), "indicator")
        return
    other = placed.said.at_most
    if (
        key == "at_least"
        and other is not None
        and other.written is amount.written
        and amount.value > other.value
    ):
        yield placed.wrong(key, f"{amount} is above at_most ({other}); nothing would be good", "at_most")
    if indicator.shape is Shape.FRESH and value < 1:
        yield placed.wrong(key, f"{amount} is too short; write at least 1s", "indicator")


def _feature(placed: Placed) -> Iterator[Mistake]:
    said, sli, name = placed.said, placed.indicator.sli, placed.indicator.name
    if sli is not None and sli.needs_feature and said.feature is None:
        sentence = f"{name} is about one feature; add for example feature: amount, @prediction or @score"
        yield placed.lacks("feature", sentence)
    if said.feature is not None and (sli is None or not sli.takes_feature):
        yield placed.wrong("feature", f"{name} is not about a feature; remove it", "indicator")


def _slices(placed: Placed) -> Iterator[Mistake]:
    """Slices, and how long they wait."""
    said, indicator = placed.said, placed.indicator
    if said.slice_target is not None and indicator.by_slices:
        sentence = f"{indicator.name} is good or not, slice by slice; its bounds say when, so remove it"
        yield placed.wrong("slice_target", sentence, "indicator")
    elif said.slice_target is not None and said.slice_s is None:
        yield placed.wrong("slice_target", "needs slices; add for example slice: 5m", "slice")
    if said.slice_s is not None:
        yield from _slice(placed, said.slice_s)
    if said.delay_s is not None and not indicator.waits:
        yield placed.wrong("delay", f"{indicator.name} has no labels to wait for; remove it", "indicator")
    elif said.delay_s is not None:
        yield from _delay(placed, said.delay_s)
    elif indicator.name == "label_coverage":
        sentence = "label_coverage needs a delay: how long labels may take, as delay: 7d"
        yield placed.lacks("delay", sentence)


def _slice(placed: Placed, slice_s: int) -> Iterator[Mistake]:
    said, base_s = placed.said, placed.base_s
    if not placed.indicator.by_slices and said.slice_target is None:
        what = placed.indicator.shape.value
        sentence = f"{placed.indicator.name} counts {what}; add slice_target: 95, or remove slice"
        yield placed.lacks("slice_target", sentence, "slice")
    if slice_s % base_s:
        shown, base = format_duration(slice_s * 1000), format_duration(base_s * 1000)
        key = {Kind.FEATURES: "features", Kind.QUALITY: "quality", Kind.LEARNED: "quality"}
        of = f"windows.{key.get(placed.indicator.kind, 'service')}"
        sentence = f"{shown} is no multiple of {of} ({base}); write {_multiple(slice_s, base_s)}"
        places = ((*placed.place, "indicator"), ("windows",))
        yield Mistake((*placed.place, "slice"), sentence, places)
    if slice_s * 2 > period_of(said, placed.config.slo).nominal_s:
        sentence = f"must be far shorter than the window ({said.window}), for each slice spends of its budget"
        yield placed.wrong("slice", sentence, "window")


def _multiple(slice_s: int, base_s: int) -> str:
    return format_duration(-(-slice_s // base_s) * base_s * 1000)


def _delay(placed: Placed, delay_s: int) -> Iterator[Mistake]:
    place, horizon = (*placed.place, "delay"), placed.config.labels.horizon_days
    if delay_s > horizon * DAY_MS // 1000:
        sentence = f"must not be longer than labels.horizon ({horizon}d): later labels find no prediction"
        yield Mistake(place, sentence, (("labels", "horizon"),))


def _scope(placed: Placed, model: ModelConfig) -> Iterator[Mistake]:
    """Parts of a model that are not counted by themselves."""
    said, name = placed.said, placed.indicator.name
    of_features = placed.indicator.kind is Kind.FEATURES
    if placed.indicator.is_operational:
        for key in ("version", "endpoint", "segment", "by"):
            if getattr(said, key):
                yield placed.wrong(key, f"{name}: events are about the whole model; remove it", "indicator")
        return
    for key in ("endpoint", "by"):
        if of_features and "endpoint" in (said.by if key == "by" else ["endpoint"] if said.endpoint else []):
            yield placed.wrong(key, f"{name}: features are kept per model and version; leave endpoint out")
    for part, value in (("version", said.version), ("endpoint", said.endpoint)):
        if value is not None and part in said.by:
            yield placed.wrong("by", f"{part} is {value} alone; leave it out of one of the two", part)
    if len(set(said.by)) < len(said.by):
        yield placed.wrong("by", "names a part twice")
    labels = {key: _labels(key, said) for key in ("segment", "by")}
    together = sorted({label for found in labels.values() for label in found})
    if len(together) > 1:
        both = " and ".join(together)
        key = "segment" if len(labels["segment"]) > 1 else "by"
        sentence = f"{both} together: each label is counted by itself, so name one"
        yield placed.wrong(key, sentence, "by" if key == "segment" else "segment")
        return
    for key, found in labels.items():
        for label in found:
            yield from _label(placed, key, label, model, of_features)


def _labels(key: str, said: ObjectiveConfig) -> list[str]:
    names = said.segment if key == "segment" else (part for part in said.by if part not in _PARTS)
    return [name.removeprefix("segment.") for name in names]


def _label(placed: Placed, key: str, label: str, model: ModelConfig, of_features: bool) -> Iterator[Mistake]:
    kept, said_in = model.segments, "segments"
    if of_features:
        kept, said_in = model.feature_segments, "feature_segments"
    if kept is None or label in kept:
        return
    near = get_close_matches(label, (*kept, *_PARTS), 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else f"add it to models.{placed.model}.{said_in}"
    place = (*placed.place, key)
    yield Mistake(place, f"{label} is no segment that is kept; {hint}", (("models", placed.model, said_in),))


def _window(placed: Placed) -> Iterator[Mistake]:
    """A period that outlasts what is kept."""
    days, kept = _longest_days(placed.said, placed.config), placed.config.retention.hour_days
    if days > kept:
        sentence = (
            f"{placed.said.window} is longer than retention.1h ({kept}d) keeps what it sums; shorten it, "
        )
        place: Location = (*placed.place, "window")
        yield Mistake(place, f"{sentence}or keep hours for {days}d", (("retention", "1h"),))


def _usual_window(config: Config) -> Iterator[Mistake]:
    """The same for objectives that don't say theirs, once for all of them."""
    usual = [p.said for p in placed_objectives(config) if "window" not in p.said.model_fields_set]
    days = max((_longest_days(said, config) for said in usual), default=0)
    if days > config.retention.hour_days:
        sentence = f"must not be shorter than the window of objectives that don't say theirs ({days}d)"
        yield Mistake(("retention", "1h"), sentence)


def _longest_days(said: ObjectiveConfig, config: Config) -> int:
    period = period_of(said, config.slo)
    return period.days if isinstance(period, Rolling) else _LONGEST_DAYS[period.unit]
