"""Makes objectives of OpenSLO documents, as a configuration has them."""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from monitor.config.checks_objectives import objective_mistakes
from monitor.config.document import Location
from monitor.config.durations import format_duration
from monitor.config.model import Config
from monitor.config.validating import validated
from monitor.errors import ConfigError, QueryError
from monitor.openslo.burning import Row, default_rows, rows_of
from monitor.openslo.documents import Indicator, Metric, Slo, Threshold
from monitor.openslo.exporting import ANNOTATION, USUAL
from monitor.openslo.reading import Catalogue, Placed, read
from monitor.openslo.spans import begins_with, seconds_of, unit_of, window_of
from monitor.slo.indicators import find_indicator
from monitor.slo.naming import slug

__all__ = ["Imported", "import_files"]

_SOURCE = ("indicator", "version", "endpoint", "segment", "by", "feature", "under", "at_least", "at_most")
# What another section of the configuration may allow is for that to say.
_ANY = {
    "windows": {"service": "1s", "features": "1s", "quality": "1s"},
    "retention": {"1m": "100y", "1h": "100y", "1d": "100y"},
    "labels": {"horizon": "100y"},
}
_NOTED = ("weight", "min_events", "min_bad_events", "for", "keep_firing", "delay")


@dataclass(slots=True)
class Imported:
    """The sections `models` and `slo` that the documents come to, and notes for a person to read."""

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    slo: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Notes it, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def sections(self) -> dict[str, Any]:
        """As they stand in a file."""
        return {"models": self.models} | ({"slo": self.slo} if self.slo else {})


def import_files(paths: Iterable[Path], known_as: Mapping[str, str] | None = None) -> Imported:
    """The objectives of these files. `known_as` says what an SLI of another tool is here, by its name:
    `{"checkout-latency": "latency under 300ms"}`.

    Raises ConfigError with every mistake, each with its key and line.
    """
    catalogue = read(paths)
    importer = _Importer(catalogue, dict(known_as or {}))
    for placed in catalogue.slos:
        importer.add(placed)
    catalogue.raise_any()
    importer.finish()
    catalogue.raise_any()
    if not catalogue.slos:
        raise ConfigError(["there is no document of kind SLO in these files"])
    return importer.imported


class _Importer:
    def __init__(self, catalogue: Catalogue, known_as: dict[str, str]) -> None:
        self._catalogue, self._known_as = catalogue, known_as
        self.imported = Imported(notes=catalogue.notes)
        self._zones: dict[str, str] = {}
        self._shared: list[tuple[dict[str, Any], tuple[Row, ...]]] = []

    def add(self, placed: Placed) -> None:
        """Adds the objectives of one SLO, or notes its mistakes."""
        slo, found = placed.slo, placed.found
        counted = self._source(placed)
        # What else is wrong is told too, so something has to stand in for an indicator that isn't known.
        source, ours = counted or ({"indicator": "availability"}, False)
        model = str(source.pop("model", None) or self._model(slo.spec.service))
        for i, threshold in enumerate(slo.spec.objectives):
            place: Location = ("spec", "objectives", i)
            said: dict[str, Any] = {}
            name = self._name(slo, threshold, i)
            said |= self._target(placed, place, threshold)
            said |= self._window(placed)
            said |= {"description": slo.spec.description.strip()} if slo.spec.description else {}
            said |= source
            if said.get("indicator") == name:
                del said["indicator"]
            said |= self._limits(placed, place, threshold, source)
            said |= self._slices(placed, place, threshold)
            said |= self._noted(slo)
            self._alerts(placed, said, ours=ours)
            of_model = self.imported.models.setdefault(model, self._section(slo.spec.service))
            if name in of_model["objectives"]:
                found.add(("metadata", "name"), f"{model} has an objective {name} already; rename one")
            of_model["objectives"][name] = said
            self._check(placed, place, model, name, said)

    def finish(self) -> None:
        """Puts the alerts that all objectives share where all of them find it."""
        tables = {rows for _, rows in self._shared}
        if len(tables) == 1 and tables != {default_rows()}:
            self.imported.slo["alerts"] = [row.written() for row in tables.pop()]
        elif len(tables) > 1:
            for said, rows in self._shared:
                said["alerts"] = [row.written() for row in rows]
        zones = set(self._zones.values())
        if len(zones) > 1:
            named = ", ".join(sorted(zones))
            self.imported.note(f"calendar windows in several time zones ({named}): slo.time_zone has one")
        if zones and zones != {"UTC"}:
            self.imported.slo["time_zone"] = sorted(zones)[0]

    def _name(self, slo: Slo, threshold: Threshold, i: int) -> str:
        name = slo.metadata.annotations.get(ANNOTATION + "name") or slo.metadata.name
        if len(slo.spec.objectives) == 1:
            return name
        return f"{name} {threshold.display_name or i + 1}"

    def _model(self, service: str) -> str:
        of_service = self._catalogue.services.get(service)
        said = of_service.metadata.annotations.get(ANNOTATION + "model") if of_service else None
        return said or service

    def _section(self, service: str) -> dict[str, Any]:
        of_service = self._catalogue.services.get(service)
        owner = of_service.metadata.annotations.get(ANNOTATION + "owner") if of_service else None
        return ({"owner": owner} if owner else {}) | {"objectives": {}}

    def _source(self, placed: Placed) -> tuple[dict[str, Any], bool] | None:
        """What is counted, and whether the document is one of ours, which says so in the metric source; of
        another tool's somebody has to."""
        indicator, place = self._indicator(placed)
        if indicator is None:
            return None
        name, spec = indicator.metadata.name, indicator.spec
        ratio = spec.ratio_metric
        metrics = [spec.threshold_metric, *((ratio.good, ratio.bad, ratio.raw) if ratio else ())]
        metric: Metric | None = next((m for m in metrics if m is not None), None)
        if metric is None:
            placed.found.add((*place, "spec"), "must have a ratioMetric or a thresholdMetric")
            return None
        said = metric.metric_source.spec
        if "indicator" in said:
            return {key: said[key] for key in ("model", *_SOURCE) if key in said}, True
        if name in self._known_as:
            return _words(name, self._known_as[name]), False
        try:
            return {"indicator": find_indicator(slug(name)).name}, False
        except QueryError:
            of = metric.metric_source.type or "another tool"
            sentence = (
                f"the query is one of {of}, which is not run here; say what {name} is with --as, such as "
            )
            placed.found.add(place, f"{sentence}--as '{name}=availability' or '{name}=latency under 300ms'")
            return None

    def _indicator(self, placed: Placed) -> tuple[Indicator | None, Location]:
        spec = placed.slo.spec
        place: Location = ("spec", "indicator")
        if spec.indicator is not None:
            return spec.indicator, place
        if spec.indicator_ref is None:
            placed.found.add(("spec",), "must have an indicator or an indicatorRef")
            return None, place
        place = ("spec", "indicatorRef")
        named = self._catalogue.indicators.get(spec.indicator_ref)
        if named is None:
            placed.found.add(place, f"there is no SLI {spec.indicator_ref} in these files; give its file too")
            return None, place
        return Indicator(metadata=named.metadata, spec=named.spec), place

    def _target(self, placed: Placed, place: Location, threshold: Threshold) -> dict[str, Any]:
        if (threshold.target is None) == (threshold.target_percent is None):
            placed.found.add(place, "must have a target, such as target: 0.999, or a targetPercent")
            return {"objective": "99.9"}
        if threshold.target_percent is not None:
            return {"objective": _number(Decimal(repr(threshold.target_percent)))}
        return {"objective": _number(Decimal(repr(threshold.target)) * 100)}

    def _window(self, placed: Placed) -> dict[str, Any]:
        windows = placed.slo.spec.time_window
        if not windows:
            return {}
        window, place = windows[0], ("spec", "timeWindow", 0)
        try:
            if window.calendar is None:
                return {"window": window_of(window.duration)}
            unit = unit_of(window.duration)
        except ValueError as e:
            placed.found.add((*place, "duration"), str(e))
            return {}
        self._zones[placed.slo.metadata.name] = window.calendar.time_zone
        try:
            begins = begins_with(unit, window.calendar.start_time)
        except ValueError as e:
            placed.found.add((*place, "calendar", "startTime"), str(e))
            return {}
        if not begins:
            said = (
                f"{placed.slo.metadata.name}: begins at {window.calendar.start_time}; here a {unit} begins "
            )
            self.imported.note(f"{said}at its first midnight")
        return {"window": str(unit)}

    def _limits(
        self, placed: Placed, place: Location, threshold: Threshold, source: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The bound of a threshold metric, unless the source says it."""
        if threshold.value is None or threshold.op is None or {"at_least", "at_most"} & set(source):
            return {}
        try:
            unit = find_indicator(str(source.get("indicator")), bounded=True).unit
        except QueryError:
            return {}
        if source.get("indicator") in ("drift_free", "schema_validity") and "at_most" not in source:
            return {}
        key = "at_most" if threshold.op in ("lte", "lt") else "at_least"
        suffix = {"ms": "ms", "s": "s"}.get(unit, "")
        return {key: f"{_number(Decimal(repr(threshold.value)))}{suffix}"}

    def _slices(self, placed: Placed, place: Location, threshold: Threshold) -> dict[str, Any]:
        method = placed.slo.spec.budgeting_method
        if method == "RatioTimeslices":
            sentence = "averages the ratios of slices, so that a quiet minute counts as much as a busy one; "
            placed.found.add(("spec", "budgetingMethod"), f"{sentence}use Occurrences or Timeslices")
        if method != "Timeslices":
            return {}
        if threshold.time_slice_window is None:
            placed.found.add(place, "needs a timeSliceWindow, such as 5m")
            return {}
        said: dict[str, Any] = {}
        if placed.slo.metadata.annotations.get(ANNOTATION + "slice") != USUAL:
            try:
                said["slice"] = format_duration(seconds_of(threshold.time_slice_window) * 1000)
            except ValueError as e:
                placed.found.add((*place, "timeSliceWindow"), str(e))
        if placed.slo.spec.indicator is None or placed.slo.spec.indicator.spec.threshold_metric is None:
            target = threshold.time_slice_target
            if target is None:
                placed.found.add(place, "needs a timeSliceTarget, such as 0.95")
            else:
                said["slice_target"] = _number(Decimal(repr(target)) * 100)
        return said

    def _noted(self, slo: Slo) -> dict[str, Any]:
        annotations = slo.metadata.annotations
        return {key: annotations[ANNOTATION + key] for key in _NOTED if ANNOTATION + key in annotations}

    def _alerts(self, placed: Placed, said: dict[str, Any], *, ours: bool) -> None:
        """The table of burn rates: what annotations say, else the policies; else it is left to `slo`."""
        annotations = placed.slo.metadata.annotations
        key = ANNOTATION + "alerts"
        if key in annotations:
            try:
                said["alerts"] = json.loads(annotations[key])
            except json.JSONDecodeError:
                placed.found.add(("metadata", "annotations", key), "must be a list of alerts as JSON")
            return
        rows, holds = rows_of(self._catalogue, placed, str(said.get("window", "30d")))
        if ours:
            self._shared.append((said, rows))
            return
        if rows:
            said["alerts"] = [row.written() for row in rows]
        if any(holds):
            said["for"] = format_duration(max(holds) * 1000)
        if len(set(holds)) > 1:
            self.imported.note(
                f"{placed.slo.metadata.name}: its alerts differ in alertAfter; the longest is kept"
            )

    def _check(self, placed: Placed, place: Location, model: str, name: str, said: dict[str, Any]) -> None:
        """Notes what the configuration would say against the objective, where it stands in the document."""
        labels = [*said.get("segment", {}), *said.get("by", [])]
        of_model = {"objectives": {name: said}, "feature_segments": labels}
        section = deepcopy({**_ANY, "models": {model: of_model}})
        inner = _Elsewhere(placed, place)
        config = validated(Config, section, inner)
        for mistake in objective_mistakes(config):
            inner.add(mistake.place, mistake.sentence)


class _Elsewhere:
    """Notes mistakes of an objective at the place of the document that it was made of."""

    def __init__(self, placed: Placed, place: Location) -> None:
        self._placed, self._place = placed, place

    def add(self, place: Location, sentence: str) -> None:
        key = place[4] if len(place) > 4 else None
        self._placed.found.add(self._place, f"{key}: {sentence}" if key else sentence)

    def within(self, place: Location) -> bool:
        return False

    def covered(self, place: Location) -> bool:
        return False


def _words(name: str, text: str) -> dict[str, Any]:
    """`latency under 300ms` as keys. Raises ConfigError."""
    words = text.split()
    keys = words[1::2]
    wrong = [key for key in keys if key not in _SOURCE[1:] or key in ("segment", "by")]
    if not words or len(words) % 2 == 0 or wrong:
        raise ConfigError([f"--as {name}: {text!r} is no indicator with limits; write 'latency under 300ms'"])
    return {"indicator": words[0]} | dict(zip(keys, words[2::2], strict=True))


def _number(value: Decimal) -> str:
    """Without an exponent or noughts at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
