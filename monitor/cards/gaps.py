"""What is missing of a model: pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.cards.settings import Described
from monitor.ingest.events.kinds import Deployment

__all__ = ["Gap", "Known", "Part", "gaps"]


class Part(StrEnum):
    """What every model in production should have."""

    OWNER = "owner"
    LOGS = "logs"
    LABELS = "labels"
    OBJECTIVES = "objectives"
    RUNBOOK = "runbook"
    APPROVAL = "approval"
    BASELINE = "baseline"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing, and what to do about it."""

    part: Part
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What there is of a model. `live` are the versions in production, each with the deployment that brought
    it there, None where nobody said; `runbook` whether any page says how to run it."""

    model: str
    described: Described
    logged: bool
    labelled: bool
    objectives: int
    runbook: bool
    live: Mapping[str, Deployment | None]
    baseline: bool


def gaps(known: Known) -> list[Gap]:
    """What is missing, in the order of the parts."""
    return list(_gaps(known))


def _gaps(known: Known) -> Iterator[Gap]:
    model, said = known.model, known.described
    if said.owner is None:
        yield Gap(Part.OWNER, f"nobody owns it; write models.{model}.owner")
    if not known.logged:
        yield Gap(Part.LOGS, "no inference of it was ever read; log its requests where `source` reads them")
    if not known.labelled:
        yield Gap(Part.LABELS, "no label came for any of its predictions; send labels, or `labels load` them")
    if not known.objectives:
        yield Gap(Part.OBJECTIVES, f"it has none; `monitor slo init --model {model}` writes a start")
    if not known.runbook:
        yield Gap(Part.RUNBOOK, f"no page says how to run it; write models.{model}.card.runbook")
    yield from _approvals(known)
    if not known.baseline:
        yield Gap(Part.BASELINE, "only a provisional one, or none, holds; `monitor baseline fit` makes one")
    left_out = [name for name in ("purpose", "contact") if getattr(said, name) is None]
    if left_out:
        yield Gap(Part.CARD, f"{' and '.join(left_out)} not written; write models.{model}.card")


def _approvals(known: Known) -> Iterator[Gap]:
    if not known.live:
        yield Gap(Part.APPROVAL, "no deployment is known; send `deployment` events, with their approver")
    for version, deployed in sorted(known.live.items()):
        if deployed is None:
            yield Gap(
                Part.APPROVAL, f"version {version} is in production, and no deployment says who wanted it"
            )
        elif not deployed.approver:
            by = f" by {deployed.by}" if deployed.by else ""
            yield Gap(Part.APPROVAL, f"version {version} was deployed{by}, and no approver is named")
