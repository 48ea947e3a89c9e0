"""What the web app is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.cards.settings import CardSettings
from monitor.clock import Clock
from monitor.config.costs import CostsConfig
from monitor.ingest.spool import DurableLog
from monitor.job.report import JobStatus
from monitor.profiles.samples import SampleSettings
from monitor.records import Carries
from monitor.sli.windows import Bases, UsualBases
from monitor.slo.settings import SloSettings
from monitor.store.store import Store
from monitor.web.metrics import ServiceMetrics
from monitor.web.paging_site import PagingSite
from monitor.web.settings import WebSettings

__all__ = ["WebContext"]


@dataclass(frozen=True, slots=True)
class WebContext:
    """`status` tells how the job does; what has no log in `logs` can't be posted. `bases` are the base
    windows that the job writes, `samples` what it keeps of the records, `slo` the objectives. Without
    `paging` no alerts are taken. `cards` and `costs` are what the configuration says."""

    store: Store
    clock: Clock
    status: Callable[[], JobStatus]
    metrics: ServiceMetrics
    logs: Mapping[Carries, DurableLog] = field(default_factory=dict)
    settings: WebSettings = field(default_factory=WebSettings)
    bases: Bases = field(default_factory=UsualBases)
    samples: SampleSettings = field(default_factory=SampleSettings)
    slo: SloSettings = field(default_factory=SloSettings)
    paging: PagingSite | None = None
    cards: CardSettings = field(default_factory=CardSettings)
    costs: CostsConfig = field(default_factory=CostsConfig)
