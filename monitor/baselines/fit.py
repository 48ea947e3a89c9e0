"""Fitting a baseline from files, in two passes and flat memory.

The first pass looks at what the columns hold, the second counts them on their bins as the stream is
counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from monitor.baselines.counts import FeatureCounts, Places, encode
from monitor.baselines.infer import Inferred, infer, mixture
from monitor.baselines.json_rows import JsonTable
from monitor.baselines.kept_rows import KeptRows
from monitor.baselines.sample import Sample, row_hashes
from monitor.baselines.tables import (
    COMPRESSIONS,
    FORMATS,
    CsvTable,
    ParquetTable,
    Rows,
    Table,
    is_wanted,
    unreadable,
)
from monitor.baselines.times import NO_TIME, choose_windows, hour_of_week, times_ms
from monitor.baselines.validation import Validation
from monitor.errors import ConfigError, SourceError
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.features import Feature
from monitor.profiles.layout import CELL_BITS, FEATURE_STRIDE
from monitor.profiles.sample_rows import Redaction
from monitor.records import Coded, Column, Floats, Ints, Mixed
from monitor.store.fits import NewBaseline

__all__ = ["FitOptions", "Fitted", "fit_files"]

MAX_FEATURES = (1 << CELL_BITS) // FEATURE_STRIDE - 3
WHOLE, HOURS = -1, 168
PREDICTION, SCORE = "@prediction", "@score"
# Bytes that samples of numbers may take together: 8 of value and 4 of hash each.
_SAMPLE_BYTES = 192 << 20
_MOST_NUMBERS, _LEAST_NUMBERS = 200_000, 8_000
# Windows times features: 256 counts each.
_MOST_WINDOWS, _MOST_WINDOW_FEATURES = 64, 1 << 15
_MAX_WINDOWS_SEEN = 5_000_000


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What the files' columns are; `features` None takes all that have no other part.

    `contract` has the features that are not to be inferred. `window_s` is the base window of features. A few
    rows are kept, but for the values of features that `redact` names (`card_*`).
    """

    model: str
    version: str = ""
    author: str = ""
    prediction: str | None = None
    score: str | None = None
    label: str | None = None
    time: str | None = None
    features: tuple[str, ...] | None = None
    importance: Mapping[str, float] = field(default_factory=dict)
    seasonal: bool = False
    time_zone: str = "UTC"
    contract: Mapping[str, FeatureContract] = field(default_factory=dict)
    categories: int = 200
    window_s: int = 600
    redact: tuple[str, ...] = ()

    @property
    def parts(self) -> Mapping[str, str | None]:
        """The options that name one column, and which."""
        return {
            "--prediction": self.prediction,
            "--score": self.score,
            "--label": self.label,
            "--time": self.time,
        }


@dataclass(frozen=True, slots=True)
class Fitted:
    """A baseline ready to be stored, and what somebody should know about it."""

    new: NewBaseline
    rows: int
    warnings: tuple[str, ...]


Progress = Callable[[int, int], None]


def fit_files(
    paths: Sequence[Path],
    options: FitOptions,
    spread: Callable[[Ints], Floats],
    progress: Progress = lambda done, total: None,
) -> Fitted:
    """Fits the rows of all files. `spread` is the dispersion of windows' counts, (w, f, 256) -> (f,);
    `progress` is told bytes done and in all.

    Raises SourceError (file and line, or the column) and ConfigError (the option).
    """
    tables = [_open(path, options) for path in paths]
    known = [t.names for t in tables]
    if all(names is not None for names in known):
        _check_names({n for names in known for n in names or ()}, options)
    sizes = [t.path.stat().st_size for t in tables]

    def told(half: int) -> Callable[[int, int], None]:
        return lambda i, read: progress(half * sum(sizes) + sum(sizes[:i]) + read, 2 * sum(sizes))

    look = _Look(tables, options)
    look.run(told(0))
    look.check()
    return _Count(look, options, spread).run(told(1))


def _open(path: Path, options: FitOptions) -> Table:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if not path.is_file():
        raise unreadable(path, "is a directory; name the files" if path.is_dir() else "does not exist")
    if kind in (".parquet", ".pq"):
        return ParquetTable(path)
    if kind == ".csv":
        return CsvTable(path)
    if kind in (".jsonl", ".ndjson", ".json"):
        return JsonTable(path, options.model, options.version, MAX_FEATURES)
    raise unreadable(path, f"is of no known format: give {FORMATS}")


def _check_names(names: set[str], options: FitOptions) -> None:
    """Raises ConfigError for every column that an option names and no file has."""
    wanted = [(option, name) for option, name in options.parts.items() if name is not None]
    # A column of vectors is known by what stands for it.
    names = names | {n.rpartition(".")[0] for n in names if n.endswith(".norm")}
    wanted += [("--features", name) for name in options.features or ()]
    wrong = []
    for option, name in wanted:
        if name not in names:
            near = get_close_matches(name, sorted(names), 3, 0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else _some(names)
            wrong.append(f"{option}: there is no column {name!r}; {hint}")
    if wrong:
        raise ConfigError(wrong)


def _some(names: set[str]) -> str:
    shown = sorted(names)[:10]
    return (
        f"there is {', '.join(map(repr, shown))}{', ..' if len(names) > 10 else ''}"
        if names
        else "there is none"
    )


class _Look:
    """The first pass: what each column holds, and when the rows were."""

    def __init__(self, tables: Sequence[Table], options: FitOptions) -> None:
        self.tables, self.options = tables, options
        self.rows = 0
        self.samples: dict[str, Sample] = {}
        self.windows: Counter[int] = Counter()
        self.labels = Sample(1)
        self.as_text = {n for n, c in options.contract.items() if c.type is ValueType.TEXT}
        self.names: set[str] = set()
        self.records = any(isinstance(t, JsonTable) and t.records for t in tables)
        self.warnings: list[str] = []

    def feature(self, column: str) -> str | None:
        """What a column is called as a feature; None where it is none."""
        options = self.options
        if column == options.prediction:
            return PREDICTION
        if column == options.score:
            return SCORE
        if column in (options.label, options.time):
            return None
        chosen = is_wanted(column, options.features) or column in (PREDICTION, SCORE)
        return column if chosen else None

    def run(self, told: Callable[[int, int], None]) -> None:
        most = self._sample_size()
        for i, table in enumerate(self.tables):
            for rows in table.batches(self.wanted(table), self.as_text):
                self._take(rows, most)
                told(i, rows.read)
        again = {
            name
            for name, s in self.samples.items()
            if s.texts and s.numbers and s.texts >= s.numbers and name not in self.as_text
        }
        untyped = [t for t in self.tables if not t.typed]
        if again and untyped and not any(mixture(self.samples[n]) for n in again):
            # In a CSV file, texts that look like numbers are texts in a column of texts: look again at these.
            self._look_again(again, most)

    def _look_again(self, columns: set[str], most: int) -> None:
        self.as_text |= columns
        for name in columns:
            self.samples[name] = Sample(most)
        first = 0
        for table in self.tables:
            for rows in table.batches(columns, self.as_text):
                hashes = row_hashes(first, rows.n)
                first += rows.n
                for name in columns & rows.columns.keys():
                    self.samples[name].add(rows.columns[name], hashes)

    def wanted(self, table: Table) -> set[str] | None:
        """The columns to read; None for all."""
        options = self.options
        if options.features is None:
            return None
        parts = {name for name in options.parts.values() if name is not None}
        return {*options.features, *parts, *((PREDICTION, SCORE) if self.records else ())}

    def _sample_size(self) -> int:
        width = max((len(t.names or ()) for t in self.tables), default=0) or 50
        return min(_MOST_NUMBERS, max(_LEAST_NUMBERS, _SAMPLE_BYTES // (24 * width)))

    def _take(self, rows: Rows, most: int) -> None:
        hashes = row_hashes(self.rows, rows.n)
        self.rows += rows.n
        self.names |= rows.columns.keys()
        for name, column in rows.columns.items():
            if self.feature(name) is not None:
                if name not in self.samples:
                    self.samples[name] = Sample(most)
                self.samples[name].add(column, hashes)
        label = rows.columns.get(self.options.label or "")
        if label is not None:
            self.labels.add(label, hashes)
        ts_ms = self.times(rows)
        if ts_ms is not None:
            starts = ts_ms[ts_ms != NO_TIME] // 1000 // self.options.window_s * self.options.window_s
            found, n = np.unique(starts, return_counts=True)
            for start, count in zip(found.tolist(), n.tolist(), strict=True):
                self.windows[start] += count
            if len(self.windows) > _MAX_WINDOWS_SEEN:
                raise SourceError(f"--time: more than {_MAX_WINDOWS_SEEN} windows; is that column a time?")

    def times(self, rows: Rows) -> Ints | None:
        """When the rows were, where that is known."""
        name = self.options.time
        if name is None or name not in rows.columns:
            return rows.ts_ms
        return times_ms(name, rows.columns[name])

    def check(self) -> None:
        """Raises SourceError or ConfigError for what can't be a baseline."""
        if not self.rows:
            files = ", ".join(str(t.path) for t in self.tables)
            skipped = sum(t.skipped for t in self.tables if isinstance(t, JsonTable))
            of = f" of model {self.options.model!r}, only {skipped} others" if skipped else ""
            raise SourceError(f"{files}: no rows{of}; a baseline needs rows")
        _check_names(self.names, self.options)
        if self.options.seasonal and not self.windows:
            raise ConfigError(["--seasonal: the rows have no times; name their column with --time"])
        features = {self.feature(n) for n in self.samples}
        if len(features) > MAX_FEATURES:
            raise SourceError(
                f"{len(features)} features are more than {MAX_FEATURES}; choose with --features"
            )
        mixed = [
            f"{name}: {held}"
            for name, sample in self.samples.items()
            if name not in self.options.contract and (held := mixture(sample)) is not None
        ]
        if mixed:
            raise SourceError(
                f"columns of mixed types: {'; '.join(mixed)}. Mend them, leave them out with --features, or "
                "give their type in a --contract"
            )


class _Count:
    """The second pass: counts on the bins."""

    def __init__(
        self,
        look: _Look,
        options: FitOptions,
        spread: Callable[[Ints], Floats],
    ) -> None:
        self._look, self._options, self._spread = look, options, spread
        self._inferred: dict[str, Inferred] = {}
        self._features: dict[str, Feature] = {}
        self._column: dict[str, str] = {}
        for column, sample in sorted(
            look.samples.items(), key=lambda item: (look.feature(item[0]) or "").startswith("@")
        ):
            name = look.feature(column) or ""
            given = options.contract.get(name)
            inferred = infer(sample, look.rows, options.categories, given)
            self._inferred[name] = inferred
            self._column[name] = column
            self._features[name] = Feature(len(self._features) + 1, inferred.bins, inferred.contract)
        most = min(_MOST_WINDOWS, _MOST_WINDOW_FEATURES // max(1, len(self._features)))
        self._length_s, self._starts = choose_windows(dict(look.windows), options.window_s, most)
        slots = HOURS if options.seasonal else 0
        self._counts = {n: FeatureCounts(f, len(self._starts), slots) for n, f in self._features.items()}
        self._window_rows = np.zeros(len(self._starts), np.int64)
        self._slot_rows = np.zeros(slots, np.int64)
        labels = look.labels
        classes = labels.texts >= labels.numbers or (
            labels.whole and labels.minimum >= 0 and labels.maximum <= 1
        )
        self._validation = Validation(numeric=not classes)
        self._rows = 0
        self._kept = KeptRows(Redaction(options.redact))

    def run(self, told: Callable[[int, int], None]) -> Fitted:
        look = self._look
        for i, table in enumerate(look.tables):
            for rows in table.batches(look.wanted(table), look.as_text):
                self._take(rows)
                told(i, rows.read)
        if self._rows != look.rows:
            raise SourceError(f"the files changed while they were read: {look.rows} rows, then {self._rows}")
        return Fitted(self._baseline(), self._rows, tuple(self._warnings()))

    def _take(self, rows: Rows) -> None:
        columns = self._by_feature(rows)
        self._kept.add(self._rows, rows.n, columns)
        self._rows += rows.n
        places = self._places(rows)
        for name, counts in self._counts.items():
            column = columns.get(name)
            if column is None:
                counts.add_nulls(rows.n, places)
            else:
                counts.add(column, places)
        for name, values in rows.attributions.items():
            if name in self._counts:
                self._counts[name].add_attributions(values, places)
        label = rows.columns.get(self._options.label or "")
        if label is not None:
            answers = (rows.columns.get(self._column.get(n, "")) for n in (PREDICTION, SCORE))
            self._validation.add(label, *answers)

    def _by_feature(self, rows: Rows) -> dict[str, Column]:
        columns = {name: rows.columns.get(column) for name, column in self._column.items()}
        return {
            name: _lowered(column) if self._inferred[name].lower else column
            for name, column in columns.items()
            if column is not None
        }

    def _places(self, rows: Rows) -> Places:
        ts_ms = self._look.times(rows)
        if ts_ms is None:
            return Places(np.full(rows.n, -1), None)
        window = np.full(rows.n, -1)
        if len(self._starts):
            start = ts_ms // 1000 // self._length_s * self._length_s
            at = np.minimum(np.searchsorted(self._starts, start), len(self._starts) - 1)
            window = np.where(self._starts[at] == start, at, -1)
            self._window_rows += np.bincount(window[window >= 0], minlength=len(self._starts))
        slot = hour_of_week(ts_ms, self._options.time_zone) if self._options.seasonal else None
        if slot is not None:
            self._slot_rows += np.bincount(slot[slot >= 0], minlength=HOURS)
        return Places(window, slot)

    def _baseline(self) -> NewBaseline:
        options = self._options
        dispersion: Floats = np.ones(len(self._counts))
        if len(self._starts):
            stacked = np.stack([c.windows for c in self._counts.values()], axis=1).astype(np.int64)
            dispersion = self._spread(stacked)
        whole = {self._features[n].number: c.whole for n, c in self._counts.items()}
        sums = {self._features[n].number: c.attributed for n, c in self._counts.items()}
        slots = {WHOLE: encode(self._rows, len(self._starts), whole, sums, dispersion)}
        for hour in np.flatnonzero(self._slot_rows).tolist():
            tables = {self._features[n].number: c.slots[hour] for n, c in self._counts.items()}
            slots[hour] = encode(int(self._slot_rows[hour]), 0, tables, {}, None)
        files = ", ".join(t.path.name for t in self._look.tables)
        return NewBaseline(
            model=options.model,
            version=options.version,
            author=options.author,
            source=f"files: {files}"[:2000],
            features=self._features,
            slots=slots,
            importance={n: v for n, v in options.importance.items() if n in self._features},
            time_zone=options.time_zone if options.seasonal else None,
            quality=self._validation.to_json(),
            rows=self._kept.rows(),
        )

    def _warnings(self) -> Iterator[str]:
        for name, inferred in self._inferred.items():
            yield from (f"{name}: {sentence}" for sentence in inferred.warnings)
        for name in self._options.importance.keys() - self._features.keys():
            yield f"--importance: there is no feature {name!r}"
        for name in self._options.contract.keys() - self._features.keys():
            yield f"--contract: {name!r} is in no file: the stream's values of it will count as unexpected"
        skipped = sum(t.skipped for t in self._look.tables if isinstance(t, JsonTable))
        if skipped:
            yield f"{skipped} records are of other models or versions, or shadow traffic: left out"
        if self._look.windows and not len(self._starts):
            yield "too few rows in any window to see how much windows differ: chance alone is assumed"
        if not self._look.windows:
            yield "no times: how much windows differ by themselves is unknown; name their column with --time"


def _lowered(column: Column) -> Column:
    """True and FALSE as JSON has them."""
    if isinstance(column, Coded):
        return Coded(column.codes, [None if n is None else n.lower() for n in column.names])
    if isinstance(column, Mixed):
        texts = _lowered(column.texts)
        return Mixed(column.numbers, texts, column.invalid) if isinstance(texts, Coded) else column
    return column
