"""The samples of one partition: the lowest of each window so far, and what of them is yet to be written."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from monitor.profiles.notes import Notes
from monitor.profiles.sample_rows import Redaction, Sample, rows_of
from monitor.profiles.samples import NO_BOUND, Bound, Reason, SampleSettings, groups_of, pick
from monitor.profiles.series import SeriesKey
from monitor.records import Batch, Bools, Ints

__all__ = ["Reservoir"]

# Series, begin of the window, reason.
Window: TypeAlias = tuple[int, int, int]
# What is forgotten costs no more than writing again what the store then drops.
_MAX_WINDOWS = 20_000
_REASONS = tuple(r for r in Reason if r is not Reason.WRONG)


class Reservoir:
    """Keeps the lowest k of each window and reason. `number` gives series their numbers, and may block."""

    def __init__(
        self, settings: SampleSettings, number: Callable[[Sequence[SeriesKey]], tuple[Ints, Bools]]
    ) -> None:
        self.settings = settings
        self._number = number
        self._redaction = Redaction(settings.redact)
        self._lowest: dict[Window, list[Bound]] = {}
        self._new: dict[Window, dict[Bound, Sample]] = {}

    def offer(self, batch: Batch, dropped: Bools | None, notes: Notes | None) -> None:
        """Takes what belongs into the samples of a batch, but for what was `dropped` (bool, n) as too late.

        May raise StoreBusy; then nothing was taken.
        """
        settings = self.settings
        if not settings.per_window or not len(batch):
            return
        groups = groups_of(batch, dropped, settings.window_s)
        if not groups.keys:
            return
        series = self._number(groups.keys)[0].tolist()
        starts = groups.start_s.tolist()
        bounds: dict[Reason, list[Bound]] = {
            reason: [self._bound((s, at, int(reason))) for s, at in zip(series, starts, strict=True)]
            for reason in _REASONS
        }
        for picked in pick(batch, groups, notes, settings, bounds):
            for sample in rows_of(batch, picked, series, groups.start_s, settings, self._redaction):
                window = sample.series, sample.start_s, sample.reason
                self._new.setdefault(window, {})[sample.bound] = sample
                self._lowest.setdefault(window, []).append(sample.bound)
            self._cut(picked.reason, {(series[g], starts[g]) for g in set(picked.group.tolist())})

    def _bound(self, window: Window) -> Bound:
        lowest = self._lowest.get(window)
        full = lowest is not None and len(lowest) >= self.settings.size(window[2])
        return lowest[-1] if full and lowest else NO_BOUND

    def _cut(self, reason: Reason, windows: set[tuple[int, int]]) -> None:
        k = self.settings.size(reason)
        for series, start_s in windows:
            window = series, start_s, int(reason)
            lowest = sorted(set(self._lowest[window]))
            self._lowest[window] = lowest[:k]
            for bound in lowest[k:]:
                if window in self._new:
                    self._new[window].pop(bound, None)

    def take(self) -> tuple[Sample, ...]:
        """What was offered since it was last taken and still is among the lowest, for the caller to write.

        Forgets the oldest windows where they became many.
        """
        new = tuple(sample for kept in self._new.values() for sample in kept.values())
        self._new.clear()
        if len(self._lowest) > _MAX_WINDOWS:
            newest = sorted(self._lowest, key=lambda window: window[1])[-_MAX_WINDOWS // 2 :]
            self._lowest = {window: self._lowest[window] for window in newest}
        return new
