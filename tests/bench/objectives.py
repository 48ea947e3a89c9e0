"""How long a tick of objectives takes: what the ledger reads once a minute, while the stream goes on.

Each model has two versions, written from two partitions, and five objectives: availability, two latencies,
accuracy and quality errors. Every tick adds a minute of all models, refreshes, and takes every tally, as
evaluation does. The growth is that of a tick by the number of objectives, the history that of a tick by the
days of minutes that are stored. Figures are medians. As many objectives in slices of an hour are measured in
the tick in which all of them fall due, once; and so is a backtest over 30 days of minutes.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.backtest.replay import Span, transitions_over
from monitor.profiles.layout import SECONDS, THRESHOLDS, Kind, Quality, Service
from monitor.profiles.profile import Profiles
from monitor.profiles.rows import RowKeys
from monitor.profiles.series import SeriesKey
from monitor.profiles.watermark import Marks
from monitor.records import Ints, Partition
from monitor.sli.question import Time
from monitor.sli.windows import UsualBases
from monitor.slo.counting import Ledger
from monitor.slo.objective import Action, Bound, Correct, Meter, Objective, Outcomes, Policy, Under
from monitor.slo.period import Rolling
from monitor.slo.rule import TABLE, burn_rules
from monitor.slo.settings import SloSettings
from monitor.store import ownership
from monitor.store.dead import Cap
from monitor.store.flush import Flush, Rows, commit
from monitor.store.names import series_ids, threshold_ids
from monitor.store.store import Store
from tests.bench.figures import Figure, at_most, plain
from tests.bench.rates import sqlite_store

__all__ = ["NAMES", "Size", "measure"]

NAMES = (
    "slo_tick_1000_objectives_s",
    "slo_tick_growth_250_to_1000",
    "slo_tick_14d_of_minutes_over_2d",
    "slo_start_1000_objectives_s",
    "slo_restart_1000_objectives_s",
    "slo_tick_1000_slices_due_s",
    "slo_backtest_30d_50_objectives_s",
)
_UNTIL_S = 1_750_032_000  # a midnight
_DAY_S, _HOUR_S = 86_400, 3600
_PER_MODEL = 5
_PARTITIONS = 2
_ROWS_A_FLUSH = 20_000
_LIMITS_MS = (300.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Size:
    """`models` of the largest measurement; minutes stored, days; hours stored, days; ticks a figure."""

    models: int = 200
    minute_days: tuple[float, float] = (2.0, 14.0)
    hour_days: float = 31.0
    fine_s: int = 3 * _DAY_S
    ticks: int = 7
    backtest_days: float = 30.0


class _Stream:
    """Some models' profiles, written as the job would have."""

    def __init__(self, store: Store, models: int) -> None:
        self.store = store
        self.models = [f"model-{i:03}" for i in range(models)]
        self._ids = series_ids(store, [SeriesKey(m, v, "/predict") for m in self.models for v in ("1", "2")])
        self._limits = threshold_ids(store, _LIMITS_MS, 0)
        self._claims = [
            ownership.claim(store, Partition("bench", part), "bench", 0) for part in range(_PARTITIONS)
        ]
        self._at: list[int | None] = [None] * _PARTITIONS
        self._rng = np.random.default_rng(3)

    def write(self, kind: Kind, tier_s: int, starts: Sequence[int]) -> None:
        """Writes the windows of a tier that begin at `starts`, in flushes."""
        at_once = max(1, _ROWS_A_FLUSH // len(self._ids))
        for part in range(_PARTITIONS):
            for at in range(0, len(starts), at_once):
                some = np.array(starts[at : at + at_once], np.int64)
                profiles = Profiles()
                start_s, series = (grid.ravel() for grid in np.meshgrid(some, self._ids, indexing="ij"))
                row = profiles.rows_for(RowKeys.windows(kind, tier_s, series, start_s))
                self._count(profiles, row, kind, tier_s)
                self._commit(part, profiles)

    def _count(self, profiles: Profiles, row: Ints, kind: Kind, tier_s: int) -> None:
        n = self._rng.poisson(60, len(row)).astype(np.int64) + 1
        bad = self._rng.binomial(n, 0.01).astype(np.int64)
        if kind is Kind.SERVICE:
            cells = {int(Service.OK): n - bad, int(Service.INFRASTRUCTURE): bad}
            cells |= {int(Service.LATENCY_COUNT): n}
            cells |= {THRESHOLDS + number: n - bad for number in self._limits.values()}
            if tier_s == 60:
                cells |= {SECONDS + s: np.ones(len(row), np.int64) for s in range(60)}
        else:
            cells = {int(Quality.PREDICTED): n, int(Quality.CLASSIFIED): n, int(Quality.CORRECT): n - bad}
        for cell, counts in cells.items():
            profiles.add_counts(row, np.full(len(row), cell, np.int64), counts)

    def _commit(self, part: int, profiles: Profiles) -> None:
        claim, at = self._claims[part], self._at[part]
        to = (at or 0) + 1
        marks = Marks(_UNTIL_S * 1000, _UNTIL_S * 1000, _UNTIL_S * 1000)
        rows = [Rows.of(profiles)]
        partition, writer, epoch = claim.partition, claim.writer, claim.epoch
        flush = Flush(partition, writer, epoch, at, to, marks, rows, _UNTIL_S * 1000)
        commit(self.store, flush, Cap())
        self._at[part] = to

    def fill(self, size: Size, minute_days: float) -> None:
        """Writes the history up to the midnight."""
        for kind, tier_s, days in (
            (Kind.SERVICE, 60, minute_days),
            (Kind.SERVICE, _HOUR_S, size.hour_days),
            (Kind.SERVICE, _DAY_S, size.hour_days),
            (Kind.QUALITY, _HOUR_S, size.hour_days),
            (Kind.QUALITY, _DAY_S, size.hour_days),
            (Kind.LEARNED, _HOUR_S, size.hour_days),
            (Kind.LEARNED, _DAY_S, size.hour_days),
        ):
            first_s = (_UNTIL_S - int(days * _DAY_S)) // tier_s * tier_s
            self.write(kind, tier_s, range(first_s, _UNTIL_S, tier_s))

    def minute(self, start_s: int) -> None:
        """One more minute of every model, in all tiers."""
        for tier_s in (60, _HOUR_S, _DAY_S):
            self.write(Kind.SERVICE, tier_s, [start_s // tier_s * tier_s])

    def meters(self, models: int) -> list[Meter]:
        """The objectives' meters of some of the models."""
        failed = Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT))
        sources = (failed, *map(Under, _LIMITS_MS), Correct(), Outcomes((Service.QUALITY,)))
        return [Meter(model, source) for model in self.models[:models] for source in sources]

    def sliced(self) -> list[Meter]:
        """As many meters of all models in slices of an hour: three by a share of events, two measured."""
        by_events = (Outcomes((Service.INFRASTRUCTURE, Service.TIMEOUT)), Under(300.0), Correct())
        measured = (Bound("error_rate", at_most=0.05), Bound("quality_error_rate", at_most=0.01))
        return [
            *(Meter(m, s, slice_s=_HOUR_S, slice_target=0.98) for m in self.models for s in by_events),
            *(Meter(m, s, slice_s=_HOUR_S) for m in self.models for s in measured),
        ]


def measure(size: Size) -> list[Figure]:
    """All figures of this module."""
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        stream = _Stream(store, size.models)
        stream.fill(size, size.minute_days[0])
        start_s, _ = _ticks(stream, size, size.models, 0)
        restart_s, tick_s = _ticks(stream, size, size.models, _HOUR_S)
        _, quarter_s = _ticks(stream, size, max(1, size.models // 4), 2 * _HOUR_S)
        due_s = _due(stream, size)
        store.close()
    short_s, long_s = (_tick_over(size, days) for days in size.minute_days)
    return [
        at_most(NAMES[0], tick_s, "s", 2.0),
        at_most(NAMES[1], tick_s / quarter_s, "ratio", 5.0),
        at_most(NAMES[2], long_s / short_s, "ratio", 1.3),
        plain(NAMES[3], start_s, "s"),
        plain(NAMES[4], restart_s, "s"),
        at_most(NAMES[5], due_s, "s", 2.0),
        plain(NAMES[6], _backtest(size), "s"),
    ]


def _tick_over(size: Size, minute_days: float) -> float:
    """s of a tick of a tenth of the models, with so many days of minutes in the store and as many wanted as
    the shortest history has."""
    wanted = replace(size, fine_s=min(size.fine_s, int(size.minute_days[0] * _DAY_S)), ticks=3 * size.ticks)
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        stream = _Stream(store, max(1, size.models // 10))
        stream.fill(wanted, minute_days)
        _, tick_s = _ticks(stream, wanted, size.models, 0)
        store.close()
    return tick_s


def _ticks(stream: _Stream, size: Size, models: int, after_s: int) -> tuple[float, float]:
    """(s that the first tick takes, s that a tick takes from then on)."""
    meters = stream.meters(models)
    ledger = Ledger(stream.store, UsualBases(), meters, fine_s=size.fine_s, coarse_s=30 * _DAY_S)
    spent = []
    for i in range(size.ticks + 1):
        now_s = _UNTIL_S + after_s + (i + 1) * 60
        stream.minute(now_s - 60)
        begun = time.perf_counter()
        ledger.refresh(now_s)
        for meter in meters:
            for subject in ledger.subjects(meter):
                for by in (Time.LABEL, Time.PREDICTION):
                    ledger.tally(meter, subject, by)
        spent.append(time.perf_counter() - begun)
    return spent[0], statistics.median(spent[1:])


def _due(stream: _Stream, size: Size) -> float:
    """s of the tick in which an hour's slices of all objectives fall due."""
    meters = stream.sliced()
    ledger = Ledger(stream.store, UsualBases(), meters, fine_s=size.fine_s, coarse_s=size.fine_s)
    ledger.refresh(_UNTIL_S - 60)
    begun = time.perf_counter()
    ledger.refresh(_UNTIL_S)
    for meter in meters:
        for subject in ledger.subjects(meter):
            ledger.tally(meter, subject, Time.LABEL)
    return time.perf_counter() - begun


def _backtest(size: Size) -> float:
    """s of a backtest over all minutes: objectives of a twentieth of the models, with rules and policies."""
    period, budget = Rolling(30), 0.005
    policies = (Policy("half", 0.5, Action.TICKET), Policy("spent", 0.0, Action.FREEZE))
    with sqlite_store() as path:
        store = Store.open(f"sqlite:///{path}")
        stream = _Stream(store, max(1, size.models // 20))
        stream.fill(size, size.backtest_days)
        rules = burn_rules(TABLE, period, budget, 60)
        objectives = tuple(
            Objective(f"objective {i}", meter, 1 - budget, period, rules, policies)
            for i, meter in enumerate(stream.meters(size.models))
        )
        settings = SloSettings(objectives, generic=False)
        span = Span(_UNTIL_S - int(size.backtest_days * _DAY_S), _UNTIL_S)
        begun = time.perf_counter()
        transitions_over(store, settings, span, None)
        spent_s = time.perf_counter() - begun
        store.close()
    return spent_s
