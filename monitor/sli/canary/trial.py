"""Versions on trial: which they are, and whether each is worse than the one before, moment after moment.

A version is on trial for its first two weeks, while an older one serves beside it. Like is compared with
like, endpoint by endpoint and hour by hour, so that neither a ramp-up nor the rhythm of a day makes a
difference. The intervals hold at all moments together, from its first record on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.clock import DAY_S, HOUR_S
from monitor.profiles.layout import SECONDS, Kind
from monitor.profiles.series import SeriesKey
from monitor.records import Bools, Floats, Ints
from monitor.sli.canary.arms import Latencies, Rates
from monitor.sli.canary.contrast import Change, quantile_change, rate_change
from monitor.sli.canary.question import CONFIDENCE, USUAL_SLIS, Margins
from monitor.sli.canary.verdict import Verdict, judge
from monitor.sli.catalogue import OUTCOMES, Counted, Quantile, find_sli
from monitor.sli.compute import counted
from monitor.sli.entries import Entries, Grouping, join, place
from monitor.sli.windows import Windows, cover, tiers
from monitor.store.read import present
from monitor.store.store import Store

__all__ = ["TRIAL_S", "Tried", "tried"]

TRIAL_S = 14 * DAY_S
# A version with less of the requests than this is what is left of one, or a person who tries something.
_LEAST_SHARE = 0.005
# A version without requests for so long is not live.
_LIVE_S = 600
_ALPHA = (1 - CONFIDENCE) / len(USUAL_SLIS)


@dataclass(frozen=True, slots=True)
class Tried:
    """A version at the moments `at_s` (int64) at which it was live and on trial: whether it was `worse`
    (bool)."""

    version: str
    at_s: Ints
    worse: Bools


def tried(
    store: Store,
    series: Mapping[SeriesKey, int],
    first_s: Mapping[str, int],
    at_s: Ints,
    base_s: int,
    margins: Margins,
) -> Iterator[Tried]:
    """The versions of one model that are on trial at any of the moments `at_s` (ascending, ends of base
    windows). `series` are its series, `first_s` is when each version came. Reads the store."""
    whole = {key: number for key, number in series.items() if not key.label and key.version in first_s}
    for version, begin_s in sorted(first_s.items()):
        if not at_s[0] - TRIAL_S < begin_s < at_s[-1]:
            continue
        mine = [number for key, number in whole.items() if key.version == version]
        if not present(store, Kind.SERVICE, base_s, mine, int(at_s[0]) - _LIVE_S, int(at_s[-1])):
            continue
        older = {
            key: n for key, n in whole.items() if key.version == version or first_s[key.version] <= begin_s
        }
        if len(older) > len(mine):
            yield _Trial(store, older, version, begin_s, at_s, base_s).verdicts(first_s, margins)


@dataclass(frozen=True, slots=True)
class _Dated:
    """Entries by slot, in the order of when their windows end, s (int64): those of counts, and of sums."""

    entries: Entries
    end_s: Ints
    sum_end_s: Ints

    def until(self, at_s: int) -> Entries:
        n, m = (int(np.searchsorted(ends, at_s, side="right")) for ends in (self.end_s, self.sum_end_s))
        e = self.entries
        counts, sums = (
            (e.slot[:n], e.cell[:n], e.count[:n]),
            (e.sum_slot[:m], e.sum_cell[:m], e.sum_value[:m]),
        )
        return _entries(e.n_slots, counts, sums)


def _entries(n_slots: int, counts: tuple[Ints, Ints, Ints], sums: tuple[Ints, Ints, Floats]) -> Entries:
    """Entries without maxima."""
    none = np.zeros(0, np.int64)
    return Entries(n_slots, *counts, *sums, none, none, np.zeros(0))


class _Trial:
    """One version since its first record. A slot is a version in a stratum: an endpoint in an hour."""

    def __init__(
        self,
        store: Store,
        series: Mapping[SeriesKey, int],
        version: str,
        begin_s: int,
        at_s: Ints,
        base_s: int,
    ) -> None:
        self._store, self._base_s, self._at_s = store, base_s, at_s
        self._version, self._begin_s = version, begin_s
        self._stratum_s = max(HOUR_S, base_s)
        self._first_s = begin_s // self._stratum_s * self._stratum_s
        self._hours = -(-(int(at_s[-1]) - self._first_s) // self._stratum_s)
        self._versions = sorted({key.version for key in series})
        self._endpoints = sorted({key.endpoint for key in series})
        self._strata = len(self._endpoints) * self._hours
        versions, endpoints = (
            {n: i for i, n in enumerate(names)} for names in (self._versions, self._endpoints)
        )
        groups = {
            number: versions[key.version] * len(endpoints) + endpoints[key.endpoint]
            for key, number in series.items()
        }
        ids = sorted(groups)
        n_groups = len(versions) * len(endpoints)
        self._grouping = Grouping(
            np.array(ids, np.int64), np.array([groups[i] for i in ids], np.int64), n_groups
        )

    def verdicts(self, first_s: Mapping[str, int], margins: Margins) -> Tried:
        """Each rests on what was served by its own moment, whatever moments are asked for with it."""
        service, latency = self._read(Kind.SERVICE), self._read(find_sli("latency_p50").kind)
        mine = self._versions.index(self._version)
        live = self._at_s[_within(self._served_s(service, mine), self._at_s)]
        at_s, worse = [], []
        for t in live[live < self._begin_s + TRIAL_S].tolist():
            known = service.until(t)
            champion = self._champion(known, mine, first_s)
            if champion is not None:
                at_s.append(t)
                worse.append(self._worse(known, latency.until(t), (champion, mine), margins))
        return Tried(self._version, np.array(at_s, np.int64), np.array(worse, np.bool_))

    def _champion(self, service: Entries, mine: int, first_s: Mapping[str, int]) -> int | None:
        """Of the versions that are no younger the one with most requests in the hours that both served; of
        two that came at once the one with fewer is on trial. None where it has too small a share."""
        requests = counted(service, Counted(OUTCOMES), 1).count.reshape(len(self._versions), self._strata)
        beside = np.where(requests[mine] > 0, requests, 0).sum(axis=1)
        others = [i for i in range(len(beside)) if i != mine and beside[i] > 0]
        best = max(others, key=lambda i: (int(beside[i]), self._versions[i]), default=None)
        if best is None or beside[mine] < _LEAST_SHARE * beside.sum():
            return None
        at_once = first_s[self._versions[best]] == self._begin_s
        return None if at_once and beside[mine] >= beside[best] else best

    def _served_s(self, service: _Dated, mine: int) -> Ints:
        """The ends of the base windows in which it had requests."""
        e = service.entries
        served = np.isin(e.cell, [int(cell) for cell in OUTCOMES]) & (e.slot // self._strata == mine)
        return np.unique(service.end_s[served])

    def _worse(self, service: Entries, latency: Entries, sides: tuple[int, int], margins: Margins) -> bool:
        return judge(list(self._changes(service, latency, sides, margins))).verdict is Verdict.WORSE

    def _changes(
        self, service: Entries, latency: Entries, sides: tuple[int, int], margins: Margins
    ) -> Iterator[Change]:
        times = [Latencies.of(latency, self._stratum(side), self._strata) for side in sides]
        for name in USUAL_SLIS:
            formula = find_sli(name).formula
            if isinstance(formula, Quantile) and formula.q is not None:
                yield quantile_change(name, formula.q, times[0], times[1], margins.latency, _ALPHA)
            elif isinstance(formula, Counted):
                found = counted(service, formula, 1)
                rates = [self._rates(found.count, found.value, side) for side in sides]
                yield rate_change(name, rates[0], rates[1], margins.errors, _ALPHA)

    def _rates(self, count: Ints, value: Floats, side: int) -> Rates:
        mine = slice(side * self._strata, (side + 1) * self._strata)
        return Rates(count[mine], np.where(count[mine] > 0, value[mine], 0.0))

    def _stratum(self, side: int) -> Ints:
        """Of each slot, -1 for those of other versions."""
        of = np.arange(len(self._versions) * self._strata)
        return np.where(of // self._strata == side, of % self._strata, -1)

    def _read(self, kind: Kind) -> _Dated:
        """Hours up to that of the first moment, and base windows from there on: those tell moments apart."""
        fine_s = max(
            self._first_s, int(self._at_s[0] - self._base_s - _LIVE_S) // self._stratum_s * self._stratum_s
        )
        spans = (
            Windows(self._first_s, self._stratum_s, (fine_s - self._first_s) // self._stratum_s),
            Windows(fine_s, self._base_s, -(-(int(self._at_s[-1]) - fine_s) // self._base_s)),
        )
        parts = [self._of(kind, windows) for windows in spans if windows.n]
        return _sorted([e for e, _, _ in parts], [s for _, s, _ in parts], [s for _, _, s in parts])

    def _of(self, kind: Kind, windows: Windows) -> tuple[Entries, Ints, Ints]:
        n_slots = len(self._versions) * self._strata
        parts = cover(windows, tiers(self._base_s))
        found = join(place(self._store, kind, parts, windows, self._grouping), self._grouping.n * windows.n)
        moved = []
        for slot in (found.slot, found.sum_slot):
            group, window = slot // windows.n, slot % windows.n
            hour = (windows.from_s + window * windows.step_s - self._first_s) // self._stratum_s
            moved.append((group * self._hours + hour, windows.from_s + (window + 1) * windows.step_s))
        (slot, end_s), (sum_slot, sum_end_s) = moved
        # Requests by the second are not asked for here.
        keep = (found.cell < SECONDS) if kind is Kind.SERVICE else np.ones(len(slot), np.bool_)
        counts = slot[keep], found.cell[keep], found.count[keep]
        entries = _entries(n_slots, counts, (sum_slot, found.sum_cell, found.sum_value))
        return entries, end_s[keep], sum_end_s


def _sorted(parts: Sequence[Entries], end_s: Sequence[Ints], sum_end_s: Sequence[Ints]) -> _Dated:
    ends, sum_ends = np.concatenate(end_s), np.concatenate(sum_end_s)
    order, sum_order = np.argsort(ends, kind="stable"), np.argsort(sum_ends, kind="stable")

    def joined(name: str, order: Ints) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    counts = joined("slot", order), joined("cell", order), joined("count", order)
    sums = joined("sum_slot", sum_order), joined("sum_cell", sum_order), joined("sum_value", sum_order)
    return _Dated(_entries(parts[0].n_slots, counts, sums), ends[order], sum_ends[sum_order])


def _within(served_s: Ints, at_s: Ints) -> Bools:
    """Whether it had requests in the last minutes before each moment."""
    last = np.searchsorted(served_s, at_s, side="right") - 1
    if not len(served_s):
        return np.zeros(len(at_s), np.bool_)
    found: Bools = (last >= 0) & (at_s - served_s[np.maximum(last, 0)] < _LIVE_S)
    return found
