"""Rules over a stored history: every alert carried through every base window, as the service would have."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from monitor.clock import DAY_S, rfc3339
from monitor.errors import QueryError
from monitor.profiles.layout import Kind
from monitor.records import Carries
from monitor.sli.question import Time
from monitor.slo.alert_log import KeptTransition
from monitor.slo.episodes import Episode, episodes
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertKey, AlertState, Transition
from monitor.slo.watched import Watched
from monitor.store.names import find_series, models
from monitor.store.ownership import list_progress
from monitor.store.read import extent
from monitor.store.store import Store

__all__ = ["Replay", "Span", "end_s", "fired", "held_span", "transitions_over", "within"]

# Base windows are held for the longest window of a rule and one step, however long the history is.
_STEP_S = DAY_S


@dataclass(frozen=True, slots=True)
class Span:
    """[from_s, to_s), and whether base windows before that were asked for, were there, and are gone."""

    from_s: int
    to_s: int
    cut: bool = False

    @property
    def weeks(self) -> float:
        return (self.to_s - self.from_s) / (7 * DAY_S)


def held_span(store: Store, from_s: int | None, to_s: int | None, base_s: int) -> Span:
    """What of [from_s, to_s) base windows are held of, None being all there is. Raises QueryError where that
    is nothing."""
    numbers = [n for model in models(store) for n in find_series(store, model).values()]
    held = extent(store, Kind.SERVICE, base_s, numbers)
    if held is None:
        raise QueryError("backtest: the store has no records; run `monitor run` first, or give --log FILE")
    marks = [p.marks.watermark_ms for p in list_progress(store, Carries.RECORDS)]
    newest_s = max((ms // 1000 for ms in marks if ms is not None), default=held[1])
    last_s = min(held[1] + base_s, max(newest_s, held[0]) // base_s * base_s + base_s)
    span = within(Span(held[0], last_s), from_s, to_s, base_s)
    days = extent(store, Kind.SERVICE, DAY_S, numbers)
    gone = days is not None and days[0] < held[0] // DAY_S * DAY_S
    return replace(span, cut=gone and from_s is not None and from_s < held[0])


def within(whole: Span, from_s: int | None, to_s: int | None, base_s: int = 1) -> Span:
    """What of [from_s, to_s) the whole has, None being all there is. Raises QueryError where that is
    nothing."""
    begin_s = whole.from_s if from_s is None else max(whole.from_s, from_s // base_s * base_s)
    end_s = whole.to_s if to_s is None else min(whole.to_s, to_s // base_s * base_s)
    if begin_s >= end_s:
        held = " to ".join(rfc3339(s * 1000) for s in (whole.from_s, whole.to_s))
        raise QueryError(
            f"backtest: nothing is held of that time by the base window, but of {held}; take another --since "
            "or --until, or keep more with retention.1m"
        )
    return Span(begin_s, end_s)


def transitions_over(store: Store, settings: SloSettings, span: Span, model: str | None) -> list[Transition]:
    """What every alert would have done, in order of time, each inactive at the begin of the span.

    Labels count when they came, in budgets too. A record that was late counts in the window that it belongs
    to.
    """
    replayed = Replay(store, settings, span.from_s, model, Time.LABEL)
    replayed.until(span.to_s)
    return replayed.transitions


class Replay:
    """Alerts carried through a history from `from_s` on, in memory: the store keeps nothing of it.

    The store may go on filling between two calls of `until`; what is written late then changes nothing that
    was evaluated before, as in the service.
    """

    def __init__(
        self,
        store: Store,
        settings: SloSettings,
        from_s: int,
        model: str | None = None,
        budget_time: Time = Time.PREDICTION,
    ) -> None:
        self._base_s = settings.bases.service_s
        self._watched = Watched(store, settings, _STEP_S, model=model, budget_time=budget_time)
        self._at_s = from_s // self._base_s * self._base_s
        self._states: dict[AlertKey, AlertState] = {}
        self._transitions: list[Transition] = []

    @property
    def transitions(self) -> list[Transition]:
        """What the alerts did so far, in order of time."""
        return sorted(self._transitions, key=lambda t: t.at_s)

    def until(self, to_s: int) -> None:
        """Evaluates every base window that ends after what was evaluated, up to `to_s`. Raises StoreBusy and
        StoreError."""
        last_s = to_s // self._base_s * self._base_s
        while self._at_s < last_s:
            step_end_s = min(last_s, self._at_s + _STEP_S)
            self._watched.refresh(step_end_s)
            at_s = np.arange(self._at_s + self._base_s, step_end_s + 1, self._base_s, dtype=np.int64)
            for state, did in self._watched.carried(self._states, at_s):
                self._states[state.key] = state
                self._transitions += did
            self._at_s = step_end_s


def fired(transitions: Iterable[Transition], span: Span) -> list[Episode]:
    """The alerts that fire in the span as people see them, in order of their begins: all rules of one
    objective together. What fired when the span begins is among them, what comes after its end is not."""
    known = (KeptTransition(t, t.at_s * 1000, quiet=False) for t in transitions if t.at_s <= span.to_s)
    return [episode for episode in episodes(known) if end_s(episode, span) > span.from_s]


def end_s(episode: Episode, span: Span) -> int:
    """When it ended, or the end of the span."""
    return span.to_s if episode.to_s is None else episode.to_s
