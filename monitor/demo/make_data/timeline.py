"""What happens when: the clock of the stream, its models, their deployments and the faults."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = [
    "DATA_START_MS",
    "DAY_MS",
    "FAULTS",
    "FOLD_DAYS",
    "HOUR_S",
    "LOG_DAYS",
    "LOG_END_MS",
    "LOG_START_MS",
    "MODELS",
    "ROUTES",
    "SEED",
    "SHADOW",
    "Fault",
    "ModelSpec",
    "Route",
    "Shadow",
    "generator",
    "to_log",
]

SEED = 20130401
HOUR_S = 3600
DAY_MS = 86_400_000
LOG_DAYS = 3
FOLD_DAYS = 18
# 2013-04-01T18:00Z, two in the afternoon in New York: the stream ends three days later at a busy hour.
DATA_START_MS = LOG_START_MS = 1_364_839_200_000
LOG_END_MS = LOG_START_MS + LOG_DAYS * DAY_MS


def generator(purpose: str) -> np.random.Generator:
    """Seeded random numbers that don't depend on what else was drawn before."""
    return np.random.default_rng([SEED, *purpose.encode()])


def to_log(data_ms: int) -> int:
    """The log's time for a time in the data: day d goes to day d // FOLD_DAYS, the time of day stays."""
    day, time_of_day = divmod(data_ms - DATA_START_MS, DAY_MS)
    return LOG_START_MS + day // FOLD_DAYS * DAY_MS + time_of_day


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model: its kind, the prefix of its ids, the features it reads, and its share of the flights."""

    name: str
    kind: str
    prefix: str
    features: tuple[str, ...]
    traffic: float
    bulk: float = 0.0
    edge: float = 0.0
    idle_s: int | None = None


MODELS: Mapping[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            "late-arrival",
            "binary",
            "la",
            (
                "carrier",
                "dest",
                "hour",
                "distance",
                "temp",
                "wind_speed",
                "visib",
                "pressure",
                "precip",
                "recent_delay",
                "plane_age",
            ),
            traffic=1.0,
            bulk=0.12,
        ),
        ModelSpec(
            "arrival-delay",
            "regression",
            "ad",
            ("carrier", "hour", "distance", "temp", "wind_speed", "visib", "pressure", "recent_delay"),
            traffic=0.9,
            bulk=0.06,
        ),
        ModelSpec(
            "delay-band",
            "multiclass",
            "db",
            ("carrier", "hour", "visib", "precip", "wind_speed", "recent_delay"),
            traffic=0.25,
            edge=0.06,
            idle_s=1800,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Route:
    """From `start_s` on, the share of a model's traffic that each version gets, and why."""

    model: str
    start_s: int
    shares: Mapping[str, float]
    event: str


ROUTES: tuple[Route, ...] = (
    Route("late-arrival", 0, {"1": 1.0}, "initial"),
    Route("late-arrival", 44 * HOUR_S, {"1": 0.8, "2": 0.2}, "canary"),
    Route("late-arrival", 47 * HOUR_S, {"2": 1.0}, "deployment"),
    Route("arrival-delay", 0, {"1": 1.0}, "initial"),
    Route("arrival-delay", 51 * HOUR_S, {"2": 1.0}, "deployment"),
    Route("arrival-delay", 52 * HOUR_S + 1800, {"1": 1.0}, "rollback"),
    Route("arrival-delay", 66 * HOUR_S, {"1": 0.75, "3": 0.25}, "canary"),
    Route("arrival-delay", 68 * HOUR_S, {"3": 1.0}, "deployment"),
    Route("delay-band", 0, {"1": 1.0}, "initial"),
)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A challenger that answers a share of a model's requests without being served."""

    model: str
    version: str
    start_s: int
    end_s: int
    share: float


SHADOW = Shadow("late-arrival", "3", 64 * HOUR_S, 70 * HOUR_S, 0.3)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of `model` from `start_s` to `end_s` (seconds from the stream's start).

    `actions` is the share of online requests that meet each action; what is left is answered as
    always. The server does those of plan.SERVER_ACTIONS, the caller makes the other mistakes, and
    `drop` means that the request is not logged at all.
    """

    name: str
    kind: str
    model: str
    start_s: int
    end_s: int
    actions: Mapping[str, float]
    seen: str
    version: str | None = None


FAULTS: tuple[Fault, ...] = (
    Fault(
        "outage",
        "errors",
        "late-arrival",
        26 * HOUR_S,
        26 * HOUR_S + 600,
        {"unavailable": 0.55, "hang": 0.25, "crash": 0.1},
        "error_rate near 0.9: 503 and 500, and timeouts at the caller's limit of 2 s",
    ),
    Fault(
        "silence",
        "no_traffic",
        "late-arrival",
        26 * HOUR_S + 600,
        26 * HOUR_S + 1500,
        {"drop": 1.0},
        "no records at all (a dead server logs nothing), then cold starts as the replicas come back",
    ),
    Fault(
        "slow_hour",
        "slow",
        "arrival-delay",
        41 * HOUR_S,
        42 * HOUR_S,
        {"slow_features": 1.0},
        "latency and its part feature_ms up many times, queue_ms with them; no more errors than usual",
    ),
    Fault(
        "auth_burst",
        "auth",
        "late-arrival",
        43 * HOUR_S,
        43 * HOUR_S + 1200,
        {"expired_token": 0.45, "wrong_role": 0.1},
        "auth_failure_rate near 0.55 (401, 403); error_rate as usual",
    ),
    Fault(
        "stale_features",
        "stale_features",
        "late-arrival",
        49 * HOUR_S,
        51 * HOUR_S,
        {"stale": 1.0},
        "feature_age grows from one hour to three, for feature_ts stands still",
    ),
    Fault(
        "schema_mistake",
        "schema",
        "arrival-delay",
        51 * HOUR_S,
        52 * HOUR_S + 1800,
        {},
        "version 2: wind_speed is renamed windspeed, distance is a string, recent_delay is in seconds "
        "(was minutes); predictions move up and, as labels come, MAE and bias too; then a rollback to 1",
        version="2",
    ),
    Fault(
        "feed_loss",
        "nulls",
        "delay-band",
        69 * HOUR_S,
        70 * HOUR_S,
        {"no_weather": 0.5},
        "null_share of visib, precip and wind_speed near 0.5, and quality_error_rate with it, for the "
        "server marks an answer without weather invalid",
    ),
    Fault(
        "live_incident",
        "errors",
        "late-arrival",
        72 * HOUR_S - 480,
        72 * HOUR_S,
        {"unavailable": 0.3, "hang": 0.05, "slow_features": 0.65},
        "error_rate near 0.35 and slow answers, up to the stream's end",
        version="2",
    ),
)
