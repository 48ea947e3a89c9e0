"""Slices of time made of slots of events: by their share of good ones, their number, their age."""

import numpy as np

from monitor.records import Bools, Floats, Ints
from monitor.slo.counting_axes import DAY_S, HOUR_S
from monitor.slo.tally import Tally

__all__ = ["LOOKS_BACK_S", "busy", "fresh", "sliced"]

_WEEKS, _DAYS = 4, 7
LOOKS_BACK_S = _WEEKS * 7 * DAY_S + HOUR_S
# With so many requests usual in a slice, none at all is no chance: e^-10 of them.
_USUAL_FROM = 10
_ROUNDING = 1e-9


def sliced(events: Tally, slice_s: int, target: float) -> Tally:
    """Slices that have events, good where at least the share `target` of them is. Slots that are longer than
    a slice are in none."""
    begin_s = events.begin_s // slice_s * slice_s
    mine = np.flatnonzero(events.end_s <= begin_s + slice_s)
    slices, which = np.unique(begin_s[mine], return_inverse=True)
    good = np.bincount(which, weights=events.good[mine], minlength=len(slices))
    total = np.bincount(which, weights=events.total[mine], minlength=len(slices))
    some = total > 0
    enough = good >= target * total * (1 - _ROUNDING)
    return _tally(slices[some], slice_s, enough[some])


def fresh(newest: Tally, slice_s: int, at_most_s: int, from_s: int, until_s: int) -> Tally:
    """The slices within [from_s, until_s) since the first record, good where the newest record is at most
    `at_most_s` old at the end.

    `newest.good` is one more than how long after its begin a slot's newest record came, s; 0: unknown, for
    which its end is taken.
    """
    if not len(newest):
        return Tally.empty()
    at_s = np.where(newest.good > 0, newest.begin_s + newest.good - 1, newest.end_s - 1)
    latest = np.maximum.accumulate(at_s)
    begin_s = _grid(max(from_s, int(newest.begin_s[0]) // slice_s * slice_s), until_s, slice_s)
    end_s = begin_s + slice_s
    upto = np.searchsorted(newest.end_s, end_s, side="right") - 1
    known = upto >= 0
    age_s = end_s - latest[np.maximum(upto, 0)]
    return _tally(begin_s[known], slice_s, age_s[known] <= at_most_s)


def busy(events: Tally, slice_s: int, share: float, from_s: int, until_s: int) -> Tally:
    """The slices within [from_s, until_s) in which there are usually requests, good where there are at least
    `share` of the usual ones, and more than none.

    Usual is the median of the same hour in up to four weeks before; before the second week, of the same hour
    in up to seven days before; or that of the hour before or after it, where it is less. For an hour does not
    tell when in it the requests come: after a nightly job that takes half of one there is no silence, nor is
    there one where clocks were put forward. Slots must be hours or shorter, those from `from_s` on no longer
    than slices.
    """
    first_s = events.first_s
    if first_s is None:
        return Tally.empty()
    begin_s = _grid(max(from_s, first_s), until_s, slice_s)
    expected = _usual(events, begin_s, first_s) * slice_s / HOUR_S
    slot = (events.begin_s - begin_s[0]) // slice_s if len(begin_s) else events.begin_s
    mine = (slot >= 0) & (slot < len(begin_s)) & (events.end_s - events.begin_s <= slice_s)
    found = np.bincount(slot[mine], weights=events.total[mine], minlength=len(begin_s))
    judged = expected >= _USUAL_FROM
    return _tally(begin_s[judged], slice_s, (found >= share * expected)[judged] & (found[judged] > 0))


def _usual(events: Tally, begin_s: Ints, first_s: int) -> Floats:
    """The requests that are usual in the hour of each begin, or in one of those beside it if that is less;
    NaN where nothing is known before it."""
    first_hour = first_s // HOUR_S
    hour = events.begin_s // HOUR_S - first_hour
    mine = hour >= 0
    by_hour = np.bincount(hour[mine], weights=events.total[mine])
    wanted, which = np.unique(begin_s // HOUR_S - first_hour, return_inverse=True)

    def before(step_s: int, n: int, beside: int) -> Floats:
        back = wanted[:, None] + beside - np.arange(1, n + 1) * (step_s // HOUR_S)
        counts = np.where(back < len(by_hour), by_hour[np.clip(back, 0, len(by_hour) - 1)], 0.0)
        # The first hour may have begun before its first record.
        return _median(np.where(back > 0, counts, np.nan))

    def usual(beside: int) -> Floats:
        weeks = before(7 * DAY_S, _WEEKS, beside)
        return np.where(np.isnan(weeks), before(DAY_S, _DAYS, beside), weeks)

    if not len(wanted):
        return np.zeros(0)
    own = usual(0)
    least = np.fmin(np.fmin(usual(-1), own), usual(1))
    found: Floats = np.where(np.isnan(own), np.nan, least)[which]
    return found


def _median(table: Floats) -> Floats:
    """The median of each row's numbers, NaN where it has none."""
    ordered = np.sort(table, axis=1)
    n, row = np.count_nonzero(~np.isnan(ordered), axis=1), np.arange(len(ordered))
    found: Floats = (ordered[row, np.maximum(n - 1, 0) // 2] + ordered[row, n // 2 * (n > 0)]) / 2
    return found


def _grid(from_s: int, until_s: int, slice_s: int) -> Ints:
    """The begins of the slices that lie within [from_s, until_s)."""
    return np.arange(-(-from_s // slice_s) * slice_s, until_s // slice_s * slice_s, slice_s, dtype=np.int64)


def _tally(begin_s: Ints, slice_s: int, good: Bools) -> Tally:
    return Tally(begin_s, begin_s + slice_s, good.astype(np.float64), np.ones(len(begin_s)))
