"""What an incident cost and what came before it, from what the store has counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.clock import DAY_S, HOUR_S, rfc3339
from monitor.errors import QueryError
from monitor.operations.changes import changes_before
from monitor.paging.incidents.incident import Incident
from monitor.sli.query import Answer, answer
from monitor.sli.question import Question, Time
from monitor.slo.alert_log import list_transitions
from monitor.slo.budget import standing
from monitor.slo.counting import Ledger
from monitor.slo.objective import Objective, Subject
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey
from monitor.store.activations import list_activations
from monitor.store.objectives import list_exclusions
from monitor.store.store import Store
from monitor.store.versions import first_hours

__all__ = ["Costs", "Lost", "Quality", "costs_of", "lost_any"]

# The first of these that the model has labels for tells how good it was.
_METRICS = ("accuracy", "mae")
# For how long back an alert may have begun that fired in the incident.
_BACK_S = 90 * DAY_S


@dataclass(frozen=True, slots=True)
class Lost:
    """Of an objective's subject: `bad` of `total` events in the incident's time, the `share` that this is of
    a whole period's budget (None without events), and its rules that did not fire then."""

    objective: Objective
    subject: Subject
    bad: float
    total: float
    share: float | None
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """A metric in the incident and in the 24 hours before it (None: no labels then), over whole quality
    windows; `count` labelled predictions of the incident's time, `coverage` their share of all."""

    metric: str
    during: float
    count: int
    before: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Costs:
    """`model` None: the incident's alerts name none, and nothing else is known. `budgets` and `quality` are a
    sentence where they aren't known. `changed` holds what came in the 24 hours before, each with its time,
    ms; `since_ms` is how far back the store knows the model."""

    model: str | None
    budgets: tuple[Lost, ...] | str = ()
    quality: Quality | str = ""
    changed: tuple[tuple[int, str], ...] = ()
    since_ms: int | None = None


def costs_of(store: Store, incident: Incident, settings: SloSettings, fine_s: int, now_ms: int) -> Costs:
    """What is known of the incident's time, to now while it is open. `fine_s` is for how long base windows
    are kept: what is older is told by whole hours. Reads the store."""
    labels = dict(incident.key)
    model, version = labels.get("model"), labels.get("version")
    if model is None:
        return Costs(None)
    from_ms, to_ms = incident.began_ms, incident.resolved_ms or now_ms
    hours = first_hours(store, model)
    return Costs(
        model,
        _budgets(store, settings, (model, version), (from_ms, to_ms), now_ms // 1000 - fine_s),
        _quality(store, settings, (model, version if version in hours else None), (from_ms, to_ms), now_ms),
        tuple(sorted(_changed(store, model, hours, from_ms))),
        min(hours.values()) * 1000 if hours else None,
    )


def _budgets(
    store: Store,
    settings: SloSettings,
    about: tuple[str, str | None],
    times_ms: tuple[int, int],
    oldest_fine_s: int,
) -> tuple[Lost, ...] | str:
    model, version = about
    objectives = [o for o in settings.objectives if o.meter.model == model]
    if not objectives:
        return f"no objective of {model} is known; give the configuration with -c"
    from_s, to_s = times_ms[0] // 1000, -(-times_ms[1] // 1000)
    base_s = settings.bases.service_s if from_s >= oldest_fine_s else HOUR_S
    from_s, to_s = _whole(from_s, to_s, base_s)
    ledger = Ledger(
        store,
        settings.bases,
        [o.meter for o in objectives],
        fine_s=to_s - from_s + DAY_S if base_s < HOUR_S else 0,
        coarse_s=max(to_s - o.period.bounds(to_s)[0] for o in objectives),
        exclusions=list_exclusions(store),
    )
    ledger.refresh(to_s)
    fired = _fired(store, model, from_s, to_s)
    return tuple(
        _lost(ledger, o, subject, (from_s, to_s), fired)
        for o in objectives
        for subject in ledger.subjects(o.meter)
        if version is None or subject.version in (None, version)
    )


def _lost(
    ledger: Ledger, objective: Objective, subject: Subject, span_s: tuple[int, int], fired: set[AlertKey]
) -> Lost:
    tally = ledger.tally(objective.meter, subject, Time.PREDICTION, objective=objective.name)
    begin_s, end_s = _whole(*span_s, objective.meter.slice_s or 1)
    bad, total = (float(x) for x in tally.between(begin_s, end_s))
    stood = standing(objective, subject, tally, tally, span_s[1])
    share = bad / (objective.budget * stood.total) * stood.coverage if stood.total > 0 else None
    keys = [AlertKey(objective.name, rule.name, subject) for rule in objective.rules]
    silent = tuple(key.rule for key in keys if key not in fired)
    return Lost(objective, subject, bad, total, share, silent)


def _whole(from_s: int, to_s: int, step_s: int) -> tuple[int, int]:
    """Widened to whole steps, at least one."""
    begin_s = from_s // step_s * step_s
    return begin_s, max(begin_s + step_s, -(-to_s // step_s) * step_s)


def _fired(store: Store, model: str, from_s: int, to_s: int) -> set[AlertKey]:
    """The alerts that fired at any time of [from_s, to_s]."""
    found: set[AlertKey] = set()
    for kept in reversed(list_transitions(store, model, from_s - _BACK_S, to_s + 1)):
        t = kept.transition
        if t.after.fires:
            found.add(t.key)
        elif t.at_s < from_s:
            found.discard(t.key)
    return found


def _quality(
    store: Store,
    settings: SloSettings,
    about: tuple[str, str | None],
    times_ms: tuple[int, int],
    now_ms: int,
) -> Quality | str:
    def asked(metric: str, from_ms: int, to_ms: int) -> Answer | None:
        question = Question(about[0], metric, from_ms, to_ms, version=about[1])
        try:
            found = answer(store, question, now_ms, settings.bases)
        except QueryError:
            return None
        return found[0] if found and found[0]["value"] is not None else None

    from_ms, to_ms = times_ms
    whole_ms = from_ms // 1000 // settings.bases.quality_s * settings.bases.quality_s * 1000
    for metric in _METRICS:
        during = asked(metric, from_ms, max(to_ms, from_ms + 1))
        if during is not None and during["value"] is not None:
            before = asked(metric, whole_ms - DAY_S * 1000, whole_ms)
            coverage = during.get("label_coverage")
            value = before["value"] if before is not None else None
            return Quality(metric, during["value"], during["count"], value, coverage)
    return "no labels of that time have come, so far"


def _changed(store: Store, model: str, hours: dict[str, int], began_ms: int) -> Iterator[tuple[int, str]]:
    since_ms = began_ms - DAY_S * 1000
    oldest_s = min(hours.values(), default=0)
    for version, first_s in hours.items():
        # Those that the store begins with may be of any age.
        if first_s != oldest_s and since_ms // 1000 - HOUR_S < first_s <= began_ms // 1000:
            yield first_s * 1000, f"version {version} first seen, within this hour"
    for said in list_activations(store, model):
        verb = "retired" if said.retired else "activated"
        of = f" for version {said.version}" if said.version else ""
        text = f"baseline {said.baseline} {verb}{of} by {said.author}, from {rfc3339(said.from_s * 1000)} on"
        if any(since_ms <= at_ms <= began_ms for at_ms in (said.at_ms, said.from_s * 1000)):
            yield said.at_ms, text
    for change in changes_before(store, model, began_ms, DAY_S * 1000):
        yield change.at_ms, change.sentence


def lost_any(budgets: Sequence[Lost]) -> list[Lost]:
    """Those that lost budget, the most first."""
    return sorted((lost for lost in budgets if lost.bad > 0), key=lambda lost: -(lost.share or 0))
