"""Rules over a stored history: every alert carried through every base window, as the service would have."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from monitor.errors import QueryError
from monitor.profiles.layout import Kind
from monitor.slo.alert_log import KeptTransition
from monitor.slo.alerting import advance, conditions, fresh
from monitor.slo.counting import Ledger
from monitor.slo.episodes import Episode, episodes
from monitor.slo.objective import Objective, Watch
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, Transition
from monitor.store.names import find_series, models
from monitor.store.objectives import list_exclusions
from monitor.store.ownership import list_progress
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["Span", "end_s", "fired", "held_span", "transitions_over"]

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """[from_s, to_s), and whether base windows older than that were asked for and are gone."""

    from_s: int
    to_s: int
    cut: bool = False

    @property
    def weeks(self) -> float:
        return (self.to_s - self.from_s) / (7 * _DAY_S)


def held_span(store: Store, from_s: int | None, to_s: int | None, base_s: int) -> Span:
    """What of [from_s, to_s) base windows are held of, None being all there is. Raises QueryError where that
    is nothing."""
    numbers = [n for model in models(store) for n in find_series(store, model).values()]
    held = extent(store, Kind.SERVICE, base_s, numbers)
    if held is None:
        raise QueryError("backtest: the store has no records; run `monitor run` first, or give --log FILE")
    marks = [p.marks.watermark_ms for p in list_progress(store) if not p.labels]
    newest_s = max((ms // 1000 for ms in marks if ms is not None), default=held[1])
    last_s = min(held[1] + base_s, max(newest_s, held[0]) // base_s * base_s + base_s)
    begin_s = held[0] if from_s is None else max(held[0], from_s // base_s * base_s)
    end_s = last_s if to_s is None else min(last_s, to_s // base_s * base_s)
    if begin_s >= end_s:
        raise QueryError(
            "backtest: nothing is held of that time by the base window; take another --since, or keep more "
            "with retention.1m"
        )
    return Span(begin_s, end_s, from_s is not None and from_s < held[0])


def transitions_over(store: Store, settings: SloSettings, span: Span, model: str | None) -> list[Transition]:
    """What every alert would have done, in order of time.

    Labels count when they came. A record that was late counts in the window that it belongs to.
    """
    seen = [name for name in models(store) if model in (None, name)]
    every: list[Objective | Watch] = [*settings.objectives, *settings.watches_for(seen)]
    watched = [of for of in every if of.meter.model in seen]
    if not watched:
        return []
    longest_s = max((c.window_s for of in watched for r in of.rules for c in r.clauses), default=0)
    ledger = Ledger(
        store,
        settings.bases,
        [of.meter for of in watched],
        fine_s=span.to_s - span.from_s + longest_s,
        coarse_s=span.to_s - span.from_s + longest_s + _DAY_S,
        exclusions=list_exclusions(store),
    )
    ledger.refresh(span.to_s)
    found = [t for of in watched for t in _of(ledger, of, span, settings.bases.service_s)]
    return sorted(found, key=lambda t: t.at_s)


def _of(ledger: Ledger, of: Objective | Watch, span: Span, base_s: int) -> Iterator[Transition]:
    at_s = np.arange(span.from_s + base_s, span.to_s + 1, base_s, dtype=np.int64)
    name = of.name if isinstance(of, Objective) else None
    for subject in ledger.subjects(of.meter):
        tally = ledger.tally(of.meter, subject, objective=name)
        for rule in of.rules:
            state = fresh(AlertKey(of.name, rule.name, subject), rule, span.from_s)
            yield from advance(state, rule, at_s, conditions(tally, rule, at_s))[1]


def fired(transitions: Iterable[Transition]) -> list[Episode]:
    """The alerts as people see them, in order of their begins: all rules of one objective together."""
    return episodes(KeptTransition(t, t.at_s * 1000, quiet=False) for t in transitions)


def end_s(episode: Episode, span: Span) -> int:
    """When it ended, or the end of the span."""
    return span.to_s if episode.to_s is None else episode.to_s
