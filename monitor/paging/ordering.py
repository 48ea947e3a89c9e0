"""The order of the alerts in a message: by job, by instance, then by labels, as Alertmanager has it."""

from collections.abc import Iterable
from functools import cmp_to_key
from itertools import zip_longest
from operator import attrgetter
from typing import Any

from monitor.paging.alert import Labels
from monitor.paging.message import Told

__all__ = ["in_order", "labels_before"]


def in_order(alerts: Iterable[Told]) -> tuple[Told, ...]:
    """Sorted (`types.AlertSlice.Less`)."""
    # Nearly in order already, the exact comparison has little to do.
    roughly = sorted(alerts, key=lambda t: (len(t.alert.labels), t.alert.labels))
    return tuple(sorted(roughly, key=_key))


def _compare(one: Labels, other: Labels) -> int:
    for name in ("job", "instance"):
        a, b = dict(one).get(name), dict(other).get(name)
        if a is None and b is None:
            continue
        if a is None or b is None:
            return 1 if a is None else -1
        if a != b:
            return -1 if a < b else 1
    return _compare_labels(one, other)


def _compare_labels(one: Labels, other: Labels) -> int:
    if len(one) != len(other):
        return len(one) - len(other)
    for left, right in zip_longest(one, other):
        if left[0] != right[0]:
            # Where one lacks the label that comes first by name, it comes first.
            return -1 if left[0] > right[0] else 1
        if left[1] != right[1]:
            return -1 if left[1] < right[1] else 1
    return 0


_of_labels = attrgetter("alert.labels")
_compared = cmp_to_key(_compare)
_labels_compared = cmp_to_key(_compare_labels)


def labels_before(labels: Labels) -> Any:
    """A key to sort labels by: fewer of them first (`model.LabelSet.Before`)."""
    return _labels_compared(labels)


def _key(told: Told) -> Any:
    return _compared(_of_labels(told))
