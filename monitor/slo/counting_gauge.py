"""One indicator over slices of time, of many models, each slice computed once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.errors import QueryError
from monitor.records import Bools, Floats, Ints
from monitor.sli.drifting import References
from monitor.sli.query import Found, find
from monitor.sli.question import Question, Time
from monitor.sli.windows import Bases
from monitor.slo.counting_axes import moved
from monitor.slo.counting_subjects import label_of
from monitor.slo.objective import Meter, Subject
from monitor.store.objectives import MeasuredKey, Slices, measured_in, write_measured
from monitor.store.store import Store

__all__ = ["Gauge", "Gauged", "runs", "scope_of"]

_EXTRA_BITS = 20
_EXTRA = (1 << _EXTRA_BITS) - 1
_UNKNOWN = -1
_ALL = "*"
# Slices that one question asks for; it may have many groups.
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Gauged:
    """What is measured: an indicator, by which time, in slices of which length."""

    sli: str
    feature: str | None
    time: Time
    slice_s: int

    @property
    def name(self) -> str:
        """As the store has it."""
        return self.sli if self.feature is None else f"{self.sli}({self.feature})"


def scope_of(meter: Meter) -> tuple[object, ...]:
    """The part of a model that the meter is about, and how long its slices wait."""
    segment = tuple(sorted(meter.segment.items()))
    return (meter.model, meter.version, meter.endpoint, segment, meter.by, meter.delay_s)


class Gauge:
    """The slices of one indicator of the scopes of some meters, whose bounds don't matter here.

    A slice is measured once it is over and has waited for the meter's delay, and again when one of its
    windows was written since. Where windows have been dropped in the meantime, what was measured stays.
    """

    def __init__(self, store: Store, bases: Bases, what: Gauged, scopes: Sequence[Meter]) -> None:
        self._store, self._bases, self._what = store, bases, what
        self._scopes = tuple(scopes)
        self._place = {scope_of(scope): i for i, scope in enumerate(self._scopes)}
        self._begin_s: Ints = np.zeros(0, np.int64)
        self._tokens: Ints = np.zeros((len(self._scopes), 0), np.int64)
        self._values: list[dict[Subject, Floats]] = [{} for _ in self._scopes]
        self._loaded = False

    @property
    def scopes(self) -> Sequence[Meter]:
        """A meter of each scope."""
        return self._scopes

    def slots(self, from_s: int, now_s: int) -> Ints:
        """The begins of the slices that lie within [from_s, now_s)."""
        step_s = self._what.slice_s
        return np.arange(-(-from_s // step_s) * step_s, now_s // step_s * step_s, step_s, dtype=np.int64)

    def refresh(
        self,
        begin_s: Ints,
        written: Ints,
        extra: Ints,
        now_s: int,
        most: int,
        references: Callable[[str], References | None],
        *,
        awaited: bool,
    ) -> int:
        """Measures what is due, up to `most` slices, the newest first; returns how many that were.

        Both (scopes, slots): `written` is how often the windows of each slice were written, `extra` tells
        apart what else it rests on. With `awaited` that matters only where there is no value yet.
        `references` gives what a model's features are held against.
        """
        self._move(begin_s)
        if not self._loaded and len(begin_s):
            self._load()
            self._loaded = True
        extra = extra & _EXTRA
        due = self._due(written, extra, now_s, awaited)
        scope, slot = np.nonzero(due)
        newest = np.argsort(-begin_s[slot], kind="stable")[:most]
        due[:] = False
        due[scope[newest], slot[newest]] = True
        fresh: list[tuple[MeasuredKey, Slices]] = []
        for i in np.flatnonzero(due.any(axis=1)).tolist():
            tokens = (written[i] << _EXTRA_BITS) | extra[i]
            for run in runs(np.flatnonzero(due[i])):
                fresh += self._measure(i, run, tokens, references(self._scopes[i].model))
        write_measured(self._store, fresh)
        return len(newest)

    def _move(self, begin_s: Ints) -> None:
        before, self._begin_s = self._begin_s, begin_s
        if np.array_equal(before, begin_s):
            return
        self._tokens = moved(self._tokens, before, begin_s, _UNKNOWN)
        for values in self._values:
            for subject, value in values.items():
                values[subject] = moved(value[None, :], before, begin_s, np.nan)[0]

    def _due(self, written: Ints, extra: Ints, now_s: int, awaited: bool) -> Bools:
        delay_s = np.array([scope.delay_s for scope in self._scopes], np.int64)
        over = self._begin_s + self._what.slice_s + delay_s[:, None] <= now_s
        known = self._tokens != _UNKNOWN
        anew = written > (self._tokens >> _EXTRA_BITS)
        other = (self._tokens & _EXTRA) != extra
        if awaited:
            for i in np.flatnonzero(other.any(axis=1)).tolist():
                for value in self._values[i].values():
                    other[i] &= np.isnan(value)
        there = (written > 0) | (extra > 0) if not awaited else written > 0
        found: Bools = over & there & (~known | anew | other)
        return found

    def _measure(
        self, i: int, run: slice, tokens: Ints, references: References | None
    ) -> Iterator[tuple[MeasuredKey, Slices]]:
        scope, begin_s = self._scopes[i], self._begin_s[run]
        found = self._found(scope, int(begin_s[0]), int(begin_s[-1]) + self._what.slice_s, references)
        self._tokens[i, run] = tokens[run]
        if found is None:
            return
        for k, group in enumerate(found.groups):
            mine = slice(k * len(begin_s), (k + 1) * len(begin_s))
            values, n = found.values.value[mine], found.values.count[mine]
            subject = Subject(scope.model, group.version, group.endpoint, tuple(group.segment.items()))
            held = self._values[i].setdefault(subject, np.full(len(self._begin_s), np.nan))
            held[run] = values
            yield self._key(subject), Slices(begin_s, values, n, tokens[run])

    def _found(self, scope: Meter, from_s: int, to_s: int, references: References | None) -> Found | None:
        asked = Question(
            scope.model,
            self._what.sli,
            from_s * 1000,
            to_s * 1000,
            self._what.slice_s,
            scope.by,
            scope.version,
            scope.endpoint,
            scope.segment,
            self._what.feature,
            time=self._what.time,
        )
        try:
            return find(self._store, asked, self._bases, references)
        except QueryError:
            # A version, segment or feature that has not come yet.
            return None

    def _key(self, subject: Subject) -> MeasuredKey:
        label, value = subject.segment[0] if subject.segment else ("", "")
        return MeasuredKey(
            subject.model,
            self._what.name,
            str(self._what.time),
            _ALL if subject.version is None else subject.version,
            _ALL if subject.endpoint is None else subject.endpoint,
            label,
            value,
            self._what.slice_s,
        )

    def _load(self) -> None:
        """Takes what was measured before."""
        what, models = self._what, sorted({scope.model for scope in self._scopes})
        first_s, last_s = int(self._begin_s[0]), int(self._begin_s[-1])
        kept = measured_in(self._store, models, what.name, str(what.time), what.slice_s, first_s, last_s + 1)
        of_model: dict[str, list[tuple[Subject, Slices]]] = {}
        for key, slices in kept.items():
            of_model.setdefault(key.model, []).append((_subject(key), slices))
        for i, scope in enumerate(self._scopes):
            for subject, slices in of_model.get(scope.model, []):
                if _within(scope, subject):
                    slot = np.searchsorted(self._begin_s, slices.start_s)
                    value = np.full(len(self._begin_s), np.nan)
                    value[slot] = slices.value
                    self._values[i][subject] = value
                    self._tokens[i, slot] = np.maximum(self._tokens[i, slot], slices.token)

    def values(self, meter: Meter) -> Mapping[Subject, Floats]:
        """The values of each slice by subject, NaN for none. Raises KeyError for another scope than those
        given."""
        return self._values[self._place[scope_of(meter)]]

    @property
    def begin_s(self) -> Ints:
        """The begins of the slices."""
        return self._begin_s


def _subject(key: MeasuredKey) -> Subject:
    return Subject(
        key.model,
        None if key.version == _ALL else key.version,
        None if key.endpoint == _ALL else key.endpoint,
        ((key.label, key.value_of_label),) if key.label else (),
    )


def _within(scope: Meter, subject: Subject) -> bool:
    """Whether it is a subject of the scope."""
    label = label_of(scope)
    apart = (
        ("version" in scope.by or scope.version is not None, subject.version, scope.version),
        ("endpoint" in scope.by or scope.endpoint is not None, subject.endpoint, scope.endpoint),
    )
    wanted = {name.removeprefix("segment."): value for name, value in scope.segment.items()}
    return (
        all((name is not None) == told and asked in (None, name) for told, name, asked in apart)
        and [name for name, _ in subject.segment] == ([label] if label else [])
        and all(wanted.get(name) in (None, value) for name, value in subject.segment)
    )


def runs(slots: Ints) -> Iterator[slice]:
    """The slots (ascending) as stretches without a gap, none longer than one question asks for."""
    for part in np.split(slots, np.flatnonzero(np.diff(slots) > 1) + 1):
        for at in range(0, len(part), _ASKED_AT_ONCE):
            some = part[at : at + _ASKED_AT_ONCE]
            yield slice(int(some[0]), int(some[-1]) + 1)
