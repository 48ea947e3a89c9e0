"""What a configuration says of objectives and watches, as evaluation takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.config import Config
from monitor.config.objective_values import objectives_of
from monitor.config.watches import tuning_of
from monitor.sli.windows import Bases, UsualBases
from monitor.slo.catalogue import watches
from monitor.slo.naming import slug
from monitor.slo.objective import Objective, Watch
from monitor.slo.tuning import Tuning

__all__ = ["SloSettings", "from_config"]


@dataclass(frozen=True, slots=True)
class SloSettings:
    """The objectives, in the order of the file, and what there is to know about alerts as a whole.

    `runbook_url` and `dashboard_url` are where the pages of an alert's runbook and of a model are found.
    """

    objectives: tuple[Objective, ...] = ()
    time_zone: str = "UTC"
    quiet_after_s: int = 900
    runbook_url: str | None = None
    dashboard_url: str | None = None
    generic: bool = True
    tuning: Tuning = field(default_factory=Tuning)
    owners: Mapping[str, str | None] = field(default_factory=dict)
    bases: Bases = field(default_factory=UsualBases)

    def watches_for(self, models: Iterable[str]) -> tuple[Watch, ...]:
        """The watches of these models, such as those that the stream has shown, and of those configured.

        An objective stands in for the watch of its name.
        """
        if not self.generic:
            return ()
        owners = {model: self.owners.get(model) for model in sorted({*models, *self.owners})}
        objectives = {(o.meter.model, slug(o.name)) for o in self.objectives}
        found = watches(owners, self.bases, self.tuning)
        return tuple(w for w in found if (w.meter.model, w.name) not in objectives)


def from_config(config: Config) -> SloSettings:
    """The settings of a configuration without mistakes."""
    slo = config.slo
    return SloSettings(
        objectives=tuple(objectives_of(config)),
        time_zone=slo.time_zone,
        quiet_after_s=slo.quiet_after_s,
        runbook_url=slo.runbook_url,
        dashboard_url=slo.dashboard_url,
        generic=slo.generic,
        tuning=tuning_of(slo.watches, frozenset(slo.disable)),
        owners={name: model.owner for name, model in config.models.items()},
        bases=config.windows,
    )
