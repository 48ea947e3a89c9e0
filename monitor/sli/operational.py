"""Indicators of operations: measures of a model's events, over windows, beside its traffic."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from monitor.operations.facts import facts_of
from monitor.operations.measures import Measure, Windowed, measured
from monitor.records import Floats
from monitor.sli.entries import Values
from monitor.sli.question import Group
from monitor.sli.windows import Windows
from monitor.store.engine import reading
from monitor.store.schema import events
from monitor.store.store import Store

__all__ = ["Ask", "events_extent", "operational_values"]

# Asks an indicator of the model, by what it is grouped, over windows: the groups, and (groups, windows).
Ask = Callable[[str, tuple[str, ...], Windows], tuple[Sequence[Group], Floats]]


class _Traffic:
    """The requests of a model in some windows, asked for when a measure wants them."""

    def __init__(self, ask: Ask, windows: Windows) -> None:
        self._ask, self._windows = ask, windows

    def total(self, sli: str) -> Floats:
        """See Traffic."""
        _, values = self._ask(sli, (), self._windows)
        return values[0] if len(values) else np.full(self._windows.n, np.nan)

    def by_version(self) -> Mapping[str, Floats]:
        """See Traffic."""
        groups, values = self._ask("records", ("version",), self._windows)
        found = zip(groups, np.nan_to_num(values), strict=True)
        return {group.version: row for group, row in found if group.version}


def operational_values(store: Store, model: str, measure: Measure, windows: Windows, ask: Ask) -> Values:
    """The measure in each window. Raises QueryError for costs that don't add."""
    begin_s = windows.from_s + np.arange(windows.n, dtype=np.int64) * windows.step_s
    spans = Windowed(begin_s, begin_s + windows.step_s)
    value, count = measured(measure, facts_of(store, model, measure.kinds), spans, _Traffic(ask, windows))
    return Values(value, count, np.zeros(windows.n, np.bool_))


def events_extent(store: Store, model: str, base_s: int) -> tuple[int, int] | None:
    """The begins, s, of the base windows of the model's first and last event; None without any."""
    first, last = sa.func.min(events.c.ts_ms), sa.func.max(events.c.ts_ms)
    with reading(store.engine) as connection:
        row = connection.execute(sa.select(first, last).where(events.c.model == model)).one()
    if row[0] is None:
        return None
    return row[0] // 1000 // base_s * base_s, row[1] // 1000 // base_s * base_s
