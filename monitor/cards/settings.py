"""What a configuration says of models, as cards and audits take it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.config import Config
from monitor.slo.settings import SloSettings
from monitor.slo.settings import from_config as slo_settings

__all__ = ["CardSettings", "Described", "from_config"]


@dataclass(frozen=True, slots=True)
class Described:
    """What people wrote of a model; None for what they did not."""

    owner: str | None = None
    purpose: str | None = None
    contact: str | None = None
    limits: str | None = None
    runbook: str | None = None
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class CardSettings:
    """The models that are configured, and the objectives."""

    models: Mapping[str, Described] = field(default_factory=dict)
    slo: SloSettings = field(default_factory=SloSettings)

    def of(self, model: str) -> Described:
        """What is written of a model, of one that isn't configured nothing."""
        return self.models.get(model, Described())


def from_config(config: Config) -> CardSettings:
    """The settings of a configuration without mistakes."""
    models = {
        name: Described(
            said.owner,
            said.card.purpose,
            said.card.contact,
            said.card.limits,
            said.card.runbook,
            said.card.groups,
        )
        for name, said in config.models.items()
    }
    return CardSettings(models, slo_settings(config))
