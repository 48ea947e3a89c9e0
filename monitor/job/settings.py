"""What the job needs to know; made from the configuration, or by hand in tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.clock import DAY_S, HOUR_S
from monitor.ingest.shape import Limits
from monitor.profiles.layout import MEASURES, Kind
from monitor.profiles.profiler import Settings
from monitor.profiles.samples import SampleSettings
from monitor.records import Carries
from monitor.store.dead import Cap
from monitor.store.pairing import PairingSettings
from monitor.store.registry import RegistryLimits

__all__ = ["JobSettings"]


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Windows in seconds, times in milliseconds; the defaults are those of the configuration.

    What the chunks of a topic carry says `carries`; records, where it doesn't. `models` are known before they
    have records. `positive_classes` names that of a model where it is none of contract.POSITIVE. With `pairs`
    predictions are kept until their labels come; `pair_samples` is the share of a model's pairs to keep, 1 by
    default, and a flush has up to `flush_halves` of them.
    """

    owner: str
    service_s: int = 60
    features_s: int = 600
    quality_s: int = 3600
    thresholds_ms: tuple[float, ...] = (5, 10, 25, 50, 100, 250, 300, 500, 1000, 2500, 5000, 10_000)
    disorder_ms: int = 10_000
    lateness_ms: int = 14 * DAY_S * 1000
    idle_after_ms: int = 5_000
    max_hold_ms: int = 300_000
    flush_interval_ms: int = 2_000
    flush_records: int = 1_000_000
    poll_records: int = 100_000
    poll_timeout_s: float = 0.2
    revoke_timeout_ms: int = 10_000
    max_record_bytes: int = 1 << 20
    max_ahead_ms: int = 3_600_000
    catch_up_age_ms: int = 300_000
    models: frozenset[str] = frozenset()
    positive_classes: Mapping[str, str] = field(default_factory=dict)
    carries: Mapping[str, Carries] = field(default_factory=dict)
    feature_segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: bool = False
    flush_halves: int = 50_000
    pair_samples: Mapping[str, float] = field(default_factory=dict)
    decoder: Limits = field(default_factory=Limits)
    registry: RegistryLimits = field(default_factory=RegistryLimits)
    dead_letters: Cap = field(default_factory=Cap)
    samples: SampleSettings = field(default_factory=SampleSettings)

    def profiler(self, thresholds: Mapping[float, int]) -> Settings:
        """The profiler's part; `thresholds` gives the store's number of each threshold."""
        return Settings(
            thresholds={value: thresholds[value] for value in self.thresholds_ms},
            service_s=self.service_s,
            features_s=self.features_s,
            disorder_ms=self.disorder_ms,
            lateness_ms=self.lateness_ms,
            feature_segments=self.feature_segments,
            notes=self.samples.per_window > 0,
        )

    @property
    def tiers_s(self) -> Mapping[int, tuple[int, ...]]:
        """The tiers of each kind of profile, the base first."""
        service, features = tiers(self.service_s), tiers(self.features_s)
        of_requests = dict.fromkeys((int(Kind.SERVICE), *map(int, MEASURES.values())), service)
        quality = dict.fromkeys((int(Kind.QUALITY), int(Kind.LEARNED)), tiers(self.quality_s))
        return {**of_requests, int(Kind.FEATURES): features, **quality}

    @property
    def pairing(self) -> PairingSettings:
        """What counting pairs needs to know."""
        return PairingSettings(tiers(self.quality_s), self.positive_classes, self.samples)


def tiers(base_s: int) -> tuple[int, ...]:
    """The base window, and the hour and the day where they are longer."""
    return (base_s, *(t for t in (HOUR_S, DAY_S) if t > base_s))
