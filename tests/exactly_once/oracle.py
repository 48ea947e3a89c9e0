"""What the store must hold, counted record by record in plain Python, and the comparison with it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.profiles.series import SeriesKey
from tests.exactly_once.pair_oracle import Label, Prediction, Rank, count_pairs
from tests.exactly_once.records import Sent

__all__ = ["BINS", "FEATURES_S", "LATENESS_MS", "SERVICE_S", "THRESHOLDS_MS", "Counted", "Oracle", "Row"]

SERVICE_S = 60
FEATURES_S = 600
DISORDER_MS = 10_000
LATENESS_MS = 14 * 86_400_000
THRESHOLDS_MS = (5.0, 10.0, 25.0, 50.0, 100.0, 300.0)
# The bins that are given before the stream begins; of a feature without any only the totals are known.
BINS: Mapping[str, tuple[Any, ...]] = {
    "amount": (0.0, 25.0, 50.0, 75.0, 100.0),
    "plan": ("basic", "pro", "team"),
    "new": ("false", "true"),
    "@score": (0.25, 0.5, 0.75),
}
_STATUS = {"ok": "ok", "timeout": "timeout", "invalid": "quality"}
_HINTS = {"timeout": "timeout", "quality": "quality", "auth": "auth"}

Row = tuple[str, int, SeriesKey, int]
Cell = tuple[Any, ...]


@dataclass
class Counted:
    """Counts, sums and maxima by row (kind, tier, series, start) and cell, each cell by its name."""

    counts: defaultdict[Row, Counter[Cell]] = field(default_factory=lambda: defaultdict(Counter))
    sums: defaultdict[Row, defaultdict[Cell, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    maxima: defaultdict[Row, dict[Cell, float]] = field(default_factory=lambda: defaultdict(dict))

    def highest(self, row: Row, cell: Cell, value: float) -> None:
        self.maxima[row][cell] = max(value, self.maxima[row].get(cell, 0.0))


class _Marks:
    """The watermark of a partition: the second highest time seen less the disorder."""

    def __init__(self) -> None:
        self._highest: list[int] = []

    def before(self) -> int | None:
        return self._highest[1] - DISORDER_MS if len(self._highest) == 2 else None

    def see(self, ts_ms: int) -> None:
        self._highest = sorted([*self._highest, ts_ms], reverse=True)[:2]


class Oracle:
    """Takes the messages in the order of each partition's log; `counted` is what they come to."""

    def __init__(self) -> None:
        """`topics` gives the oracle's name of topics that are called otherwise in the store."""
        self.topics: dict[str, str] = {}
        self._base = Counted()
        self._marks: defaultdict[int, _Marks] = defaultdict(_Marks)
        self.ends: Counter[tuple[str, int]] = Counter()
        self.dead: dict[tuple[str, int, int], str] = {}
        self.predictions: list[Prediction] = []
        self.labels: list[Label] = []
        self.unknown: Counter[str] = Counter()

    def take(self, messages: Iterable[Sent]) -> None:
        """Counts messages, each at the next offset of its partition."""
        for message in messages:
            place = (message.topic, message.partition)
            offset = self.ends[place]
            self.ends[place] += 1
            rank = (message.ts_ms, *place, offset)
            if message.label is not None:
                self.unknown.update(name for name in ("source",) if name in message.label)
                self.labels.append(_label(message.label, rank))
            elif message.record is None:
                self.dead[*place, offset] = message.reason or ""
            else:
                marks = self._marks[message.partition]
                self._record(message.record, message.ts_ms, marks.before(), rank)
                marks.see(message.ts_ms)

    def counted(self) -> Counted:
        """The counts in all tiers."""
        whole = Counted()
        for row, cells in self._base.counts.items():
            for tier in _tiers(row):
                whole.counts[tier].update({c: n for c, n in cells.items() if tier == row or c[0] != "second"})
        for row, sums in self._base.sums.items():
            for tier in _tiers(row):
                for cell, value in sums.items():
                    if tier == row or cell[0] != "second":
                        whole.sums[tier][cell] += value
        for row, maxima in self._base.maxima.items():
            for tier in _tiers(row):
                for cell, value in maxima.items():
                    whole.highest(tier, cell, value)
        return whole

    def pairs(self) -> dict[Row, Counter[Cell]]:
        """The counts of quality profiles in all tiers."""
        return count_pairs(self.predictions, self.labels)

    def labelled(self) -> int:
        """How many predictions have a label, each counted in its whole series."""
        return sum(
            n
            for (kind, tier_s, series, _), cells in self.pairs().items()
            if kind == "quality" and tier_s == 86_400 and not series.label
            for cell, n in cells.items()
            if cell == ("labelled",)
        )

    def _record(self, record: dict[str, Any], ts_ms: int, watermark_ms: int | None, rank: Rank) -> None:
        self.unknown.update(name for name in ("region_hint", "debug") if name in record)
        late = too_late = False
        at_ms = ts_ms
        if watermark_ms is not None:
            too_late = ts_ms < max(watermark_ms, 0) - LATENESS_MS
            late = not too_late and ts_ms // 60_000 * 60_000 + 60_000 <= watermark_ms
            at_ms = watermark_ms if too_late else ts_ms
        for series in _marginals(record):
            self._service(record, series, at_ms, late, too_late)
        if not too_late and not record.get("shadow"):
            self._features(record, ts_ms)
            if record.get("prediction") is not None or record.get("score") is not None:
                self.predictions.append(_prediction(record, rank))

    def _add(self, row: Row, cell: Cell, weight: float) -> None:
        self._base.counts[row][cell] += 1
        if weight > 1:
            self._base.sums[row][cell] += weight - 1

    def _service(
        self, record: dict[str, Any], series: SeriesKey, at_ms: int, late: bool, too_late: bool
    ) -> None:
        weight = 1 / record.get("sample_rate", 1.0)
        row = ("service", SERVICE_S, series, at_ms // 60_000 * 60)
        if too_late or record.get("shadow"):
            self._add(row, ("too_late" if too_late else "shadow",), weight)
            return
        self._add(row, (_outcome(record.get("status"), record.get("error_type")),), weight)
        self._add(row, ("second", at_ms // 1000 % 60), weight)
        if record.get("cold_start"):
            self._add(row, ("cold_start",), weight)
        if late:
            self._add(row, ("late",), weight)
        if weight != 1:
            self._base.counts[row]["sampled",] += 1
        for name in ("tokens_in", "cost"):
            if name in record:
                self._add(row, (f"with_{name}",), weight)
                self._base.sums[row][f"sum_{name}",] += record[name] * weight
        self._latencies(record, row, weight)

    def _latencies(self, record: dict[str, Any], service: Row, weight: float) -> None:
        row = ("latency", *service[1:])
        online = "mode" not in record
        names = ("latency_ms", "queue_ms", "compute_ms")
        measures: dict[str, float] = {name: record[name] for name in names if name in record}
        if "latency_ms" in record and record.get("cold_start"):
            measures["cold_start_latency_ms"] = record["latency_ms"]
        measures = measures if online else {}
        if "feature_ts" in record:
            measures["feature_age_ms"] = _millis(record["ts"]) - record["feature_ts"]
        for name, value in measures.items():
            self._add(row, (name, _bucket(value)), weight)
            self._base.highest(row, (name,), value)
        if "latency_ms" in measures:
            self._add(service, ("latency_count",), weight)
            for threshold in THRESHOLDS_MS:
                if measures["latency_ms"] <= threshold:
                    self._add(service, ("threshold", threshold), weight)

    def _features(self, record: dict[str, Any], ts_ms: int) -> None:
        series = SeriesKey(record["model"], record.get("version") or "")
        row = ("features", FEATURES_S, series, ts_ms // (FEATURES_S * 1000) * FEATURES_S)
        self._base.counts[row]["rows",] += 1
        given = {**record["features"], "@prediction": record.get("prediction"), "@score": record.get("score")}
        for name, value in given.items():
            if value is not None:
                self._base.counts[row]["feature", name, _bin(name, value)] += 1
        for name, value in record.get("attributions", {}).items():
            self._base.counts[row]["feature", name, "attribution"] += 1
            self._base.sums[row]["feature", name, "attribution"] += abs(value)


def _prediction(record: dict[str, Any], rank: Rank) -> Prediction:
    join = ("k", record["key"]) if "key" in record else ("i", record["id"])
    series = tuple(_marginals(record))
    value, score = record.get("prediction"), record.get("score")
    return Prediction(join, record["model"], record["id"], value, score, series, rank)


def _label(label: dict[str, Any], rank: Rank) -> Label:
    join = ("k", label["key"]) if "key" in label else ("i", label["id"])
    return Label(join, label.get("model"), label.get("annotator"), label["label"], rank)


def _tiers(row: Row) -> Iterator[Row]:
    kind, base_s, series, start_s = row
    for tier_s in (base_s, 3600, 86_400):
        yield kind, tier_s, series, start_s // tier_s * tier_s


def _marginals(record: dict[str, Any]) -> Iterator[SeriesKey]:
    whole = SeriesKey(record["model"], record.get("version") or "", record.get("endpoint") or "")
    yield whole
    for label, value in record["segment"].items():
        if value is not None:
            yield whole._replace(label=label, value=value)


def _outcome(status: Any, error_type: str | None) -> str:
    hint = _HINTS.get(error_type or "")
    if status in _STATUS:
        return "quality" if status == "ok" and hint == "quality" else _STATUS[status]
    code = int(status)
    if code < 400:
        return "quality" if hint == "quality" else "ok"
    if code < 500:
        return "auth" if code in (401, 403) else "client"
    return "timeout" if code == 504 or hint == "timeout" else "infrastructure"


def _millis(ts: int | str) -> int:
    if isinstance(ts, int):
        return ts
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (datetime.fromisoformat(ts.replace("Z", "+00:00")) - epoch) // timedelta(milliseconds=1)


def _bucket(value: float) -> int:
    return 0 if value == 0 else math.ceil(math.log2(value) * 64) + 20 * 64


def _bin(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nonfinite"
    bins = BINS.get(name)
    if bins is None:
        return "any"
    if isinstance(bins[0], str):
        text = str(value).lower() if isinstance(value, bool) else value
        return bins.index(text) if text in bins else "other"
    if isinstance(value, int | float):
        return sum(edge <= value for edge in bins)
    return "invalid"
