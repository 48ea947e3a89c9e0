"""What alerts on objectives must hold: tables of burn rates, their windows, and policies."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from monitor.config.checks_objectives import Placed, placed_objectives
from monitor.config.document import Location
from monitor.config.durations import DAY_MS, format_duration
from monitor.config.mistake import Mistake
from monitor.config.model import Config
from monitor.config.objective_values import objective_of, period_of
from monitor.config.objectives import BurnConfig
from monitor.config.topics import streams
from monitor.config.watches import watch_mistakes
from monitor.profiles.layout import Kind
from monitor.records import Carries
from monitor.slo.catalogue import generic
from monitor.slo.objective import Objective
from monitor.slo.period import Calendar

__all__ = ["alert_mistakes", "alert_warnings"]

_SHARED: Location = ("slo", "alerts")
_HOUR_S = 3600


def alert_mistakes(config: Config) -> Iterator[Mistake]:
    """Every mistake in `slo` and in the alerts of objectives."""
    yield from _rows(_SHARED, config.slo.alerts)
    yield from _policies(config)
    yield from _disabled(config)
    yield from watch_mistakes(config.slo.watches)
    for placed in placed_objectives(config):
        if placed.said.alerts is not None:
            yield from _rows((*placed.place, "alerts"), placed.said.alerts)
    yield from _kept(config)


def _rows(place: Location, rows: Sequence[BurnConfig]) -> Iterator[Mistake]:
    known: dict[float, int] = {}
    for i, row in enumerate(rows):
        if row.short_s >= row.long_s:
            sentence = f"must be shorter than long ({format_duration(row.long_s * 1000)})"
            yield Mistake((*place, i, "short"), sentence)
        rate = round(row.spent / row.long_s, 12)
        first = known.setdefault(rate, i)
        if first != i:
            sentence = f"burns as fast as entry {first + 1}, and their alerts would have one name; keep one"
            yield Mistake((*place, i), sentence)


def _policies(config: Config) -> Iterator[Mistake]:
    names: set[str] = set()
    for i, policy in enumerate(config.slo.policies):
        if policy.name in names:
            yield Mistake(("slo", "policies", i, "name"), f"{policy.name} is given twice; rename one")
        names.add(policy.name)


def _disabled(config: Config) -> Iterator[Mistake]:
    names = [g.name for g in generic()]
    for name in config.slo.disable:
        if name not in names:
            near = get_close_matches(name, names, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            yield Mistake(("slo", "disable"), f"there is no watch {name!r}; {hint}")


def _kept(config: Config) -> Iterator[Mistake]:
    """Windows that look further back than what they are counted from is kept; once for the shared table."""
    shared = False
    for placed in placed_objectives(config):
        objective = _made(placed)
        if objective is None:
            continue
        days, key = placed.kept_days
        windows = [c.window_s for rule in objective.rules for c in rule.clauses]
        windows += [rule.escalation.window_s for rule in objective.rules if rule.escalation]
        longest_s = max(windows, default=0)
        if longest_s * 1000 <= days * DAY_MS:
            continue
        retention: Location = ("retention", key)
        own = placed.said.alerts is not None or bool(placed.said.delay_s)
        if own:
            place = (*placed.place, "alerts" if placed.said.alerts is not None else "delay")
            sentence = f"looks back for {format_duration(longest_s * 1000)}, longer than retention.{key}"
            yield Mistake(place, f"{sentence} ({days}d) keeps windows; shorten it or keep them", (retention,))
        elif not shared:
            shared = True
            yield _shared_too_long(config, longest_s, days, key)


def _shared_too_long(config: Config, longest_s: int, days: int, key: str) -> Mistake:
    longest = format_duration(longest_s * 1000)
    if "alerts" in config.slo.model_fields_set or "escalation" in config.slo.model_fields_set:
        sentence = f"looks back for {longest}, longer than retention.{key} ({days}d) keeps windows; "
        return Mistake(_SHARED, f"{sentence}shorten it or keep them", (("retention", key),))
    sentence = f"must not be shorter than the longest window of alerts ({longest}); or give slo.alerts others"
    return Mistake(("retention", key), sentence, (("slo",),))


def _made(placed: Placed) -> Objective | None:
    try:
        return objective_of(placed.config, placed.model, placed.name, placed.said)
    except ValueError:
        return None


def alert_warnings(config: Config) -> Iterator[Mistake]:
    """What works, but won't alert or count as somebody may think."""
    labels = Carries.LABELS in streams(config).values()
    labels = labels if config.labels.keep_predictions is None else config.labels.keep_predictions
    for placed in placed_objectives(config):
        objective = _made(placed)
        if objective is None:
            continue
        yield from _never(placed, objective)
        if placed.indicator.is_operational and Carries.EVENTS not in streams(config).values():
            sentence = f"{placed.indicator.name} counts events of operations; name a source of them, or post "
            yield Mistake(placed.place, sentence + "them: source.kafka.event_topics, ingest.spool")
        if placed.indicator.kind in (Kind.QUALITY, Kind.LEARNED) and not labels:
            sentence = "needs labels, and predictions are not kept for them; name a source of labels, or set "
            yield Mistake(placed.place, sentence + "labels.keep_predictions")
    yield from _part_hours(config)


def _never(placed: Placed, objective: Objective) -> Iterator[Mistake]:
    rows = placed.config.slo.alerts if placed.said.alerts is None else placed.said.alerts
    if rows and not objective.rules:
        slice_s = objective.meter.slice_s or placed.base_s
        shown = format_duration(slice_s * 1000)
        sentence = f"no alert fits windows of {shown}: none has a `long` of more than two of them"
        yield Mistake(placed.place, sentence)
    for rule in objective.rules:
        if rule.clauses[0].above >= 1 and rule.factor is not None:
            sentence = (
                f"the alert on a burn rate of {rule.factor:.4g} can never fire: {rule.factor:.4g} times "
            )
            sentence += f"the budget of {objective.budget:.4g} is more than all; give the objective `alerts`"
            yield Mistake(placed.place, sentence)


def _part_hours(config: Config) -> Iterator[Mistake]:
    """Time zones in which days begin within an hour, where whole hours are what is kept for long."""
    calendar = any(isinstance(period_of(p.said, config.slo), Calendar) for p in placed_objectives(config))
    zone = ZoneInfo(config.slo.time_zone)
    offset = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
    if calendar and offset.total_seconds() % _HOUR_S:
        sentence = f"days in {config.slo.time_zone} begin within an hour of UTC, and whole hours are what is "
        yield Mistake(("slo", "time_zone"), sentence + "kept: the part of one at either end is left out")
