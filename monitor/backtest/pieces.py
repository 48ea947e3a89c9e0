"""A log in pieces, cut where what comes next must not be known to what is evaluated before it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from monitor.backtest.arrivals import Arrival
from monitor.job.settings import JobSettings

__all__ = ["Piece", "pieces"]

_HOUR_S = 3600
# Each piece is one transaction, and in memory as a whole.
_MOST = 20_000


@dataclass(slots=True)
class Piece:
    """Lines in the order in which they came, the last at `came_ms`. `closes`: the windows that the watermark
    has passed by then are to be evaluated before anything else is read."""

    records: list[Arrival] = field(default_factory=list)
    labels: list[Arrival] = field(default_factory=list)
    came_ms: int = 0
    closes: bool = False

    def __len__(self) -> int:
        return len(self.records) + len(self.labels)


def pieces(came: Iterable[Arrival], settings: JobSettings) -> Iterator[Piece]:
    """The log in pieces: each ends before a line of a window that has closed since the one before, else
    when an hour has closed, or when it is large."""
    cut = _Cut(settings)
    piece = Piece()
    for arrival in came:
        due = cut.due(arrival)
        if len(piece) and (due or len(piece) >= _MOST):
            piece.closes = due
            if due:
                cut.evaluated_s = cut.closed_s
            yield piece
            piece = Piece()
        (piece.labels if arrival.is_label else piece.records).append(arrival)
        piece.came_ms = arrival.came_ms
        cut.pass_by(arrival)
    if len(piece):
        yield piece


class _Cut:
    """Follows the watermark, as the job will: the second highest timestamp less the allowed disorder."""

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self._high_ms: tuple[int, int] | None = None
        self.closed_s = 0
        self.evaluated_s = 0

    def due(self, arrival: Arrival) -> bool:
        """Whether windows closed since the last evaluation that this line would change, or a whole hour."""
        if self.closed_s <= self.evaluated_s:
            return False
        if self.closed_s - self.evaluated_s >= _HOUR_S:
            return True
        if arrival.ts_ms is None:
            return False
        length_s = self._settings.quality_s if arrival.is_label else self._settings.service_s
        return (arrival.ts_ms // 1000 // length_s + 1) * length_s <= self.closed_s

    def pass_by(self, arrival: Arrival) -> None:
        """Moves on by a line that is in the piece now."""
        ts_ms = arrival.ts_ms
        if ts_ms is None or arrival.is_label or ts_ms > arrival.came_ms + self._settings.max_ahead_ms:
            return
        if self._high_ms is None:
            self._high_ms = ts_ms, ts_ms - (1 << 40)
            return
        first, second = self._high_ms
        if ts_ms > second:
            self._high_ms = max(first, ts_ms), min(first, max(ts_ms, second))
            base_s = self._settings.service_s
            self.closed_s = (self._high_ms[1] - self._settings.disorder_ms) // 1000 // base_s * base_s
            self.evaluated_s = self.evaluated_s or self.closed_s
