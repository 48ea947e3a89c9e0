"""The notebook's way in: `monitor.open(url).query("latency_p99", model="fraud", step="5m")`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas as pd

    from monitor.clock import Clock
    from monitor.config import Config
    from monitor.sli.windows import Bases
    from monitor.slo.settings import SloSettings

__all__ = ["Client", "open"]


class Client:
    """An open store to ask. Thread-safe; a context manager that closes it."""

    def __init__(
        self,
        url: str,
        bases: Bases | None = None,
        clock: Clock | None = None,
        slo: SloSettings | None = None,
    ) -> None:
        from monitor.clock import WallClock
        from monitor.sli.windows import UsualBases
        from monitor.slo.settings import SloSettings
        from monitor.store import Store

        self._clock = clock or WallClock()
        self._store = Store.open(url)
        self._bases = bases or UsualBases()
        self._slo = slo or SloSettings()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the store; the client can't be asked afterwards."""
        self._store.close()

    def models(self) -> list[str]:
        """The models that have been seen, by name."""
        from monitor.store import names

        return names.models(self._store)

    def series(self, model: str) -> pd.DataFrame:
        """What is kept of a model: version, endpoint, and where it is a part of those, label and value."""
        import pandas as pd

        from monitor.store.names import find_series

        keys = sorted(find_series(self._store, model))
        return pd.DataFrame(
            [key[1:] for key in keys], columns=["version", "endpoint", "label", "value"], dtype="object"
        )

    def query(
        self,
        sli: str,
        *,
        model: str,
        start: str | int | date | None = None,
        end: str | int | date | None = None,
        step: str | int | None = None,
        by: str | Sequence[str] = (),
        version: str | None = None,
        endpoint: str | None = None,
        segment: Mapping[str, str] | None = None,
        feature: str | None = None,
        against: str = "baseline",
        time: str = "prediction",
    ) -> pd.DataFrame:
        """One row per window and group: start and end (UTC), the columns of `by`, value (float64, NaN
        where there is none), count (int64), estimate (bool), coverage (float64).

        Times are what the command line takes ("now-1h", RFC 3339, epoch milliseconds) or datetimes,
        UTC where they name no zone; `step` is "5m" or whole seconds; `against` is what drift is measured
        from, "baseline" or "previous"; `time` puts labelled predictions into windows, "prediction" or
        "label". Quality has columns low, high, label_coverage and label_lag_p50_s too. Raises QueryError.
        """
        from monitor.sli.query import answer
        from monitor.sli.question import Question, parse_against, parse_time

        now_ms = self._clock.now_ms()
        by = tuple(name for given in ([by] if isinstance(by, str) else by) for name in given.split(","))
        question = Question(
            model=model,
            sli=sli,
            from_ms=_time_ms("start", start, now_ms),
            to_ms=_time_ms("end", end, now_ms),
            step_s=_step_s(step),
            by=by,
            version=version,
            endpoint=endpoint,
            segment=segment or {},
            feature=feature,
            against=parse_against("against", against),
            time=parse_time("time", time),
        )
        return _frame(answer(self._store, question, now_ms, self._bases), by)

    def costs(self, *, by: str = "team", month: str | None = None) -> pd.DataFrame:
        """What a month ("2026-10", else this one) costs: one row per group and currency, with the forecast of
        its end. `by` is "team", "model", "environment", "service" or any tag. Shared costs are divided by
        requests. Raises QueryError."""
        import pandas as pd

        from monitor.config.costs import CostsConfig
        from monitor.operations.cost_question import ask_costs, parse_month

        asked = parse_month("month", month, by, self._clock.now_ms())
        return pd.DataFrame(ask_costs(self._store, CostsConfig(), asked, self._bases)["rows"])

    def slos(
        self,
        *,
        model: str | None = None,
        name: str | None = None,
        version: str | None = None,
        at: str | int | date | None = None,
    ) -> pd.DataFrame:
        """How the objectives of the configuration stand, the worst first, a row for each and each part of
        its model: state, compliance, budget_left, bad and total (float64, NaN where there is nothing),
        exhausted_at and as_of (UTC), burn (a dict from the window's seconds to the rate), ..

        `at` asks how things stood then. Raises QueryError.
        """
        from monitor.slo.asking import Asking
        from monitor.slo.question import SloQuestion
        from monitor.slo.shown import shown_standing

        now_ms = self._clock.now_ms()
        question = SloQuestion(model, name, version, _time_ms("at", at, now_ms))
        found = Asking(self._store, self._bases, self._slo).standings(question, now_ms)
        return _standings([shown_standing(one.objective, one.standing) for one in found])


def open(url: str | None = None, config: Config | str | Path | None = None) -> Client:
    """A client of the store at `url` (sqlite:///m.db, postgresql://..), or of the one in `config`.

    `config`, loaded or the path of a YAML file, also says how long the base windows are, and has the
    objectives. Raises ConfigError on a bad URL or configuration, StoreBusy when the store does not answer.
    """
    from monitor.config import Config, load_config

    settings = load_config(config) if isinstance(config, str | Path) else config or Config()
    from monitor.slo.settings import from_config

    return Client(settings.store if url is None else url, settings.windows, slo=from_config(settings))


def _time_ms(name: str, given: str | int | date | None, now_ms: int) -> int | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    if isinstance(given, str):
        from monitor.sli.times import parse_time_ms

        return parse_time_ms(name, given, now_ms)
    if isinstance(given, datetime):
        at = given if given.tzinfo else given.replace(tzinfo=UTC)
    elif isinstance(given, date):
        at = datetime(given.year, given.month, given.day, tzinfo=UTC)
    else:
        from monitor.errors import QueryError

        raise QueryError(f"{name}: {given!r} is no time; give text, a datetime or milliseconds")
    return round(at.timestamp() * 1000)


def _step_s(given: str | int | None) -> int | None:
    if given is None or isinstance(given, int):
        return given
    from monitor.sli.times import parse_step_s

    return parse_step_s("step", given)


def _frame(answers: Sequence[Mapping[str, Any]], by: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        name: pd.to_datetime([a[name] for a in answers], utc=True, format="ISO8601")
        for name in ("start", "end")
    }
    for name in by:
        if name in ("version", "endpoint"):
            columns[name] = [a[name] for a in answers]
        elif name:
            label = name.removeprefix("segment.")
            columns[label] = [a["segment"].get(label) for a in answers]
    frame = pd.DataFrame(columns)
    frame["value"] = pd.Series([a["value"] for a in answers], dtype="float64")
    frame["count"] = pd.Series([a["count"] for a in answers], dtype="int64")
    frame["estimate"] = pd.Series([a.get("estimate", False) for a in answers], dtype="bool")
    frame["coverage"] = pd.Series([a.get("coverage", 1.0) for a in answers], dtype="float64")
    for name in ("low", "high", "label_coverage", "label_lag_p50_s"):
        if any(name in a for a in answers):
            frame[name] = pd.Series([a.get(name) for a in answers], dtype="float64")
    return frame


_TEXTS = ("model", "version", "endpoint", "objective", "state", "owner", "period", "why")
_SHARES = ("target", "compliance", "budget_left", "bad", "total", "missing")
_TIMES = ("from", "to", "as_of", "exhausted_at")


def _standings(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        name: pd.Series([None if r[name] is None else str(r[name]) for r in rows], dtype="object")
        for name in _TEXTS
    }
    columns["segment"] = pd.Series([r["segment"] for r in rows], dtype="object")
    columns |= {name: pd.Series([r[name] for r in rows], dtype="float64") for name in _SHARES}
    for name in _TIMES:
        columns[name] = pd.to_datetime([r[name] for r in rows], utc=True, format="ISO8601")
    burns = [{b["window_s"]: b["burn"] for b in r["burn"]} for r in rows]
    columns["burn"] = pd.Series(burns, dtype="object")
    return pd.DataFrame(columns)
